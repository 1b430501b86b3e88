import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";

/** A real program that a test started. */
export interface Peer {
  readonly process: ChildProcess;
  /** What it has printed so far, both streams. */
  output(): string;
  /** SIGTERM, and SIGKILL when that is not heard within 5 s. Resolves when it has ended; harmless when it has. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export interface PeerOptions {
  /** The network namespace to run in; default: ours. */
  readonly namespace?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Resolves when this was printed, throws when it ends before or 15 s pass; default: at once. */
  readonly ready?: RegExp;
}

export async function startPeer(
  command: string,
  args: readonly string[],
  { namespace, env, ready }: PeerOptions = {},
): Promise<Peer> {
  // `ip netns exec` becomes the program: the pid is that of the peer.
  const [file, ...rest] = namespace === undefined ? [command, ...args] : inNamespace(namespace, command, args);
  const child = spawn(file ?? command, rest, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  const ended = once(child, "close");
  ended.catch(() => {});
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (part: Buffer) => {
      output = (output + part.toString()).slice(-1_000_000);
    });
  const peer: Peer = {
    process: child,
    output: () => output,
    async stop(signal = "SIGTERM") {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      const late = setTimeout(() => child.kill("SIGKILL"), 5000);
      await ended.catch(() => {});
      clearTimeout(late);
    },
  };
  if (ready === undefined) return peer;
  try {
    await until(`${command} to be ready`, () => {
      if (child.exitCode !== null) throw new Error(`${command} ended with ${child.exitCode}:\n${output}`);
      return ready.test(output) || undefined;
    });
    return peer;
  } catch (reason) {
    await peer.stop("SIGKILL");
    throw new Error(`${String(reason)}\n${output}`, { cause: reason });
  }
}

export function inNamespace(namespace: string, command: string, args: readonly string[]): string[] {
  return ["ip", "netns", "exec", namespace, command, ...args];
}

/** Polls until `look` finds something, and answers it. @throws Error after `ms`. */
export async function until<T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
  ms = 15_000,
): Promise<T> {
  const deadline = performance.now() + ms;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`waited ${ms} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
