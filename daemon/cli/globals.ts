/** Options that every verb takes, before or after its own arguments. No package is needed to read them, so that `run` starts without any. */
export interface Globals {
  readonly config: string | undefined;
  /** "key.path=value", in the order given. */
  readonly set: readonly string[];
  readonly json: boolean;
  readonly debug: boolean;
  readonly help: boolean;
  readonly version: boolean;
  /** The verb and its arguments; from "--" on as they were. */
  readonly rest: readonly string[];
  /** What is wrong with the options above. */
  readonly problem: string | undefined;
}

export const globalOptions: readonly { readonly form: string; readonly about: string }[] = [
  { form: "--config F", about: "the config file; else $DMGW_CONFIG, /etc/dmgw/dmgw.yaml, built-in defaults" },
  { form: "--set KEY=VALUE", about: "one key of the config, for this run only; may be given more than once" },
  { form: "--json", about: "one JSON value on standard output, for scripts" },
  { form: "--debug", about: "show the stack of an error" },
  { form: "--help", about: "this text; after a verb: that verb's" },
];

const flags = new Map([
  ["--json", "json"],
  ["--debug", "debug"],
  ["--help", "help"],
  ["-h", "help"],
  ["--version", "version"],
] as const);

/** Takes the options of every verb out of the command line, up to "--". */
export function readGlobals(argv: readonly string[]): Globals {
  const found = { json: false, debug: false, help: false, version: false };
  const set: string[] = [];
  const rest: string[] = [];
  let config: string | undefined;
  let problem: string | undefined;
  for (let n = 0; n < argv.length; n++) {
    const word = argv[n] ?? "";
    if (word === "--") {
      rest.push(...argv.slice(n));
      break;
    }
    const flag = flags.get(word as "--json");
    if (flag !== undefined) {
      found[flag] = true;
      continue;
    }
    const option = /^--(config|set)(?:=(.*))?$/s.exec(word);
    if (option === null) {
      rest.push(word);
      continue;
    }
    const value = option[2] ?? argv[++n];
    if (value === undefined || value === "") problem ??= `--${option[1]} needs a value`;
    else if (option[1] === "config") config = value;
    else if (!/^[^=]+=/s.test(value)) problem ??= `--set ${value}: expected KEY=VALUE, such as log.level=debug`;
    else set.push(value);
  }
  return { ...found, config, set, rest, problem };
}
