import { createSocket } from "node:dgram";
import type { Socket } from "node:dgram";
import { DmError, Status } from "../../tree/errors.ts";
import type { Clock } from "../../tree/ports.ts";
import type { LanInterface } from "../lan.ts";

/** A UDP socket for multicast on one link. */
export interface MulticastSocket {
  readonly socket: Socket;
  /**
   * Takes hold of the link anew. When its interface is made anew under the same name and address (a restart of the network on the
   * router) the kernel forgets what the socket had joined, and says so to nobody.
   * @throws Error when there is no such link now.
   */
  readonly renew: () => void;
}

/**
 * One that hears a group. It is bound to the group, not to every address: other programs that share the port keep their unicast packets, and
 * nothing is heard that was sent to the WAN address. Linux hands a packet of the group to every such socket, from whichever link it
 * came: whoever listens checks the sender.
 * @throws DmError 503 when the port is taken or the link cannot be joined.
 */
export async function openMulticast(
  group: string,
  port: number,
  ttl: number,
  lan: LanInterface,
): Promise<MulticastSocket> {
  const socket = createSocket({ type: "udp4", reuseAddr: true });
  try {
    await bound(socket, port, group);
    socket.addMembership(group, lan.address);
    socket.setMulticastInterface(lan.address);
    socket.setMulticastTTL(ttl);
    // Programs on this very machine are asked as well.
    socket.setMulticastLoopback(true);
  } catch (cause) {
    socket.close();
    throw new DmError(Status.unavailable, reasonFor(cause, port, lan.address), { cause });
  }
  return {
    socket,
    renew() {
      try {
        socket.dropMembership(group, lan.address);
      } catch {
        // It was lost already: that is what this is for.
      }
      socket.addMembership(group, lan.address);
      socket.setMulticastInterface(lan.address);
    },
  };
}

/**
 * The same for IPv6, on the interface as a whole: the group has the link's scope, so the kernel hands on nothing from another link. It has IPv6
 * alone: a program that has the port on IPv4 is not in the way.
 * @throws DmError 503 when the port is taken or the link cannot be joined.
 */
export async function openMulticast6(
  group: string,
  port: number,
  hops: number,
  lan: LanInterface,
): Promise<MulticastSocket> {
  const socket = createSocket({ type: "udp6", reuseAddr: true, ipv6Only: true });
  // "::%br-lan" is the kernel's way to name an interface where IPv4 has its address.
  const link = `::%${lan.name}`;
  try {
    await bound(socket, port, `${group}%${lan.name}`);
    socket.addMembership(group, link);
    socket.setMulticastInterface(link);
    socket.setMulticastTTL(hops);
    socket.setMulticastLoopback(true);
  } catch (cause) {
    socket.close();
    throw new DmError(Status.unavailable, reasonFor(cause, port, `IPv6 of ${lan.name}`), { cause });
  }
  return {
    socket,
    renew() {
      try {
        socket.dropMembership(group, link);
      } catch {
        // It was lost already: that is what this is for.
      }
      socket.addMembership(group, link);
      socket.setMulticastInterface(link);
    },
  };
}

/**
 * One that asks groups, and hears the answers that come to it alone.
 * @throws DmError 503 when it cannot be opened on the link.
 */
export async function openAsker(ttl: number, lan: LanInterface): Promise<MulticastSocket> {
  const socket = createSocket({ type: "udp4" });
  try {
    await bound(socket, 0, lan.address);
    socket.setMulticastInterface(lan.address);
    socket.setMulticastTTL(ttl);
    return { socket, renew: () => socket.setMulticastInterface(lan.address) };
  } catch (cause) {
    socket.close();
    throw new DmError(Status.unavailable, reasonFor(cause, 0, lan.address), { cause });
  }
}

/** Of one sender in a second: more than a hundred announcements, and so little that what a packet can cost to read stays bearable. */
const octetsOfSender = 131_072;
/** Of all senders on a link: two hundred devices that announce themselves at once, and no more room for one that calls itself by many addresses. */
const octetsOfLink = 1_048_576;
/** What a packet costs beside its octets: many empty ones are a flood too. */
const packetCost = 64;

/** Whether a packet of so many octets is still within what its sender, and its link, may send in this second. One for each link. */
export function octetBudget(clock: Clock): (sender: string, octets: number) => boolean {
  const spent = new Map<string, number>();
  let ofLink = 0;
  let second = 0;
  return (sender, octets) => {
    const now = Math.floor(clock.monotonic() / 1000);
    if (now !== second) {
      spent.clear();
      ofLink = 0;
    }
    second = now;
    const sum = (spent.get(sender) ?? 0) + octets + packetCost;
    if (sum > octetsOfSender || ofLink > octetsOfLink) return false;
    spent.set(sender, sum);
    ofLink += octets + packetCost;
    return true;
  };
}

function bound(socket: Socket, port: number, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind({ port, address }, () => {
      socket.off("error", reject);
      resolve();
    });
  });
}

function reasonFor(cause: unknown, port: number, where: string): string {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
  if (code === "EADDRINUSE") return `UDP port ${port} is taken by a program that does not share it`;
  return `UDP port ${port} cannot be opened on ${where} (${code})`;
}
