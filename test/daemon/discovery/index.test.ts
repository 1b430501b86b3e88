import { expect, it } from "vitest";
import { startDiscovery } from "../../../daemon/discovery/index.ts";
import { fakeClock } from "../../fakes/clock.ts";
import { fakeLog } from "../../fakes/log.ts";

const deaf = { seen: () => {}, heard: () => {}, gone: () => {} };
const off = { mdns: { enabled: false }, ssdp: { enabled: false } };
const on = { mdns: { enabled: true }, ssdp: { enabled: true }, neighbours: { enabled: true } };

it("a source that is off is loaded by nobody, and says so", async () => {
  const clock = fakeClock();
  const discovery = await startDiscovery({ options: off, lan: [], clock, log: fakeLog(), random: () => 0 }, deaf);
  expect(discovery.status()).toEqual({
    mdns: { state: "off", since: "2026-01-01T00:00:00.000Z", sightings: 0 },
    ssdp: { state: "off", since: "2026-01-01T00:00:00.000Z", sightings: 0 },
    neighbours: { state: "off", since: "2026-01-01T00:00:00.000Z", sightings: 0 },
    leases: { state: "off", since: "2026-01-01T00:00:00.000Z", sightings: 0 },
  });
  expect([...discovery.sightings()]).toEqual([]);
  await discovery.stop();
  expect(clock.timers).toBe(0);
});

it("without an interface it waits for one", async () => {
  const clock = fakeClock();
  const discovery = await startDiscovery({ options: on, lan: ["none0"], clock, log: fakeLog(), random: () => 0 }, deaf);
  expect(discovery.status().mdns).toMatchObject({
    state: "waiting",
    detail: expect.stringContaining("lan.interfaces") as string,
  });
  await clock.advance(60_000);
  await discovery.stop();
  expect(clock.timers).toBe(0);
});

it("it leaves no timer behind on the links it had", async () => {
  const clock = fakeClock();
  const discovery = await startDiscovery({ options: on, lan: ["lo"], clock, log: fakeLog(), random: () => 0 }, deaf);
  expect(discovery.status()).toMatchObject({ mdns: { state: "listening" }, ssdp: { state: "listening" } });
  expect(clock.timers).toBeGreaterThan(0);
  await clock.advance(20_000);
  await discovery.stop();
  expect(clock.timers).toBe(0);
});
