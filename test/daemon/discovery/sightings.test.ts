import { beforeEach, describe, expect, it } from "vitest";
import type { Sighting } from "../../../adapters/adapter.ts";
import { sightingLimits, sightingTable } from "../../../daemon/discovery/sightings.ts";
import type { SightingTable } from "../../../daemon/discovery/sightings.ts";
import { fakeClock } from "../../fakes/clock.ts";
import type { FakeClock } from "../../fakes/clock.ts";

let clock: FakeClock;
let events: string[];
let table: SightingTable;
beforeEach(() => {
  clock = fakeClock();
  events = [];
  table = sightingTable(clock, {
    seen: (s) => events.push(`seen ${s.key} ${s.name}`),
    heard: (source, key) => events.push(`heard ${source} ${key}`),
    gone: (source, key, why) => events.push(`gone ${source} ${key} ${why}`),
  });
});

const sighting = (key: string, more: Partial<Sighting> = {}): Sighting => ({
  source: "mdns",
  key,
  name: key,
  addresses: ["192.168.1.2"],
  service: "_http._tcp",
  text: new Map(),
  interface: "br-lan",
  expires: clock.monotonic() + 60_000,
  ...more,
});
const see = (key: string, more: Partial<Sighting> = {}, sender = "192.168.1.2") =>
  table.seen("mdns", sighting(key, more), sender);

describe("repeats", () => {
  it("are told as heard, at most once a second, and let it live longer", async () => {
    see("a");
    await clock.advance(30_000);
    for (let n = 0; n < 50; n++) see("a");
    expect(events).toEqual(["seen a a", "heard mdns a"]);
    await clock.advance(59_000);
    expect(table.count("mdns")).toBe(1);
    await clock.advance(2000);
    expect(events.at(-1)).toBe("gone mdns a expired");
  });

  it("with addresses in another order, or another expiry, say nothing new", async () => {
    see("a", { addresses: ["192.168.1.2", "fe80::2"] });
    await clock.advance(5000);
    see("a", { addresses: ["fe80::2", "192.168.1.2"] });
    expect(events).toEqual(["seen a a", "heard mdns a"]);
  });

  it("that say something new are told: at once, and then no more often than twice a second, the last one always", async () => {
    see("a");
    await clock.advance(1000);
    for (let n = 1; n <= 100; n++) {
      see("a", { name: `n${n}` });
      await clock.advance(10);
    }
    await clock.advance(1000);
    expect(events.length).toBeLessThanOrEqual(5);
    expect(events.at(-1)).toBe("seen a n100");
  });

  it.each<[string, Partial<Sighting>]>([
    ["port", { port: 80 }],
    ["address", { addresses: ["192.168.1.3"] }],
    ["text", { text: new Map([["a", "b"]]) }],
    ["service", { service: "_ipp._tcp" }],
    ["hardware address", { mac: "00:11:22:33:44:55" }],
    ["host name", { host: "kitchen" }],
    ["DHCP id", { dhcpId: "ff01" }],
  ])("with another %s are something new", async (_, more) => {
    see("a");
    await clock.advance(1000);
    see("a", more);
    expect(events).toEqual(["seen a a", "seen a a"]);
  });

  it("of a reflector, without an address, never take the place of the thing itself, which takes theirs at once", async () => {
    const reflected = { addresses: [], interface: "br-lan" };
    const long = () => ({ expires: clock.monotonic() + 4_500_000 });
    see("a", { ...reflected, ...long() });
    see("a", { interface: "br-iot", ...long() });
    for (let n = 0; n < 10; n++) {
      await clock.advance(160_000);
      see("a", { ...reflected, ...long() });
      see("a", { interface: "br-iot", ...long() });
      expect([...table.live()]).toMatchObject([{ interface: "br-iot", addresses: ["192.168.1.2"] }]);
    }
    await clock.advance(160_000);
    see("a", reflected);
    expect([...table.live()]).toMatchObject([{ interface: "br-iot" }]);
  });

  it("from another link are absorbed while the first speaks, and taken when it has been silent", async () => {
    see("a", { expires: Infinity });
    await clock.advance(100_000);
    see("a", { interface: "wlan0" });
    expect([...table.live()][0]?.interface).toBe("br-lan");
    await clock.advance(100_000);
    see("a", { interface: "wlan0" });
    expect([...table.live()][0]?.interface).toBe("wlan0");
  });
});

describe("ends", () => {
  it("come in time, all with one timer", async () => {
    for (let n = 0; n < 20; n++) see(`k${n}`, { expires: clock.monotonic() + 1000 * (n + 1) });
    expect(clock.timers).toBe(1);
    await clock.advance(10_100);
    expect(table.count("mdns")).toBe(10);
    expect(clock.timers).toBe(1);
    await clock.advance(10_000);
    expect(table.count("mdns")).toBe(0);
    expect(clock.timers).toBe(0);
    expect(events.filter((e) => e.endsWith("expired"))).toHaveLength(20);
  });

  it("by goodbye come after a second", async () => {
    see("a");
    table.left("mdns", "a", "br-lan");
    await clock.advance(900);
    expect(events).toEqual(["seen a a"]);
    await clock.advance(200);
    expect(events).toEqual(["seen a a", "gone mdns a goodbye"]);
  });

  it("for want of an answer say so", async () => {
    see("a");
    table.left("mdns", "a", "br-lan", "unanswered");
    await clock.advance(1100);
    expect(events.at(-1)).toBe("gone mdns a unanswered");
  });

  it("by goodbye are called off when it is heard again within the second", async () => {
    see("a");
    table.left("mdns", "a", "br-lan");
    await clock.advance(500);
    see("a");
    await clock.advance(50_000);
    expect(events).toEqual(["seen a a"]);
  });

  it("are not taken from another link's word, nor of a key that is not there", async () => {
    see("a");
    table.left("mdns", "a", "guest");
    table.left("mdns", "b", "br-lan");
    table.left("ssdp", "a", "br-lan");
    await clock.advance(10_000);
    expect(events).toEqual(["seen a a"]);
  });

  it("do not come after the stop", async () => {
    see("a");
    table.stop();
    see("b");
    await clock.advance(100_000);
    expect(events).toEqual(["seen a a"]);
    expect(clock.timers).toBe(0);
  });
});

describe("a flood", () => {
  it("of one sender is cut at its share, and evicts nobody", () => {
    see("well-behaved", {}, "192.168.1.9");
    for (let n = 0; n < 10_000; n++) see(`flood ${n}`, {}, "192.168.1.66");
    expect(table.count("mdns")).toBe(sightingLimits.perSender + 1);
    expect(table.refused("mdns")).toBe(10_000 - sightingLimits.perSender);
    see("another", {}, "192.168.1.10");
    expect([...table.live()].map(({ key }) => key)).toEqual(expect.arrayContaining(["well-behaved", "another"]));
  });

  it("of one network is cut at its share, so that the others have theirs", () => {
    for (let n = 0; n < 10_000; n++) see(`flood ${n}`, { interface: "guest" }, `10.0.0.${n}`);
    expect(table.count("mdns")).toBe(sightingLimits.perInterface);
    expect(table.admits("mdns", "another", "10.0.0.1", "guest")).toBe(false);
    for (let n = 0; n < 10_000; n++) see(`home ${n}`, {}, `192.168.1.${n}`);
    expect(table.count("mdns")).toBe(sightingLimits.perSource);
  });

  it("of many senders is cut at the source's share; whoever is there stays and is still heard; the other source is free", async () => {
    see("well-behaved", {}, "192.168.1.9");
    for (let n = 0; n < 10_000; n++) see(`flood ${n}`, { interface: `lan${n % 2}` }, `192.168.1.${n % 250}`);
    expect(table.count("mdns")).toBe(sightingLimits.perSource);
    await clock.advance(50_000);
    see("well-behaved", {}, "192.168.1.9");
    await clock.advance(11_000);
    expect([...table.live()].map(({ key }) => key)).toEqual(["well-behaved"]);
    table.seen("ssdp", sighting("uuid:1", { source: "ssdp" }), "192.168.1.66");
    expect(table.count("ssdp")).toBe(1);
  });

  it("leaves room again when its sightings have ended", async () => {
    for (let n = 0; n < 100; n++) see(`flood ${n}`);
    await clock.advance(61_000);
    see("new");
    expect(table.count("mdns")).toBe(1);
  });
});
