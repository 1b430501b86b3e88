import multicastDns from "multicast-dns";
import type { MulticastDNS, QueryOutgoingPacket, ResponseOutgoingPacket } from "multicast-dns";
import type { Packet } from "dns-packet";
import type { RemoteInfo, Socket } from "node:dgram";
import { DmError, Status, reasonOf } from "../../tree/errors.ts";
import type { Clock, Log } from "../../tree/ports.ts";
import { onLan } from "../lan.ts";
import type { LanInterface } from "../lan.ts";
import { octetBudget, openMulticast, openMulticast6 } from "./multicast.ts";

export const mdnsPort = 5353;
const group4 = "224.0.0.251";
const group6 = "ff02::fb";
const ttl = 255;
/** RFC 6762 17. It also bounds what dns-packet spends on following compression pointers. */
const largestPacket = 9000;
/** When only one of IPv4 and IPv6 could be opened on a link, the other is tried again, in gaps that grow from the one to the other. */
const againMs = { first: 1000, last: 60_000 } as const;

export type Family = 4 | 6;

/** Who sent a packet: the address without its zone. */
export interface From {
  readonly address: string;
  readonly port: number;
}

/** A socket of mDNS on one link, for one family. */
export interface Ear {
  readonly family: Family;
  ask(packet: QueryOutgoingPacket): void;
  /** To the group, or to whoever asked. Resolves when it has left, or cannot. */
  respond(packet: ResponseOutgoingPacket, to?: From): Promise<void>;
  /** Takes hold of the link anew (see MulticastSocket.renew). Where that fails the link has failed. */
  renew(): void;
}

/** What an owner of ears hears. Only packets of mDNS that came from the link, and within what a sender may send. */
export interface Hearing {
  /** Every packet as it travelled, before it is decoded. */
  octets?(octets: Uint8Array, from: From): void;
  query?(packet: Packet, from: From, ear: Ear): void;
  response?(packet: Packet, from: From, ear: Ear): void;
  /** At the opening, and again when a family that was lacking could be opened. */
  opened(ear: Ear): void;
  /** The link broke. */
  failed(reason: unknown): void;
}

/** The ears on one link: of IPv4, of IPv6, or both. */
export interface Ears {
  /** Why one of the two is not there; undefined when nothing is lacking. */
  lacking(): string | undefined;
  close(): Promise<void>;
}

interface Opened {
  readonly ear: Ear;
  close(): Promise<void>;
}

/**
 * Opens links for mDNS: one socket for IPv4 where the link has an address of it, and one for IPv6 where the interface has a link-local address
 * (every interface with IPv6 has one: RFC 4291 2.8). The IPv6 of an interface is one link, however many IPv4 addresses it has: the first of them has it.
 * The opening throws DmError 503 when neither could be opened; where one could, the other is tried again.
 * `anyPort`: also what was sent from another port than that of mDNS; RFC 6762 11 has it ignored in responses, and 6.7 has such questions answered.
 */
export function earOpener(
  io: { readonly clock: Clock; readonly log: Log },
  { anyPort }: { readonly anyPort: boolean },
): (lan: LanInterface, hearing: Hearing) => Promise<Ears> {
  /** Interfaces whose IPv6 has its ear. */
  const taken = new Set<string>();
  return async (lan, hearing) => {
    const open = new Map<Family, Opened>();
    const errors = new Map<Family, string>();
    let closed = false;
    let cancel = () => {};
    let gap: number = againMs.first;

    const attempt = async (family: Family): Promise<void> => {
      if (family === 6 && taken.has(lan.name)) return;
      if (family === 6) taken.add(lan.name);
      try {
        const opened = await openEar(family, lan, hearing, { ...io, anyPort });
        errors.delete(family);
        if (closed) return await opened.close();
        open.set(family, opened);
        hearing.opened(opened.ear);
      } catch (reason) {
        errors.set(family, reasonOf(reason));
      } finally {
        if (family === 6 && !open.has(6)) taken.delete(lan.name);
      }
    };
    const wanted = familiesOf(lan);
    const attemptAll = () => Promise.all(wanted.filter((family) => !open.has(family)).map(attempt));
    const again = () => {
      if (closed || open.size === wanted.length) return;
      cancel = clock.after(gap, () => void attemptAll().then(again));
      gap = Math.min(gap * 2, againMs.last);
    };

    const { clock } = io;
    await attemptAll();
    const lacking = () =>
      [...errors].map(([family, reason]) => `without IPv${family} on ${lan.name}: ${reason}`).join("; ");
    if (open.size === 0) {
      const reasons = [...new Set(errors.values())].join("; ");
      throw new DmError(Status.unavailable, reasons || `${lan.name} has no address for it`);
    }
    if (errors.size > 0) io.log.warn(lacking());
    again();
    return {
      lacking: () => (errors.size === 0 ? undefined : lacking()),
      async close() {
        closed = true;
        cancel();
        if (open.has(6)) taken.delete(lan.name);
        await Promise.all([...open.values()].map((opened) => opened.close()));
      },
    };
  };
}

function familiesOf(lan: LanInterface): readonly Family[] {
  const linkLocal = lan.ipv6.some(({ address }) => address.startsWith("fe80:"));
  return [...(lan.address === "" ? [] : [4 as const]), ...(linkLocal ? [6 as const] : [])];
}

/**
 * multicast-dns reads, writes and sends the packets. Its sockets are ours (`socket`, `bind: false`): its own hear either nothing or
 * every link, and its errors cannot be told from malformed packets.
 */
async function openEar(
  family: Family,
  lan: LanInterface,
  hearing: Hearing,
  { clock, log, anyPort }: { readonly clock: Clock; readonly log: Log; readonly anyPort: boolean },
): Promise<Opened> {
  const group = family === 4 ? group4 : group6;
  const { socket, renew } = await (family === 4 ? openMulticast : openMulticast6)(group, mdnsPort, ttl, lan);
  const mdns: MulticastDNS = multicastDns({
    socket,
    bind: false,
    multicast: false,
    port: mdnsPort,
    // The zone names the link: a socket of IPv6 has no default one.
    ...(family === 4 ? {} : { type: "udp6", ip: `${group}%${lan.name}`, interface: `::%${lan.name}` }),
  });
  const sent = (error: Error | null) => {
    if (error) log.debug(`a packet was not sent: ${error.message}`, { interface: lan.name });
  };
  const ear: Ear = {
    family,
    ask: (packet) => mdns.query(packet, sent),
    respond(packet, to) {
      const zoned = to?.address.startsWith("fe80:") === true ? `${to.address}%${lan.name}` : to?.address;
      return new Promise((resolve) =>
        mdns.respond(packet, to === undefined ? undefined : { address: zoned, port: to.port }, (error) => {
          sent(error);
          resolve();
        }),
      );
    },
    renew() {
      try {
        renew();
      } catch (reason) {
        hearing.failed(reason);
      }
    },
  };

  mdns.on("query", (packet: Packet, from: RemoteInfo) => hearing.query?.(packet, bare(from), ear));
  mdns.on("response", (packet: Packet, from: RemoteInfo) => {
    if (from.port === mdnsPort) hearing.response?.(packet, bare(from), ear);
  });
  mdns.on("warning", (reason: Error) =>
    log.debug(`a packet was dropped: ${reasonOf(reason)}`, { interface: lan.name }),
  );
  // Both are the socket's, which tells on its own below; unheard they would end the process.
  mdns.on("error", () => {});
  socket.on("error", hearing.failed);
  const affordable = octetBudget(clock);
  // RFC 6762 11: what does not come from this link is ignored.
  const fromHere = (from: RemoteInfo) => (anyPort || from.port === mdnsPort) && onLan(from.address, [lan]);
  admitOnly(socket, (message, from) => {
    if (message.length > largestPacket || !fromHere(from) || !affordable(from.address, message.length)) return false;
    hearing.octets?.(message, bare(from));
    return true;
  });
  return { ear, close: () => new Promise((resolve) => mdns.destroy(() => resolve())) };
}

function bare({ address, port }: RemoteInfo): From {
  return { address: address.split("%", 1)[0] ?? "", port };
}

/** Whatever already listens to the socket's messages is handed only those that pass: what is dropped here is never decoded. */
function admitOnly(socket: Socket, passes: (message: Buffer, from: RemoteInfo) => boolean): void {
  const listeners = socket.listeners("message") as ((message: Buffer, from: RemoteInfo) => void)[];
  socket.removeAllListeners("message");
  socket.on("message", (message, from) => {
    if (passes(message, from)) for (const listener of listeners) listener(message, from);
  });
}
