import { dirname, resolve } from "node:path";
import * as v from "valibot";
import { ConfigError } from "../tree/errors.ts";
import type { ConfigProblem } from "../tree/errors.ts";
import { readSmallFile } from "./files.ts";
import { includeFiles } from "./include.ts";
import { problemsOf } from "./issues.ts";
import { emptyGroup, nodeAt } from "./nodes.ts";
import type { GroupNode } from "./nodes.ts";
import { applyOverrides } from "./overrides.ts";
import type { PlacesConfig } from "./places.ts";
import { resolveNode } from "./resolve.ts";
import type { Resolved } from "./resolve.ts";
import { configSchema } from "./schema.ts";
import type { Config } from "./schema.ts";

export interface ConfigRequest {
  /** `--config`: this file, and an error when it is missing. */
  readonly file?: string | undefined;
  /** `--set key.path=value`. */
  readonly set?: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Read when neither `file` nor $DMGW_CONFIG names one, if it exists. */
  readonly standardFile?: string;
}

export interface LoadedConfig {
  readonly config: Config;
  /** The file that was read, absolute, or "built-in defaults". */
  readonly source: string;
  /** What works, but should not stay so. */
  readonly warnings: readonly ConfigProblem[];
}

const builtIn = "built-in defaults";
/** Octets. Room for a thousand servers; the YAML library takes a thousand times as much memory for the worst of files. */
const maxFile = 256 * 1024;
const maxProblems = 50;

/**
 * The config of this run: file, then `--set`, then defaults; secrets and certificates are read.
 * @throws ConfigError with every problem at once; no message holds a secret.
 */
export async function loadConfig(request: ConfigRequest): Promise<LoadedConfig> {
  const { source, mode, root, problems } = await readRoot(request);
  const overridden = await applyOverrides(root, request.set ?? []);
  const faults = [...problems, ...overridden, ...(await includeFiles(root, configSchema))];
  const { output, warnings, bareSecrets } = checked(root, configSchema, faults, request.env);
  return {
    config: output,
    source,
    warnings: [...warnings, ...modeWarnings(source, mode, bareSecrets), ...insecureWarnings(output, root)],
  };
}

/**
 * Only what says where a running daemon is found. Nothing secret is read, and what is wrong elsewhere in the file does not matter, so that a
 * user who may not read all of it, or who is about to mend it, still reaches the daemon.
 * @throws ConfigError when a file that was named cannot be read, or these keys are wrong.
 */
export async function loadPlaces(request: ConfigRequest): Promise<PlacesConfig> {
  const places = v.pick(configSchema, ["state", "control"]);
  const named = request.file !== undefined || given(request.env.DMGW_CONFIG) !== undefined;
  const root = await readRoot(request).then(
    (read) => read.root,
    (error: unknown) => {
      if (named) throw error;
      return emptyGroup(builtIn);
    },
  );
  const faults = await applyOverrides(root, request.set ?? []);
  for (const name of root.entries.keys()) if (!Object.hasOwn(places.entries, name)) root.entries.delete(name);
  return checked(root, places, faults, request.env).output;
}

/** @throws ConfigError with `faults` and everything that the schema has to say. */
function checked<S extends v.GenericSchema>(
  root: GroupNode,
  schema: S,
  faults: readonly ConfigProblem[],
  env: ConfigRequest["env"],
): Omit<Resolved, "input" | "problems"> & { readonly output: v.InferOutput<S> } {
  const { input, problems, warnings, bareSecrets } = resolveNode(root, schema, env);
  const { success, output, issues = [] } = v.safeParse(schema, input);
  const told = [...faults, ...problems];
  const refused = problemsOf(issues, schema, root, new Set(told.map(({ key }) => key)));
  if (!success || told.length > 0) throw new ConfigError(inOrder([...told, ...refused]));
  return { output, warnings, bareSecrets };
}

/** "/etc/dmgw/dmgw.yaml:4:3: log.level: …": a problem as one line. */
export function problemLine({ where, message }: ConfigProblem): string {
  return `${where}: ${message}`;
}

interface Root {
  readonly source: string;
  /** Permissions of the file; undefined: there is none. */
  readonly mode: number | undefined;
  readonly root: GroupNode;
  /** Keys that stand twice. */
  readonly problems: readonly ConfigProblem[];
}

/** @throws ConfigError: the file is missing, unreadable, or no group of keys in YAML. */
async function readRoot({ file, env, standardFile = "/etc/dmgw/dmgw.yaml" }: ConfigRequest): Promise<Root> {
  const fromEnv = given(env.DMGW_CONFIG);
  const source = resolve(file ?? fromEnv ?? standardFile);
  const read = readSmallFile(source, maxFile);
  if ("fault" in read) {
    if (read.absent && file === undefined && fromEnv === undefined)
      return { source: builtIn, mode: undefined, root: emptyGroup(builtIn), problems: [] };
    const by = file === undefined && fromEnv !== undefined ? ", which $DMGW_CONFIG names," : "";
    throw failed(source, `the config file ${source}${by} ${read.fault}`);
  }
  // Without a config there is no YAML, and its library stays on the disk.
  const { readYaml } = await import("./read-yaml.ts");
  const { node, problems } = readYaml(read.text, { name: source, lines: true, base: dirname(source) });
  if (node === undefined && problems.length > 0) throw new ConfigError(inOrder(problems));
  if (node !== undefined && node.kind !== "group") {
    throw failed(node.at, "the config is not a group of keys: write lines such as `log:` and below it `  level: info`");
  }
  return { source, mode: read.mode, root: node ?? emptyGroup(source), problems };
}

const given = (value: string | undefined): string | undefined => (value === "" ? undefined : value);

const failed = (where: string, message: string): ConfigError => new ConfigError([{ key: "", message, where }]);

/** File by file, by line and column; what has none first. */
function inOrder(problems: readonly ConfigProblem[]): ConfigProblem[] {
  const position = ({ where }: ConfigProblem): readonly [string, number, number] => {
    const [, file = "", line = 0, column = 0] = /^(.*):(\d+):(\d+)$/.exec(where) ?? [];
    return [file, Number(line), Number(column)];
  };
  const files = [...new Set(["", ...problems.map((problem) => position(problem)[0])])];
  const sorted = [...problems].sort((a, b) => {
    const [[fileA, lineA, columnA], [fileB, lineB, columnB]] = [position(a), position(b)];
    return files.indexOf(fileA) - files.indexOf(fileB) || lineA - lineB || columnA - columnB;
  });
  const more = sorted.length - maxProblems;
  if (more <= 0) return sorted;
  return [
    ...sorted.slice(0, maxProblems),
    { key: "", message: `there are ${more} more problems`, where: sorted[maxProblems]?.where ?? "" },
  ];
}

function modeWarnings(source: string, mode: number | undefined, bareSecrets: readonly string[]): ConfigProblem[] {
  if (mode === undefined) return [];
  const warnings: ConfigProblem[] = [];
  if ((mode & 0o002) !== 0)
    warnings.push({ key: "", message: `every user can change ${source}: chmod o-w ${source}`, where: source });
  const [first] = bareSecrets.filter((at) => at.startsWith(source));
  if (first !== undefined && (mode & 0o004) !== 0) {
    const message = `every user can read the secrets in ${source}: chmod o-r ${source}, or give them as { file: path }`;
    warnings.push({ key: "", message, where: first });
  }
  return warnings;
}

function insecureWarnings({ servers }: Config, root: GroupNode): ConfigProblem[] {
  return servers.flatMap(({ id, insecure, url }, index) => {
    if (!insecure) return [];
    const what = url.startsWith("http:")
      ? "is managed over plain http: anybody on the way can read and change it"
      : "needs no insecure: true";
    const { at } = nodeAt(root, ["servers", index, "insecure"]);
    return [{ key: `servers[${index}].insecure`, message: `the server ${id} ${what}`, where: at }];
  });
}
