import { connect as connectPlain, isIP } from "node:net";
import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";

export interface TlsFiles {
  /** PEM texts. Without `ca` the usual public authorities are trusted. */
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/**
 * Opens the line to a broker. TLS 1.2 at least; the certificate is checked, there is no switch to leave that out.
 * Throws what node:tls throws when a PEM text is none.
 */
export function openLine(url: URL, tls: TlsFiles): Socket {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (url.protocol === "mqtt:") return connectPlain({ host, port: Number(url.port || 1883), noDelay: true });
  return connectTls({
    host,
    port: Number(url.port || 8883),
    minVersion: "TLSv1.2",
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
    ...(tls.cert === undefined ? {} : { cert: tls.cert }),
    ...(tls.key === undefined ? {} : { key: tls.key }),
  });
}

/**
 * The line, without incoming packets above `limit` octets: MQTT 3.1.1 lets a broker pass on 256 MB, and a parser would collect them.
 * Their octets are let through to nobody; `dropped` hears of each.
 */
export function bounded(line: Socket, limit: number | (() => number), dropped: (octets: number) => void): Duplex {
  const packets = new PacketFilter(limit, dropped);
  const duplex: Duplex = new Duplex({
    // Who has said everything is answered nothing more, as with a socket.
    allowHalfOpen: false,
    read: () => void line.resume(),
    write: (chunk: Buffer, _encoding, done) => void line.write(chunk, done),
    // A packet comes in several parts: they travel together.
    writev(chunks, done) {
      line.cork();
      for (const [i, { chunk }] of chunks.entries())
        line.write(chunk as Buffer, i === chunks.length - 1 ? done : undefined);
      line.uncork();
    },
    final: (done) => void (line.destroyed ? done() : line.end(() => done())),
    destroy: (error, done) => {
      line.destroy();
      done(error);
    },
  });
  line.on("data", (chunk: Buffer) => {
    for (const part of packets.pass(chunk)) if (!duplex.push(part)) line.pause();
  });
  line.on("end", () => duplex.push(null));
  line.on("error", (error) => duplex.destroy(error));
  // What came before a goodbye is still read.
  line.on("close", () => (line.readableEnded ? undefined : duplex.destroy()));
  return duplex;
}

/** Follows the packet boundaries of MQTT (3.1.1, 2.2: one octet of type, then the remaining length in up to four octets of seven bits). */
export class PacketFilter {
  readonly #limit: () => number;
  readonly #dropped: (octets: number) => void;
  /** Octets that are left of the packet that goes through, or is dropped, now. */
  #left = 0;
  #dropping = false;
  /** The beginning of a packet, until its length is known. */
  #head: number[] = [];

  constructor(limit: number | (() => number), dropped: (octets: number) => void) {
    this.#limit = typeof limit === "number" ? () => limit : limit;
    this.#dropped = dropped;
  }

  /** The parts of a chunk that may pass: as few as possible, they are views of it. */
  pass(chunk: Buffer): Buffer[] {
    const parts: Buffer[] = [];
    const carried = this.#head.length;
    let from = 0;
    let headAt = 0;
    let at = 0;
    while (at < chunk.length) {
      if (this.#left > 0) {
        const end = Math.min(chunk.length, at + this.#left);
        this.#left -= end - at;
        at = end;
        if (this.#dropping) from = at;
        continue;
      }
      if (this.#head.length === 0) headAt = at;
      const octet = chunk[at++] ?? 0;
      this.#head.push(octet);
      if (this.#head.length === 1 || (octet >= 128 && this.#head.length < 5)) continue;
      const begunEarlier = headAt === 0 && carried > 0 && from === 0;
      const held = this.#head.slice(0, begunEarlier ? carried : 0);
      if (!this.#begin()) {
        if (headAt > from) parts.push(chunk.subarray(from, headAt));
        from = at;
      } else if (held.length > 0) parts.push(Buffer.from(held));
    }
    const end = this.#head.length > 0 ? headAt : chunk.length;
    if (end > from) parts.push(chunk.subarray(from, end));
    return parts;
  }

  /** The length of the next packet is known: may it pass? */
  #begin(): boolean {
    const [, ...length] = this.#head;
    this.#head = [];
    this.#left = length.reduce((sum, octet, i) => sum + (octet & 127) * 128 ** i, 0);
    this.#dropping = this.#left > this.#limit();
    if (this.#dropping) this.#dropped(this.#left);
    return !this.#dropping;
  }
}
