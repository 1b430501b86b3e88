// What people decide holds, whatever is found in the month after.
import { describe, expect, it } from "vitest";
import { fakeClock } from "../fakes/clock.ts";
import { fakeStore } from "../fakes/store.ts";
import { Home } from "../homes/home.ts";
import type { KindName } from "../homes/kinds.ts";
import { watchNumbers } from "../homes/numbers.ts";
import type { Physical } from "../homes/physical.ts";

const days = 30;

/** At their places in the home: who is decided about below. */
const kinds: readonly KindName[] = [
  ...["junk", "silent", "silent", "nas", "tv", "printer", "laptop", "silent", "zigbee", "plug"],
  ...["phone", "private phone", "nameless phone", "repeater", "camera", "camera", "twin", "twin", "gateway", "v6 only"],
] as KindName[];

/** A home in which every device has been there. */
async function knownHome(seed: number) {
  const devices = kinds.map((kind, n) => ({ kind, seed: seed * 1000 + n }));
  const numbers = watchNumbers();
  const home = new Home({ seed, devices, restarts: true }, fakeStore(), fakeClock(), numbers.atRestart);
  for (const device of home.devices) device.away = 0;
  const isKnown = (device: Physical) => numbersOf(home, device).length > 0;
  for (let day = 0; day < 2 || (day < 10 && !home.devices.every(isKnown)); day++) await home.day();
  return { home, numbers };
}

/** The numbers under which something of this device is listed. */
function numbersOf(home: Home, ...owners: readonly Physical[]): readonly string[] {
  const own = (identity: string) => owners.some((owner) => home.ledger.ownerOf(identity) === owner);
  return home.gateway.devices().flatMap(({ id }) => (home.gateway.identitiesOf(id).some(own) ? [id] : []));
}

function holders(home: Home, identities: readonly string[]): readonly string[] {
  const holds = (id: string) => home.gateway.identitiesOf(id).some((identity) => identities.includes(identity));
  return home.gateway.devices().flatMap(({ id }) => (holds(id) ? [id] : []));
}

function reportOf(home: Home, id: string) {
  return home.gateway.devices().find((report) => report.id === id);
}

describe("in a month of re-discovery, with new addresses every night, restarts and power cuts", () => {
  it.each([1, 2, 3])("merge, split, name and ignore by hand stay as they are (home %i)", async (seed) => {
    const { home, numbers } = await knownHome(seed);
    const [junk, left, right, nas, tv, printer, laptop, hated] = home.devices as [
      ...[Physical, Physical, Physical, Physical, Physical, Physical, Physical, Physical],
      ...Physical[],
    ];
    const only = (owner: Physical) => {
      const [id, ...more] = numbersOf(home, owner);
      expect(more, owner.name).toEqual([]);
      expect(id, owner.name).toBeDefined();
      return id ?? "";
    };

    // Two vacuums that are one for their owner, and what the broker says of a device that says nothing of itself.
    const pair = only(left);
    const former = [only(right)];
    await home.gateway.bridge.merge(pair, former[0] ?? "");
    const [whole = "", ...parts] = numbersOf(home, junk);
    for (const part of parts) {
      await home.gateway.bridge.merge(whole, part);
      former.push(part);
    }
    // A media server in a container is a device of its own.
    const server = `ssdp uuid:${nas.upnp[2]?.uuid ?? ""}`;
    const [rest, own] = await home.gateway.bridge.split(only(nas), [server]);
    expect([rest.id, own.id], "the old one first").toEqual([restOf(home, nas, server), own.id]);
    const names = new Map([
      [only(tv), "Grandma's TV"],
      [only(printer), "Printer upstairs"],
      [own.id, "Films"],
      [pair, "Vacuums"],
    ]);
    for (const [id, name] of names) await home.gateway.bridge.name(id, name);
    const ignored = only(hated);
    await home.gateway.bridge.ignore(ignored, true);
    await home.gateway.bridge.name(only(laptop), "Work");
    await home.gateway.bridge.name(only(laptop), "");

    for (let day = 1; day <= days; day++) {
      await home.day();
      numbers.look(home.gateway);
      const at = `day ${day}`;
      expect(numbersOf(home, left, right), at).toEqual([pair]);
      expect(numbersOf(home, junk), at).toEqual([whole]);
      expect(holders(home, [server]), at).toEqual([own.id]);
      expect(numbersOf(home, nas), at).toEqual(
        [rest.id, own.id].sort((a, b) => Number(a.slice(1)) - Number(b.slice(1))),
      );
      expect(
        home.gateway.identitiesOf(own.id).filter((identity) => !identity.startsWith("neighbours")),
        at,
      ).toEqual([server]);
      for (const [id, name] of names) expect(reportOf(home, id)?.name, `${at}, ${id}`).toBe(name);
      expect(reportOf(home, ignored)?.state, at).toBe("ignored");
      expect(numbersOf(home, hated), at).toEqual([ignored]);
      for (const id of former) expect(reportOf(home, id), `${at}, ${id}`).toBeUndefined();
    }
    expect(numbers.broken).toEqual([]);
  });

  it("a merge that is taken back, and a device that is not ignored any more, are as if nothing had been decided", async () => {
    const { home } = await knownHome(4);
    const [, left, right, , , , , hated] = home.devices as [Physical, Physical, Physical, ...Physical[]];
    const { bridge } = home.gateway;
    const [one = "", other = "", vacuum = ""] = [left, right, hated as Physical].map(
      (owner) => numbersOf(home, owner)[0],
    );
    await bridge.merge(one, other);
    await bridge.ignore(vacuum, true);
    const [first, second] = await bridge.split(one, []);
    await bridge.ignore(vacuum, false);
    for (let day = 1; day <= 10; day++) {
      await home.day();
      expect(numbersOf(home, left), `day ${day}`).toEqual([first.id]);
      expect(numbersOf(home, right), `day ${day}`).toEqual([second.id]);
      expect(reportOf(home, vacuum)?.state, `day ${day}`).not.toBe("ignored");
    }
  });
});

/** The number under which the device is listed, but for one of its traces. */
function restOf(home: Home, owner: Physical, but: string): string | undefined {
  return numbersOf(home, owner).find((id) => !home.gateway.identitiesOf(id).includes(but));
}
