import { joinRel, parentRel, segmentOf, segments, top } from "../tree/path.ts";
import type { NodeSchema } from "../tree/mo.ts";
import type { Rel } from "../tree/path.ts";
import type { Snapshot, Value } from "../tree/value.ts";

/** How the leaves of one kind of device show in the tree. */
export interface Showing<Leaf> {
  schema(leaf: Leaf): NodeSchema;
  value(leaf: Leaf): Value;
  /** For an interior node; what it is for. */
  description?(rel: Rel): string | undefined;
}

/** ./Devices/<n>/<protocol> stands above, and a path has 1023 characters in all. */
const longest = 900;
const deepest = 24;

/** Names as a device gives them, any text, to an address; undefined when it would be too deep or too long for the tree. */
export function relOf(names: readonly string[]): Rel | undefined {
  if (names.length > deepest) return undefined;
  const rel = names.map(segmentOf).join("/");
  return rel.length > longest ? undefined : (rel as Rel);
}

/**
 * The nodes of one device: leaves by address, and the interior nodes that they make. Whatever a device calls its things, they are only
 * ever keys of a Map here.
 */
export class DeviceNodes<Leaf> {
  readonly #showing: Showing<Leaf>;
  readonly #leaves = new Map<Rel, Leaf>();
  readonly #interiors = new Map<Rel, Set<string>>([[top, new Set()]]);

  constructor(showing: Showing<Leaf>) {
    this.#showing = showing;
  }

  get(rel: Rel): Leaf | undefined {
    return this.#leaves.get(rel);
  }

  /** Every leaf, in the order in which they were put. */
  leaves(): ReadonlyMap<Rel, Leaf> {
    return this.#leaves;
  }

  /** false, and nothing is done, where the place is taken by an interior node or lies below a leaf. */
  put(rel: Rel, leaf: Leaf): boolean {
    if (this.#interiors.has(rel)) return false;
    const above = parentRel(rel);
    if (above === undefined || !this.addInterior(above)) return false;
    this.#leaves.set(rel, leaf);
    this.#interiors.get(above)?.add(lastOf(rel));
    return true;
  }

  /** An interior node, and those above it. false where a leaf is in the way. */
  addInterior(rel: Rel): boolean {
    if (this.#interiors.has(rel)) return true;
    let at: Rel = top;
    for (const name of segments(rel)) if (this.#leaves.has((at = joinRel(at, name)))) return false;
    at = top;
    for (const name of segments(rel)) {
      this.#interiors.get(at)?.add(name);
      at = joinRel(at, name);
      if (!this.#interiors.has(at)) this.#interiors.set(at, new Set());
    }
    return true;
  }

  clear(): void {
    this.#leaves.clear();
    this.#interiors.clear();
    this.#interiors.set(top, new Set());
  }

  has(rel: Rel): boolean {
    return this.#leaves.has(rel) || this.#interiors.has(rel);
  }

  /** Interior nodes are as the device made them: nobody else adds or takes away. */
  schema(rel: Rel): NodeSchema | undefined {
    const leaf = this.#leaves.get(rel);
    if (leaf !== undefined) return this.#showing.schema(leaf);
    if (!this.#interiors.has(rel)) return undefined;
    const description = this.#showing.description?.(rel);
    return { format: "node", access: onlyGet, permanent: true, ...(description === undefined ? {} : { description }) };
  }

  /** As Mo.read answers it; undefined: no such node. */
  snapshot(rel: Rel, depth: "one" | "deep"): Snapshot | undefined {
    const leaf = this.#leaves.get(rel);
    if (leaf !== undefined) return this.#showing.value(leaf);
    const names = this.#interiors.get(rel);
    if (names === undefined) return undefined;
    const children = new Map<string, Snapshot | undefined>();
    for (const name of names) {
      children.set(name, depth === "deep" ? this.snapshot(joinRel(rel, name), "deep") : undefined);
    }
    return { format: "node", children };
  }

  /** Every leaf at `rel` or below it. */
  *below(rel: Rel): Iterable<readonly [Rel, Leaf]> {
    const leaf = this.#leaves.get(rel);
    if (leaf !== undefined) yield [rel, leaf];
    for (const name of this.#interiors.get(rel) ?? []) yield* this.below(joinRel(rel, name));
  }
}

const onlyGet: NodeSchema["access"] = new Set(["Get"]);

function lastOf(rel: Rel): string {
  return rel.slice(rel.lastIndexOf("/") + 1);
}
