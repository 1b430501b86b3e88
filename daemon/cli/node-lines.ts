import type { Decision } from "./failure.ts";
import { ago, printable } from "./print.ts";

/** A node as the local API gives it. */
export interface Node {
  readonly uri: string;
  readonly format: string;
  readonly type: string;
  readonly value?: string | number | boolean | null;
  readonly children?: readonly (string | Node)[];
  readonly timestamp?: string;
  readonly decision?: Decision;
}

/** The names of the children of a node that was not read deep. */
export function childNames({ children = [] }: Node): readonly string[] {
  return children.filter((child) => typeof child === "string");
}

export function childUri(uri: string, name: string): string {
  return uri === "." ? `./${name}` : `${uri}/${name}`;
}

/** "path => value", the value on one line. A leaf whose value was not to be had says so. */
export function leafLine(node: Node, name = node.uri): string {
  if (node.value === undefined) return `${printable(name)} => (not read: no answer)`;
  return `${printable(name)} => ${valueText(node.value)}`.trimEnd();
}

export function valueText(value: Node["value"]): string {
  return value === null || value === undefined ? "" : printable(String(value));
}

/** Every leaf below as "path => value"; an interior node with nothing in it as "path/". */
export function* flatLines(node: Node): Generator<string> {
  const children = node.children;
  if (children === undefined) yield leafLine(node);
  else if (children.length === 0) yield `${printable(node.uri)}/`;
  for (const child of children ?? []) {
    if (typeof child === "string") yield printable(childUri(node.uri, child));
    else yield* flatLines(child);
  }
}

/** The same as a tree that is indented, for reading on a terminal. */
export function* treeLines(node: Node, name = node.uri, indent = ""): Generator<string> {
  if (node.children === undefined) {
    yield `${indent}${leafLine(node, name)}`;
    return;
  }
  yield `${indent}${printable(name)}/`;
  for (const child of node.children) {
    if (typeof child === "string") yield `${indent}  ${printable(child)}`;
    else yield* treeLines(child, child.uri.slice(child.uri.lastIndexOf("/") + 1), `${indent}  `);
  }
}

/** How old a value is, where that is worth saying. */
export function ageNote(node: Node, now = Date.now()): string {
  const time = Date.parse(node.timestamp ?? "");
  return Number.isNaN(time) || now - time < 5000 ? "" : `  (${ago(node.timestamp, now)})`;
}

/** Which ACL decided, and where it stands. */
export function decisionLine({ server, allowed, verb, acl, from }: Decision): string {
  return `${printable(server)} ${allowed ? "may" : "may not"} ${verb}: the ACL "${printable(acl)}" of ${printable(from)} decides`;
}
