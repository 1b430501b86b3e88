import { once } from "node:events";
import { createServer as createHttp } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer as createHttps } from "node:https";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { ProtocolError, reasonOf } from "../../tree/errors.ts";
import type { Message } from "../../tree/wire/message.ts";
import { readMessage } from "../../tree/wire/syncml-read.ts";
import { writeMessage } from "../../tree/wire/syncml-write.ts";
import type { Outcome } from "./dm-server/answers.ts";
import type { Ask } from "./dm-server/asks.ts";
import { Conversation } from "./dm-server/conversation.ts";
import type { Behaviour, Fault } from "./dm-server/faults.ts";
import { Agenda } from "./dm-server/agenda.ts";
import type { SeenAlert } from "./dm-server/agenda.ts";
import type { Account, AuthKind, Nonces } from "./dm-server/proofs.ts";

export const dmType = "application/vnd.syncml.dm+xml";

export interface DmServerOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default: a free one. */
  readonly port?: number;
  readonly path?: string;
  /** For both directions; default digest. */
  readonly auth?: AuthKind;
  /** What the device has to show. */
  readonly client: Account;
  /** What we show. */
  readonly server: Account;
  /** PEM texts: then the server speaks HTTPS. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Octets of a message that we take; announced, and watched over. */
  readonly maxMsgSize?: number;
  /** Where the device has to send its next messages, absolute or relative to the server's URL. */
  readonly respUri?: string;
  /** Hears what happens, line by line, for a person. */
  readonly story?: (line: string) => void;
}

/** One session as it went. */
export interface SessionRecord {
  readonly id: string;
  readonly device: string;
  /** Everything that the device sent, and what it got. */
  readonly exchanges: readonly { readonly received: Message; readonly sent: Message | undefined }[];
  /** undefined while it runs. */
  readonly end: { readonly ok: boolean; readonly why: string } | undefined;
}

export interface DmServer {
  readonly url: string;
  readonly sessions: readonly SessionRecord[];
  /** Alerts of devices that proved themselves: 1224 and 1226, an entry for each item. */
  readonly alerts: readonly SeenAlert[];
  /** What devices did against the standard. Empty is what a test wants. */
  readonly violations: readonly string[];
  /** Changes how the server behaves, from the next message on. */
  readonly behaviour: Behaviour;
  readonly nonces: Nonces;
  /** Asks all of it in one package, in the running session or the next one. Rejects when a session ends before it was answered. */
  run(asks: readonly Ask[]): Promise<readonly Outcome[]>;
  /** What is asked from here on waits for a generic alert, at most `ms`. */
  holdForAlert(ms: number): void;
  /** Nothing is left to be asked. */
  readonly idle: boolean;
  /** How the next requests go wrong, one after the other. */
  fail(...faults: readonly Fault[]): void;
  /** The next alert that fits, or one that came already. */
  alertSeen(fits: (alert: SeenAlert) => boolean): Promise<SeenAlert>;
  /** Resolves when the next session has ended and its last answer is on its way. */
  sessionEnded(): Promise<SessionRecord>;
  stop(): Promise<void>;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
interface Running {
  readonly conversation: Conversation;
  readonly record: Mutable<SessionRecord> & { exchanges: { received: Message; sent: Message | undefined }[] };
  lastBytes: Buffer | undefined;
  lastAnswer: Uint8Array | undefined;
}

const longest = 4_194_304;
/** Sessions, for a server that runs for days. */
const remembered = 1_000;

/** An OMA DM 1.2 server: it authenticates devices and itself, asks what it is told to ask, and watches what devices do. */
export async function startDmServer(options: DmServerOptions): Promise<DmServer> {
  const { host = "127.0.0.1", port = 0, path = "/dm", auth = "digest", tls } = options;
  const tell = options.story ?? (() => undefined);
  const agenda = new Agenda();
  const running = new Map<string, Running>();
  const sessions: SessionRecord[] = [];
  const violations: string[] = [];
  const faults: Fault[] = [];
  const behaviour: Behaviour = {};
  const nonces: Nonces = {
    client: options.client.nonce ?? new Uint8Array(),
    server: options.server.nonce ?? new Uint8Array(),
  };
  const ended = new Set<(record: SessionRecord) => void>();
  let url = "";

  const open = (message: Message): Running => {
    const { sessionId: id, source } = message.header;
    for (const other of running.values())
      if (other.record.device === source.uri && other.record.end === undefined)
        end(other, "the device began another session");
    const exchanges: { received: Message; sent: Message | undefined }[] = [];
    const record = { id, device: source.uri, exchanges, end: undefined };
    const conversation = new Conversation({
      auth,
      client: options.client,
      server: options.server,
      nonces,
      url,
      respUri: options.respUri,
      maxMsgSize: options.maxMsgSize,
      behaviour,
      next: () => agenda.next(),
      putBack: (step) => agenda.putBack(step),
      heardAlert: (alert) => agenda.heard(alert, id),
      tell,
      complain: (what) => {
        violations.push(`session ${id}: ${what}`);
        tell(`    ! against the standard: ${what}`);
      },
    });
    const session: Running = { conversation, record, lastBytes: undefined, lastAnswer: undefined };
    tell(`Session ${id} of ${source.uri}`);
    running.set(`${source.uri} ${id}`, session);
    sessions.push(record);
    const oldest = sessions.length > remembered ? sessions.shift() : undefined;
    if (oldest !== undefined) running.delete(`${oldest.device} ${oldest.id}`);
    return session;
  };

  const end = (session: Running, why?: string) => {
    if (why !== undefined) session.conversation.abandon(why);
    if (session.record.end !== undefined) return;
    session.record.end = session.conversation.end;
    for (const listener of ended) listener(session.record);
  };

  const answer = (body: Buffer, at: string): { bytes: Uint8Array; session: Running } => {
    const message = readMessage(body, { bytes: longest });
    const key = `${message.header.source.uri} ${message.header.sessionId}`;
    const known = running.get(key);
    const over = known?.record.end !== undefined;
    // The same message again, as after a lost answer: the same answer.
    if (known?.lastAnswer && known.lastBytes?.equals(body) === true && (!over || known.conversation.unheard))
      return { bytes: known.lastAnswer, session: known };
    const session = known === undefined || (over && message.header.msgId === "1") ? open(message) : known;
    const sent = session.conversation.receive({ message, octets: body.length, url: at });
    session.record.exchanges.push({ received: message, sent });
    session.lastBytes = body;
    session.lastAnswer = writeMessage(sent);
    return { bytes: session.lastAnswer, session };
  };

  const respond = async (request: IncomingMessage, response: ServerResponse) => {
    const fault = faults.shift();
    if (fault?.kind === "drop" && fault.when === "before") return void request.socket.destroy();
    const body = await bodyOf(request);
    if (body === undefined) return plain(response, 413, "too large");
    if (fault?.kind === "silent") return;
    if (fault?.kind === "status") {
      if (fault.retryAfter !== undefined) response.setHeader("Retry-After", fault.retryAfter);
      return plain(response, fault.code, "by request");
    }
    if (request.method !== "POST") return plain(response, 405, "this is a DM server: POST a SyncML message");
    if (request.headers["content-type"]?.split(";")[0]?.trim().toLowerCase() !== dmType) {
      violations.push(`Content-Type is ${request.headers["content-type"]}`);
      return plain(response, 415, `send ${dmType}`);
    }
    const { bytes, session } = answer(body, new URL(request.url ?? "/", url).href);
    if (fault?.kind === "slow") await pause(fault.ms);
    if (fault?.kind === "drop" || fault?.kind === "body") session.conversation.lost();
    if (fault?.kind === "drop") request.socket.destroy();
    else if (fault?.kind === "body") await reply(response, Buffer.from(fault.body), fault.type);
    else await reply(response, bytes);
    if (session.conversation.end !== undefined) end(session);
  };

  const listen = (request: IncomingMessage, response: ServerResponse) => {
    respond(request, response).catch((error: unknown) => {
      if (!(error instanceof ProtocolError)) throw error;
      violations.push(`a message that cannot be read: ${error.message}`);
      tell(`! a message that cannot be read: ${error.message}`);
      plain(response, 400, reasonOf(error));
    });
  };
  const server = tls ? createHttps(tls, listen) : createHttp(listen);
  server.listen(port, host);
  await once(server, "listening");
  url = `${tls ? "https" : "http"}://${host.includes(":") ? `[${host}]` : host}:${(server.address() as AddressInfo).port}${path}`;

  return {
    url,
    sessions,
    violations,
    behaviour,
    nonces,
    get alerts() {
      return agenda.alerts;
    },
    get idle() {
      return agenda.idle;
    },
    run: (asks) => agenda.add(asks),
    holdForAlert: (ms) => agenda.hold(ms),
    fail: (...more) => void faults.push(...more),
    alertSeen: (fits) => agenda.alertSeen(fits),
    sessionEnded: () =>
      new Promise((resolve) => {
        const listener = (record: SessionRecord) => {
          ended.delete(listener);
          resolve(record);
        };
        ended.add(listener);
      }),
    async stop() {
      for (const session of running.values()) end(session, "the server stops");
      agenda.clear();
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > longest) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function plain(response: ServerResponse, code: number, text: string): void {
  response.writeHead(code, { "Content-Type": "text/plain" }).end(`${text}\n`);
}

async function reply(response: ServerResponse, bytes: Uint8Array, type = dmType): Promise<void> {
  const sent = once(response, "close");
  response.writeHead(200, { "Content-Type": type, "Content-Length": bytes.byteLength }).end(bytes);
  await sent;
}

if (import.meta.filename === process.argv[1]) {
  const { runAlone } = await import("./dm-server/alone.ts");
  await runAlone(process.argv.slice(2), startDmServer);
}
