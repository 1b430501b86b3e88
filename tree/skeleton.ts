import { DmError, Status } from "./errors.ts";
import type { Mo, NodeSchema } from "./mo.ts";
import { parentRel, top } from "./path.ts";
import type { Rel } from "./path.ts";
import type { Snapshot } from "./value.ts";

const branch: NodeSchema = { format: "node", access: new Set(["Get"]), permanent: true };

/** The interior nodes above the mounts: the tree's own. An MO like the others, so that every rule has one road. */
export class Skeleton implements Mo {
  readonly urn = "";
  readonly #branches = new Map<Rel, Set<string>>([[top, new Set()]]);

  schema(rel: Rel): NodeSchema | undefined {
    return this.#branches.has(rel) ? branch : undefined;
  }

  has(rel: Rel): boolean {
    return this.#branches.has(rel);
  }

  async read(rel: Rel): Promise<Snapshot> {
    return { format: "node", children: new Map([...(this.#branches.get(rel) ?? [])].map((name) => [name, undefined])) };
  }

  async apply(): Promise<never> {
    throw new DmError(Status.notAllowed, "this part of the tree is the gateway's own");
  }

  async exec(): Promise<never> {
    throw new DmError(Status.notAllowed, "this node cannot be executed");
  }

  names(rel: Rel): Iterable<string> {
    return this.#branches.get(rel) ?? [];
  }

  /** Makes `rel` (a mount or a branch) reachable from the root. */
  grow(rel: Rel, branchToo: boolean): void {
    if (branchToo && !this.#branches.has(rel)) this.#branches.set(rel, new Set());
    const above = parentRel(rel);
    if (above === undefined) return;
    this.grow(above, true);
    this.#branches.get(above)?.add(rel.slice(above === "" ? 0 : above.length + 1));
  }

  /** Takes `rel` out, and every branch above that it leaves empty. */
  prune(rel: Rel, keep: ReadonlySet<Rel>): void {
    const above = parentRel(rel);
    if (above === undefined) return;
    this.#branches.get(above)?.delete(rel.slice(above === "" ? 0 : above.length + 1));
    if (above === top || keep.has(above) || (this.#branches.get(above)?.size ?? 0) > 0) return;
    this.#branches.delete(above);
    this.prune(above, keep);
  }
}
