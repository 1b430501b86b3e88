import { createSocket } from "node:dgram";
import type { Socket } from "node:dgram";
import { DmError, Status } from "../../tree/errors.ts";
import type { LanInterface } from "../lan.ts";

/** A UDP socket that hears one multicast group on one link. */
export interface MulticastSocket {
  readonly socket: Socket;
  /**
   * Joins anew. The kernel drops a membership when the address goes away for a moment (a restart of the network on the router),
   * and says so to nobody.
   * @throws Error when the link cannot be joined now.
   */
  readonly rejoin: () => void;
}

/**
 * Opens one. It is bound to the group, not to every address: other programs that share the port keep their unicast packets, and
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
    throw new DmError(Status.unavailable, reasonFor(cause, port, lan), { cause });
  }
  return {
    socket,
    rejoin() {
      try {
        socket.dropMembership(group, lan.address);
      } catch {
        // It was lost already: that is what this is for.
      }
      socket.addMembership(group, lan.address);
    },
  };
}

/** A socket that sends to multicast groups on one link, and hears the answers that come to it alone. */
export async function openAsker(ttl: number, lan: LanInterface): Promise<Socket> {
  const socket = createSocket({ type: "udp4" });
  try {
    await bound(socket, 0, lan.address);
    socket.setMulticastInterface(lan.address);
    socket.setMulticastTTL(ttl);
    return socket;
  } catch (cause) {
    socket.close();
    throw new DmError(Status.unavailable, reasonFor(cause, 0, lan), { cause });
  }
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

function reasonFor(cause: unknown, port: number, lan: LanInterface): string {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
  if (code === "EADDRINUSE") return `UDP port ${port} is taken by a program that does not share it`;
  return `UDP port ${port} cannot be opened on ${lan.address} (${code})`;
}
