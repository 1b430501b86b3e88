import { globalOptions } from "./globals.ts";
import type { Row, Verb } from "./verb.ts";

/** What `dmgw --help` says. */
export function helpText(rows: readonly Row[]): string {
  const list = rows.filter((row) => row.about !== "").map((row) => [row.name, row.about] as const);
  return [
    "dmgw: the management gateway of a home. It shows the devices behind it as one OMA DM tree.",
    "",
    "usage: dmgw VERB [ARGUMENT…] [OPTION…]",
    "",
    ...columns(list),
    "",
    "Options of every verb, before or after its own:",
    ...columns(globalOptions.map(({ form, about }) => [form, about])),
    "",
    "Exit codes: 0 done, 1 refused or failed, 2 wrong usage, 69 no daemon to talk to, 78 config error.",
    "More of a verb: dmgw VERB --help",
  ].join("\n");
}

/** What `dmgw VERB --help` says. */
export function verbHelp(verb: Verb): string {
  const own = (verb.options ?? []).map(
    (o) => [`--${o.name}${o.value === undefined ? "" : ` ${o.value}`}`, o.about] as const,
  );
  const common = globalOptions.map(({ form, about }) => [form, about] as const);
  const examples = (verb.examples ?? []).map((example) => `  dmgw ${example}`);
  return [
    `usage: ${verb.forms.map((form) => `dmgw ${form}`).join("\n       ")}`,
    "",
    verb.about,
    ...(own.length === 0 ? [] : ["", ...columns(own)]),
    ...(examples.length === 0 ? [] : ["", ...examples]),
    "",
    "Of every verb:",
    ...columns(common),
  ].join("\n");
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const wide = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(wide)}  ${right}`);
}
