import { createSocket } from "node:dgram";
import type { Socket } from "node:dgram";
import { encode } from "dns-packet";
import type { Packet } from "dns-packet";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startAnnouncing } from "../../../daemon/announce/index.ts";
import type { Announcing } from "../../../daemon/announce/index.ts";
import { systemClock } from "../../../daemon/clock.ts";
import { openMulticast } from "../../../daemon/discovery/multicast.ts";
import { fakeLog } from "../../fakes/log.ts";
import { decoded } from "../discovery/dns-records.ts";
import { loopback, onlyOpen, openSockets, startOnLoopback, until } from "../discovery/loopback.ts";

const group = "224.0.0.251";
const id = "urn:uuid:5a3e9f0c-6a0b-4b8e-9a53-0c1d2e3f4a5b";

function start(more: { readonly id?: string; readonly machine?: string } = {}): Promise<Announcing> {
  return startAnnouncing({
    id,
    version: "1.2.3",
    manufacturer: "Example",
    model: "dmgw",
    machine: "router.lan",
    lan: ["lo"],
    clock: systemClock,
    log: fakeLog(),
    random: () => 0,
    ...more,
  });
}

describe("on a link, the gateway", () => {
  let before: number;
  let ear: Socket;
  let asker: Socket;
  let heard: Packet[];
  let ssdp: Socket;
  let lines: string[];
  let gateway: Announcing;
  beforeEach(async () => {
    before = openSockets();
    heard = [];
    lines = [];
    ({ socket: ear } = await openMulticast(group, 5353, 1, loopback()));
    ear.on("message", (bytes) => {
      const packet = decoded(bytes);
      if (packet !== undefined) heard.push(packet);
    });
    ({ socket: ssdp } = await openMulticast("239.255.255.250", 1900, 1, loopback()));
    ssdp.on("message", (bytes) => lines.push(bytes.toString()));
    asker = createSocket("udp4");
    await new Promise<void>((resolve) => asker.bind(0, "127.0.0.1", resolve));
    asker.setMulticastInterface("127.0.0.1");
    gateway = await start();
  });
  afterEach(async () => {
    await gateway.stop();
    for (const socket of [ear, asker, ssdp]) await new Promise<void>((resolve) => socket.close(resolve));
    await onlyOpen(before);
  });
  // The loopback is everybody's: other tests speak there as well.
  const isOurs = ({ answers = [] }: Packet) => answers.some(({ name }) => name.includes("dmgw on router"));
  const responses = () => heard.filter((packet) => packet.type === "response" && isOurs(packet));
  const announced = () => until("its announcement", () => responses()[0]);

  it("probes three times, announces itself twice, and says goodbye when it stops", async () => {
    await until("two announcements", () => responses().length >= 2 || undefined);
    const probes = heard.filter(({ authorities = [] }) =>
      authorities.some(({ name }) => name.includes("dmgw on router")),
    );
    expect(probes).toHaveLength(3);
    expect(probes[0]?.questions?.map(({ name, type }) => `${type} ${name}`)).toEqual([
      "ANY dmgw on router._dmgw._tcp.local",
      expect.stringMatching(/^ANY dmgw-[0-9a-f]{8}\.local$/) as string,
    ]);
    const { answers = [] } = await announced();
    expect(answers.map(({ type }) => type)).toEqual(["PTR", "PTR", "SRV", "TXT", "A", "AAAA"]);
    expect(answers.find(({ type }) => type === "A")).toMatchObject({ data: "127.0.0.1", flush: true, ttl: 120 });
    expect(answers.find(({ type }) => type === "SRV")).toMatchObject({ data: { port: 0 } });
    const text = answers.find(({ type }) => type === "TXT") as { data: Buffer[] } | undefined;
    expect(text?.data.map(String)).toEqual([`id=${id}`, "ver=1.2.3", "man=Example", "mod=dmgw"]);
    expect(gateway.status()).toMatchObject({
      state: "announcing",
      detail: expect.stringContaining("dmgw on router") as string,
    });
    await gateway.stop();
    const last = await until("its goodbye", () =>
      responses().find(({ answers: [first] = [] }) => (first as { ttl?: number }).ttl === 0),
    );
    expect(last.answers?.every((answer) => "ttl" in answer && answer.ttl === 0)).toBe(true);
  });

  it("answers those who ask with the port of mDNS to all, others to themselves, as a DNS server would", async () => {
    await announced();
    const single = new Promise<Buffer>((resolve) => asker.once("message", resolve));
    asker.send(encode({ type: "query", id: 77, questions: [{ type: "PTR", name: "_dmgw._tcp.local" }] }), 5353, group);
    const answer = decoded(await single);
    expect(answer).toMatchObject({ id: 77, questions: [{ name: "_dmgw._tcp.local" }] });
    expect(answer?.answers).toHaveLength(1);
    expect(answer?.answers?.[0]).toMatchObject({ ttl: 10, data: "dmgw on router._dmgw._tcp.local" });
    const so = responses().length;
    ear.send(
      encode({ type: "query", questions: [{ type: "TXT", name: "DMGW on router._dmgw._tcp.local" }] }),
      5353,
      group,
    );
    await until("the answer to all", () => responses().length > so || undefined);
  });

  it("is found by a search, and tells the group", async () => {
    await until("its announcement", () => lines.find((line) => line.includes("ssdp:alive")));
    const answered = new Promise<Buffer>((resolve) => asker.once("message", resolve));
    const search =
      'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: "ssdp:discover"\r\nMX: 1\r\nST: ssdp:all\r\n\r\n';
    asker.send(search, 1900, "239.255.255.250");
    const text = String(await answered);
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(text).toContain("USN: uuid:5a3e9f0c-6a0b-4b8e-9a53-0c1d2e3f4a5b::urn:dmgw:service:gateway:1\r\n");
    expect(text).not.toContain("LOCATION");
    await gateway.stop();
    await until("its byebye", () => lines.find((line) => line.includes("ssdp:byebye")));
  });
});

it("where there is no LAN it waits, says so, and stops at once", async () => {
  const gateway = await startAnnouncing({
    id,
    version: "1",
    manufacturer: "x",
    model: "dmgw",
    lan: ["nowhere0"],
    clock: systemClock,
    log: fakeLog(),
    random: () => 0,
  });
  expect(gateway.status()).toMatchObject({
    state: "waiting",
    detail: expect.stringContaining("lan.interfaces") as string,
  });
  await gateway.stop();
});

describe("two gateways on one link", () => {
  it("of one name come apart, and each is seen by whoever is not it", async () => {
    const [one, other] = [await start(), await start({ id: "com.example:2" })];
    const mdns = await startOnLoopback("mdns", { gatewayId: id });
    const seen = await until("the other one", () =>
      mdns.seen.find(({ service, text }) => service === "_dmgw._tcp" && text.get("id") === "com.example:2"),
    );
    expect(seen.host).toMatch(/^dmgw-[0-9a-f]{8}$/);
    await until("two names", () => one.status().detail !== other.status().detail || undefined);
    expect(mdns.seen.filter(({ text }) => text.get("id") === id)).toEqual([]);
    const ssdp = await startOnLoopback("ssdp", { gatewayId: id });
    await until("the other one by SSDP", () => ssdp.seen.find(({ text }) => text.get("id") === "com.example:2"));
    expect(ssdp.seen.filter(({ text }) => text.get("id") === id)).toEqual([]);
    for (const part of [one, other, mdns.discovery, ssdp.discovery]) await part.stop();
  });
});
