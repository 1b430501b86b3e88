import { Readable } from "node:stream";
import { ProtocolError } from "../../../tree/errors.ts";
import { embeddedLimits } from "./limits.ts";

/** A message as aedes hands it over. */
export interface RetainedMessage {
  readonly topic: string;
  readonly payload: string | Buffer;
  readonly qos: 0 | 1 | 2;
}

interface OfClient {
  readonly id: string;
}
interface Numbered {
  readonly messageId?: number;
}

/** Octets that a retained message costs beside its topic and payload. */
const overhead = 200;

/**
 * What the embedded broker remembers (the persistence of aedes): retained messages within limits, and which messages of QoS 2 are half-way.
 * All of it is in memory: device chatter never reaches the flash, so a restart forgets it. Sessions end with their connection, so
 * nothing waits here for clients that are away.
 */
export class EmbeddedMemory {
  readonly #retained = new Map<
    string,
    { readonly payload: Buffer; readonly qos: 0 | 1 | 2; readonly octets: number }
  >();
  readonly #halfway = new Map<string, Set<number>>();
  readonly #refused: (topic: string) => void;
  #octets = 0;

  /** `refused`: a message was passed on, but there was no room to retain it. */
  constructor(refused: (topic: string) => void) {
    this.#refused = refused;
  }

  get retained(): number {
    return this.#retained.size;
  }

  /** aedes wants this to be an async function. */
  async setup(): Promise<void> {
    await Promise.resolve();
  }

  /** What there is no room for is not retained; what stood on its topic before is gone all the same, for it is no longer true. */
  storeRetained({ topic, payload, qos }: RetainedMessage): Promise<void> {
    const before = this.#retained.get(topic);
    if (before !== undefined) {
      this.#retained.delete(topic);
      this.#octets -= before.octets;
    }
    if (payload.length === 0) return done;
    // A copy: the payload is a part of all that came with it.
    const own = Buffer.from(payload as Buffer);
    const octets = own.length + Buffer.byteLength(topic) + overhead;
    if (this.#retained.size >= embeddedLimits.retained || this.#octets + octets > embeddedLimits.retainedOctets) {
      this.#refused(topic);
      return done;
    }
    this.#octets += octets;
    this.#retained.set(topic, { payload: own, qos, octets });
    return done;
  }

  createRetainedStreamCombi(filters: readonly string[]): Readable {
    return Readable.from(this.#matching(filters));
  }

  *#matching(filters: readonly string[]): Iterable<object> {
    for (const filter of filters) {
      if (!/[+#]/.test(filter)) {
        const one = this.#retained.get(filter);
        if (one !== undefined) yield { cmd: "publish", topic: filter, payload: one.payload, qos: one.qos };
        continue;
      }
      const fits = matcher(filter);
      for (const [topic, { payload, qos }] of this.#retained) {
        if (fits(topic)) yield { cmd: "publish", topic, payload, qos };
      }
    }
  }

  incomingStorePacket({ id }: OfClient, { messageId = 0 }: Numbered): Promise<void> {
    this.#halfway.set(id, (this.#halfway.get(id) ?? new Set()).add(messageId));
    return done;
  }
  incomingGetPacket({ id }: OfClient, { messageId = 0 }: Numbered): Promise<object> {
    const known = this.#halfway.get(id)?.has(messageId) === true;
    return known ? Promise.resolve({ messageId }) : Promise.reject(new ProtocolError("no such MQTT message"));
  }
  incomingDelPacket({ id }: OfClient, { messageId = 0 }: Numbered): Promise<void> {
    this.#halfway.get(id)?.delete(messageId);
    return done;
  }
  cleanIncoming({ id }: OfClient): Promise<void> {
    this.#halfway.delete(id);
    return done;
  }

  // Sessions are always clean, and the broker is one process: the rest has nothing to remember.
  subscriptionsByTopic(): Promise<readonly never[]> {
    return Promise.resolve([]);
  }
  subscriptionsByClient(): Promise<readonly never[]> {
    return Promise.resolve([]);
  }
  addSubscriptions(): Promise<void> {
    return done;
  }
  removeSubscriptions(): Promise<void> {
    return done;
  }
  cleanSubscriptions(): Promise<void> {
    return done;
  }
  outgoingEnqueue(): Promise<void> {
    return done;
  }
  outgoingEnqueueCombi(): Promise<void> {
    return done;
  }
  outgoingUpdate(): Promise<void> {
    return done;
  }
  outgoingClearMessageId(): Promise<void> {
    return done;
  }
  outgoingStream(): Readable {
    return Readable.from([]);
  }
  putWill(): Promise<void> {
    return done;
  }
  delWill(): Promise<void> {
    return done;
  }
  streamWill(): Readable {
    return Readable.from([]);
  }
}

const done = Promise.resolve();

/** Does a topic fit a filter (MQTT 3.1.1, 4.7)? "a/#" fits "a" too. */
export function matcher(filter: string): (topic: string) => boolean {
  const levels = filter.split("/");
  const wild = levels.findIndex((level) => level === "+" || level === "#");
  const begin = levels.slice(0, wild).join("/");
  return (topic) => {
    if (!topic.startsWith(begin)) return false;
    const parts = topic.split("/");
    for (const [i, level] of levels.entries()) {
      if (level === "#") return true;
      if (i >= parts.length || (level !== "+" && level !== parts[i])) return false;
    }
    return parts.length === levels.length;
  };
}
