import { DmError, Status } from "./errors.ts";
import { parentRel } from "./path.ts";
import type { Rel } from "./path.ts";
import type { Batch, Bucket, Store } from "./ports.ts";
import { bucket } from "./ports.ts";
import { fromStored, isInterior, sizeOf, toStored } from "./value.ts";
import type { Snapshot, StoredValue, Value } from "./value.ts";

/** What one MO may hold: enough for a home, too little to fill a small flash. */
export const storedLimits = { nodes: 4000, bytes: 1 << 20, value: 256 << 10 } as const;

/** The durable nodes of one MO: in memory for reading, in the store for good. An interior node is kept as such, so that it may be empty. */
export class StoredNodes {
  readonly #nodes = new Map<Rel, Value | "node">();
  readonly #children = new Map<Rel, Set<string>>();
  readonly #bucket: Bucket<StoredValue | "node">;
  #bytes = 0;

  /** @param name names the nodes in the store, for good */
  constructor(store: Store, name: string) {
    this.#bucket = bucket(store, `nodes ${name}`);
    for (const [rel, stored] of this.#bucket.entries()) {
      this.#keep(rel as Rel, stored === "node" ? "node" : fromStored(stored));
    }
  }

  get(rel: Rel): Value | "node" | undefined {
    return this.#nodes.get(rel);
  }

  names(rel: Rel): Iterable<string> {
    return this.#children.get(rel) ?? [];
  }

  /** Puts a leaf or an interior node with all its children. @throws DmError 413 value too large, 420 the MO is full. */
  put(rel: Rel, snapshot: Snapshot, batch: Batch): void {
    if (!isInterior(snapshot)) return this.#write(rel, snapshot, batch);
    this.#write(rel, "node", batch);
    for (const [name, child] of snapshot.children) {
      if (child !== undefined) this.put(`${rel}/${name}` as Rel, child, batch);
    }
  }

  delete(rel: Rel, batch: Batch): void {
    for (const name of [...this.names(rel)]) this.delete(`${rel}/${name}` as Rel, batch);
    this.#drop(rel);
    this.#bucket.delete(batch, rel);
  }

  /** The node and all below it, as {@link put} takes it. */
  snapshot(rel: Rel): Snapshot | undefined {
    const node = this.#nodes.get(rel);
    if (node !== "node") return node;
    const children = new Map<string, Snapshot>();
    for (const name of this.names(rel)) {
      const child = this.snapshot(`${rel}/${name}` as Rel);
      if (child !== undefined) children.set(name, child);
    }
    return { format: "node", children };
  }

  #write(rel: Rel, node: Value | "node", batch: Batch): void {
    const size = weight(rel, node);
    if (size > storedLimits.value)
      throw new DmError(Status.tooLarge, `a value of ${size} bytes; at most ${storedLimits.value}`);
    const before = this.#nodes.get(rel);
    const bytes = this.#bytes + size - (before === undefined ? 0 : weight(rel, before));
    if (bytes > storedLimits.bytes || (before === undefined && this.#nodes.size >= storedLimits.nodes)) {
      throw new DmError(
        Status.deviceFull,
        `this part of the tree is full (${storedLimits.nodes} nodes, ${storedLimits.bytes} bytes)`,
      );
    }
    this.#keep(rel, node);
    this.#bucket.put(batch, rel, node === "node" ? node : toStored(node));
  }

  #keep(rel: Rel, node: Value | "node"): void {
    this.#drop(rel);
    this.#nodes.set(rel, node);
    this.#bytes += weight(rel, node);
    const above = parentRel(rel);
    if (above === undefined) return;
    const names = this.#children.get(above) ?? new Set();
    names.add(rel.slice(above === "" ? 0 : above.length + 1));
    this.#children.set(above, names);
  }

  #drop(rel: Rel): void {
    const before = this.#nodes.get(rel);
    if (before === undefined) return;
    this.#nodes.delete(rel);
    this.#bytes -= weight(rel, before);
    const above = parentRel(rel);
    if (above === undefined) return;
    const names = this.#children.get(above);
    names?.delete(rel.slice(above === "" ? 0 : above.length + 1));
    if (names?.size === 0) this.#children.delete(above);
  }
}

function weight(rel: Rel, node: Value | "node"): number {
  return rel.length + (node === "node" ? 0 : sizeOf(node));
}
