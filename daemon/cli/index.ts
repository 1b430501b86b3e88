import { ConfigError, reasonOf } from "../../tree/errors.ts";
import { readWords } from "./args.ts";
import { Exit, Failure, usage } from "./failure.ts";
import type { Globals } from "./globals.ts";
import { readGlobals } from "./globals.ts";
import { helpText, verbHelp } from "./help.ts";
import { nextStep } from "./next-step.ts";
import { jsonText, printable } from "./print.ts";
import { nearest } from "../../config/suggest.ts";
import type { Io, Job, Row, Verb } from "./verb.ts";

/** Every verb. A new one is a file and a line here; help and completion come by themselves. */
export const verbs: readonly Row[] = [
  { name: "run", about: "the daemon, in the foreground", load: () => import("./run.ts") },
  { name: "init", about: "ask a few questions, write a commented config", load: () => import("./init.ts") },
  { name: "check", about: "check a config, print every problem", load: () => import("./check.ts") },
  { name: "status", about: "what runs, what does not, and what to do about it", load: () => import("./status.ts") },
  { name: "devices", about: "the devices of the home", load: () => import("./devices.ts") },
  {
    name: "device",
    about: "one device: show, explain, approve, name, merge, split, …",
    load: () => import("./device.ts"),
  },
  { name: "groups", about: "groups of devices, by rule or by hand", load: () => import("./groups.ts") },
  { name: "get", about: "read a node, or everything below it", load: () => import("./get.ts") },
  { name: "ls", about: "the names below a node", load: () => import("./ls.ts") },
  { name: "set", about: "replace the value of a leaf", load: () => import("./set.ts") },
  { name: "add", about: "add a node", load: () => import("./add.ts") },
  { name: "rm", about: "delete a node and everything below it", load: () => import("./rm.ts") },
  { name: "exec", about: "execute a node", load: () => import("./exec.ts") },
  { name: "acl", about: "show or set who may do what with a node", load: () => import("./acl.ts") },
  { name: "find", about: "nodes whose name or value holds a text", load: () => import("./find.ts") },
  { name: "watch", about: "changes of the tree as they happen", load: () => import("./watch.ts") },
  { name: "servers", about: "accounts of DM servers: list, add, remove", load: () => import("./servers.ts") },
  {
    name: "connect",
    about: "start a session with a server now, and show its course",
    load: () => import("./connect.ts"),
  },
  { name: "reload", about: "take the config file anew", load: () => import("./reload.ts") },
  { name: "completion", about: "the completion script for bash, zsh or fish", load: () => import("./completion.ts") },
  { name: "version", about: "the version of dmgw", load: () => import("./version.ts") },
  { name: "__complete", about: "", load: () => import("./complete.ts") },
];

/**
 * Runs one verb and answers the exit code; everything it has to say goes to `io`. Never rejects. `run` is not done here, only explained:
 * main.ts starts the daemon itself.
 */
export async function runCli(argv: readonly string[], io: Io): Promise<number> {
  const globals = readGlobals(argv);
  const stop = new AbortController();
  const signal = io.signal === undefined ? stop.signal : AbortSignal.any([io.signal, stop.signal]);
  // Whoever read our output has enough (| head): that is no fault, and there is nobody left to tell.
  io.stdout.on?.("error", () => stop.abort());
  io.stderr.on?.("error", () => stop.abort());
  const code = await dispatch(globals, io, signal).catch((error: unknown) =>
    signal.aborted ? Exit.done : report(error, globals, io),
  );
  return io.signal?.aborted === true ? Exit.interrupted : code;
}

async function dispatch(globals: Globals, io: Io, signal: AbortSignal): Promise<number> {
  const asked = globals.rest[0] === "help" ? globals.rest.slice(1) : globals.rest;
  const help = globals.help || globals.rest[0] === "help";
  if (globals.problem !== undefined) throw usage(globals.problem, "dmgw --help");
  const name = asked[0] ?? (globals.version ? "version" : undefined);
  if (name === undefined) {
    (help ? io.stdout : io.stderr).write(`${helpText(verbs)}\n`);
    return help ? Exit.done : Exit.usage;
  }
  const verb = (await rowOf(name).load()).verb;
  if (help) {
    io.stdout.write(`${verbHelp(verb)}\n`);
    return Exit.done;
  }
  return verb.run(await jobOf(name, verb, globals, io, signal));
}

function rowOf(name: string): Row {
  const row = verbs.find((one) => one.name === name);
  if (row !== undefined) return row;
  if (name.startsWith("-")) throw usage(`there is no option ${printable(name)} here`, "dmgw --help");
  const meant = nearest(
    name,
    verbs.filter((one) => one.about !== "").map((one) => one.name),
  );
  throw usage(
    `there is no verb "${printable(name)}"${meant === undefined ? "" : `: did you mean ${meant}?`}`,
    "dmgw --help",
  );
}

async function jobOf(name: string, verb: Verb, globals: Globals, io: Io, signal: AbortSignal): Promise<Job> {
  const { words, given } = await readWords(name, verb, globals.rest.slice(1));
  return {
    words,
    globals,
    io,
    signal,
    verbs,
    has: (option) => given.has(option),
    text: (option) => given.get(option)?.toString(),
    async api() {
      const { openApi } = await import("./api.ts");
      const { socketOf } = await import("./socket.ts");
      return openApi(await socketOf(globals, io.env), signal);
    },
    line: (text) => void io.stdout.write(`${text}\n`),
    json: (value, oneLine) => void io.stdout.write(`${jsonText(value, oneLine)}\n`),
    note: (text) => void io.stderr.write(`${text}\n`),
  };
}

/** Says what happened and what to do next; the exit code. */
function report(error: unknown, globals: Globals, io: Io): number {
  const verb = globals.rest[0] ?? "";
  const say = (text: string) => void io.stderr.write(`${text}\n`);
  const who = verbs.some((row) => row.name === verb) ? `dmgw ${verb}` : "dmgw";
  if (globals.debug && error instanceof Error) say(error.stack ?? error.message);
  if (error instanceof ConfigError) {
    for (const { where, message } of error.problems) say(`${printable(where)}: ${printable(message)}`);
    return Exit.config;
  }
  if (!(error instanceof Failure)) {
    say(`${who}: ${printable(reasonOf(error))}`);
    say("  this is a fault of dmgw: please report it with what --debug shows");
    return Exit.failed;
  }
  if (globals.json && error.problem !== undefined) io.stdout.write(`${jsonText(error.problem)}\n`);
  say(`${who}: ${error.message}`);
  const next = error.next ?? (error.problem === undefined ? undefined : nextStep(verb, error.problem));
  if (next !== undefined) say(`  ${error.exit === Exit.usage ? "usage" : "next"}: ${next}`);
  return error.exit;
}
