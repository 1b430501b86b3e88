import { mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { loadConfig } from "../../config/load.ts";
import type { ConfigRequest, LoadedConfig } from "../../config/load.ts";
import { ConfigError } from "../../tree/errors.ts";
import type { ConfigProblem } from "../../tree/errors.ts";

/** A folder with a config file and whatever else it names; gone after the test. */
export interface ConfigFolder {
  readonly folder: string;
  readonly file: string;
  /** Writes another file; gives its path. */
  readonly write: (name: string, content: string | Uint8Array, mode?: number) => string;
  readonly load: (request?: Partial<ConfigRequest>) => Promise<LoadedConfig>;
  /** What is wrong with it: none when it loads. */
  readonly problems: (request?: Partial<ConfigRequest>) => Promise<readonly ConfigProblem[]>;
  /** The same as "line:column message", with the folder's name as "…". */
  readonly lines: (request?: Partial<ConfigRequest>) => Promise<readonly string[]>;
}

export function configFolder(content: string | Uint8Array, mode = 0o600): ConfigFolder {
  const folder = mkdtempSync(join(tmpdir(), "dmgw-config-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const write: ConfigFolder["write"] = (name, text, fileMode = 0o600) => {
    writeFileSync(join(folder, name), text, { mode: fileMode });
    return join(folder, name);
  };
  const file = write("dmgw.yaml", content, mode);
  const load: ConfigFolder["load"] = (request = {}) => loadConfig({ file, env: {}, ...request });
  const problems: ConfigFolder["problems"] = (request) => load(request).then(() => [], problemsIn);
  const lines: ConfigFolder["lines"] = async (request) =>
    (await problems(request)).map(({ where, message }) =>
      `${where.replace(`${file}:`, "")} ${message}`.replaceAll(folder, "…"),
    );
  return { folder, file, write, load, problems, lines };
}

/** The problems of a ConfigError; anything else is thrown on. */
export function problemsIn(error: unknown): readonly ConfigProblem[] {
  if (error instanceof ConfigError) return error.problems;
  throw error;
}

/** A server entry that loads, as YAML in one line; `more` is added to it. */
export const serverEntry = (more = "", id = "a.example"): string =>
  `{ id: ${id}, url: "https://a.example/dm", auth: { server: { name: s, secret: t } }${more === "" ? "" : `, ${more}`} }`;
