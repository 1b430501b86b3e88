import type { AclVerb } from "./acl.ts";
import { ChangeError, DmError, Status } from "./errors.ts";
import type { Call, Change, Mo, NodeSchema, Outcome, WriteCall } from "./mo.ts";
import { joinRel, parentRel, segments, top } from "./path.ts";
import type { Rel } from "./path.ts";
import { undoAll } from "./properties.ts";
import type { Undo } from "./properties.ts";
import type { StoredNodes } from "./stored-nodes.ts";
import type { LeafFormat, Snapshot, Value } from "./value.ts";
import { isInterior } from "./value.ts";

/** Names of the unnamed nodes on the way: for "Records/d1/Name" they are ["d1"]. */
export type Names = readonly string[];

/** A leaf of the table. With `get` it is computed; without, it is stored, and stands below stored unnamed nodes. */
export interface Leaf {
  readonly format: LeafFormat;
  readonly description: string;
  /** MIME type, where it is not text/plain. */
  readonly type?: string;
  readonly volatile?: boolean;
  /** A computed leaf's value; undefined: the node is not there now. */
  readonly get?: (names: Names) => Value | undefined;
  /**
   * Writes a computed leaf. It must be quick, put what is durable into the call's batch, and answer how to take it back.
   * @throws DmError
   */
  readonly set?: (value: Value, names: Names, call: WriteCall) => Undo;
  readonly exec?: (argument: Value | undefined, names: Names, call: WriteCall) => Promise<Outcome>;
  /** A stored leaf that nobody may read: a secret. */
  readonly secret?: true;
}

export interface Branch {
  readonly format: "node";
  readonly description: string;
  /** MO identifier or other type of the interior node. */
  readonly type?: string;
  readonly children?: Table;
  /** The shape of children without fixed names. */
  readonly each?: Leaf | Branch;
  /** Names of computed unnamed children; without it they are stored: added and deleted by commands. */
  readonly list?: (names: Names) => Iterable<string>;
  /** A free area: whoever adds a node decides on name, format and depth. Stored. */
  readonly free?: true;
}

export type Table = Readonly<Record<string, Leaf | Branch>>;

const readOnly: ReadonlySet<AclVerb> = new Set(["Get"]);
const freeAccess: ReadonlySet<AclVerb> = new Set(["Add", "Delete", "Get", "Replace"]);

interface Found {
  readonly row: Leaf | Branch | "free";
  readonly names: Names;
  /** It lies in a part that commands add and delete. */
  readonly dynamic: boolean;
}

/**
 * An MO written as a literal table: schema, access and behaviour of every node stand in one place that a person can read aloud.
 * @param stored needed when the table has stored leaves, stored unnamed children or free areas
 */
export function tableMo(urn: string, table: Branch, stored?: StoredNodes): Mo {
  const find = (rel: Rel): Found | undefined => {
    let row: Leaf | Branch = table;
    let dynamic = false;
    const names: string[] = [];
    for (const name of segments(rel)) {
      if (row.format !== "node") return undefined;
      if (row.free) return { row: "free", names, dynamic: true };
      const child: Leaf | Branch | undefined =
        row.children !== undefined && Object.hasOwn(row.children, name) ? row.children[name] : row.each;
      if (child === undefined) return undefined;
      if (child === row.each) {
        names.push(name);
        dynamic = row.list === undefined;
      }
      row = child;
    }
    return { row, names, dynamic };
  };

  const has = (rel: Rel): boolean => {
    const found = find(rel);
    if (found === undefined) return false;
    const { row, names, dynamic } = found;
    if (dynamic || row === "free") return stored?.get(rel) !== undefined;
    if (!listed(rel)) return false;
    return row.format === "node" || (row.get === undefined ? row.exec !== undefined : row.get(names) !== undefined);
  };

  /** Is every computed unnamed node on the way in its list? */
  const listed = (rel: Rel): boolean => {
    let row: Leaf | Branch = table;
    const names: string[] = [];
    for (const name of segments(rel)) {
      if (row.format !== "node") return false;
      const child: Leaf | Branch | undefined =
        row.children !== undefined && Object.hasOwn(row.children, name) ? row.children[name] : row.each;
      if (child === undefined) return false;
      if (child === row.each) {
        if (row.list !== undefined && !contains(row.list(names), name)) return false;
        names.push(name);
      }
      row = child;
    }
    return true;
  };

  const schema = (rel: Rel): NodeSchema | undefined => {
    const found = find(rel);
    if (found === undefined) return undefined;
    const { row, dynamic } = found;
    if (row === "free") return freeSchema(stored?.get(rel));
    return rowSchema(row, dynamic);
  };

  const childNames = (rel: Rel, row: Branch | "free", names: Names): string[] => {
    if (row === "free") return [...(stored?.names(rel) ?? [])];
    const own = Object.keys(row.children ?? {}).filter((name) => has(joinRel(rel, name)));
    const unnamed = row.list?.(names) ?? (row.each !== undefined || row.free ? (stored?.names(rel) ?? []) : []);
    return [...new Set([...own, ...unnamed])];
  };

  const read = (rel: Rel, deep: boolean): Snapshot => {
    const found = find(rel);
    if (found === undefined) throw new DmError(Status.notFound, `no node ${rel}`);
    const { row, names, dynamic } = found;
    if (row !== "free" && row.format !== "node") {
      const value = row.get !== undefined ? row.get(names) : leafOf(stored?.get(rel));
      if (value === undefined) throw new DmError(Status.notFound, `no node ${rel}`);
      return value;
    }
    if (row === "free" || dynamic) {
      const node = stored?.get(rel);
      if (node === undefined) throw new DmError(Status.notFound, `no node ${rel}`);
      if (node !== "node") return node;
    }
    const children = childNames(rel, row, names).map((name): [string, Snapshot | undefined] => {
      const child = joinRel(rel, name);
      return [name, deep && schema(child)?.access.has("Get") === true ? read(child, true) : undefined];
    });
    return { format: "node", children: new Map(deep ? children.filter(([, child]) => child !== undefined) : children) };
  };

  const applyOne = (change: Change, call: WriteCall): Undo | undefined => {
    const found = find(change.rel);
    if (found === undefined) throw new DmError(Status.notFound, `no node ${change.rel}`);
    if (
      change.verb === "Replace" &&
      found.row !== "free" &&
      found.row.format !== "node" &&
      found.row.set !== undefined
    ) {
      return found.row.set(change.value, found.names, call);
    }
    if (stored === undefined) throw new DmError(Status.notAllowed, `${change.rel} is read-only`);
    if (change.verb === "Delete") stored.delete(change.rel, call.batch);
    else if (change.verb === "Rename") {
      const all = stored.snapshot(change.rel);
      stored.delete(change.rel, call.batch);
      if (all !== undefined) stored.put(joinRel(parentRel(change.rel) ?? top, change.name), all, call.batch);
    } else {
      if (change.verb === "Add" && isInterior(change.value)) checkShape(change.rel, change.value);
      stored.put(change.rel, change.value, call.batch);
    }
    return undefined;
  };

  /** A subtree that is added at once must fit the table in every node. */
  const checkShape = (rel: Rel, snapshot: Snapshot): void => {
    const expected = schema(rel);
    if (expected === undefined) throw new DmError(Status.notAllowed, `${rel} cannot be added`);
    if (expected.format !== "any" && expected.format !== snapshot.format) {
      throw new DmError(Status.unsupportedFormat, `${rel} has format ${expected.format}, not ${snapshot.format}`);
    }
    if (!isInterior(snapshot)) return;
    for (const [name, child] of snapshot.children) if (child !== undefined) checkShape(joinRel(rel, name), child);
  };

  return {
    urn,
    schema,
    has,
    read: async (rel, depth) => read(rel, depth === "deep"),
    async apply(changes, call) {
      const before =
        stored === undefined ? [] : changes.map((change) => [change.rel, stored.snapshot(change.rel)] as const);
      const undos: Undo[] = [];
      for (const [index, change] of changes.entries()) {
        try {
          const undo = applyOne(change, call);
          if (undo !== undefined) undos.push(undo);
        } catch (error) {
          undoAll(undos)();
          restore(stored, changes.slice(0, index + 1), before, call);
          throw new ChangeError(index, true, error);
        }
      }
      return { state: "done" };
    },
    async exec(rel, argument, call) {
      const found = find(rel);
      if (found === undefined || found.row === "free" || found.row.format === "node" || found.row.exec === undefined) {
        throw new DmError(Status.notAllowed, `${rel} cannot be executed`);
      }
      return found.row.exec(argument, found.names, call);
    },
  };
}

/** Puts the stored nodes back as they were; the batch then writes the old values over what it held. */
function restore(
  stored: StoredNodes | undefined,
  done: readonly Change[],
  before: readonly (readonly [Rel, Snapshot | undefined])[],
  call: Call & Pick<WriteCall, "batch">,
): void {
  if (stored === undefined) return;
  for (const [index, change] of [...done.entries()].reverse()) {
    const [rel, old] = before[index] ?? [change.rel, undefined];
    if (change.verb === "Rename") stored.delete(joinRel(parentRel(rel) ?? top, change.name), call.batch);
    if (stored.get(rel) !== undefined) stored.delete(rel, call.batch);
    if (old !== undefined) stored.put(rel, old, call.batch);
  }
}

function rowSchema(row: Leaf | Branch, dynamic: boolean): NodeSchema {
  const common = {
    format: row.format,
    description: row.description,
    ...(row.type === undefined ? {} : { type: row.type }),
    ...(dynamic ? {} : { permanent: true }),
  };
  if (row.format === "node") return { ...common, access: dynamic ? freeAccess : readOnly };
  const unread = row.secret === true || (row.exec !== undefined && row.get === undefined);
  const access = new Set<AclVerb>(unread ? [] : ["Get"]);
  if (row.set !== undefined || (row.get === undefined && row.exec === undefined)) access.add("Replace");
  if (row.exec !== undefined) access.add("Exec");
  if (dynamic) access.add("Add").add("Delete");
  return { ...common, access, ...(row.volatile ? { volatile: true } : {}) };
}

function freeSchema(node: Value | "node" | undefined): NodeSchema {
  if (node === undefined) return { format: "any", access: freeAccess };
  if (node === "node") return { format: "node", access: freeAccess };
  const type = "type" in node ? node.type : undefined;
  return { format: node.format, access: freeAccess, ...(type === undefined ? {} : { type }) };
}

function leafOf(node: Value | "node" | undefined): Value | undefined {
  return node === "node" ? undefined : node;
}

function contains(names: Iterable<string>, name: string): boolean {
  for (const one of names) if (one === name) return true;
  return false;
}
