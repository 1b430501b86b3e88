import { spawn } from "node:child_process";
import { pid } from "node:process";
import { reasonOf } from "../tree/errors.ts";
import type { Clock, Log } from "../tree/ports.ts";

/** What the daemon tells systemd about itself (sd_notify(3)). Without systemd every call does nothing. None blocks, none throws. */
export interface Systemd {
  /** The daemon is up, or has taken its new config. From the first time on the watchdog is fed. */
  ready(status: string): void;
  /** A reload has begun; `ready` ends it. */
  reloading(): void;
  /** One line for `systemctl status`. */
  status(text: string): void;
  /** The daemon is on its way down. The watchdog is fed until the process ends. */
  stopping(): void;
  /** No more is told, and the watchdog is no longer fed. */
  close(): void;
}

/** systemd-notify itself gives up waiting for systemd after 5 s. */
const patience = 10_000;

/**
 * Node cannot write to a Unix datagram socket, so each message is a run of `systemd-notify`, and, but for the last, never two at a time: what is
 * said meanwhile goes into the next one. A run was measured at 2 ms of our own time and 6 ms of another core's; at the watchdog's pace, once in
 * half of its time, that is less than what a process standing by for it would cost in memory.
 *
 * It runs without --no-block: systemd finds the unit of a message by its sender, which must still be there when it is read.
 */
export function openSystemd(options: {
  readonly clock: Clock;
  readonly log: Log;
  readonly env: Readonly<Record<string, string | undefined>>;
}): Systemd {
  const { clock, log, env } = options;
  if (!env["NOTIFY_SOCKET"]) return silent;
  // Nothing else of our environment is its business: secrets may stand there.
  const childEnv = { NOTIFY_SOCKET: env["NOTIFY_SOCKET"], PATH: env["PATH"] ?? "/usr/bin:/bin" };

  /** The messages that wait, in order; at most one of each kind. */
  let waiting: string[] = [];
  let running = 0;
  let closed = false;
  let cancelPing: (() => void) | undefined;

  const say = (...assignments: string[]) => {
    if (closed) return;
    for (const assignment of assignments) {
      const kind = assignment.slice(0, assignment.indexOf("=") + 1);
      waiting = waiting.filter((other) => !other.startsWith(kind));
      waiting.push(assignment);
    }
    if (running === 0) run();
  };

  const close = () => {
    closed = true;
    waiting = [];
    cancelPing?.();
  };

  const run = () => {
    if (waiting.length === 0) return;
    const message = waiting;
    waiting = [];
    running++;
    let over = false;
    let cancelKill = () => {};
    const ended = (problem: string | undefined) => {
      if (over) return;
      over = true;
      running--;
      cancelKill();
      if (problem !== undefined) log.warn("systemd was not told", { message: message.join(" "), problem });
      run();
    };
    try {
      const child = spawn("systemd-notify", message, { env: childEnv, stdio: "ignore" });
      cancelKill = clock.after(patience, () => child.kill("SIGKILL"));
      child.on("error", (error: NodeJS.ErrnoException) => {
        // A missing program stays missing.
        if (error.code === "ENOENT") close();
        ended(reasonOf(error));
      });
      child.on("exit", (code, signal) => ended(code === 0 ? undefined : `systemd-notify ended with ${signal ?? code}`));
      // The daemon does not stay for it.
      child.unref();
    } catch (error) {
      ended(reasonOf(error));
    }
  };

  const period = watchdogPeriod(env);
  const ping = () => {
    if (closed || period === undefined) return;
    cancelPing = clock.after(period, ping);
    say("WATCHDOG=1");
  };

  return {
    ready(status) {
      say("READY=1", `STATUS=${oneLine(status)}`);
      if (cancelPing === undefined) ping();
    },
    reloading: () => say("RELOADING=1"),
    status: (text) => say(`STATUS=${oneLine(text)}`),
    stopping() {
      say("STOPPING=1");
      // The process may end before the one that runs has: this one does not wait for it.
      run();
    },
    close,
  };
}

/** Half of the time after which systemd takes us for hung, ms; undefined: it does not watch us (sd_watchdog_enabled(3)). */
function watchdogPeriod(env: Readonly<Record<string, string | undefined>>): number | undefined {
  const microseconds = Number(env["WATCHDOG_USEC"]);
  if (!Number.isFinite(microseconds) || microseconds <= 0) return undefined;
  // Meant for another process of the unit.
  if (env["WATCHDOG_PID"] !== undefined && Number(env["WATCHDOG_PID"]) !== pid) return undefined;
  return microseconds / 2000;
}

/** A line end would begin another assignment. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").replaceAll("\0", "").slice(0, 500);
}

const silent: Systemd = { ready() {}, reloading() {}, status() {}, stopping() {}, close() {} };
