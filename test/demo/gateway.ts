// The real daemon as a child process, as anybody would start it, and its command line.
import { execFile, spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";

/** What `npm run build` made; this file runs from dist/test/demo. */
export const program = fileURLToPath(new URL("../../bundle/dmgw.js", import.meta.url));

export interface RunningGateway {
  readonly pid: number;
  /** Ms from the start of the process to its being ready. */
  readonly startedIn: number;
  /** The line that said so. */
  readonly ready: string;
  /** Runs one verb and answers with what it prints. @throws with all that it says when it fails */
  cli(...args: readonly string[]): Promise<string>;
  /** A request to the local API, JSON in and out. @throws with the answer when it is no 2xx */
  ask(method: string, path: string, body?: unknown): Promise<unknown>;
  /** Bytes; `private` is what no other process shares. */
  memory(): { readonly rss: number; readonly private: number };
  /** Asks it to stop; the exit code. */
  stop(): Promise<number | null>;
  /** The power cut. */
  kill(): Promise<void>;
}

/**
 * Starts the daemon with this config, on a state and a socket of its own in `folder`. Started again on the same folder it is the same
 * gateway. @throws when it ends before it is ready, or is not ready within `patience` ms; what it printed is in the message.
 */
export async function startGateway(folder: string, config: object, patience = 20_000): Promise<RunningGateway> {
  const file = join(folder, "dmgw.yaml");
  const own = { state: join(folder, "state"), control: { socket: join(folder, "control.sock") } };
  writeFileSync(file, stringify({ ...config, ...own }));

  const began = performance.now();
  const child = spawn(process.execPath, [program, "run", "--config", file], { stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(child, "exit");
  const ready = await readyLine(child, patience);
  const startedIn = performance.now() - began;
  const pid = child.pid ?? 0;
  const end = async (signal: "SIGTERM" | "SIGKILL") => {
    child.kill(signal);
    await ended;
    return child.exitCode;
  };
  return {
    pid,
    startedIn,
    ready,
    cli: (...args) => run([...args, "--config", file]),
    ask: (method, path, body) => ask(own.control.socket, method, path, body),
    memory: () => memoryOf(pid),
    stop: () => end("SIGTERM"),
    async kill() {
      await end("SIGKILL");
    },
  };
}

async function readyLine(child: ChildProcessByStdio<null, Readable, Readable>, patience: number): Promise<string> {
  const lines: string[] = [];
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      clearTimeout(timer);
      child.kill("SIGKILL");
      reject(new Error(`the gateway ${why}\n${lines.slice(-20).join("\n")}`));
    };
    const timer = setTimeout(() => fail(`is not ready after ${patience / 1000} s`), patience);
    child.once("error", (error) => fail(`does not start: ${error.message}`));
    const tooEarly = (code: number | null) => fail(`ended with ${code} before it was ready`);
    child.once("exit", tooEarly);
    for (const stream of [child.stdout, child.stderr]) {
      // Reading goes on after the line: a full pipe would stop the daemon.
      createInterface({ input: stream }).on("line", (line) => {
        lines.push(line);
        if (lines.length > 200) lines.shift();
        if (!/\bready\b/.test(line)) return;
        clearTimeout(timer);
        child.off("exit", tooEarly);
        resolve(line);
      });
    }
  });
}

async function run(args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [program, ...args], { timeout: 60_000, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${(stdout + stderr || error.message).trim()}`, { cause: error }));
    });
  });
}

async function ask(socketPath: string, method: string, path: string, body: unknown): Promise<unknown> {
  const headers = { "content-type": "application/json" };
  const asking = request({ socketPath, method, path, headers });
  asking.end(body === undefined ? undefined : JSON.stringify(body));
  const [answer] = (await once(asking, "response")) as [IncomingMessage];
  const parts: Buffer[] = [];
  for await (const part of answer) parts.push(part as Buffer);
  const text = Buffer.concat(parts).toString();
  const { statusCode = 0 } = answer;
  if (statusCode < 200 || statusCode > 299) throw new Error(`${method} ${path}: ${statusCode} ${text}`);
  // Of an answer that grows line by line, the last one says how it ended.
  const last = text.trimEnd().split("\n").at(-1) ?? "";
  return last === "" ? undefined : (JSON.parse(last) as unknown);
}

function memoryOf(pid: number): { readonly rss: number; readonly private: number } {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const bytes = (name: string) => 1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text)?.[1] ?? 0);
  return { rss: bytes("Rss"), private: bytes("Private_Clean") + bytes("Private_Dirty") };
}
