import { runCli } from "../../../daemon/cli/index.ts";
import type { Io } from "../../../daemon/cli/verb.ts";
import { smallControl } from "../small-gateway.ts";

export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Calls the CLI as a process would, and hears what it says. */
export async function dmgw(argv: readonly string[], more: Partial<Io> = {}): Promise<Said> {
  const heard = listening();
  const code = await runCli(argv, { ...heard.io, ...more });
  return { code, ...heard.said() };
}

/** Sinks that keep what is written to them. */
export function listening() {
  let [out, err] = ["", ""];
  const stdout = { write: (text: string) => void (out += text) };
  const stderr = { write: (text: string) => void (err += text) };
  const io: Io = { stdout, stderr, env: { DMGW_CONFIG: "" }, version: "0.1.0" };
  return { io, said: () => ({ out, err }) };
}

/** A small gateway with its local API, and the CLI that talks to it. */
export async function smallCli() {
  const home = await smallControl();
  const place = ["--set", `control.socket=${home.socket}`];
  return {
    ...home,
    place,
    dmgw: (...argv: readonly string[]) => dmgw([...place, ...argv]),
    onTerminal: (columns: number, ...argv: readonly string[]) => dmgw([...place, ...argv], { tty: true, columns }),
  };
}
