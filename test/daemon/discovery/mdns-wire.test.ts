import type { Answer, Question } from "dns-packet";
import { beforeEach, describe, expect, it } from "vitest";
import { openWire } from "../../../daemon/discovery/mdns-wire.ts";
import type { Wire } from "../../../daemon/discovery/mdns-wire.ts";
import { sightingTable } from "../../../daemon/discovery/sightings.ts";
import type { SightingTable } from "../../../daemon/discovery/sightings.ts";
import { fakeClock } from "../../fakes/clock.ts";
import type { FakeClock } from "../../fakes/clock.ts";
import { fakeLog } from "../../fakes/log.ts";
import { ipp, lan, pointer, printer, whole } from "./dns-records.ts";

let clock: FakeClock;
let table: SightingTable;
let wire: Wire;
let asked: { readonly at: number; readonly family: number; readonly questions: readonly Question[] }[];
let events: string[];
beforeEach(() => {
  clock = fakeClock();
  asked = [];
  events = [];
  table = sightingTable(clock, {
    seen: ({ key }) => events.push(`seen ${key}`),
    heard: () => {},
    gone(_, key) {
      wire.forget(key);
      events.push(`gone ${key}`);
    },
  });
  wire = openWire(
    {
      clock,
      log: fakeLog(),
      random: () => 0,
      admits: (key, sender) => table.admits("mdns", key, sender),
      seen: (sighting, sender) => table.seen("mdns", sighting, sender),
      left: (key, on) => table.left("mdns", key, on),
    },
    lan.name,
  );
  wire.lans.add(lan);
});

const ear = (family: 4 | 6) => ({
  family,
  ask: ({ questions }: { readonly questions: readonly Question[] }) =>
    void asked.push({ at: clock.monotonic(), family, questions }),
  respond: async () => {},
  renew() {},
});
const take = (answers: Answer[], address = printer) =>
  wire.take({ type: "response", answers }, { address, port: 5353 });
const packets = (from: number, to: number) => asked.filter(({ at }) => at >= from && at < to);

describe("questions", () => {
  it("go out by IPv4 and IPv6 alike, in gaps that grow to an hour", async () => {
    for (const family of [4, 6] as const) wire.add(ear(family));
    await clock.advance(24 * 3_600_000);
    const rounds = (family: number) => new Set(asked.filter((one) => one.family === family).map(({ at }) => at));
    expect(rounds(6)).toEqual(rounds(4));
    expect(rounds(4).size).toBeGreaterThan(20);
    expect(rounds(4).size).toBeLessThan(40);
  });

  it("are asked anew when the second family comes late", async () => {
    wire.add(ear(4));
    await clock.advance(60_000);
    wire.add(ear(6));
    await clock.advance(1000);
    expect(asked.filter(({ family }) => family === 6).length).toBeGreaterThan(0);
  });

  it("are not many, whatever is said: a thing that loses and finds its host a thousand times a second", async () => {
    wire.add(ear(4));
    await clock.advance(10_000);
    for (let n = 0; n < 2000; n++) {
      const host = `h${n}.local`;
      take([
        ipp("Flip._ipp._tcp.local"),
        { type: "SRV", name: "Flip._ipp._tcp.local", data: { target: host, port: 1 }, ttl: 120, class: "IN" },
      ]);
      if (n % 2) take([{ type: "A", name: host, data: printer, ttl: 120, class: "IN" }]);
      await clock.advance(1);
    }
    expect(packets(10_000, 12_000).length).toBeLessThanOrEqual(21);
  });

  it("end when it is stopped", async () => {
    wire.add(ear(4));
    wire.stop();
    await clock.advance(3_600_000);
    expect(asked).toEqual([]);
    table.stop();
    expect(clock.timers).toBe(0);
  });
});

describe("100,000 names", () => {
  it("of one sender, come and gone, leave nothing behind", async () => {
    wire.add(ear(4));
    const named = () =>
      new Set(asked.flatMap(({ questions }) => questions.map(({ name }) => name)).filter((name) => /^n\d/.test(name)));
    for (let round = 0; round < 100; round++) {
      asked = [];
      const names = Array.from({ length: 1000 }, (_, n) => `n${round}-${n}._ipp._tcp.local`);
      take(names.map((name) => ipp(name)));
      await clock.advance(200);
      // Only those that there was room for are asked for what is missing.
      expect(named().size).toBe(64);
      take(names.map((name) => ipp(name, 0)));
      await clock.advance(1100);
      expect(table.count("mdns")).toBe(0);
    }
    asked = [];
    await clock.advance(4_500_000);
    expect(named()).toEqual(new Set());
  });

  it("in as many types are cut, and a device that comes later is still seen", async () => {
    wire.add(ear(4));
    for (let n = 0; n < 100_000; n += 100)
      take(
        Array.from({ length: 100 }, (_, m) => pointer("_services._dns-sd._udp.local", `_t${n + m}._tcp.local`)),
        `10.77.0.${(n / 100) % 250}`,
      );
    take(whole());
    await clock.advance(1000);
    expect(events).toContain("seen kitchen printer._ipp._tcp.local");
    expect(packets(0, 1000).length).toBeLessThan(30);
  });
});
