import { isDeepStrictEqual } from "node:util";
import { DmError, Status } from "../../tree/errors.ts";
import { bin, bool, chr, float, int, textOf } from "../../tree/value.ts";
import type { LeafFormat, Value } from "../../tree/value.ts";
import { limits } from "./limits.ts";

/** What a property can hold, in the words of either convention. Plain data: there may be thousands of them. */
export type Rule =
  | { readonly kind: "bool"; readonly on: unknown; readonly off: unknown }
  | {
      readonly kind: "number";
      readonly whole: boolean;
      readonly min?: number;
      readonly max?: number;
      /** Counted from min, else from max. */
      readonly step?: number;
      /** Values with a meaning of their own, outside of the range too. */
      readonly also?: readonly number[];
    }
  /** A whole number for which 32 bits are too few. */
  | { readonly kind: "long"; readonly min?: bigint; readonly max?: bigint }
  | { readonly kind: "enum"; readonly choices: readonly (string | number | boolean)[] }
  /** Three numbers after one another; Homie 5 puts the colour space before them. */
  | { readonly kind: "color"; readonly spaces: readonly string[]; readonly named: boolean }
  /** instant: a point in time; the same one may be written in many ways. */
  | { readonly kind: "text"; readonly of: "any" | "datetime" | "duration" | "instant" }
  | { readonly kind: "bytes" }
  | { readonly kind: "json" };

const whole = /^[+-]?\d+$/;
const decimal = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;
const long = /^[+-]?\d{1,20}$/;
const datetime = /^\d{4}-?\d{2}-?\d{2}([T ]\d{2}(:?\d{2}(:?\d{2}([.,]\d+)?)?)?(Z|[+-]\d{2}(:?\d{2})?)?)?$/;
const instant = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/;
const duration = /^P(?=.)(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+([.,]\d+)?S)?)?$/;

/** What a text has to be, and the words for it. */
const texts: Readonly<
  Record<(Rule & { kind: "text" })["of"], { readonly words: string; fits(text: string): boolean }>
> = {
  any: { words: "", fits: () => true },
  datetime: { words: "a date and time of ISO 8601", fits: (text) => datetime.test(text) },
  duration: { words: "a duration of ISO 8601", fits: (text) => duration.test(text) },
  instant: {
    words: "a date and time with its zone, as 2026-01-31T12:00:00Z",
    fits: (text) => instant.test(text) && !Number.isNaN(Date.parse(text)),
  },
};

/** The format of the leaf. */
export function formatOf(rule: Rule): LeafFormat {
  if (rule.kind === "bool") return "bool";
  if (rule.kind === "number") return rule.whole ? "int" : "float";
  if (rule.kind === "bytes") return "bin";
  return "chr";
}

/** A child of the tree says what a person may write: "5 to 30 in steps of 0.5". Empty: anything of the format. */
export function allowed(rule: Rule): string {
  switch (rule.kind) {
    case "bool":
      return "true or false";
    case "number":
      return range(rule.min, rule.max, rule.whole ? "a whole number" : "a number", rule.step, rule.also);
    case "long":
      return range(rule.min, rule.max, "a whole number");
    case "enum":
      return rule.choices.join(", ").slice(0, 1000);
    case "color":
      return rule.spaces
        .map((space) => (rule.named ? `${space},${colorRanges.get(space)?.words}` : `${colorRanges.get(space)?.words}`))
        .join(" or ");
    case "text":
      return texts[rule.of].words;
    case "json":
      return "a JSON text";
    case "bytes":
      return `up to ${limits.bytes} octets`;
  }
}

function range(
  min: number | bigint | undefined,
  max: number | bigint | undefined,
  noun: string,
  step?: number,
  also: readonly number[] = [],
): string {
  const span =
    min !== undefined && max !== undefined
      ? `${min} to ${max}`
      : min !== undefined
        ? `${noun} from ${min}`
        : max !== undefined
          ? `${noun} up to ${max}`
          : noun;
  return `${span}${step === undefined ? "" : ` in steps of ${step}`}${also.map((one) => `, or ${one}`).join("")}`;
}

/**
 * What a device reports, as a value of the tree. `plain`: the text of a Homie payload, or a value of zigbee2mqtt's JSON.
 * A number that does not fit the leaf's usual format comes in the one it needs (chr beyond 32 bits, float for a fraction).
 * undefined: nonsense.
 */
export function read(rule: Rule, plain: unknown): Value | undefined {
  switch (rule.kind) {
    case "bool":
      return plain === rule.on ? bool(true) : plain === rule.off ? bool(false) : undefined;
    case "number": {
      const data = typeof plain === "string" && decimal.test(plain) ? Number(plain) : plain;
      if (typeof data !== "number" || !Number.isFinite(data)) return undefined;
      if (!rule.whole) return float(data);
      if (!Number.isInteger(data)) return typeof plain === "number" ? float(data) : undefined;
      // The text keeps the digits that a double would lose.
      return Number.isSafeInteger(data) ? int(data) : chr(String(typeof plain === "string" ? plain : data));
    }
    case "long":
      return isText(plain) && long.test(plain) ? chr(plain) : undefined;
    case "enum":
      return rule.choices.includes(plain as string) ? chr(String(plain)) : isText(plain) ? chr(plain) : undefined;
    case "color":
    case "text":
      if (typeof plain === "number" || typeof plain === "boolean") return chr(String(plain));
      return isText(plain) ? chr(plain) : undefined;
    case "json": {
      const text = typeof plain === "string" ? plain : JSON.stringify(plain);
      return isText(text) ? { format: "chr", data: text, type: "application/json" } : undefined;
    }
    case "bytes":
      // A copy: what was read belongs to a whole message.
      return plain instanceof Uint8Array && plain.length <= limits.bytes ? bin(Uint8Array.from(plain)) : undefined;
  }
}

function isText(plain: unknown): plain is string {
  return typeof plain === "string" && plain.length <= limits.value;
}

/**
 * What a server writes, as the device is told it: a boolean or text word, a number, a text, or JSON.
 * @throws DmError 400 that says what is allowed.
 */
export function write(rule: Rule, value: Value, name: string): unknown {
  const text = textOf(value);
  const wrong = () =>
    new DmError(
      Status.badRequest,
      `"${text.slice(0, 60)}" is nothing that ${name} takes; allowed: ${allowed(rule) || "a text"}`,
    );
  const octets = value.format === "bin" || value.format === "b64" ? value.data : undefined;
  if (value.format === "null" || (octets !== undefined) !== (rule.kind === "bytes")) throw wrong();
  switch (rule.kind) {
    case "bytes":
      if (octets === undefined || octets.length > limits.bytes) throw wrong();
      return octets;
    case "bool":
      if (text !== "true" && text !== "false") throw wrong();
      return text === "true" ? rule.on : rule.off;
    case "number":
      if (!numberFits(rule, text)) throw wrong();
      return Number(text);
    case "long":
      if (!long.test(text) || !longFits(rule, BigInt(text))) throw wrong();
      return text;
    case "enum": {
      const choice = rule.choices.find((one) => String(one) === text);
      if (choice === undefined) throw wrong();
      return choice;
    }
    case "color":
      if (!colorFits(rule, text)) throw wrong();
      return text;
    case "text":
      if (!texts[rule.of].fits(text) || text.length > limits.value) throw wrong();
      return text;
    case "json":
      try {
        return JSON.parse(text) as unknown;
      } catch {
        throw wrong();
      }
  }
}

function numberFits(rule: Rule & { kind: "number" }, text: string): boolean {
  const data = Number(text);
  if (!(rule.whole ? whole : decimal).test(text) || !Number.isFinite(data)) return false;
  if (rule.also?.includes(data)) return true;
  if ((rule.min !== undefined && data < rule.min) || (rule.max !== undefined && data > rule.max)) return false;
  const base = rule.min ?? rule.max;
  if (rule.step === undefined || base === undefined) return true;
  const steps = (data - base) / rule.step;
  return Math.abs(steps - Math.round(steps)) < 1e-6;
}

function longFits(rule: Rule & { kind: "long" }, data: bigint): boolean {
  const unsigned = rule.min !== undefined && rule.min >= 0n;
  return (
    (unsigned ? BigInt.asUintN(64, data) : BigInt.asIntN(64, data)) === data &&
    (rule.min === undefined || data >= rule.min) &&
    (rule.max === undefined || data <= rule.max)
  );
}

const colorRanges = new Map([
  ["rgb", { most: [255, 255, 255], words: "0-255,0-255,0-255" }],
  ["hsv", { most: [360, 100, 100], words: "0-360,0-100,0-100" }],
  ["xyz", { most: [1, 1], words: "0-1,0-1" }],
]);

export function isColorSpace(name: string): boolean {
  return colorRanges.has(name);
}

function colorFits(rule: Rule & { kind: "color" }, text: string): boolean {
  const parts = text.split(",");
  const space = rule.named ? parts.shift() : rule.spaces[0];
  const most = rule.spaces.includes(space ?? "") ? colorRanges.get(space ?? "")?.most : undefined;
  return (
    most?.length === parts.length &&
    parts.every((part, i) => decimal.test(part) && Number(part) >= 0 && Number(part) <= (most[i] ?? 0))
  );
}

/** Is what the device reports what it was told? Numbers as near as a 32-bit float is; JSON and colours by meaning. */
export function sameReading(rule: Rule, told: Value, reported: Value): boolean {
  const [a, b] = [textOf(told), textOf(reported)];
  if (a === b) return true;
  switch (rule.kind) {
    case "number":
      return near(a, b);
    case "long":
      return long.test(a) && long.test(b) && BigInt(a) === BigInt(b);
    case "text":
      return rule.of === "instant" && Date.parse(a) === Date.parse(b);
    case "color": {
      const [left, right] = [a.split(","), b.split(",")];
      return left.length === right.length && left.every((part, i) => part === right[i] || near(part, right[i] ?? ""));
    }
    case "json":
      try {
        return isDeepStrictEqual(JSON.parse(a), JSON.parse(b));
      } catch {
        return false;
      }
    default:
      return false;
  }
}

function near(a: string, b: string): boolean {
  if (!decimal.test(a) || !decimal.test(b)) return false;
  return Math.abs(Number(a) - Number(b)) <= 1e-6 * Math.max(1, Math.abs(Number(a)));
}

/** The same reading in the format that the leaf has come to need; undefined when it does not fit it. */
export function inFormat(format: LeafFormat, value: Value): Value | undefined {
  if (value.format === format) return value;
  if (format === "chr") return chr(textOf(value));
  if (format === "float" && value.format === "int") return float(value.data);
  return undefined;
}
