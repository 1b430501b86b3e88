// What the schema refused, in words for a person.
import type * as v from "valibot";
import type { ConfigProblem } from "../tree/errors.ts";
import { viewOf } from "./keys.ts";
import type { KeyView } from "./keys.ts";
import { keyBelow, nodeAt } from "./nodes.ts";
import type { ConfigNode } from "./nodes.ts";
import { nearest } from "./suggest.ts";

/** One problem for each issue, at the place of its value in `root`; those about `known` keys are left out: they were told already. */
export function problemsOf(
  issues: readonly v.BaseIssue<unknown>[],
  schema: v.GenericSchema,
  root: ConfigNode,
  known: ReadonlySet<string>,
): ConfigProblem[] {
  return issues.flatMap((issue) => {
    const path = (issue.path ?? []).map(({ key }) => (typeof key === "number" ? key : String(key)));
    const key = path.reduce(keyBelow, "");
    if (known.has(key)) return [];
    const { node, at } = nodeAt(root, path);
    const reason = reasonFor(issue, viewAt(schema, path), node);
    return [{ key, message: key === "" ? reason : `${key}${reason}`, where: at }];
  });
}

function viewAt(schema: v.GenericSchema, path: readonly (string | number)[]): KeyView {
  let view = viewOf(schema);
  for (const name of path) {
    const { shape } = view;
    const below = shape.kind === "list" ? shape.item : shape.kind === "group" ? shape.keys[name] : undefined;
    if (below === undefined) return view;
    view = viewOf(below);
  }
  return view;
}

/** What comes behind the key: " is missing", `: "x" is not a duration`. */
function reasonFor(issue: v.BaseIssue<unknown>, view: KeyView, node: ConfigNode | undefined): string {
  const isWrongForm = issue.kind === "schema";
  if (node === undefined) return isWrongForm ? ` is missing: ${formOf(view)}` : ` ${issue.message}`;
  // A sentence of its own: what is wrong is not the value.
  if (issue.message.startsWith("this version ")) return `: ${issue.message}`;
  const value = shown(node, view);
  if (!isWrongForm) return value === undefined ? ` ${issue.message}` : `: ${value} ${issue.message}`;
  return `: ${value ?? nounOf(node)} is not ${formOf(view)}${hint(node, view)}`;
}

function formOf({ shape, about, words }: KeyView): string {
  if (shape.kind === "group") return "a group of keys";
  if (shape.kind === "list") return "a list: write [ one, another ], or a line with - for each";
  if (words.length > 0) return `one of ${words.join(", ")}`;
  return about.form ?? "text";
}

/** The value as it is written; undefined for what is not to be shown, or too much to show. */
function shown(node: ConfigNode, { shape, about }: KeyView): string | undefined {
  const mayShow = shape.kind === "text" || shape.kind === "flag";
  if (node.kind !== "scalar" || !mayShow || about.secret === true) return undefined;
  // A URL may carry a password, before an @ or in its query.
  const text = node.text.replace(/\/\/.*@/s, "//…@").replace(/\?.*/s, "?…");
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

function nounOf(node: ConfigNode): string {
  if (node.kind === "scalar") return "this value";
  return node.kind === "list" ? "a list" : "a group of keys";
}

function hint(node: ConfigNode, { shape, words }: KeyView): string {
  if (node.kind !== "scalar") return "";
  if (shape.kind === "flag") {
    const word = node.text.toLowerCase();
    if (/^(true|yes|on|1|y|enabled?)$/.test(word)) return ": write true, without quotes";
    if (/^(false|no|off|0|n|disabled?)$/.test(word)) return ": write false, without quotes";
  }
  const meant = nearest(node.text, words);
  return meant === undefined ? "" : `; did you mean "${meant}"?`;
}
