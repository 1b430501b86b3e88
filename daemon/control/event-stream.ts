import { randomUUID } from "node:crypto";
import type { ServerResponse } from "node:http";
import { local } from "../../tree/acl.ts";
import { deadline } from "../../tree/ports.ts";
import type { Clock } from "../../tree/ports.ts";
import type { TreeShape } from "../../tree/shape.ts";
import { isInterior, sizeOf } from "../../tree/value.ts";
import type { EventReader, Events, TreeEvent } from "../events.ts";
import { valueJson } from "./nodes.ts";

/** Ms of silence after which a comment shows that the line is alive. */
export const heartbeat = 15_000;
/** Ms that a reader may leave its socket full before its connection is given to somebody else. */
const patience = 120_000;
/** Ms for reading a value that goes with an event. */
const readTime = 2000;
/** Octets; larger values are left for the reader to get. */
const valueLimit = 65_536;

interface Source {
  readonly tree: TreeShape;
  readonly events: Events;
  readonly clock: Clock;
}

/**
 * Writes server-sent events until the reader goes or `signal` fires. Nothing is buffered beyond the socket: a slow reader stays behind
 * in the ring, and hears `gap` when the ring has moved on.
 */
export async function streamEvents(
  source: Source,
  reader: EventReader,
  response: ServerResponse,
  signal: AbortSignal,
): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  response.write(`retry: 2000\nid: ${reader.id()}\n\n`);

  const pulse = pulseOf(source, signal);
  const write = async (text: string) => response.write(text) || drained(response, source.clock, signal);
  try {
    while (!signal.aborted) {
      // The id travels with the heartbeat too: a reader of a quiet subtree must not fall off the ring because others are busy.
      if ((await pulse.next()) === "beat" && !(await write(`: alive\nid: ${reader.id()}\n\n`))) break;
      if (!(await writeWaiting(source, reader, write, signal))) break;
    }
  } finally {
    pulse.stop();
    if (response.writableNeedDrain) response.destroy();
    else response.end();
  }
}

/** Everything that the reader has not had yet. false: the socket stays full. */
async function writeWaiting(
  source: Source,
  reader: EventReader,
  write: (text: string) => Promise<boolean>,
  signal: AbortSignal,
): Promise<boolean> {
  for (let event = reader.next(); event !== undefined && !signal.aborted; event = reader.next()) {
    const id = reader.id();
    const name = event === "gap" ? "gap" : "change";
    const data = event === "gap" ? { reason: "events were missed: read anew" } : await described(source, event, signal);
    if (!(await write(`id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`))) return false;
  }
  return true;
}

/** Resolves with true when the socket takes more; with false when it does not for too long, or the reader is gone. */
function drained(response: ServerResponse, clock: Clock, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (taken: boolean) => {
      cancel();
      response.off("drain", onDrain);
      signal.removeEventListener("abort", onAbort);
      resolve(taken);
    };
    const onDrain = () => end(true);
    const onAbort = () => end(false);
    const cancel = clock.after(patience, onAbort);
    response.once("drain", onDrain);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) end(false);
  });
}

async function described(source: Source, event: TreeEvent, signal: AbortSignal): Promise<unknown> {
  const by = event.by === "device" || event.by.kind === "local" ? undefined : event.by.id;
  const value = event.verb === "Add" || event.verb === "Replace" ? await valueAt(source, event, signal) : undefined;
  return {
    uri: event.uri,
    verb: event.verb,
    by: by ?? (event.by === "device" ? "device" : "local"),
    time: new Date(event.time).toISOString(),
    value,
  };
}

/** The value as it is now; undefined for interior nodes, and where it is not to be had quickly. */
async function valueAt({ tree, clock }: Source, event: TreeEvent, signal: AbortSignal): Promise<unknown> {
  if (!tree.has(event.uri) || tree.schema(event.uri)?.format === "node") return undefined;
  const limit = deadline(clock, readTime, signal);
  try {
    const call = { by: local, signal: limit.signal, correlator: randomUUID(), mayDefer: false };
    const snapshot = await tree.get(event.uri, "one", call);
    return isInterior(snapshot) || sizeOf(snapshot) > valueLimit ? undefined : valueJson(snapshot);
  } catch {
    return undefined;
  } finally {
    limit.clear();
  }
}

interface Pulse {
  /** Resolves when there may be something to do, or nothing happened for a {@link heartbeat}. */
  next(): Promise<"event" | "beat">;
  stop(): void;
}

function pulseOf({ events, clock }: Source, signal: AbortSignal): Pulse {
  let due = true;
  let resume: ((why: "event" | "beat") => void) | undefined;
  const ring = (why: "event" | "beat") => {
    if (resume === undefined) due ||= why === "event";
    resume?.(why);
    resume = undefined;
  };
  const wake = () => ring("event");
  const unlisten = events.listen(wake);
  signal.addEventListener("abort", wake, { once: true });
  return {
    async next() {
      if (due || signal.aborted) {
        due = false;
        return "event";
      }
      const cancel = clock.after(heartbeat, () => ring("beat"));
      const why = await new Promise<"event" | "beat">((resolve) => {
        resume = resolve;
      });
      cancel();
      due = false;
      return why;
    },
    stop() {
      unlisten();
      signal.removeEventListener("abort", wake);
    },
  };
}
