// Config keys whose value is the path of another YAML file: what stands in it takes the place of the path, with its own lines and columns.
import { dirname, resolve } from "node:path";
import type * as v from "valibot";
import type { ConfigProblem } from "../tree/errors.ts";
import { readSmallFile } from "./files.ts";
import { viewOf } from "./keys.ts";
import { emptyGroup, keyBelow } from "./nodes.ts";
import type { ConfigNode, GroupNode, ScalarNode } from "./nodes.ts";

/** Octets of such a file. */
const maxFile = 256 * 1024;

/**
 * Follows `schema` through `root`, and puts the files in. A file that cannot be read is a problem at the place of its path, one that is no
 * YAML at its own; it then is left out, so that nobody is told the same twice.
 */
export async function includeFiles(root: GroupNode, schema: v.GenericSchema): Promise<ConfigProblem[]> {
  const problems: ConfigProblem[] = [];
  await follow(root, schema, "", problems);
  return problems;
}

async function follow(
  group: GroupNode,
  schema: v.GenericSchema,
  key: string,
  problems: ConfigProblem[],
): Promise<void> {
  const { shape } = viewOf(schema);
  if (shape.kind !== "group") return;
  for (const [name, entry] of group.entries) {
    const below = Object.hasOwn(shape.keys, name) ? shape.keys[name] : undefined;
    if (below === undefined) continue;
    const at = keyBelow(key, name);
    if (viewOf(below).about.reads === "yaml")
      group.entries.set(name, { at: entry.at, node: await read(entry.node, at, problems) });
    else if (entry.node.kind === "group") await follow(entry.node, below, at, problems);
  }
}

async function read(node: ConfigNode, key: string, problems: ConfigProblem[]): Promise<ConfigNode> {
  // Nothing at all is told by the schema.
  if (node.kind === "scalar" && node.value === null) return node;
  const items: ConfigNode[] = [];
  for (const one of node.kind === "list" ? node.items : [node]) {
    if (one.kind === "scalar" && one.text !== "") {
      const content = await readOne(one, key, problems);
      if (content !== undefined) items.push(content);
    } else
      problems.push({ key, message: `${key}: expected the path of a YAML file, or a list of them`, where: one.at });
  }
  return { kind: "list", at: node.at, items };
}

async function readOne(
  { text, base, at }: ScalarNode,
  key: string,
  problems: ConfigProblem[],
): Promise<ConfigNode | undefined> {
  const path = resolve(base, text);
  const file = readSmallFile(path, maxFile);
  if ("fault" in file) {
    problems.push({ key, message: `${key}: the file ${path} ${file.fault}`, where: at });
    return undefined;
  }
  const { readYaml } = await import("./read-yaml.ts");
  const { node, problems: faults } = readYaml(file.text, { name: path, lines: true, base: dirname(path) });
  problems.push(...faults);
  if (node === undefined) return faults.length > 0 ? undefined : emptyGroup(path);
  if (node.kind === "group") return node;
  problems.push({ key, message: `${key}: the file ${path} is not a group of keys`, where: node.at });
  return undefined;
}
