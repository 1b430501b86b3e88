import { DmError, Status, reasonOf } from "../../tree/errors.ts";
import { parsePath, root } from "../../tree/path.ts";
import type { Clock, Log } from "../../tree/ports.ts";
import type { Events } from "../events.ts";
import type { Gateway, NewServer } from "../gateway.ts";
import type { Answer, Ask, Fields, Route } from "./ask.ts";
import { flag, neededText, ok, textField } from "./ask.ts";
import { deviceRoutes } from "./device-routes.ts";
import { streamEvents } from "./event-stream.ts";
import { treeRoutes } from "./tree-routes.ts";

export interface Parts {
  readonly gateway: Gateway;
  readonly events: Events;
  readonly clock: Clock;
  readonly log: Log;
  /** Fires when the local API begins to close: streams end, and nothing new is begun. */
  readonly closing: AbortSignal;
}

/** Every path of the local API. */
export function routesOf(parts: Parts): readonly Route[] {
  const { gateway } = parts;
  const tree = treeRoutes(gateway.tree, parts.clock);
  return [
    { path: "status", on: new Map([["GET", () => ok(gateway.status())]]) },
    ...deviceRoutes(gateway),
    {
      path: "tree/*",
      query: ["deep", "prop", "as", "live"],
      on: new Map([
        ["GET", tree.get],
        ["PUT", tree.put],
        ["POST", tree.post],
        ["DELETE", tree.delete],
      ]),
    },
    { path: "exec/*", query: ["as", "live"], on: post(tree.exec) },
    {
      path: "servers",
      on: new Map<string, (ask: Ask) => Promise<Answer> | Answer>([
        ["GET", () => ok(gateway.servers())],
        ["POST", async (ask) => ({ status: 201, body: await gateway.addServer(await newServer(ask)) })],
      ]),
    },
    { path: "servers/:id", on: new Map([["DELETE", (ask: Ask) => done(gateway.removeServer(ask.id))]]) },
    { path: "servers/:id/connect", query: ["wait"], on: post((ask) => connect(parts, ask)) },
    { path: "reload", on: post(async () => ok({ changes: await gateway.reload() })) },
    { path: "events", query: ["uri"], on: new Map([["GET", (ask: Ask) => events(parts, ask)]]) },
  ];
}

const post = (run: (ask: Ask) => Promise<Answer> | Answer) => new Map([["POST", run]]);

async function done(work: Promise<void>): Promise<Answer> {
  await work;
  return ok({ state: "done" });
}

async function newServer(ask: Ask): Promise<NewServer> {
  const fields = await ask.body("id", "url", "client", "server", "ca", "insecure", "devices");
  const insecure = fields.get("insecure") ?? false;
  if (typeof insecure !== "boolean") throw new DmError(Status.badRequest, '"insecure" must be true or false');
  const devices = fields.get("devices") ?? "none";
  if (devices !== "manage" && devices !== "none")
    throw new DmError(Status.badRequest, '"devices" must be "manage" or "none"');
  const client = credentials(fields, "client");
  const server = credentials(fields, "server");
  const ca = textField(fields, "ca");
  return {
    id: neededText(fields, "id"),
    url: neededText(fields, "url"),
    ...(client === undefined ? {} : { client }),
    ...(server === undefined ? {} : { server }),
    ...(ca === undefined ? {} : { ca }),
    insecure,
    devices,
  };
}

function credentials(fields: Fields, key: string): NewServer["client"] {
  const value = fields.get(key);
  if (value === undefined) return undefined;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new DmError(Status.badRequest, `"${key}" must be an object: { "type", "name", "secret", "nonce"? }`);
  }
  const parts: Fields = new Map(Object.entries(value));
  const nonce = textField(parts, "nonce", 1024);
  return {
    type: neededText(parts, "type"),
    name: neededText(parts, "name"),
    secret: neededText(parts, "secret"),
    ...(nonce === undefined ? {} : { nonce }),
  };
}

/** Lines of JSON, one a step; the last one says how it ended. ?wait=no answers at once. */
function connect({ gateway, log, closing }: Parts, ask: Ask): Answer {
  if (!gateway.servers().some((one) => one.id === ask.id)) {
    throw new DmError(Status.notFound, `there is no server "${ask.id}"`);
  }
  if (ask.query.has("wait") && !flag(ask, "wait")) {
    // Nobody waits: how it ends shows on the status.
    gateway
      .connect(ask.id, () => undefined, closing)
      .catch((error: unknown) => log.info("session ended", { server: ask.id, error: reasonOf(error) }));
    return { status: Status.accepted, body: { state: "queued" } };
  }
  return {
    async stream(response, signal) {
      response.writeHead(200, { "content-type": "application/x-ndjson", "cache-control": "no-store" });
      response.flushHeaders();
      const say = (line: unknown) => void response.write(`${JSON.stringify(line)}\n`);
      try {
        await gateway.connect(ask.id, (step) => say({ step }), signal);
        say({ ok: true });
      } catch (error) {
        const status = error instanceof DmError ? error.status : Status.failed;
        say({ ok: false, status, error: reasonOf(error) });
        if (!(error instanceof DmError)) throw error;
      } finally {
        response.end();
      }
    },
  };
}

function events(parts: Parts, ask: Ask): Answer {
  const uri = ask.query.get("uri") ?? "";
  const reader = parts.events.read(uri === "" ? root : parsePath(uri), ask.lastEventId);
  return {
    stream: (response, signal) =>
      streamEvents({ tree: parts.gateway.tree, events: parts.events, clock: parts.clock }, reader, response, signal),
  };
}
