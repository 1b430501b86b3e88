#!/usr/bin/env node
// The only file that touches the process: arguments, signals, exit codes.
import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import manifest from "../package.json" with { type: "json" };
import { ConfigError, reasonOf } from "../tree/errors.ts";
import type { Globals } from "./cli/globals.ts";
import { readGlobals } from "./cli/globals.ts";
import type { Daemon } from "./daemon.ts";
import type { OpenedLog } from "./log.ts";
import type { Memory } from "./status.ts";
import type { Systemd } from "./systemd.ts";

/** sysexits: EX_CONFIG. systemd does not start the unit again. */
const configExit = 78;
/** Ms that a clean stop may take before the process ends all the same. */
const patience = 1_800;

const globals = readGlobals(process.argv.slice(2));
if (globals.rest[0] === "run" && globals.rest.length === 1 && !globals.help && globals.problem === undefined) {
  await run(globals);
} else {
  const { runCli } = await import("./cli/index.ts");
  const { stdout, stderr, stdin, env } = process;
  const interrupted = new AbortController();
  process.once("SIGINT", () => interrupted.abort());
  const io = {
    stdout,
    stderr,
    stdin,
    env,
    tty: stdout.isTTY,
    // Asked anew each time: a window may grow while a verb runs.
    get columns() {
      return stdout.columns;
    },
    get rows() {
      return stdout.rows;
    },
    version: manifest.version,
    signal: interrupted.signal,
  };
  process.exitCode = await runCli(process.argv.slice(2), io);
}

async function run(given: Globals): Promise<void> {
  smallHeap();
  // The verbs of the CLI need none of this.
  const { loadConfig } = await import("../config/load.ts");
  const { controlSocket, stateFolder } = await import("../config/places.ts");
  const { systemClock } = await import("./clock.ts");
  const { startDaemon } = await import("./daemon.ts");
  const { openLog } = await import("./log.ts");
  const { openSystemd } = await import("./systemd.ts");
  const log = openLog({ level: "info", format: "auto" });
  crashOnBugs(log);
  const load = async () => {
    const loaded = await loadConfig({
      ...(given.config === undefined ? {} : { file: given.config }),
      set: given.set,
      env: process.env,
    });
    log.setFormat(loaded.config.log.format);
    return loaded;
  };
  const uid = process.getuid?.() ?? 0;
  const systemd = openSystemd({ env: process.env, clock: systemClock, log });
  let daemon: Daemon;
  try {
    daemon = await startDaemon({
      load,
      stateFolder: ({ config }) => stateFolder(config, process.env, uid),
      controlSocket: ({ config }) => controlSocket(config, process.env, uid),
      clock: systemClock,
      log,
      random: Math.random,
      memory,
      version: manifest.version,
    });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    for (const { where, message } of error.problems) process.stderr.write(`dmgw: ${where}: ${message}\n`);
    process.exit(configExit);
  }

  onSignals(daemon, log, systemd);
  systemd.ready(`${daemon.known} devices known`);
  log.info("ready", { version: manifest.version, socket: daemon.socket, devices: daemon.known });
  // For whoever started it by hand; a supervisor reads the log.
  if (process.env.NOTIFY_SOCKET === undefined) process.stdout.write(welcome(daemon, given));
}

/**
 * Memory before speed, for as long as the process runs; said before anything is loaded. Measured with 20,000 nodes of MQTT devices: 28 MB where it
 * was 68, for a tenth to a quarter more time of the processor. The first: V8 lets the heap grow late and shrinks it early. The second: new objects
 * keep the 1 MB that they start with, where V8 would take up to 32 MB in the first burst of messages.
 */
function smallHeap(): void {
  setFlagsFromString("--optimize-for-size");
  setFlagsFromString("--semi-space-growth-factor=1");
}

function welcome(daemon: Daemon, { config }: Globals): string {
  const more = config === undefined ? "" : ` --config ${config}`;
  return [
    `dmgw ${manifest.version} is ready and discovering; ${daemon.known} devices are known from before.`,
    `  next, in another terminal:  npx dmgw devices --watch${more}   what is in this home`,
    `                              npx dmgw status${more}            what runs, and what to do about the rest`,
    "  Ctrl-C stops it.\n",
  ].join("\n");
}

function onSignals(daemon: Daemon, log: OpenedLog, systemd: Systemd): void {
  let stopping = false;
  const stop = (signal: string) => {
    // A second Ctrl-C is impatience: everything acknowledged is on the disk already.
    if (stopping) process.exit(1);
    stopping = true;
    log.info("stopping", { signal });
    systemd.stopping();
    const late = setTimeout(() => {
      log.warn("some part did not stop in time");
      process.exit(0);
    }, patience);
    late.unref();
    daemon.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error("the stop failed", { reason: reasonOf(error) });
        process.exit(1);
      },
    );
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  process.on("SIGHUP", () => {
    systemd.reloading();
    daemon
      .reload()
      .then(
        (changes) =>
          log.info(changes.length === 0 ? "the config is unchanged" : "the config was taken", {
            changes: changes.join("; "),
          }),
        (error: unknown) => {
          const problems =
            error instanceof ConfigError ? error.problems : [{ where: "reload", message: reasonOf(error) }];
          for (const { where, message } of problems) log.error(`the config was not taken: ${message}`, { where });
        },
      )
      .finally(() => systemd.ready(`${daemon.known} devices known`));
  });
}

/** A bug that nobody answers for ends the process: the supervisor starts it again, and everything acknowledged is on the disk. */
function crashOnBugs(log: OpenedLog): void {
  const crash = (error: unknown) => {
    log.error(`a bug, the daemon ends: ${reasonOf(error)}`, {
      stack: error instanceof Error ? error.stack : undefined,
    });
    process.exit(70);
  };
  process.on("uncaughtException", crash);
  process.on("unhandledRejection", crash);
}

/**
 * `private` is what was written to. Pages that are clean are left out: they are the text of node itself, which counts as shared as soon as a second node runs.
 */
/** Private: what only this process has, and would be free without it. Clean pages are the program's text, which other processes of node share. */
function memory(): Memory {
  const rss = process.memoryUsage.rss();
  try {
    const pages = readFileSync("/proc/self/smaps_rollup", "utf8");
    return { rss, private: Number(/^Private_Dirty:\s+(\d+) kB/m.exec(pages)?.[1] ?? 0) * 1024 };
  } catch {
    return { rss, private: rss };
  }
}
