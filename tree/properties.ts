import type { Acl } from "./acl.ts";
import { formatAcl, parseAcl } from "./acl.ts";
import type { Rel } from "./path.ts";
import type { Batch, Bucket } from "./ports.ts";

/** What the tree keeps for a node besides its value (DM TND 1.2.1, node properties). */
export interface NodeProperties {
  readonly acl?: Acl;
  readonly title?: string;
  /** MO identifier that a server gave to an interior node. */
  readonly type?: string;
  /** Ms since 1970 of the last change. */
  readonly tstamp?: number;
  /** 0 … 65535, wraps. */
  readonly verno?: number;
}

/** The durable form; ACLs as text. */
export interface StoredProperties {
  readonly acl?: string;
  readonly title?: string;
  readonly type?: string;
  readonly tstamp?: number;
  readonly verno?: number;
}

/** Everything the tree needs to take back a change of properties. */
export type Undo = () => void;

/**
 * The properties of one mount's nodes, under the name that the mount keeps for good: so they follow a device whose place changes.
 * With a batch a change is durable; without one it stays in memory (what devices report never reaches the flash).
 */
export class PropertyBook {
  readonly #nodes = new Map<Rel, NodeProperties>();
  readonly #durable = new Set<Rel>();
  readonly #bucket: Bucket<StoredProperties>;
  readonly #key: string;
  #acls = 0;

  constructor(bucket: Bucket<StoredProperties>, key: string) {
    this.#bucket = bucket;
    this.#key = key;
    const prefix = `${key}\n`;
    for (const [name, stored] of bucket.entries(prefix)) {
      const { acl, ...rest } = stored;
      const parsed = parseAcl(acl ?? "");
      const rel = name.slice(prefix.length) as Rel;
      this.#keep(rel, parsed === undefined ? rest : { ...rest, acl: parsed });
      this.#durable.add(rel);
    }
  }

  /** false: every node of this mount inherits, which makes a deep read cheap. */
  get hasAcls(): boolean {
    return this.#acls > 0;
  }

  get(rel: Rel): NodeProperties | undefined {
    return this.#nodes.get(rel);
  }

  set(rel: Rel, properties: NodeProperties | undefined, batch: Batch | undefined): Undo {
    const before = this.#nodes.get(rel);
    const wasDurable = this.#durable.has(rel);
    this.#keep(rel, properties);
    if (batch !== undefined) this.#write(rel, properties, batch);
    return () => {
      this.#keep(rel, before);
      if (wasDurable) this.#durable.add(rel);
      else this.#durable.delete(rel);
    };
  }

  setAcl(rel: Rel, acl: Acl | undefined, batch: Batch | undefined): Undo {
    const rest: { -readonly [Key in keyof NodeProperties]: NodeProperties[Key] } = { ...this.#nodes.get(rel) };
    delete rest.acl;
    return this.set(rel, acl === undefined ? rest : { ...rest, acl }, batch);
  }

  /** @param title "" takes it away */
  setTitle(rel: Rel, title: string, batch: Batch | undefined): Undo {
    const rest: { -readonly [Key in keyof NodeProperties]: NodeProperties[Key] } = { ...this.#nodes.get(rel) };
    delete rest.title;
    return this.set(rel, title === "" ? rest : { ...rest, title }, batch);
  }

  /** The node changed now: TStamp moves, VerNo counts up and wraps (DM TND 1.2.1). */
  touch(rel: Rel, now: number, batch: Batch | undefined): Undo {
    const before = this.#nodes.get(rel);
    return this.set(rel, { ...before, tstamp: now, verno: ((before?.verno ?? 0) + 1) & 0xffff }, batch);
  }

  /** The node and all below it are gone. */
  drop(rel: Rel, batch: Batch | undefined): Undo {
    return undoAll(this.#below(rel).map((one) => this.set(one, undefined, batch)));
  }

  /** The node has a new name: what hangs on it and on all below moves along. */
  move(from: Rel, to: Rel, batch: Batch | undefined): Undo {
    const undos: Undo[] = [];
    for (const one of this.#below(from)) {
      const properties = this.#nodes.get(one);
      undos.push(this.set(one, undefined, batch));
      undos.push(this.set((to + one.slice(from.length)) as Rel, properties, batch));
    }
    return undoAll(undos);
  }

  /** Every node with an ACL of its own. */
  *acls(): Iterable<readonly [Rel, Acl]> {
    if (this.#acls === 0) return;
    for (const [rel, { acl }] of this.#nodes) if (acl !== undefined) yield [rel, acl];
  }

  #below(rel: Rel): Rel[] {
    return [...this.#nodes.keys()].filter((one) => rel === "" || one === rel || one.startsWith(`${rel}/`));
  }

  #keep(rel: Rel, properties: NodeProperties | undefined): void {
    if (this.#nodes.get(rel)?.acl !== undefined) this.#acls--;
    if (properties === undefined) this.#nodes.delete(rel);
    else this.#nodes.set(rel, properties);
    if (properties?.acl !== undefined) this.#acls++;
  }

  #write(rel: Rel, properties: NodeProperties | undefined, batch: Batch): void {
    const key = `${this.#key}\n${rel}`;
    if (properties === undefined) {
      if (this.#durable.delete(rel)) this.#bucket.delete(batch, key);
      return;
    }
    const { acl, ...rest } = properties;
    this.#bucket.put(batch, key, acl === undefined ? rest : { ...rest, acl: formatAcl(acl) });
    this.#durable.add(rel);
  }
}

/** One undo for several, run backwards. */
export function undoAll(undos: readonly Undo[]): Undo {
  return () => {
    for (const undo of [...undos].reverse()) undo();
  };
}

/** TStamp as the standard writes it: UTC, ISO 8601 basic, "20010711T163817Z". */
export function timestamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace(/[-:]/g, "")}Z`;
}
