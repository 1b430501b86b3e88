// What stands in a config file or a --set argument, with the place of each value, before anything is known of its meaning.

export interface ScalarNode {
  readonly kind: "scalar";
  readonly at: string;
  readonly value: string | number | boolean | null;
  /** As it is written: "1.10" where the value is 1.1. */
  readonly text: string;
  /** Relative paths begin in this folder. */
  readonly base: string;
}
export interface GroupNode {
  readonly kind: "group";
  readonly at: string;
  /** A Map: names come from a file, and "__proto__" is one. */
  readonly entries: Map<string, GroupEntry>;
}
export interface GroupEntry {
  /** Place of the key. */
  readonly at: string;
  readonly node: ConfigNode;
}
export interface ListNode {
  readonly kind: "list";
  readonly at: string;
  readonly items: ConfigNode[];
}
export type ConfigNode = ScalarNode | GroupNode | ListNode;

export const emptyGroup = (at: string): GroupNode => ({ kind: "group", at, entries: new Map() });

/** "servers[0].auth.client": the key below a group or list. */
export function keyBelow(key: string, name: string | number): string {
  if (typeof name === "number") return `${key}[${name}]`;
  const shown = /^[\w-]{1,64}$/.test(name) ? name : JSON.stringify(name.length > 40 ? `${name.slice(0, 40)}…` : name);
  return key === "" ? shown : `${key}.${shown}`;
}

/** The node below `node`, and the place to name when it is wrong: its own, or of the group in which it is missing. */
export function nodeAt(
  node: ConfigNode,
  path: readonly (string | number)[],
): { node: ConfigNode | undefined; at: string } {
  let here: ConfigNode | undefined = node;
  let at = node.at;
  for (const name of path) {
    if (here?.kind === "group") {
      const entry: GroupEntry | undefined = here.entries.get(String(name));
      here = entry?.node;
      at = placeOf(entry) ?? at;
    } else {
      here = here?.kind === "list" ? here.items[Number(name)] : undefined;
      at = here?.at ?? at;
    }
  }
  return { node: here, at };
}

/** A value is found where it stands; a group below a key where the key does, since that is what a person looks for. */
function placeOf(entry: GroupEntry | undefined): string | undefined {
  return entry?.node.kind === "scalar" ? entry.node.at : entry?.at;
}

/** What stands there as plain data, names and all. */
export function plain(node: ConfigNode): unknown {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "list") return node.items.map(plain);
  return Object.fromEntries([...node.entries].map(([name, entry]) => [name, plain(entry.node)]));
}
