// A flood of announcements on loopback: what this machine takes in, beside a listener of multicast-dns that only counts.
import multicastDns from "multicast-dns";
import { fork } from "node:child_process";
import { createSocket } from "node:dgram";
import type { RemoteInfo, Socket } from "node:dgram";
import { mkdtempSync, rmSync } from "node:fs";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Bridge } from "../../daemon/devices/bridge.ts";
import { systemClock } from "../../daemon/clock.ts";
import { openWire } from "../../daemon/discovery/mdns-wire.ts";
import { octetBudget } from "../../daemon/discovery/multicast.ts";
import { sightingTable } from "../../daemon/discovery/sightings.ts";
import { openStore } from "../../daemon/store.ts";
import { Tree } from "../../tree/tree.ts";
import { quietLog } from "../homes/gateway.ts";
import { round } from "./measure.ts";
import type { Table } from "./measure.ts";

const seconds = Number(process.env["DMGW_BENCH_SECONDS"] ?? 10);

/** Takes packets from a socket; the answer says how many it has made something of, and ends it. */
type Listener = (socket: Socket) => { readonly taken: () => number; readonly stop: () => Promise<void> };

export async function discoveryBench(): Promise<readonly Table[]> {
  const rows = [
    await flooded("bare multicast-dns, which counts", bare),
    await flooded("dmgw: records, sightings, joining, list", (socket) => whole(socket, false)),
    await flooded("the same with the octets a sender may send", (socket) => whole(socket, true)),
  ];
  return [
    {
      caption: `announcements of 400 services of 200 senders for ${seconds} s, over loopback`,
      columns: ["listener", "sent/s", "taken in/s", "CPU us each", "CPU"],
      rows,
    },
  ];
}

async function flooded(what: string, listener: Listener): Promise<readonly string[]> {
  const socket = createSocket({ type: "udp4", recvBufferSize: 1 << 20 });
  await new Promise<void>((resolve) => socket.bind({ port: 0, address: "127.0.0.1" }, resolve));
  const { taken, stop } = listener(socket);
  const child = fork(new URL("./mdns-flood.js", import.meta.url), [String(socket.address().port)]);
  while (taken() === 0) await pause(20);
  // Until everything is known: what is measured is the flood, not the first words.
  await pause(3000);

  child.send("count");
  const cpu = process.cpuUsage();
  const [before, began] = [taken(), performance.now()];
  await pause(seconds * 1000);
  const ms = performance.now() - began;
  const count = taken() - before;
  const { user, system } = process.cpuUsage(cpu);
  child.send("stop");
  const [sent] = (await once(child, "message")) as [number];
  await stop();
  const perSecond = (n: number) => round((n * 1000) / ms);
  return [
    what,
    perSecond(sent),
    perSecond(count),
    round((user + system) / Math.max(1, count)),
    `${((user + system) / ms / 10).toFixed(0)} %`,
  ];
}

const bare: Listener = (socket) => {
  const mdns = multicastDns({ socket, bind: false, multicast: false });
  let packets = 0;
  mdns.on("response", () => packets++);
  return { taken: () => packets, stop: () => new Promise((resolve) => mdns.destroy(resolve)) };
};

/** From the octets to the list: all that the daemon does with a packet of mDNS, but for the multicast socket. */
function whole(socket: Socket, budget: boolean): ReturnType<Listener> {
  const folder = mkdtempSync(join(tmpdir(), "dmgw-bench-"));
  const store = openStore({ folder, clock: systemClock, log: quietLog });
  const tree = new Tree({ store, clock: systemClock });
  const bridge = new Bridge({ tree, store, clock: systemClock, log: quietLog });
  const table = sightingTable(systemClock, {
    seen: (sighting) => bridge.seen(sighting),
    heard: (source, key) => bridge.heard(source, key),
    gone: (source, key, why) => bridge.gone(source, key, why),
  });
  const io = { clock: systemClock, log: quietLog, random: Math.random };
  const admits = (key: string, sender: string) => table.admits("mdns", key, sender, "lo");
  const wire = openWire(
    {
      ...io,
      admits,
      seen: (sighting, sender) => table.seen("mdns", sighting, sender),
      left: (key, on) => table.left("mdns", key, on),
    },
    "lo",
  );
  wire.lans.add({ name: "lo", address: "127.0.0.1", netmask: "255.0.0.0", ipv6: [], mac: "00:00:00:00:00:00" });
  const mdns = multicastDns({ socket, bind: false, multicast: false });
  let packets = 0;
  mdns.on("response", (packet, from) => {
    packets++;
    wire.take(packet, from);
  });
  if (budget) {
    const affordable = octetBudget(systemClock);
    const listeners = socket.listeners("message") as ((message: Buffer, from: RemoteInfo) => void)[];
    socket.removeAllListeners("message");
    socket.on("message", (message, from) => {
      if (affordable(from.address, message.length)) for (const listener of listeners) listener(message, from);
    });
  }
  return {
    taken: () => packets,
    async stop() {
      await new Promise<void>((resolve) => mdns.destroy(() => resolve()));
      wire.stop();
      table.stop();
      await bridge.stop();
      store.close();
      rmSync(folder, { recursive: true });
    },
  };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
