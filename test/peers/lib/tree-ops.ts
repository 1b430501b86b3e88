import type { Random } from "./random.ts";
import type { Image, Node } from "./tree-image.ts";

/** One request that writes, and what it makes of the nodes; undefined: it is gone. */
export interface Op {
  readonly method: "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
  readonly effect: ReadonlyMap<string, Node | undefined>;
}

/** Where one writer writes, and nobody else. */
export interface Ground {
  /** Their parents are there. */
  readonly areas: readonly string[];
  /** A device that may be renamed, "d1". */
  readonly device: string;
}

/** The place of a device's name among the nodes. */
export const nameOf = (device: string) => `name of ${device}`;

/** Nodes in one area, beyond which more is deleted than added. */
const crowd = 25;
const acls = [
  "",
  "Get=*",
  "Get=com.example.a&Replace=com.example.a+com.example.b",
  "Add=*&Delete=com.example.a&Exec=*",
];
const formats = ["chr", "int", "bool", "float", "b64"] as const;

/** Something to do that fits what is there: it is taken, unless the disk fails. */
export function randomOp(random: Random, ground: Ground, known: Image): Op {
  const area = random.one(ground.areas);
  const nodes = [...known.keys()].filter((at) => within(at, area));
  if (nodes.length === 0) return add(random, area, known);
  const at = random.one(nodes);
  const dice = random.below(100);
  if (dice < 4) return rename(random, ground.device);
  if (dice < (nodes.length > crowd ? 30 : 8)) return remove(at, known);
  if (dice < 40) return add(random, random.one(nodes), known);
  if (dice < 48) return property(at, known, "Title", random.chance(0.3) ? "" : text(random, 40));
  if (dice < 56) return property(at, known, "ACL", random.one(acls));
  if (dice < 60) return move(random, at, known);
  const leaves = nodes.filter((one) => isLeaf(known, one));
  return replace(random, leaves.length === 0 ? at : random.one(leaves), known);
}

/** An interior node or a leaf below `at`, or beside it where it is a leaf; often with the parents that are missing in between. */
function add(random: Random, at: string, known: Image): Op {
  const below = isLeaf(known, at) ? parent(at) : at;
  const deeper = below.split("/").length > 16 ? 1 : random.chance(0.1) ? 1 + random.below(8) : 1 + random.below(2);
  const names = Array.from({ length: deeper }, () => freshName(random));
  const path = [below, ...names].join("/");
  const met = names.map((_, n) => [below, ...names.slice(0, n + 1)].join("/")).find((one) => isLeaf(known, one));
  if (met !== undefined) return replace(random, met, known);
  if (known.has(path)) return remove(path, known);
  const format = random.chance(0.15) ? "node" : random.one(formats);
  const value = format === "node" ? undefined : valueOf(random, format);
  const effect = new Map<string, Node>();
  for (let above = path; !known.has(above) && !above.endsWith("/Ext"); above = parent(above))
    effect.set(above, { format: "node", acl: "", title: "" });
  effect.set(path, { format, ...(value === undefined ? {} : { value }), acl: "", title: "" });
  return { method: "POST", path: `/v1/tree/${path}`, body: value === undefined ? {} : { value, format }, effect };
}

function replace(random: Random, at: string, known: Image): Op {
  const node = known.get(at);
  if (node === undefined || node.format === "node") return property(at, known, "Title", text(random, 20));
  const value = valueOf(random, node.format);
  return { method: "PUT", path: `/v1/tree/${at}`, body: { value }, effect: new Map([[at, { ...node, value }]]) };
}

/** The node and all below it. */
function remove(at: string, known: Image): Op {
  const gone = [...known.keys()].filter((one) => within(one, at));
  return { method: "DELETE", path: `/v1/tree/${at}`, effect: new Map(gone.map((one) => [one, undefined])) };
}

function property(at: string, known: Image, prop: "ACL" | "Title", value: string): Op {
  const node = known.get(at) as Node;
  const next = prop === "ACL" ? { ...node, acl: value } : { ...node, title: value };
  return { method: "PUT", path: `/v1/tree/${at}`, body: { prop, value }, effect: new Map([[at, next]]) };
}

/** Another name for the node: everything below it, and every property, comes along. */
function move(random: Random, at: string, known: Image): Op {
  const name = freshName(random);
  const to = `${parent(at)}/${name}`;
  if (known.has(to) || parent(at).endsWith("/Ext")) return property(at, known, "Title", name);
  const effect = new Map<string, Node | undefined>();
  for (const [one, node] of known) {
    if (!within(one, at)) continue;
    effect.set(one, undefined);
    effect.set(to + one.slice(at.length), node);
  }
  return { method: "PUT", path: `/v1/tree/${at}`, body: { prop: "Name", value: name }, effect };
}

function rename(random: Random, device: string): Op {
  const name = text(random, 30);
  const effect = new Map([[nameOf(device), { format: "name", value: name, acl: "", title: "" }]]);
  return { method: "POST", path: `/v1/devices/${device}/name`, body: { name }, effect };
}

export function within(at: string, area: string): boolean {
  return at === area || at.startsWith(`${area}/`);
}

function parent(at: string): string {
  return at.slice(0, at.lastIndexOf("/"));
}

function isLeaf(known: Image, at: string): boolean {
  return known.has(at) && known.get(at)?.format !== "node";
}

/** From few names, so that those of deleted nodes come again: nothing of the old node may come with them. */
function freshName(random: Random): string {
  const name = `k${random.below(60)}`;
  return random.chance(0.1) ? `${name}%20%C3%A9` : name;
}

function valueOf(random: Random, format: string): unknown {
  switch (format) {
    case "int":
      return random.below(2 ** 31) - 2 ** 30;
    case "bool":
      return random.chance(0.5);
    case "float":
      return random.below(1000) + 0.5;
    case "b64":
      return Buffer.from(text(random, 60)).toString("base64");
    default:
      return text(random, random.chance(0.04) ? 8000 : 60);
  }
}

/** Never the same twice, for all that matters; never empty. */
function text(random: Random, most: number): string {
  const stem = `${random.below(1e9).toString(36)} "é\\`;
  return stem.padEnd(1 + random.below(most), "…x");
}
