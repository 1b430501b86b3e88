import type { IncomingMessage } from "node:http";
import { request } from "node:http";
import { Exit, Failure } from "./failure.ts";
import type { Problem } from "./failure.ts";
import { printable } from "./print.ts";

export interface Reply<T> {
  readonly status: number;
  readonly body: T;
}

/** The daemon's local API. Every method @throws Failure: 1 refused, 69 nobody there, 78 the daemon found its config wrong. */
export interface Api {
  get<T>(path: string): Promise<T>;
  send<T>(method: "PUT" | "POST" | "DELETE", path: string, body?: unknown): Promise<Reply<T>>;
  /** The lines of an answer that comes bit by bit, until it ends or `signal` fires. */
  lines(method: "GET" | "POST", path: string, signal: AbortSignal): AsyncGenerator<string>;
}

/** Ms; the daemon itself gives up a call after 30 s. */
const patience = 40_000;

/** A tree with everything in it is some 20 MB; what is beyond this is not one of our answers. */
const answerLimit = 512 * 1024 * 1024;

export function openApi(socketPath: string, signal: AbortSignal): Api {
  const send = async <T>(method: string, path: string, body?: unknown): Promise<Reply<T>> => {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(patience)]);
    const response = await open(socketPath, method, path, body, limit);
    const text = await textOf(response, limit);
    const status = response.statusCode ?? 0;
    const json = parsed(text);
    if (status >= 400) throw refusal(status, json);
    return { status, body: json as T };
  };
  return {
    get: async <T>(path: string) => (await send<T>("GET", path)).body,
    send,
    async *lines(method, path, until) {
      const limit = AbortSignal.any([signal, until]);
      const response = await open(socketPath, method, path, undefined, limit);
      if ((response.statusCode ?? 0) >= 400)
        throw refusal(response.statusCode ?? 0, parsed(await textOf(response, limit)));
      const { createInterface } = await import("node:readline");
      try {
        yield* createInterface({ input: response, crlfDelay: Infinity });
      } catch (error) {
        if (!limit.aborted) throw lost(error);
      }
    },
  };
}

/** The path of a node below /v1/tree or /v1/exec: "./A/b c" is "A/b%20c"; escapes that are there already stay. */
export function nodePath(uri: string): string {
  const rest = uri.startsWith("./") ? uri.slice(2) : uri === "." ? "" : uri;
  return rest.toWellFormed().replace(/[^A-Za-z0-9\-_.!~*'():@&=+$,;/%]/gu, encodeURIComponent);
}

function open(
  socketPath: string,
  method: string,
  path: string,
  body: unknown,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { "content-type": "application/json" };
    const asked = request({ socketPath, method, path, headers, agent: false, signal }, resolve);
    asked.on("error", (error) => reject(noAnswer(error, socketPath, signal)));
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function textOf(response: IncomingMessage, signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.byteLength;
      if (size > answerLimit) throw new Failure(Exit.failed, "the answer is larger than 512 MB");
      chunks.push(chunk);
    }
  } catch (error) {
    throw signal.aborted ? tooLate() : error instanceof Failure ? error : lost(error);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new Failure(Exit.failed, "what answers at the control socket is not dmgw", { cause: error });
  }
}

function refusal(status: number, body: unknown): Failure {
  const problem: Problem = { status, title: "failed", detail: "", ...(body as Partial<Problem>) };
  if (problem.problems !== undefined) {
    const lines = problem.problems.map((p) => `${p.where}: ${p.message}`);
    return new Failure(Exit.config, `the config is wrong, nothing was changed\n${printableLines(lines)}`, { problem });
  }
  const detail = problem.detail === "" ? "" : `: ${printable(problem.detail)}`;
  return new Failure(Exit.failed, `${problem.status} ${problem.title}${detail}`, { problem });
}

function printableLines(lines: readonly string[]): string {
  return lines.map((line) => `  ${printable(line)}`).join("\n");
}

function noAnswer(error: NodeJS.ErrnoException, socket: string, signal: AbortSignal): Failure {
  if (signal.aborted) return tooLate();
  if (error.code === "EACCES" || error.code === "EPERM") {
    return new Failure(Exit.noDaemon, `this user may not use ${socket}`, {
      next: "call it as root, or join the group dmgw (usermod -aG dmgw USER, then log in anew)",
      cause: error,
    });
  }
  if (
    error.code === "ECONNREFUSED" ||
    error.code === "ENOENT" ||
    error.code === "ENOTSOCK" ||
    error.code === "ENOTDIR"
  ) {
    return new Failure(Exit.noDaemon, `no daemon answers at ${socket}`, {
      next: "start it with `dmgw run` or systemctl start dmgw",
      cause: error,
    });
  }
  return lost(error);
}

function lost(error: unknown): Failure {
  return new Failure(Exit.failed, "the daemon closed the connection before it had answered", {
    next: "see whether it still runs: dmgw status",
    cause: error,
  });
}

function tooLate(): Failure {
  return new Failure(Exit.failed, `the daemon did not answer within ${patience / 1000} s`, { next: "dmgw status" });
}
