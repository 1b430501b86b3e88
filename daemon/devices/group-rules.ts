import { DmError, Status } from "../../tree/errors.ts";
import type { DeviceReport } from "../gateway.ts";

/** What a rule looks at. */
export type RuledDevice = Pick<
  DeviceReport,
  "id" | "name" | "manufacturer" | "model" | "firmware" | "protocols" | "state"
>;

/** Which devices are meant: `maker=acme* & protocol=MQTT | name="Living room*"`. */
export interface Rule {
  readonly text: string;
  matches(device: RuledDevice): boolean;
}

export const ruleLimits = { bytes: 512, terms: 32 } as const;

/** What a rule can ask for. A device may have several values of a key; "" stands for none. */
const keys: ReadonlyMap<string, (device: RuledDevice) => readonly string[]> = new Map([
  ["maker", (device) => [device.manufacturer]],
  ["model", (device) => [device.model]],
  ["firmware", (device) => [device.firmware]],
  ["name", (device) => [device.name]],
  ["protocol", (device) => (device.protocols.length === 0 ? [""] : device.protocols)],
  ["state", (device) => [device.state]],
]);

type Term = (device: RuledDevice) => boolean;

/**
 * Reads a rule. Terms are `key=value` or `key!=value`, joined by `&` (and) and `|` (or, which binds less). In a value `*` stands for any text, `?` for
 * one character; small and capital letters are alike; a value with `&`, `|` or blanks at its ends stands in double quotes; an empty one asks for
 * devices of which it is not known. `protocol!=MQTT` is true for a device that speaks no MQTT at all.
 * @throws DmError 400, which says where and what is allowed; 413 longer than {@link ruleLimits}.
 */
export function parseRule(text: string): Rule {
  if (Buffer.byteLength(text) > ruleLimits.bytes) {
    throw new DmError(Status.tooLarge, `a rule has at most ${ruleLimits.bytes} bytes`);
  }
  const control = text.search(/\p{Cc}/u);
  if (control >= 0) throw wrong(control, "a control character, which no rule may hold");
  const any: Term[][] = [[]];
  let at = 0;
  for (let count = 1; ; count++) {
    if (count > ruleLimits.terms) throw wrong(at, `more than ${ruleLimits.terms} terms`);
    const { term, end } = readTerm(text, at);
    any.at(-1)?.push(term);
    at = end;
    if (at >= text.length) break;
    if (text[at] === "|") any.push([]);
    at++;
  }
  return { text: text.trim(), matches: (device) => any.some((all) => all.every((term) => term(device))) };
}

function readTerm(text: string, from: number): { readonly term: Term; readonly end: number } {
  const [blank = "", name = ""] = /^\s*([^\s=!&|"]*)/.exec(text.slice(from)) ?? [];
  let at = from + blank.length;
  const valuesOf = keys.get(name.toLowerCase());
  const known = [...keys.keys()].join(", ");
  if (valuesOf === undefined) {
    const found = name === "" ? "something is missing" : `"${name}" is not known`;
    throw wrong(at - name.length, `${found}: expected one of ${known}`);
  }
  const [sign, operator] = /^\s*(!?=)/.exec(text.slice(at)) ?? [];
  if (sign === undefined) throw wrong(at, `expected = or != behind "${name}"`);
  at += sign.length;
  const { value, end } = readValue(text, at);
  const fits = glob(value);
  const wanted = operator === "=";
  return { term: (device) => valuesOf(device).some(fits) === wanted, end };
}

function readValue(text: string, from: number): { readonly value: string; readonly end: number } {
  const rest = text.slice(from);
  const [quoted, inside = ""] = /^\s*"([^"]*)"\s*/.exec(rest) ?? [];
  const [bare = ""] = quoted === undefined ? (/^[^&|]*/.exec(rest) ?? []) : [];
  const quote = bare.indexOf('"');
  if (quote >= 0) throw wrong(from + quote, "a quote that is not closed, or not around the whole value");
  const end = from + (quoted ?? bare).length;
  if (end < text.length && !/[&|]/.test(text[end] ?? "")) throw wrong(end, "expected & or | behind the quoted value");
  return { value: quoted === undefined ? bare.trim() : inside, end };
}

function wrong(at: number, what: string): DmError {
  return new DmError(Status.badRequest, `the rule is wrong at character ${at + 1}: ${what}`);
}

/** Compared in one form, so that letters with marks match however they were typed. */
const folded = (text: string): readonly string[] => [...text.normalize("NFC").toLowerCase()];

/** `*` any text, `?` one character. Goes back to the last `*` only, so its time is at most the product of both lengths. */
function glob(pattern: string): (text: string) => boolean {
  const wanted = folded(pattern);
  return (text) => {
    const have = folded(text);
    let [p, t, star, mark] = [0, 0, -1, 0];
    while (t < have.length) {
      // A star first: a text may hold one too.
      if (wanted[p] === "*") [star, mark, p] = [p, t, p + 1];
      else if (wanted[p] === "?" || (p < wanted.length && wanted[p] === have[t])) [p, t] = [p + 1, t + 1];
      else if (star >= 0) [p, mark, t] = [star + 1, mark + 1, mark + 1];
      else return false;
    }
    while (wanted[p] === "*") p++;
    return p === wanted.length;
  };
}
