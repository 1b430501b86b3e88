import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { DmError, Status, reasonOf } from "../tree/errors.ts";
import type { Clock, Log } from "../tree/ports.ts";
import { deadline } from "../tree/ports.ts";
import type { Answer, Ask, JsonAnswer, Route } from "./control/ask.ts";
import { readBody } from "./control/ask.ts";
import { findRoute, queryOf, wrongMethod } from "./control/find.ts";
import { isAnswer, problemOf } from "./control/problem.ts";
import type { Parts } from "./control/routes.ts";
import { routesOf } from "./control/routes.ts";
import { listenAt } from "./control/socket.ts";
import { openEvents } from "./events.ts";
import type { Gateway } from "./gateway.ts";

export interface Control {
  /** Ends every call and takes the socket away. Resolves within half a second. */
  close(): Promise<void>;
}

export interface ControlOptions {
  readonly gateway: Gateway;
  /** Path of the Unix socket. */
  readonly socket: string;
  readonly clock: Clock;
  readonly log: Log;
  /** The group that may use the socket, where it exists. */
  readonly group?: string;
}

/** Ms that one call may take; streams are not bound by it. */
const callTime = 30_000;
/** Ms that calls have left to end when the daemon stops. */
const farewell = 300;
const connections = 64;
/** Ms, and octets of a request's head. */
const limits = { headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 5000, maxHeaderSize: 16_384 };

/**
 * Opens the local API: HTTP/1.1 with JSON on a Unix socket (contract: paths below /v1, problem+json with the DM status). Whoever may
 * connect is `local`: no ACL binds it. @throws ConfigError when nothing can listen there, or another daemon answers there.
 */
export async function openControl(options: ControlOptions): Promise<Control> {
  const { gateway, clock } = options;
  const log = options.log.part("control");
  const events = openEvents(gateway.tree, clock);
  const closing = new AbortController();
  const ending = new AbortController();
  const parts: Parts = { gateway, events, clock, log, closing: closing.signal };
  const routes = routesOf(parts);
  const calls = new Set<Promise<void>>();

  const server = createServer(limits, (request, response) => {
    const call = serve({ parts, routes, ending: ending.signal }, request, response);
    calls.add(call);
    void call.finally(() => calls.delete(call));
  });
  server.maxConnections = connections;
  server.on("drop", () => log.warn("a connection was refused: too many are open", { most: connections }));

  const unlisten = await listenAt(server, options.socket, options.group ?? "dmgw", log).catch((error: unknown) => {
    server.close();
    events.close();
    throw error;
  });
  return {
    async close() {
      const gone = unlisten();
      const closed = new Promise((resolve) => server.close(resolve));
      closing.abort(stops());
      const patience = deadline(clock, farewell);
      await Promise.race([Promise.allSettled(calls), aborted(patience.signal)]).catch(() => undefined);
      patience.clear();
      ending.abort(stops());
      // One turn, in which those that are given up hear so.
      await new Promise((resolve) => setImmediate(resolve));
      server.closeAllConnections();
      await Promise.all([closed, gone]);
      events.close();
    },
  };
}

const stops = () => new DmError(Status.unavailable, "the daemon stops");

interface Desk {
  readonly parts: Parts;
  readonly routes: readonly Route[];
  /** Fires when calls that still run are given up. */
  readonly ending: AbortSignal;
}

/** Answers one request; never rejects. */
async function serve(desk: Desk, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { log, closing } = desk.parts;
  const hangup = new AbortController();
  response.once("close", () => hangup.abort(new DmError(Status.timeout, "the caller hung up")));
  try {
    const answer = await answerTo(desk, request, AbortSignal.any([hangup.signal, desk.ending]));
    if ("stream" in answer) await answer.stream(response, AbortSignal.any([hangup.signal, closing]));
    else send(response, answer);
  } catch (error) {
    // Whoever hung up is told nothing, and is no news.
    if (hangup.signal.aborted) return;
    if (!isAnswer(error)) log.error(`a bug: ${reasonOf(error)}`, aboutBug(request, error));
    if (response.headersSent) response.destroy();
    else send(response, problemOf(error));
  }
}

/** Finds the route and runs it, for {@link callTime} at most. */
async function answerTo(desk: Desk, request: IncomingMessage, signal: AbortSignal): Promise<Answer> {
  const url = request.url ?? "";
  const mark = url.indexOf("?");
  const found = findRoute(desk.routes, mark < 0 ? url : url.slice(0, mark));
  const run = found.route.on.get(request.method ?? "");
  if (run === undefined) return wrongMethod(found.route, request.method ?? "");

  const limit = deadline(desk.parts.clock, callTime, signal);
  const ask: Ask = {
    id: found.id,
    rest: found.rest,
    query: queryOf(mark < 0 ? "" : url.slice(mark + 1), found.route.query ?? []),
    lastEventId: request.headers["last-event-id"]?.toString(),
    signal: limit.signal,
    body: (...keys) => readBody(request, keys),
  };
  try {
    // The race answers the caller even where a part of ours does not heed the signal.
    return await Promise.race([run(ask), aborted(limit.signal)]);
  } catch (error) {
    if (error !== limit.signal.reason || !found.route.path.endsWith("*")) throw error;
    return problemOf(error, { uri: `./${found.rest}` });
  } finally {
    limit.clear();
  }
}

function send(response: ServerResponse, answer: JsonAnswer): void {
  const text = `${JSON.stringify(answer.body)}\n`;
  response.writeHead(answer.status, {
    "content-type": "application/json",
    "cache-control": "no-store",
    "content-length": Buffer.byteLength(text),
    ...answer.headers,
  });
  response.end(text);
}

function aboutBug(request: IncomingMessage, error: unknown): Record<string, unknown> {
  return {
    method: request.method,
    path: request.url?.split("?")[0],
    stack: error instanceof Error ? error.stack : undefined,
  };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const fail = () => reject(signal.reason as Error);
    if (signal.aborted) fail();
    else signal.addEventListener("abort", fail, { once: true });
  });
}
