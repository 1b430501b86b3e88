// The real daemon as a child process, as anybody would start it, and its command line.
import { execFile, spawn } from "node:child_process";
import type { ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import type { IncomingMessage } from "node:http";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";

const above = fileURLToPath(new URL("../..", import.meta.url));
const built = basename(above) === "dist" ? above : join(above, "dist");
/** The checkout. */
export const repository = join(built, "..");
/** What `npm run build` made, or a bundle elsewhere; this file runs from dist/test/demo, and as it is from test/demo. */
export const program = join(process.env["DMGW_BUNDLE_DIR"] ?? join(built, "bundle"), "dmgw.js");

/** How a run of the program ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface StartOptions {
  /** Ms. */
  readonly patience?: number;
  /** The network namespace that the daemon runs in. Its command line is at home everywhere: it only needs the socket. */
  readonly namespace?: string;
  /** Beside our own environment. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface RunningGateway {
  readonly pid: number;
  /** Its config file. */
  readonly file: string;
  readonly state: string;
  readonly socket: string;
  /** Ms from the start of the process to its being ready. */
  readonly startedIn: number;
  /** The line that said so. */
  readonly ready: string;
  /** Runs one verb and answers with what it prints. @throws with all that it says when it fails */
  cli(...args: readonly string[]): Promise<string>;
  /** The same, also when it fails. */
  call(...args: readonly string[]): Promise<Ended>;
  /** Writes its config file anew: it is not told. */
  configure(config: object): void;
  /** What it has printed of late. */
  output(): string;
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
export async function startGateway(
  folder: string,
  config: object,
  { patience = 20_000, namespace, env }: StartOptions = {},
): Promise<RunningGateway> {
  const file = join(folder, "dmgw.yaml");
  const own = { state: join(folder, "state"), control: { socket: join(folder, "control.sock") } };
  // There are secrets in it.
  const configure = (given: object) => writeFileSync(file, stringify({ ...own, ...given }), { mode: 0o600 });
  configure(config);

  const began = performance.now();
  // `ip netns exec` becomes the program: the pid is the daemon's.
  const inside = namespace === undefined ? [] : ["ip", "netns", "exec", namespace];
  const [command = "", ...args] = [...inside, process.execPath, program, "run", "--config", file];
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(child, "exit");
  const lines: string[] = [];
  const ready = await readyLine(child, lines, patience);
  const startedIn = performance.now() - began;
  const pid = child.pid ?? 0;
  const end = async (signal: "SIGTERM" | "SIGKILL") => {
    child.kill(signal);
    await ended;
    return child.exitCode;
  };
  const call = (...args: readonly string[]) => run([...args, "--config", file]);
  return {
    pid,
    file,
    state: own.state,
    socket: own.control.socket,
    startedIn,
    ready,
    call,
    configure,
    output: () => lines.join("\n"),
    async cli(...args) {
      const { code, stdout, stderr } = await call(...args);
      if (code === 0) return stdout;
      throw new Error((stdout + stderr).trim());
    },
    ask: (method, path, body) => ask(own.control.socket, method, path, body),
    memory: () => memoryOf(pid),
    stop: () => end("SIGTERM"),
    async kill() {
      await end("SIGKILL");
    },
  };
}

async function readyLine(
  child: ChildProcessByStdio<null, Readable, Readable>,
  lines: string[],
  patience: number,
): Promise<string> {
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

/** Runs the program to its end, for 60 s at most: then its code is null. */
export async function run(args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { timeout: 60_000, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : null;
      resolve({ code, stdout, stderr });
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
  return { rss: bytes("Rss"), private: bytes("Private_Dirty") };
}
