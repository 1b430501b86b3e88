import type * as v from "valibot";
import { viewOf } from "./keys.ts";
import type { KeyView } from "./keys.ts";
import { configSchema } from "./schema.ts";

const intro = `<!-- Made from the schemas by \`npm run generate\`: edit those. -->

# Every key of the config file

The file is YAML: \`--config F\`, else \`$DMGW_CONFIG\`, else \`/etc/dmgw/dmgw.yaml\`; without one the defaults below hold. \`dmgw check\`
finds every mistake in it at once, \`dmgw reload\` takes it without a restart, and \`--set key.path=value\` overrides one key for one run
(\`--set log.level=debug\`, \`--set servers.0.poll=1h\`). Every key may be left out unless it is required.

- A *duration* is a number and its unit: \`500ms\`, \`5s\`, \`10m\`, \`24h\`, \`7d\`.
- A *path* that is not absolute begins in the folder of the config file.
- A *secret* is text, \`{ file: path }\` or \`{ env: NAME }\`. The line break at the end of such a file does not count. Secrets are never shown.
- What is *not in this version* may stand in the file as long as it is not switched on.
`;

/** The text of reference.gen.md: a table for each section of the file. */
export function generateReference(): string {
  const sections = Object.entries(configSchema.entries).map(([name, schema]) => section(name, viewOf(schema)));
  return `${[intro, ...sections].join("\n")}`;
}

function section(name: string, view: KeyView): string {
  const rows = rowsBelow(name, view);
  const about = rows.length > 0 ? `${view.description ?? ""}\n\n` : "";
  const table = (rows.length > 0 ? rows : [row(name, view)]).join("\n");
  return `## ${name}\n\n${about}| key | value | default | meaning |\n|---|---|---|---|\n${table}\n`;
}

function rowsBelow(key: string, { shape }: KeyView): string[] {
  if (shape.kind === "list" && viewOf(shape.item).shape.kind === "group")
    return rowsBelow(`${key}[]`, viewOf(shape.item));
  if (shape.kind !== "group") return [];
  return Object.entries(shape.keys).flatMap(([name, schema]) => rowsOf(`${key}.${name}`, schema));
}

function rowsOf(key: string, schema: v.GenericSchema): string[] {
  const view = viewOf(schema);
  const below = rowsBelow(key, view);
  return [row(key, view), ...below];
}

function row(key: string, view: KeyView): string {
  const { about, description = "", required, preset } = view;
  const example = about.example === undefined ? "" : `${description === "" ? "" : "; "}example: ${code(about.example)}`;
  const written = typeof preset === "string" || typeof preset === "boolean" ? code(String(preset)) : "";
  return `| ${[code(key), formOf(view), required ? "required" : written, `${description}${example}`].map(cell).join(" | ")} |`;
}

function formOf({ shape, about }: KeyView): string {
  if (shape.kind === "group") return "group";
  if (shape.kind !== "list") return about.form ?? "";
  if (about.reads === "yaml") return about.form ?? "a path";
  const item = viewOf(shape.item).about.form ?? "groups";
  return about.orOne === true ? `${item}, or a list of them` : `list of: ${item}`;
}

const code = (text: string): string => `\`${text}\``;
const cell = (text: string): string => text.replaceAll("|", "\\|");
