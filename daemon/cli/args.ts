import type { Failure } from "./failure.ts";
import { usage } from "./failure.ts";
import { nearest } from "../../config/suggest.ts";
import type { Option, Verb } from "./verb.ts";

export interface Words {
  readonly words: readonly string[];
  readonly given: ReadonlyMap<string, string | true>;
}

/** A word such as "-5" or "-.5e3" is a value, not an option. */
const negative = /^-\.?\d/;
/** Stands before such a word while the parser runs; nothing typed can hold it. */
const shield = "\u0000";

/** Reads a verb's own words and options. @throws Failure 2, with what was probably meant. */
export async function readWords(name: string, verb: Verb, argv: readonly string[]): Promise<Words> {
  const { Parser } = await import("yargs/helpers");
  const options = verb.options ?? [];
  const parsed = Parser(
    [...argv].map((word) => (negative.test(word) ? shield + word : word)),
    {
      string: ["_", ...options.filter((o) => o.value !== undefined).map((o) => o.name)],
      boolean: options.filter((o) => o.value === undefined).map((o) => o.name),
      configuration: {
        "parse-numbers": false,
        "parse-positional-numbers": false,
        "camel-case-expansion": false,
        "dot-notation": false,
        "boolean-negation": false,
        "duplicate-arguments-array": false,
      },
    },
  ) as Record<string, unknown> & { _: readonly (string | number)[] };

  const given = new Map<string, string | true>();
  for (const [key, value] of Object.entries(parsed)) {
    if (key === "_") continue;
    const option = options.find((one) => one.name === key);
    if (option === undefined) throw unknownOption(name, key, options);
    const text = String(value).replace(shield, "");
    if (option.value === undefined) {
      if (value === true) given.set(key, true);
      continue;
    }
    if (text === "") throw usage(`--${key} needs a value: ${option.value}`, `dmgw ${name} --help`);
    given.set(key, text);
  }
  const words = parsed._.map((word) => String(word).replace(shield, ""));
  checkCount(name, verb, words);
  return { words, given };
}

function unknownOption(name: string, key: string, options: readonly Option[]): Failure {
  const dashes = key.length === 1 ? "-" : "--";
  const meant = nearest(key, [...options.map((o) => o.name), "json", "config", "set", "help", "debug"]);
  const guess = meant === undefined ? "" : `: did you mean --${meant}?`;
  return usage(
    `${name} does not know the option ${dashes}${key}${guess}`,
    `dmgw ${name} --help; a value that begins with "-" goes behind "--"`,
  );
}

function checkCount(name: string, verb: Verb, words: readonly string[]): void {
  const [least, most] = verb.words;
  if (words.length >= least && words.length <= most) return;
  const what = words.length < least ? `${name} needs more` : `"${words[most] ?? ""}" is too much for ${name}`;
  throw usage(what, verb.forms.map((form) => `dmgw ${form}`).join("\n   or: "));
}
