import { createSocket } from "node:dgram";
import type { Socket } from "node:dgram";
import { isIPv4 } from "node:net";

/** RFC 863, discard: nobody minds, and whether anybody listens does not matter. */
const discardPort = 9;
const mostRefused = 4096;
const oneOctet = Uint8Array.of(0);

/** Makes the kernel ask for neighbours: it must find out who has an address before a datagram can leave. Needs no rights. */
export interface Prober {
  /** IPv4 or IPv6, without zone. */
  send(address: string, onInterface: string): void;
  /** Was the last datagram to this address refused, by a firewall of this machine, or for want of a route? */
  refused(address: string, onInterface: string): boolean;
  /** Why the last datagram of all was refused, if it was. */
  trouble(): string | undefined;
  close(): Promise<void>;
}

export function openProber(): Prober {
  let udp4: Socket | undefined;
  let udp6: Socket | undefined;
  let trouble: string | undefined;
  const refusedPlaces = new Set<string>();
  const open = (type: "udp4" | "udp6"): Socket => {
    const socket = createSocket(type);
    // What cannot be sent is told to whoever sends it; unheard this would end the process.
    socket.on("error", () => {});
    socket.unref();
    return socket;
  };
  return {
    send(address, onInterface) {
      const v4 = isIPv4(address);
      const socket = v4 ? (udp4 ??= open("udp4")) : (udp6 ??= open("udp6"));
      const host = !v4 && address.startsWith("fe80:") ? `${address}%${onInterface}` : address;
      socket.send(oneOctet, discardPort, host, (error) => {
        trouble = error?.message;
        if (error === null) refusedPlaces.delete(`${address}%${onInterface}`);
        else if (refusedPlaces.size < mostRefused) refusedPlaces.add(`${address}%${onInterface}`);
      });
    },
    refused: (address, onInterface) => refusedPlaces.has(`${address}%${onInterface}`),
    trouble: () => trouble,
    async close() {
      const open = [udp4, udp6].filter((socket) => socket !== undefined);
      await Promise.all(open.map((socket) => new Promise<void>((resolve) => socket.close(resolve))));
    },
  };
}
