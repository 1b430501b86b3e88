import { encode } from "dns-packet";
import type { Answer, Packet, Question } from "dns-packet";
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { openResponder } from "../../../daemon/announce/mdns-responder.ts";
import type { Responder } from "../../../daemon/announce/mdns-responder.ts";
import { gatewayZone, recordText } from "../../../daemon/announce/mdns-zone.ts";
import { fakeClock } from "../../fakes/clock.ts";
import type { FakeClock } from "../../fakes/clock.ts";
import { decoded } from "../discovery/dns-records.ts";
import { fakeLink } from "./fake-link.ts";
import type { FakeLink } from "./fake-link.ts";

const asker = { address: "10.77.0.9", port: 5353 };
let clock: FakeClock;
let link: FakeLink;
beforeEach(() => {
  clock = fakeClock();
  link = fakeLink(clock);
});

interface Gateway {
  readonly responder: Responder;
  readonly names: { instance: string; host: string };
  readonly conflicts: string[];
}

/** A gateway that takes the next name at a conflict. */
function gateway(address: string, { id = "ours", instance = "gw", host = "dmgw-1", random = 0 } = {}): Gateway {
  const names = { instance, host };
  const conflicts: string[] = [];
  const said = new Set<string>();
  const zone = () => {
    const made = gatewayZone(names, [`id=${id}`], [address]);
    for (const { answer } of made.records) said.add(recordText(answer));
    return made;
  };
  const responder: Responder = openResponder({
    clock,
    random: () => random,
    ear: link.join(address, (packet, from) =>
      packet.type === "query" ? responder.query(packet, from) : responder.response(packet),
    ),
    zone,
    said: (text) => said.has(text),
    conflict(which) {
      conflicts.push(names[which]);
      names[which] += "+";
      responder.restart();
    },
  });
  return { responder, names, conflicts };
}

const question = (name: string, type: Question["type"] | "ANY", more = {}) =>
  ({ name, type, class: "IN", ...more }) as Question;
const query = (...questions: Question[]): Packet => ({ type: "query", questions });
const toAll = (from = 0) =>
  link.sent.filter(({ packet, to, at }) => packet.type === "response" && to === undefined && at >= from);
const alone = () => link.sent.filter(({ to }) => to !== undefined);
const service = "_dmgw._tcp.local";
const instance = `gw.${service}`;

/** One that has announced itself, a while ago. */
async function settledGateway(address = "10.77.0.1"): Promise<Gateway> {
  const made = gateway(address);
  await clock.advance(10_000);
  return made;
}

describe("at its opening a responder", () => {
  it("probes three times, a quarter of a second apart, and then announces twice, a second apart", async () => {
    gateway("10.77.0.1", { random: 0.5 });
    await clock.advance(5000);
    const times = (type: string) => link.sent.filter(({ packet }) => packet.type === type).map(({ at }) => at);
    expect(times("query")).toEqual([125, 375, 625]);
    expect(times("response")).toEqual([875, 1875]);
    expect(link.sent[0]?.packet.authorities?.map(({ type }) => type)).toEqual(["SRV", "TXT", "A"]);
  });

  it("answers nothing until it has announced", async () => {
    const { responder } = gateway("10.77.0.1");
    responder.query(query(question(service, "PTR")), asker);
    await clock.advance(700);
    expect(toAll()).toEqual([]);
  });

  it("takes another name when it hears that the one is taken, and asks for that too", async () => {
    const one = await settledGateway();
    const other = gateway("10.77.0.2", { id: "theirs", host: "dmgw-2" });
    await clock.advance(5000);
    expect(one.conflicts).toEqual([]);
    expect(other.names).toEqual({ instance: "gw+", host: "dmgw-2" });
  });

  it("when two want the same name at the same time, one gets it", async () => {
    for (const random of [0, 0.01, 0.3, 0.9]) {
      const one = gateway("10.77.0.1", { id: `one ${random}`, instance: `gw ${random}`, host: "dmgw-1" });
      const other = gateway("10.77.0.2", { id: `other ${random}`, instance: `gw ${random}`, host: "dmgw-2", random });
      await clock.advance(20_000);
      expect([one.conflicts.length, other.conflicts.length].sort()).toEqual([0, 1]);
      expect(one.names.instance).not.toBe(other.names.instance);
    }
  });

  it("does not mind its own probes and announcements when they come back", async () => {
    const { conflicts, responder } = gateway("10.77.0.1");
    await clock.advance(5000);
    for (const { packet } of [...link.sent])
      if (packet.type === "query") responder.query(packet, asker);
      else responder.response(packet);
    await clock.advance(5000);
    expect(conflicts).toEqual([]);
  });
});

describe("a question", () => {
  it("for the type is answered to all, with everything that goes along, after 20 to 120 ms", async () => {
    const { responder } = await settledGateway();
    responder.query(query(question(service.toUpperCase(), "PTR")), asker);
    await clock.advance(19);
    expect(toAll(10_000)).toEqual([]);
    await clock.advance(101);
    const [answer] = toAll(10_000);
    expect(answer?.packet.answers).toMatchObject([{ type: "PTR", data: instance, flush: false }]);
    expect(answer?.packet.additionals?.map(({ type }) => type)).toEqual(["SRV", "TXT", "A"]);
  });

  it("for what is its alone is answered at once; that there is no such record is an answer too", async () => {
    const { responder } = await settledGateway();
    responder.query(query(question(instance, "SRV"), question("dmgw-1.local", "AAAA")), asker);
    await clock.advance(0);
    const [answer] = toAll(10_000);
    expect(answer?.packet.answers).toMatchObject([
      { type: "SRV", flush: true },
      { type: "NSEC", name: "dmgw-1.local", data: { rrtypes: ["A"] } },
    ]);
  });

  it.each([
    ["another name", question("other._dmgw._tcp.local", "SRV")],
    ["another type of service", question("_http._tcp.local", "PTR")],
    ["another class", question(service, "PTR", { class: "CH" })],
  ])("for %s is none of its", async (_, asked) => {
    const { responder } = await settledGateway();
    responder.query(query(asked), asker);
    await clock.advance(2000);
    expect(toAll(10_000)).toEqual([]);
  });

  it("with a known answer that lives long enough gets none, with one that ends soon it does", async () => {
    const { responder } = await settledGateway();
    const known = (ttl: number): Answer => ({ type: "PTR", name: service, data: instance, ttl });
    responder.query({ ...query(question(service, "PTR")), answers: [known(2251)] }, asker);
    await clock.advance(2000);
    expect(toAll(10_000)).toEqual([]);
    responder.query({ ...query(question(service, "PTR")), answers: [known(2249)] }, asker);
    await clock.advance(2000);
    expect(toAll(10_000)).toHaveLength(1);
  });

  it("that was cut off waits for the rest of what is known, from its asker only", async () => {
    const { responder } = await settledGateway();
    const cutOff = { ...query(question(service, "PTR")), flags: 0x200 };
    const rest: Packet = {
      type: "query",
      questions: [],
      answers: [{ type: "PTR", name: service, data: instance, ttl: 4500 }],
    };
    responder.query(cutOff, asker);
    await clock.advance(390);
    responder.query(rest, asker);
    await clock.advance(2000);
    expect(toAll(10_000)).toEqual([]);
    responder.query(cutOff, asker);
    responder.query(rest, { address: "10.77.0.66", port: 5353 });
    await clock.advance(2000);
    expect(toAll(10_000)).toHaveLength(1);
  });

  it("that wants it alone gets it alone while the group has it, else all get it", async () => {
    const { responder } = await settledGateway();
    const wanted = question(service, "PTR", { class: "UNKNOWN_32769" });
    responder.query(query(wanted), asker);
    expect(alone()).toMatchObject([{ to: asker, packet: { answers: [{ data: instance }] } }]);
    await clock.advance(1_125_000);
    responder.query(query(wanted), asker);
    await clock.advance(200);
    expect(toAll(10_000)).toHaveLength(1);
  });

  it("of a plain resolver is answered as a DNS server does: with its id and question, ten seconds, nothing to flush", async () => {
    const { responder } = await settledGateway();
    const from = { address: "10.77.0.9", port: 40_000 };
    responder.query({ ...query(question(instance, "SRV")), id: 4711 }, from);
    expect(alone()[0]?.packet).toMatchObject({
      id: 4711,
      questions: [{ name: instance }],
      answers: [{ ttl: 10, flush: false }],
    });
    responder.query(query(question(service, "PTR")), { address: "10.77.0.9", port: 0 });
    expect(alone()).toHaveLength(1);
  });
});

describe("a flood", () => {
  it("of 100,000 questions in ten seconds gets one answer a second of each record", async () => {
    const { responder } = await settledGateway();
    for (let round = 0; round < 100; round++) {
      for (let n = 0; n < 1000; n++)
        responder.query(query(question(n % 2 ? service : instance, "ANY")), {
          address: `10.77.0.${n % 200}`,
          port: 5353,
        });
      await clock.advance(100);
    }
    await clock.advance(2000);
    const counts = new Map<string, number>();
    for (const { packet } of toAll(10_000))
      for (const { type } of packet.answers ?? []) counts.set(type, (counts.get(type) ?? 0) + 1);
    for (const type of ["PTR", "SRV", "TXT"]) {
      expect(counts.get(type)).toBeGreaterThan(8);
      expect(counts.get(type)).toBeLessThanOrEqual(11);
    }
  });

  it("of questions that want it alone gets four a second for one asker, 32 in all", async () => {
    const { responder } = await settledGateway();
    const from = (n: number) => ({ address: `10.77.0.${n}`, port: 40_000 });
    for (let n = 0; n < 1000; n++) responder.query(query(question(service, "PTR")), from(7));
    expect(alone()).toHaveLength(4);
    for (let n = 0; n < 1000; n++) responder.query(query(question(service, "PTR")), from(n % 250));
    expect(alone()).toHaveLength(32);
    await clock.advance(1000);
    responder.query(query(question(service, "PTR")), from(7));
    expect(alone()).toHaveLength(33);
  });

  it("of claims to its name makes it move on, and speak no more than some times a second", async () => {
    const { responder, names, conflicts } = await settledGateway();
    for (let n = 0; n < 1000; n++) {
      const data = { target: "evil.local", port: 1 };
      responder.response({
        type: "response",
        answers: [{ type: "SRV", name: `${names.instance}.${service}`, data, ttl: 120, class: "IN" }],
      });
      await clock.advance(10);
    }
    expect(conflicts.length).toBeGreaterThan(0);
    expect(link.sent.filter(({ at }) => at >= 10_000).length).toBeLessThan(80);
  });

  it("of octets that mean nothing never does more than nothing", async () => {
    const { responder } = await settledGateway();
    const real = encode({
      type: "query",
      questions: [question(service, "PTR"), question(instance, "ANY")],
      answers: [{ type: "PTR", name: service, data: instance }],
    });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(real.length - 1), fc.nat(255)), { maxLength: 8 }), (changes) => {
        const octets = Buffer.from(real);
        for (const [at, octet] of changes) octets[at] = octet;
        const packet = decoded(octets);
        if (packet === undefined) return;
        responder.query(packet, asker);
        responder.response(packet);
      }),
    );
    await clock.advance(10_000);
  });
});

it("a claim to a name that is settled is asked about, and kept when nobody insists", async () => {
  const { responder, conflicts } = await settledGateway();
  const data = { target: "other.local", port: 1 };
  responder.response({ type: "response", answers: [{ type: "SRV", name: instance, data, ttl: 120, class: "IN" }] });
  await clock.advance(5000);
  expect(link.sent.filter(({ packet, at }) => at >= 10_000 && packet.type === "query")).toHaveLength(3);
  expect(toAll(10_000)).toHaveLength(2);
  expect(conflicts).toEqual([]);
});

it("a goodbye takes back what was announced, once, and nothing follows", async () => {
  const { responder } = await settledGateway();
  responder.query(query(question(service, "PTR")), asker);
  await responder.goodbye();
  responder.query(query(question(service, "PTR")), asker);
  await clock.advance(100_000);
  const [goodbye, ...more] = toAll(10_000);
  expect(goodbye?.packet.answers?.map((answer) => "ttl" in answer && answer.ttl)).toEqual([0, 0, 0, 0, 0]);
  expect(more).toEqual([]);
  expect(clock.timers).toBe(0);
});

it("a goodbye before it has announced is none", async () => {
  await gateway("10.77.0.1").responder.goodbye();
  await clock.advance(10_000);
  expect(toAll()).toEqual([]);
});
