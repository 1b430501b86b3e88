// `--set key.path=value`: one run only.
import { resolve } from "node:path";
import type { ConfigProblem } from "../tree/errors.ts";
import { emptyGroup } from "./nodes.ts";
import type { ConfigNode, GroupNode, ListNode } from "./nodes.ts";

const where = "--set";
/** Deeper than any key. */
const maxSegments = 12;

/**
 * Puts each override into `root`. Values are read as YAML; missing groups are made; "servers.0.url" names an entry of a list, and the number
 * behind the last one adds an entry.
 */
export async function applyOverrides(root: GroupNode, overrides: readonly string[]): Promise<ConfigProblem[]> {
  if (overrides.length === 0) return [];
  const { readYaml } = await import("./read-yaml.ts");
  const problems: ConfigProblem[] = [];
  for (const override of overrides) {
    const equals = override.indexOf("=");
    const path = override.slice(0, equals < 0 ? undefined : equals).trim();
    const names = path.split(".");
    const key = path.slice(0, 80);
    if (equals < 0 || names.includes("") || names.length > maxSegments) {
      problems.push({ key, message: `--set takes key.path=value, such as log.level=debug`, where });
      continue;
    }
    const { node, problems: faults } = readYaml(override.slice(equals + 1), {
      name: where,
      lines: false,
      base: resolve(),
    });
    problems.push(...faults.map(({ message }) => ({ key, message: `${key}: ${message}`, where })));
    if (faults.length > 0) continue;
    const fault = put(root, names, node ?? { kind: "scalar", at: where, value: null, text: "", base: resolve() });
    if (fault !== undefined) problems.push({ key, message: `${key}: ${fault}`, where });
  }
  return problems;
}

const index = /^(0|[1-9]\d{0,3})$/;

function put(root: GroupNode, names: readonly string[], value: ConfigNode): string | undefined {
  let here: GroupNode | ListNode = root;
  for (const [depth, name] of names.entries()) {
    const isLast = depth === names.length - 1;
    if (here.kind === "list" && !(index.test(name) && Number(name) <= here.items.length)) {
      return `${name} is no place in this list: it has ${here.items.length} entries, counted from 0`;
    }
    const old: ConfigNode | undefined = here.kind === "list" ? here.items[Number(name)] : here.entries.get(name)?.node;
    const next: ConfigNode = isLast ? value : containerFor(old, names[depth + 1] ?? "");
    if (here.kind === "list") here.items[Number(name)] = next;
    else here.entries.set(name, { at: next === old ? (here.entries.get(name)?.at ?? where) : where, node: next });
    if (next.kind === "scalar") return undefined;
    here = next;
  }
  return undefined;
}

/** What was there, as far as something can be put into it. */
function containerFor(old: ConfigNode | undefined, nextName: string): GroupNode | ListNode {
  if (old !== undefined && old.kind !== "scalar") return old;
  return index.test(nextName) ? { kind: "list", at: where, items: [] } : emptyGroup(where);
}
