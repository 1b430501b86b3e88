import { createSocket } from "node:dgram";
import type { Socket } from "node:dgram";
import { encode } from "dns-packet";
import type { Answer, Packet } from "dns-packet";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { homeTypes } from "../../../daemon/discovery/mdns-names.ts";
import { packetsFor } from "../../../daemon/discovery/mdns-wire.ts";
import { openMulticast } from "../../../daemon/discovery/multicast.ts";
import { avahiAnnouncement, avahiGoodbye } from "../../fixtures/discovery.ts";
import { decoded } from "./dns-records.ts";
import { loopback, onlyOpen, openSockets, startOnLoopback, until } from "./loopback.ts";
import type { Loopback } from "./loopback.ts";

const group = "224.0.0.251";
const key = "kitchen printer._ipp._tcp.local";

describe("on a link", () => {
  let device: Socket;
  let questions: Packet[];
  let home: Loopback;
  let before: number;
  beforeEach(async () => {
    before = openSockets();
    questions = [];
    ({ socket: device } = await openMulticast(group, 5353, 1, loopback()));
    device.on("message", (bytes) => {
      const packet = decoded(bytes);
      if (packet?.type === "query") questions.push(packet);
    });
    home = await startOnLoopback("mdns");
  });
  afterEach(async () => {
    await home.discovery.stop();
    await new Promise<void>((resolve) => device.close(resolve));
    await onlyOpen(before);
  });
  const say = (bytes: Uint8Array, from = device) => from.send(bytes, 5353, group);
  const respond = (...answers: Answer[]) => say(encode({ type: "response", flags: 1 << 10, answers }));
  const asked = () => questions.flatMap((packet) => packet.questions?.map(({ type, name }) => `${type} ${name}`) ?? []);

  it("it asks for the types of a home and for the list of types, and again", async () => {
    await until("the first round", () => asked().includes("PTR _workstation._tcp.local") || undefined);
    expect(asked()).toContain("PTR _services._dns-sd._udp.local");
    for (const type of homeTypes) expect(asked()).toContain(`PTR ${type}.local`);
    const round = questions.length;
    await until("the second round", () => questions.length >= 2 * round || undefined);
  });

  it("an announcement is a sighting, and its goodbye ends it", async () => {
    say(avahiAnnouncement);
    expect(await home.sighting(key)).toMatchObject({
      name: "Kitchen Printer",
      port: 631,
      host: "kitchen",
      // Its records say that it is at 10.77.0.2, which is not on this link: whoever speaks for it here is not it.
      addresses: [],
      interface: "lo",
    });
    expect([...home.discovery.sightings()].map((s) => s.key)).toContain(key);
    expect(home.discovery.status().mdns).toMatchObject({ state: "listening", detail: "on lo" });
    say(avahiGoodbye);
    await until("its end", () => home.gone.includes(`${key} goodbye`) || undefined);
  });

  it("what an announcement leaves out is asked for at once", async () => {
    const name = "Bare._http._tcp.local";
    respond({ type: "PTR", name: "_http._tcp.local", data: name, ttl: 4500 });
    await until(
      "the questions",
      () => (asked().includes(`SRV ${name}`) && asked().includes(`TXT ${name}`)) || undefined,
    );
    respond({ type: "SRV", name, ttl: 120, data: { target: "bare.local", port: 8080 } });
    await until("the question", () => asked().includes("A bare.local") || undefined);
    respond({ type: "A", name: "bare.local", ttl: 120, data: "127.0.0.9" });
    await home.sighting(name.toLowerCase(), (s) => s.port === 8080 && s.addresses[0] === "127.0.0.9");
  });

  it("a type that it did not know is asked for at once", async () => {
    respond({ type: "PTR", name: "_services._dns-sd._udp.local", data: "_unheard-of._udp.local", ttl: 4500 });
    await until("the question", () => asked().includes("PTR _unheard-of._udp.local") || undefined);
  });

  it("what it knows it tells with its questions", async () => {
    say(avahiAnnouncement);
    await home.sighting(key);
    const answers = () => questions.flatMap((packet) => packet.answers ?? []);
    await until("the known answer", () =>
      answers().find((a) => "data" in a && a.data === "Kitchen Printer._ipp._tcp.local"),
    );
  });

  it("garbage of every kind is dropped, and it listens on", async () => {
    const loop = Buffer.from("000084000000000100000000c00cc00c", "hex");
    const lies = Buffer.from("00008400ffffffffffffffff00", "hex");
    for (const bytes of [Buffer.alloc(0), Buffer.from("hello"), loop, lies, Buffer.alloc(9001, 0xc0)]) say(bytes);
    for (let length = 0; length < avahiAnnouncement.length; length += 3) say(avahiAnnouncement.subarray(0, length));
    say(avahiAnnouncement);
    await home.sighting(key);
  });

  it("what does not come from the port of mDNS is ignored", async () => {
    const other = createSocket("udp4");
    await new Promise<void>((resolve) => other.bind(0, "127.0.0.1", resolve));
    other.setMulticastInterface("127.0.0.1");
    const forged = Buffer.from(avahiAnnouncement);
    forged.write("Forged! Printer", forged.indexOf("Kitchen Printer"));
    say(forged, other);
    await new Promise((resolve) => setTimeout(resolve, 50));
    say(avahiAnnouncement);
    await home.sighting(key);
    expect(home.seen.some((s) => s.name.startsWith("Forged"))).toBe(false);
    await new Promise<void>((resolve) => other.close(resolve));
  });
});

describe("questions", () => {
  const question = (n: number) => ({ type: "PTR" as const, name: `_type${n}._tcp.local` });
  const known = (service: string) =>
    Array.from({ length: 100 }, (_, n) => ({
      type: "PTR" as const,
      name: `${service}.local`,
      ttl: 4500,
      data: `n${n}.${service}.local`,
    }));

  it("go into as few packets as hold them, each within an MTU", () => {
    const packets = packetsFor(
      Array.from({ length: 100 }, (_, n) => question(n)),
      () => [],
    );
    expect(packets.flatMap((p) => p.questions)).toHaveLength(100);
    expect(packets.length).toBeLessThan(4);
    for (const packet of packets) expect(encode({ type: "query", ...packet }).length).toBeLessThan(1400);
  });

  it("take what is known along as far as it fits, in the packet of its question", () => {
    const packets = packetsFor([question(1), question(2)], known);
    for (const packet of packets) {
      expect(encode({ type: "query", ...packet }).length).toBeLessThan(1400);
      expect(new Set(packet.answers.map((a) => a.name))).toEqual(new Set(packet.questions.map((q) => q.name)));
    }
    expect(packets.flatMap((p) => p.questions)).toHaveLength(2);
  });
});
