import { local } from "../../tree/acl.ts";
import { DmError, Status } from "../../tree/errors.ts";
import type { Call } from "../../tree/mo.ts";
import type { Path } from "../../tree/path.ts";
import { join } from "../../tree/path.ts";
import type { TreeShape } from "../../tree/shape.ts";
import type { Format, LeafFormat, Snapshot, Value } from "../../tree/value.ts";
import { int, isInterior, leafFormats, mimeOf, parseValue, textOf } from "../../tree/value.ts";

/** A node as JSON says it. */
export interface NodeJson {
  readonly uri: string;
  readonly format: string;
  /** MIME type of a leaf, MO identifier of an interior node. */
  readonly type: string;
  readonly value?: string | number | boolean | null;
  readonly children?: readonly (string | NodeJson)[];
  /** When the value was learned: ISO 8601. */
  readonly timestamp?: string;
}

/** What is needed to write nodes down. `now`: ms since 1970, the time of values that are always at hand. */
export interface Paper {
  readonly tree: Pick<TreeShape, "schema" | "age" | "property">;
  readonly now: number;
  readonly call: Call;
}

/** `deep`: children are nodes, else names. A node whose value was not to be had is there without value. */
export async function nodeJson(paper: Paper, uri: Path, snapshot: Snapshot, deep: boolean): Promise<NodeJson> {
  if (!isInterior(snapshot)) return leafJson(paper, uri, snapshot);
  const children: (string | NodeJson)[] = [];
  for (const [name, child] of snapshot.children) {
    if (!deep) children.push(name);
    else if (child === undefined) children.push(unread(paper, join(uri, name)));
    else children.push(await nodeJson(paper, join(uri, name), child, true));
  }
  return { uri, format: "node", type: await paper.tree.property(uri, "Type", { ...paper.call, by: local }), children };
}

function leafJson(paper: Paper, uri: Path, value: Value): NodeJson {
  const own = mimeOf(value);
  return {
    uri,
    format: value.format,
    type: own === "text/plain" ? (paper.tree.schema(uri)?.type ?? own) : own,
    value: valueJson(value),
    timestamp: new Date(paper.tree.age(uri) ?? paper.now).toISOString(),
  };
}

function unread(paper: Paper, uri: Path): NodeJson {
  const schema = paper.tree.schema(uri);
  return { uri, format: schema?.format ?? "node", type: schema?.type ?? "" };
}

/** Numbers and booleans as such, octets as base64, everything else as text. */
export function valueJson(value: Value): string | number | boolean | null {
  switch (value.format) {
    case "bool":
    case "int":
    case "float":
      return value.data;
    case "null":
      return null;
    default:
      return textOf(value);
  }
}

/** Reads a JSON value as a leaf of this format. @throws DmError 400 no such value in JSON, 415 not of the format. */
export function valueOf(json: unknown, format: LeafFormat, type?: string): Value {
  if (json === null && format === "null") return { format };
  if (typeof json !== "string" && typeof json !== "number" && typeof json !== "boolean") {
    throw new DmError(Status.badRequest, '"value" must be a string, a number or a boolean');
  }
  return parseValue(format, String(json), type);
}

/** The format that a JSON value has by itself. A DM int has 32 bits; whole numbers beyond are chr. */
export function formatOf(json: unknown): LeafFormat {
  if (typeof json === "boolean") return "bool";
  if (typeof json !== "number") return "chr";
  if (!Number.isInteger(json)) return "float";
  return int(json).format === "int" ? "int" : "chr";
}

/** @throws DmError 415, naming the formats there are. */
export function formatNamed(name: string): Format {
  const format = name === "node" ? name : leafFormats.find((one) => one === name);
  if (format !== undefined) return format;
  throw new DmError(
    Status.unsupportedFormat,
    `"${name.slice(0, 40)}" is not a format: expected node, ${leafFormats.join(", ")}`,
  );
}
