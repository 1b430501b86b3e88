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
  /** Commands may add and delete this computed leaf: Add is `set`, Delete is this. */
  readonly unset?: (names: Names, call: WriteCall) => Undo;
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
  /**
   * Commands add, delete and rename computed unnamed children, by the rules of `set`. `value` fits the table, with all that is in it; interior nodes with
   * fixed names are there as soon as the child is.
   */
  readonly add?: (name: string, value: Snapshot, names: Names, call: WriteCall) => Undo;
  readonly remove?: (name: string, names: Names, call: WriteCall) => Undo;
  readonly rename?: (name: string, to: string, names: Names, call: WriteCall) => Undo;
  /** A free area: whoever adds a node decides on name, format and depth. Stored. */
  readonly free?: true;
}

export type Table = Readonly<Record<string, Leaf | Branch>>;

const freeAccess: ReadonlySet<AclVerb> = new Set(["Add", "Delete", "Get", "Replace"]);

interface Found {
  readonly row: Leaf | Branch | "free";
  /** The row above it. */
  readonly above: Branch | undefined;
  readonly names: Names;
  /** It lies in a stored part that commands add and delete. */
  readonly dynamic: boolean;
  /** It is, or lies below, a computed node that commands add. */
  readonly made: boolean;
}

/**
 * An MO written as a literal table: schema, access and behaviour of every node stand in one place that a person can read aloud.
 * @param stored needed when the table has stored leaves, stored unnamed children or free areas
 */
export function tableMo(urn: string, table: Branch, stored?: StoredNodes): Mo {
  /** @param present every computed unnamed node on the way must be in its list */
  const find = (rel: Rel, present = false): Found | undefined => {
    let row: Leaf | Branch = table;
    let above: Branch | undefined;
    let [dynamic, made] = [false, false];
    const names: string[] = [];
    for (const name of segments(rel)) {
      if (row.format !== "node") return undefined;
      if (row.free) return { row: "free", above: row, names, dynamic: true, made };
      const child: Leaf | Branch | undefined =
        row.children !== undefined && Object.hasOwn(row.children, name) ? row.children[name] : row.each;
      if (child === undefined) return undefined;
      if (child === row.each) {
        if (present && row.list !== undefined && !contains(row.list(names), name)) return undefined;
        names.push(name);
        dynamic = row.list === undefined;
        made ||= row.add !== undefined;
      }
      above = row;
      row = child;
    }
    return { row, above, names, dynamic, made };
  };

  const has = (rel: Rel): boolean => {
    const found = find(rel, true);
    if (found === undefined) return false;
    const { row, names, dynamic } = found;
    if (dynamic || row === "free") return stored?.get(rel) !== undefined;
    return row.format === "node" || (row.get === undefined ? row.exec !== undefined : row.get(names) !== undefined);
  };

  const schema = (rel: Rel): NodeSchema | undefined => {
    const found = find(rel);
    if (found === undefined) return undefined;
    return found.row === "free" ? freeSchema(stored?.get(rel)) : rowSchema(found.row, found);
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
    if (change.verb === "Add" && isInterior(change.value)) checkShape(change.rel, change.value);
    const undo = changeComputed(found, change, call);
    if (undo !== undefined) return undo;
    if (stored === undefined || !(found.dynamic || found.row === "free"))
      throw new DmError(Status.notAllowed, `${change.rel} does not take ${change.verb}`);
    if (change.verb === "Delete") stored.delete(change.rel, call.batch);
    else if (change.verb === "Rename") {
      const all = stored.snapshot(change.rel);
      stored.delete(change.rel, call.batch);
      if (all !== undefined) stored.put(joinRel(parentRel(change.rel) ?? top, change.name), all, call.batch);
    } else stored.put(change.rel, change.value, call.batch);
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

/** A change of what is computed is done by its row, or the one above it; undefined: they do not do it. */
function changeComputed(found: Found, change: Change, call: WriteCall): Undo | undefined {
  const { row, above, names } = found;
  if (row === "free") return undefined;
  if (above !== undefined && row === above.each) {
    const [name = "", outer] = [names.at(-1), names.slice(0, -1)];
    if (change.verb === "Add") return above.add?.(name, change.value, outer, call);
    if (change.verb === "Delete") return above.remove?.(name, outer, call);
    if (change.verb === "Rename") return above.rename?.(name, change.name, outer, call);
  }
  // An interior node with a fixed name came with the node above it.
  if (row.format === "node") return change.verb === "Add" && found.made ? () => undefined : undefined;
  if (change.verb === "Delete") return row.unset?.(names, call);
  if (change.verb === "Rename" || isInterior(change.value)) return undefined;
  return row.set?.(change.value, names, call);
}

function rowSchema(row: Leaf | Branch, found: Found): NodeSchema {
  const { format, description } = row;
  const access = accessOf(row, found);
  return {
    format,
    description,
    access,
    ...(row.type === undefined ? {} : { type: row.type }),
    ...(access.has("Delete") ? {} : { permanent: true }),
    ...(format !== "node" && row.volatile === true ? { volatile: true } : {}),
  };
}

function accessOf(row: Leaf | Branch, { dynamic, made, above }: Found): ReadonlySet<AclVerb> {
  if (row.format === "node" && dynamic) return freeAccess;
  const access = new Set<AclVerb>();
  const unnamed = above !== undefined && row === above.each;
  if (dynamic || (unnamed && above.add !== undefined)) access.add("Add");
  if (dynamic || (unnamed && above.remove !== undefined)) access.add("Delete");
  if (row.format === "node") {
    if (made) access.add("Add");
    return access.add("Get");
  }
  if (row.unset !== undefined) access.add("Add").add("Delete");
  if (row.secret !== true && (row.exec === undefined || row.get !== undefined)) access.add("Get");
  if (row.set !== undefined || (row.get === undefined && row.exec === undefined)) access.add("Replace");
  if (row.exec !== undefined) access.add("Exec");
  return access;
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
