// The only file that knows the YAML library. Loaded when there is YAML to read.
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node } from "yaml";
import type { ConfigProblem } from "../tree/errors.ts";
import { keyBelow } from "./nodes.ts";
import type { ConfigNode, GroupEntry } from "./nodes.ts";

/** Of one file: aliases count each time they are used, so that a small file cannot become a large config. */
const limits: Readonly<Record<"nodes" | "depth" | "aliases", number>> = { nodes: 20_000, depth: 24, aliases: 200 };

/** Where YAML comes from. */
export interface YamlOrigin {
  /** "/etc/dmgw/dmgw.yaml", or "--set": stands before line and column, where there are any. */
  readonly name: string;
  readonly lines: boolean;
  /** Relative paths begin in this folder. */
  readonly base: string;
}

/**
 * Reads one YAML 1.2 document; an empty one gives no node and no problem, one that cannot be read no node and problems. Keys that stand twice
 * are problems beside the node. A problem never quotes the text, since a secret may stand in it.
 */
export function readYaml(
  text: string,
  origin: YamlOrigin,
): { node: ConfigNode | undefined; problems: ConfigProblem[] } {
  const lineCounter = new LineCounter();
  const place = (offset: number | undefined): string => {
    if (!origin.lines || offset === undefined) return origin.name;
    const { line, col } = lineCounter.linePos(offset);
    return `${origin.name}:${line}:${col}`;
  };
  let document: Document.Parsed;
  try {
    document = parseDocument(text, {
      version: "1.2",
      lineCounter,
      prettyErrors: false,
      uniqueKeys: false,
      logLevel: "error",
    });
  } catch {
    // The library goes down one level a call: what is nested too deeply for the stack is too deep for us.
    return { node: undefined, problems: [{ key: "", message: tooDeep, where: origin.name }] };
  }
  const faults = [...document.errors, ...document.warnings];
  if (faults.length > 0) {
    // One slip makes many follow-ups.
    const problems = faults
      .slice(0, 10)
      .map((fault) => ({ key: "", message: faultText(fault.code), where: place(fault.pos[0]) }));
    return { node: undefined, problems };
  }
  return new Conversion(document, origin.base, place).run();
}

const tooDeep = `the values are nested more than ${limits.depth} deep`;

const faultTexts: ReadonlyMap<string, string> = new Map([
  ["RESOURCE_EXHAUSTION", tooDeep],
  ["TAB_AS_INDENT", "a line is indented with a tab: use spaces"],
  ["BAD_INDENT", "the indentation does not fit: keys of one group begin in the same column"],
  ["BLOCK_AS_IMPLICIT_KEY", "the indentation does not fit, or a value holds a colon and a space and needs quotes"],
  ["MULTILINE_IMPLICIT_KEY", "a key or a colon is missing here"],
  ["MISSING_CHAR", "something is missing here: a closing quote or bracket, a comma, or the space after a colon"],
  ["UNEXPECTED_TOKEN", "this does not belong here: perhaps a value that needs quotes"],
  ["BAD_ALIAS", "an alias (*) or anchor (&) has no good name; a value that begins with * or & needs quotes"],
  ["BAD_SCALAR_START", "a value that begins with this character needs quotes"],
  ["BAD_DQ_ESCAPE", "a backslash sequence that does not exist, within \"…\": double the backslash, or use '…'"],
  ["MULTIPLE_DOCS", "a second document begins here (---): a config file has one"],
  ["TAG_RESOLVE_FAILED", "a tag (!) has no meaning here; a value that begins with ! needs quotes"],
  ["MULTIPLE_ANCHORS", "a value has two anchors (&)"],
  ["MULTIPLE_TAGS", "a value has two tags (!); a value that begins with ! needs quotes"],
  ["IMPOSSIBLE", "this is not YAML"],
]);

const faultText = (code: string): string => faultTexts.get(code) ?? `this is not valid YAML (${code})`;

/** One document on its way to our nodes. */
class Conversion {
  readonly #document: Document.Parsed;
  readonly #base: string;
  readonly #place: (offset: number | undefined) => string;
  readonly #problems: ConfigProblem[] = [];
  #left = limits.nodes;
  #aliases = limits.aliases;

  constructor(document: Document.Parsed, base: string, place: (offset: number | undefined) => string) {
    this.#document = document;
    this.#base = base;
    this.#place = place;
  }

  run(): { node: ConfigNode | undefined; problems: ConfigProblem[] } {
    const { contents } = this.#document;
    const empty = contents === null || (isScalar(contents) && contents.value === null);
    const node = empty ? undefined : this.#convert(contents, "", 0);
    const complete = this.#left > 0;
    return { node: complete ? node : undefined, problems: this.#problems };
  }

  #convert(given: Node | null, key: string, depth: number): ConfigNode {
    const at = this.#place(given?.range?.[0]);
    const nothing: ConfigNode = { kind: "scalar", at, value: null, text: "", base: this.#base };
    if (this.#left <= 0) return nothing;
    this.#left--;
    if (this.#left === 0) this.#say(key, at, `there are more than ${limits.nodes} values`);
    if (depth > limits.depth) {
      this.#left = 0;
      this.#say("", at, tooDeep);
      return nothing;
    }
    if (isAlias(given) && --this.#aliases < 0) {
      this.#left = 0;
      this.#say("", at, `there are more than ${limits.aliases} aliases (*)`);
      return nothing;
    }
    const node = isAlias(given) ? given.resolve(this.#document) : given;
    if (node === undefined) {
      // What stands there is not known, so nothing that depends on it can be judged.
      this.#left = 0;
      this.#say(key, at, "an alias (*) names no anchor before it; a value that begins with * needs quotes");
      return nothing;
    }
    if (isMap<Node, Node | null>(node)) return { kind: "group", at, entries: this.#entries(node.items, key, depth) };
    if (isSeq<Node>(node)) {
      return {
        kind: "list",
        at,
        items: node.items.map((item, index) => this.#convert(item, keyBelow(key, index), depth + 1)),
      };
    }
    return isScalar(node) ? { kind: "scalar", at, ...scalarOf(node), base: this.#base } : nothing;
  }

  #entries(pairs: readonly { key: Node; value: Node | null }[], key: string, depth: number): Map<string, GroupEntry> {
    const entries = new Map<string, GroupEntry>();
    for (const pair of pairs) {
      const at = this.#place(pair.key.range?.[0]);
      const name = isScalar(pair.key) ? scalarOf(pair.key).text : undefined;
      if (name === undefined) this.#say(key, at, "a key is a list or a group: it must be a word");
      else if (entries.has(name))
        this.#say(keyBelow(key, name), at, `${keyBelow(key, name)} stands twice: leave one out`);
      else {
        const below = keyBelow(key, name);
        // A key without a value has no node of its own.
        const node = this.#convert(pair.value, below, depth + 1);
        entries.set(name, { at, node: pair.value === null ? { ...node, at } : node });
      }
    }
    return entries;
  }

  #say(key: string, where: string, message: string): void {
    this.#problems.push({ key, message, where });
  }
}

function scalarOf(node: { value: unknown; source?: string }): {
  value: string | number | boolean | null;
  text: string;
} {
  const { value, source } = node;
  if (typeof value === "string") return { value, text: value };
  if (typeof value === "number" || typeof value === "boolean") return { value, text: source ?? String(value) };
  return { value: null, text: source ?? "" };
}
