import ssdp from "node-ssdp";
import type { RemoteInfo, Socket } from "node:dgram";
import { ssdpUuid } from "../announce/names.ts";
import { onLan } from "../lan.ts";
import type { LanInterface } from "../lan.ts";
import { octetBudget, openAsker, openMulticast } from "./multicast.ts";
import type { MulticastSocket } from "./multicast.ts";
import type { Link, Source, SourceIo } from "./source.ts";
import { ssdpDevices } from "./ssdp-devices.ts";
import type { SsdpDevices, SsdpHeaders } from "./ssdp-devices.ts";

const group = "239.255.255.250";
const port = 1900;
/** UDA 1.1 1.3.2. */
const ttl = 2;
/** Devices send 300 to 600 octets. */
const largestMessage = 4096;
/** The gaps between searches grow to ten minutes: in the half hour that a device lives unheard it is asked three times. */
const firstGapMs = 1000;
const gapGrowth = 3;
const lastGapMs = 600_000;
/** The first searches come too soon after the opening for the link to have been lost. */
const renewGapMs = 20_000;

/**
 * node-ssdp's client as we use it: it reads messages and writes searches. The sockets are ours. Its own
 * - leave out the loopback, send searches wherever the default route goes, and hear no NOTIFY (the client's port is a random one);
 *   its server hears them, but announces itself and keeps a timer after its stop;
 * - never settle `start()` when the port is taken, and end the process when a group cannot be joined.
 * `ssdp:update` (UDA 1.1 1.2.4) is not handed on by it; nothing is lost: the device announces itself anew right after.
 */
interface SsdpClient {
  sockets: Record<string, Socket>;
  _started: boolean;
  _parseMessage(text: string, from: RemoteInfo): void;
  search(target: string): void;
  on(event: "advertise-alive" | "advertise-bye", listener: (headers: SsdpHeaders, from: RemoteInfo) => void): void;
  on(event: "response", listener: (headers: SsdpHeaders, status: number, from: RemoteInfo) => void): void;
}

function ssdpClient(asker: Socket, lan: LanInterface): SsdpClient {
  // Never `allowWildcards`. A location is given although none is ever sent: without it the package looks for an address of its own.
  const options = { location: "http://127.0.0.1/", customLogger: () => {} };
  const client = new ssdp.Client(options) as unknown as SsdpClient;
  client.sockets = { [lan.address]: asker };
  client._started = true;
  return client;
}

/** UPnP discovery (SSDP, UDA 1.1 section 1) over IPv4: listens to announcements, and searches now and then. */
export function start(io: SourceIo): Source {
  const links = new Set<SsdpDevices>();
  const ours = io.gatewayId === undefined ? undefined : ssdpUuid(io.gatewayId);
  return {
    async open(lan, failed) {
      const ear = await openMulticast(group, port, ttl, lan);
      const asker = await openAsker(ttl, lan).catch((reason: unknown) => {
        ear.socket.close();
        throw reason;
      });
      const devices = ssdpDevices(lan, io.admits, ours);
      links.add(devices);
      const stop = listen(io, { lan, ear, asker, devices, failed });
      return {
        async close() {
          links.delete(devices);
          await stop();
        },
      } satisfies Link;
    },
    forget(key) {
      for (const devices of links) devices.forget(key);
    },
    async stop() {},
  };
}

interface Ears {
  readonly lan: LanInterface;
  readonly ear: MulticastSocket;
  readonly asker: MulticastSocket;
  readonly devices: SsdpDevices;
  readonly failed: (reason: unknown) => void;
}

function listen(io: SourceIo, { lan, ear, asker, devices, failed }: Ears): () => Promise<void> {
  const { clock, random } = io;
  const client = ssdpClient(asker.socket, lan);
  let gap = firstGapMs;

  const round = () => {
    try {
      if (gap >= renewGapMs) for (const { renew } of [ear, asker]) renew();
    } catch (reason) {
      return failed(reason);
    }
    client.search("ssdp:all");
    cancel = clock.after(gap, round);
    gap = Math.min(gap * gapGrowth, lastGapMs);
  };
  let cancel = clock.after(random() * 100, round);

  const alive = (headers: SsdpHeaders, from: RemoteInfo) => {
    const sighting = devices.alive(headers, from.address, clock.monotonic());
    if (sighting !== undefined) io.seen(sighting, from.address);
  };

  client.on("advertise-alive", alive);
  client.on("response", (headers, status, from) => status === 200 && alive(headers, from));
  client.on("advertise-bye", (headers, from) => {
    const key = devices.bye(headers, from.address);
    if (key !== undefined) io.left(key, lan.name);
  });
  const affordable = octetBudget(clock);
  for (const { socket } of [ear, asker]) {
    socket.on("error", failed);
    socket.on("message", (message, from) => {
      if (message.length > largestMessage || !onLan(from.address, [lan])) return;
      if (!affordable(from.address, message.length)) return;
      client._parseMessage(plainLines(message), from);
    });
  }

  return async () => {
    cancel();
    await Promise.all([ear, asker].map(({ socket }) => new Promise<void>((resolve) => socket.close(resolve))));
  };
}

/**
 * Every kind of line end as CRLF. Some devices send bare LF; and on one inside a line node-ssdp's pattern for headers would take a time
 * that grows with the square of the line's length.
 */
function plainLines(message: Buffer): string {
  return message.toString("utf8").replace(/\r\n|[\r\n\u2028\u2029]/g, "\r\n");
}
