import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import type { Sighting } from "../../../adapters/adapter.ts";
import { face, home, uuid } from "../identity/home.ts";

const tv = "00:1d:c9:01:02:03";
const bad = "00:1b:a9:00:00:01";
const minute = 60_000;
const names = 100_000;
type Home = ReturnType<typeof home>;

/** The honest television, and somebody ill-disposed, both known to the network. */
async function withTelevision(): Promise<Home> {
  const h = home();
  await h.neighbour(tv, "192.168.1.20");
  await h.ssdp(uuid(1), "192.168.1.20");
  h.host.attach(face("mqtt:tv", { clues: [{ kind: "mac", value: tv }] }));
  await h.clock.advance(1);
  return h;
}

const usn = (n: number, address: string): Sighting => ({
  source: "ssdp",
  key: `uuid:${uuid(1_000_000 + n)}`,
  name: "MediaServer",
  addresses: [address],
  service: "upnp:rootdevice",
  text: new Map([["serialNumber", `flood-${n}`]]),
  interface: "lan",
  expires: 0,
});

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** @returns what of it stays in memory, in MiB. */
async function flood(h: Home, addressOf: (n: number) => string): Promise<number> {
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let n = 0; n < names; n++) {
    h.bridge.seen(usn(n, addressOf(n)));
    if (n % 1000 === 0) await h.clock.advance(100);
  }
  await h.clock.advance(10_000);
  collect();
  return (process.memoryUsage().heapUsed - before) / 2 ** 20;
}

async function isItself(h: Home): Promise<void> {
  const device = h.bridge.device("d1");
  expect(device).toMatchObject({ id: "d1", state: "managed", mac: tv });
  expect(device.identities.toSorted()).toEqual(["mqtt:tv", `ssdp uuid:${uuid(1)}`]);
  await h.ssdp(uuid(1), "192.168.1.20");
  await h.mdns("Living Room", "_airplay._tcp", "192.168.1.20");
  expect(h.bridge.device("d1").identities).toContain("mdns living room._airplay._tcp.local");
}

describe("100,000 names", () => {
  it("of one sender are one device with 64 things at most", async () => {
    const h = await withTelevision();
    await h.neighbour(bad, "192.168.1.66");
    const commits = h.store.commits;
    const megabytes = await flood(h, () => "192.168.1.66");
    expect(h.ids()).toEqual(["d1", "d2"]);
    const device = h.bridge.registry.get("d2");
    expect([device.kept.members.length, device.live.size]).toEqual([64, 64]);
    expect(h.store.commits - commits).toBeLessThan(70);
    expect(megabytes).toBeLessThan(8);
    await isItself(h);
  }, 60_000);

  it("of a thousand senders that the network does not know are 512 devices at most, and no more waits", async () => {
    const h = await withTelevision();
    const commits = h.store.commits;
    const megabytes = await flood(h, (n) => `10.9.${Math.trunc(n / 250) % 4}.${n % 250}`);
    const devices = [...h.bridge.registry.all()];
    expect(devices.length).toBeLessThanOrEqual(512);
    expect(Math.max(...devices.map(({ kept }) => kept.members.length))).toBeLessThanOrEqual(64);
    expect(h.bridge.registry.refused).toBeGreaterThan(0);
    expect(h.store.commits - commits).toBeLessThanOrEqual(512 + 512);
    expect(megabytes).toBeLessThan(64);
    await isItself(h);
    await h.bridge.stop();
    expect(h.clock.timers).toBe(0);
  }, 60_000);

  it("that claim the address of another get nothing of it but room among its own", async () => {
    const h = await withTelevision();
    await flood(h, () => "192.168.1.20");
    const device = h.bridge.registry.get("d1");
    expect(device.kept.members.length).toBeLessThanOrEqual(64);
    expect(h.bridge.device("d1")).toMatchObject({ state: "managed", mac: tv });
    for (const identity of ["mqtt:tv", `ssdp uuid:${uuid(1)}`, `neighbours ${tv}%lan`])
      expect(device.live.has(identity)).toBe(true);
    expect(h.ids()).toEqual(["d1"]);
  }, 60_000);
});

describe("a thing that changes its UUID every second", () => {
  it.each([true, false])(
    "for an hour is one device, bounded in what it has and in what is written (says goodbye: %s)",
    async (polite) => {
      const h = await withTelevision();
      await h.neighbour(bad, "192.168.1.66");
      const commits = h.store.commits;
      for (let second = 0; second < 3600; second++) {
        h.bridge.seen(usn(second, "192.168.1.66"));
        const past = usn(second - (polite ? 1 : 1800), "192.168.1.66");
        if (second > 1800 || polite) h.bridge.gone("ssdp", past.key, polite ? "goodbye" : "expired");
        if (second % 300 === 0) for (const mac of [tv, bad]) h.bridge.heard("neighbours", `${mac}%lan`);
        await h.clock.advance(1000);
      }
      expect(h.ids()).toEqual(["d1", "d2"]);
      const device = h.bridge.registry.get("d2");
      expect(device.kept.members.length).toBeLessThanOrEqual(64);
      expect(device.profile.keys.size).toBeLessThanOrEqual(2 * 64 + 1);
      // 512 at once, 6 a minute, and the flush.
      expect(h.store.commits - commits).toBeLessThanOrEqual(512 + 60 * 6 + 7);
      await isItself(h);
      await h.clock.advance(11 * minute);
      expect(h.again().listed()).toEqual(h.listed());
    },
    60_000,
  );
});
