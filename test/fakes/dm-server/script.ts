import { ConfigError } from "../../../tree/errors.ts";
import { add, alert, atomic, copy, del, exec, get, replace, sequence } from "./asks.ts";
import type { As, Ask, AskValue } from "./asks.ts";

export const scriptHelp = `A script is lines of text; what stands after # is not read.
  get URI...                 nodes, properties (URI?prop=ACL), subtrees (URI?list=StructData)
  replace URI VALUE          true and false are bool, whole numbers are int, anything else is chr;
                             replace:chr URI VALUE says it otherwise
  add URI [VALUE]            a leaf; without VALUE an interior node
  delete URI...              copy FROM TO
  exec URI [ARGUMENT]        alert CODE [TEXT]...   (texts parted by |)
  atomic {  ...  }           all or nothing
  sequence {  ...  }         in this order
  then                       what follows is asked after the answers to what came before
  wait-alert SECONDS         what follows waits for a generic alert of the device, at most so long`;

export type ScriptStep = { readonly asks: readonly Ask[] } | { readonly wait: number };

/** Reads a script ({@link scriptHelp}). @throws ConfigError with every line that is wrong. */
export function parseScript(text: string): ScriptStep[] {
  const steps: ScriptStep[] = [];
  const problems: { key: string; message: string; where: string }[] = [];
  let asks: Ask[] = [];
  let group: { readonly name: "atomic" | "sequence"; readonly outside: Ask[] } | undefined;
  const flush = () => {
    if (asks.length > 0) steps.push({ asks });
    asks = [];
  };
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.replace(/(^|\s)#.*$/, "").trim();
    const wrong = (message: string) => problems.push({ key: line, message, where: `line ${index + 1}` });
    const opening = /^(atomic|sequence)\s*\{$/.exec(line)?.[1];
    if (line === "") continue;
    else if (line === "}") {
      if (group === undefined) wrong("a } without atomic { or sequence {");
      else asks = [...group.outside, group.name === "atomic" ? atomic(asks) : sequence(asks)];
      group = undefined;
    } else if (opening === "atomic" || opening === "sequence") {
      if (group !== undefined) wrong("one group inside another");
      group = { name: opening, outside: asks };
      asks = [];
    } else if (line === "then") flush();
    else if (/^wait-alert\s+\d+$/.test(line)) {
      flush();
      steps.push({ wait: Number(line.split(/\s+/)[1]) * 1000 });
    } else {
      const ask = parseAsk(line);
      if (typeof ask === "string") wrong(`line ${index + 1}: ${ask}`);
      else asks.push(ask);
    }
  }
  if (group !== undefined) problems.push({ key: group.name, message: `${group.name} { is never closed`, where: "end" });
  if (problems.length > 0) throw new ConfigError(problems);
  flush();
  return steps;
}

/** The command, or what is wrong with the line. */
function parseAsk(line: string): Ask | string {
  const [head = "", ...words] = line.split(/\s+/);
  const [verb = "", format] = head.split(":");
  const [first, second] = words;
  if (first === undefined) return `"${line}" says too little`;
  const rest = line.slice(line.indexOf(first) + first.length).trim();
  switch (verb) {
    case "get":
      return get(...words);
    case "delete":
      return del(...words);
    case "replace":
      return replace(first, ...valueOf(rest, format));
    case "add":
      return second === undefined ? add(first) : add(first, ...valueOf(rest, format));
    case "exec":
      return second === undefined ? exec(first) : exec(first, ...valueOf(rest, format));
    case "copy":
      return second === undefined ? "copy FROM TO" : copy(first, second);
    case "alert":
      return /^\d{4}$/.test(first)
        ? alert(Number(first), ...(rest === "" ? [] : rest.split("|")))
        : "alert CODE [TEXT]";
    default:
      return `"${verb}" is none of get, replace, add, delete, copy, exec, alert, atomic {, sequence {, then, wait-alert`;
  }
}

function valueOf(text: string, format: string | undefined): [AskValue, As] {
  if (format !== undefined) return [text, { format }];
  if (text === "true" || text === "false") return [text === "true", {}];
  return /^-?\d{1,9}$/.test(text) ? [Number(text), {}] : [text, {}];
}
