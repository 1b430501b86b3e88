// A process of its own that announces services as fast as it can, from loopback addresses to one port of 127.0.0.1, until it is told to stop.
// Then it says how many it has sent since it was told to count.
import { createSocket } from "node:dgram";
import type { Socket } from "node:dgram";
import { encode } from "dns-packet";
import type { Packet } from "dns-packet";

const senders = 200;
const perSender = 2;
const atOnce = 64;

const port = Number(process.argv[2]);
let sent = 0;
let version = 0;

function announcement(sender: number, n: number): Buffer {
  const host = `flood-${sender}.local`;
  const name = `Thing ${n} of ${sender}._http._tcp.local`;
  const address = `127.0.1.${sender + 1}`;
  const packet: Packet = {
    type: "response",
    answers: [
      { type: "PTR", name: "_http._tcp.local", ttl: 4500, class: "IN", data: name },
      { type: "SRV", name, ttl: 120, class: "IN", flush: true, data: { port: 80, target: host } },
      { type: "TXT", name, ttl: 4500, class: "IN", flush: true, data: [`version=${version}`, `serial=${sender}-${n}`] },
      { type: "A", name: host, ttl: 120, class: "IN", flush: true, data: address },
    ],
  };
  return encode(packet);
}

async function socketAt(address: string): Promise<Socket> {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind({ port: 0, address }, resolve));
  return socket;
}

const sockets = await Promise.all(Array.from({ length: senders }, (_, n) => socketAt(`127.0.1.${n + 1}`)));
/** Each says two things, and something else each time the whole round has been said. */
let packets: (readonly [Socket, Buffer])[] = [];
const renew = () => {
  version++;
  packets = sockets.flatMap((socket, sender) =>
    Array.from({ length: perSender }, (_, n) => [socket, announcement(sender, n)] as const),
  );
};
renew();

let at = 0;
let stopped = false;
const send = () => {
  if (stopped) return;
  let left = atOnce;
  for (let n = 0; n < atOnce; n++) {
    const [socket, bytes] = packets[at] ?? [];
    at = (at + 1) % packets.length;
    if (at === 0) renew();
    socket?.send(bytes as Buffer, port, "127.0.0.1", (error) => {
      if (error === null) sent++;
      if (--left === 0) setImmediate(send);
    });
  }
};
process.on("message", (told) => {
  if (told === "count") {
    sent = 0;
    return;
  }
  stopped = true;
  process.send?.(sent, () => process.exit(0));
});
process.on("disconnect", () => process.exit(0));
send();
