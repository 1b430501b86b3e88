import { isObject, parse } from "../json.ts";

/**
 * The part of Home Assistant's templates (Jinja2) that names a value and says nothing more: `{{ value }}`, `{{ value_json.a['b'][0] }}`, and
 * a few filters. Everything else (arithmetic, conditions, statements, other filters) is not read at all: half-understood, it would be a
 * wrong value.
 */
export interface Template {
  /** either: the path where the payload is a JSON object, else the payload itself. */
  readonly from: "text" | "json" | "either";
  readonly path: readonly (string | number)[];
  readonly filters: readonly Filter[];
}

type Filter =
  | { readonly name: "int" | "float"; readonly otherwise?: Literal }
  | { readonly name: "round"; readonly digits: number }
  | { readonly name: "default"; readonly value: Literal; readonly alsoEmpty: boolean }
  | { readonly name: "lower" | "upper" | "is_defined" };
type Literal = string | number | boolean;

/** What came on a topic; read as JSON once, however many templates look at it. */
export interface Heard {
  readonly text: string;
  /** undefined: it is no JSON. */
  json(): unknown;
}

const longest = 1000;
/** `value_json.items` is a method of a Python dict and not the key "items"; `value_json['items']` is the key. */
const methods = new Set("clear copy fromkeys get items keys pop popitem setdefault update values".split(" "));

/** The payload as it is. */
export const whole: Template = { from: "text", path: [], filters: [] };

export function heard(payload: Buffer): Heard {
  let parsed: { readonly json: unknown } | undefined;
  const text = payload.toString();
  return {
    text,
    json() {
      parsed ??= { json: parse(text) };
      return parsed.json;
    },
  };
}

/** undefined: not simple. */
export function parseTemplate(text: string): Template | undefined {
  const trimmed = text.trim();
  if (trimmed.length > longest || !trimmed.startsWith("{{")) return undefined;
  const found = expression(trimmed, 2);
  if (found?.end !== trimmed.length) return undefined;
  const { root, path, filters } = found;
  if (root === "value_json") return { from: "json", path, filters };
  return root === "value" && path.length === 0 ? { from: "text", path, filters } : undefined;
}

/** undefined: the payload does not say it. null: it says that it does not know. */
export function render({ from, path, filters }: Template, message: Heard): unknown {
  let value: unknown = message.text;
  if (from !== "text") {
    const json = message.json();
    if (from === "json" || isObject(json)) {
      const found = walk(json, path);
      if (found === undefined) return undefined;
      value = found.value;
    }
  }
  for (const filter of filters) {
    value = filtered(filter, value);
    if (value === undefined) return undefined;
  }
  return value;
}

/** undefined: a step on the way is missing, which is an error that no `default` mends. */
function walk(json: unknown, path: readonly (string | number)[]): { readonly value: unknown } | undefined {
  let value = json;
  for (const step of path) {
    if (value === undefined) return undefined;
    if (typeof step === "number") value = Array.isArray(value) ? (value as unknown[])[step] : undefined;
    else value = isObject(value) && Object.hasOwn(value, step) ? value[step] : undefined;
  }
  return { value };
}

function filtered(filter: Filter, value: unknown): unknown {
  switch (filter.name) {
    case "default":
      return value === undefined || (filter.alsoEmpty && isEmpty(value)) ? filter.value : value;
    case "int": {
      const number = numberOf(value);
      return number === undefined ? filter.otherwise : Math.trunc(number);
    }
    case "float":
      return numberOf(value) ?? filter.otherwise;
    case "round": {
      const number = numberOf(value);
      return number === undefined ? undefined : rounded(number, filter.digits);
    }
    case "lower":
      return value === undefined ? undefined : wordOf(value)?.toLowerCase();
    case "upper":
      return value === undefined ? undefined : wordOf(value)?.toUpperCase();
    case "is_defined":
      return value;
  }
}

function isEmpty(value: unknown): boolean {
  return value === null || value === "" || value === 0 || value === false;
}

function numberOf(value: unknown): number | undefined {
  if (typeof value === "boolean") return value ? 1 : 0;
  const number =
    typeof value === "string" && /^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$/.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}

/** As Python does: a half goes to the even neighbour. */
function rounded(number: number, digits: number): number {
  const scale = 10 ** digits;
  const scaled = number * scale;
  if (!Number.isFinite(scaled)) return number;
  const low = Math.floor(scaled);
  const up = scaled - low > 0.5 || (scaled - low === 0.5 && low % 2 !== 0);
  return (up ? low + 1 : low) / scale;
}

/** A value as Home Assistant (Python) writes it: that is what the words of a config are compared with. undefined: no word. */
export function wordOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return value ? "True" : "False";
  return typeof value === "number" ? String(value) : undefined;
}

/** What a command looks like on the wire: at most one place for the value in a text. */
export interface CommandTemplate {
  readonly before: string;
  readonly after: string;
  /** undefined: the text is always the same. */
  readonly filters: readonly Filter[] | undefined;
}

/** The value as it is. */
export const bare: CommandTemplate = { before: "", after: "", filters: [] };

/** @param names what the value may be called. undefined: not simple. */
export function parseCommandTemplate(text: string, names: readonly string[]): CommandTemplate | undefined {
  if (text.length > longest) return undefined;
  const start = text.indexOf("{{");
  if (start < 0) return /\{[%#]/.test(text) ? undefined : { before: text, after: "", filters: undefined };
  const found = expression(text, start + 2);
  if (found === undefined || !names.includes(found.root) || found.path.length > 0) return undefined;
  const [before, after] = [text.slice(0, start), text.slice(found.end)];
  // A brace more is the beginning of a dict.
  if (/\{[{%#]/.test(before + after) || before.endsWith("{")) return undefined;
  return { before, after, filters: found.filters };
}

/** undefined: the filters make nothing of this value. */
export function fill({ before, after, filters }: CommandTemplate, plain: unknown): string | undefined {
  if (filters === undefined) return before;
  let value: unknown = plain;
  for (const filter of filters) value = filtered(filter, value);
  const word = typeof value === "boolean" ? String(value) : wordOf(value);
  return word === undefined ? undefined : `${before}${word}${after}`;
}

interface Expression {
  readonly root: string;
  readonly path: readonly (string | number)[];
  readonly filters: readonly Filter[];
  /** Behind the closing braces. */
  readonly end: number;
}

/** Reads `name.a['b'][0] | filter(…) }}` from `start` on. */
function expression(text: string, start: number): Expression | undefined {
  let at = start;
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null) return undefined;
    at = pattern.lastIndex;
    return match;
  };
  const root = take(/-?\s*([A-Za-z_]\w*)/y)?.[1];
  if (root === undefined) return undefined;
  const path: (string | number)[] = [];
  for (;;) {
    const step = take(/\.([A-Za-z_]\w*)|\[\s*(?:'([^'\\]*)'|"([^"\\]*)"|(\d{1,6}))\s*\]/y);
    if (step === undefined) break;
    const [, name, single, double, index] = step;
    if (name !== undefined && methods.has(name)) return undefined;
    path.push(index === undefined ? (name ?? single ?? double ?? "") : Number(index));
  }
  const filters: Filter[] = [];
  for (;;) {
    const match = take(/\s*\|\s*([a-z_]+)\s*(?:\(([^()]*)\))?/y);
    if (match === undefined) break;
    const filter = filterOf(match[1] ?? "", match[2]);
    if (filter === undefined) return undefined;
    filters.push(filter);
  }
  return take(/\s*-?\}\}/y) === undefined ? undefined : { root, path, filters, end: at };
}

function filterOf(name: string, list: string | undefined): Filter | undefined {
  const values = literals(list);
  if (values === undefined) return undefined;
  const [first, second] = values;
  switch (name) {
    case "lower":
    case "upper":
    case "is_defined":
      return values.length === 0 ? { name } : undefined;
    case "int":
    case "float":
      if (values.length > 1) return undefined;
      return first === undefined ? { name } : { name, otherwise: first };
    case "round": {
      const digits = first ?? 0;
      return values.length < 2 && typeof digits === "number" && Number.isInteger(digits) && Math.abs(digits) < 10
        ? { name, digits }
        : undefined;
    }
    case "default":
      return first === undefined || values.length > 2 || (second !== undefined && typeof second !== "boolean")
        ? undefined
        : { name, value: first, alsoEmpty: second === true };
    default:
      return undefined;
  }
}

/** The arguments of a filter; undefined where one is no plain literal. */
function literals(list: string | undefined): Literal[] | undefined {
  if (list === undefined || list.trim() === "") return [];
  const found: Literal[] = [];
  for (const part of list.split(",")) {
    const text = part.trim();
    const quoted = /^(?:'([^'\\]*)'|"([^"\\]*)")$/.exec(text);
    if (quoted !== null) found.push(quoted[1] ?? quoted[2] ?? "");
    else if (/^-?\d+(\.\d+)?$/.test(text)) found.push(Number(text));
    else if (/^(true|false)$/i.test(text)) found.push(text.toLowerCase() === "true");
    else return undefined;
  }
  return found;
}
