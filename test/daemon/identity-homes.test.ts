// Generated homes against the truth: every device once. DMGW_HOMES=500 lives more of them; DMGW_HOME=17 lives one.
import { afterAll, describe, expect, it } from "vitest";
import { fakeClock } from "../fakes/clock.ts";
import { fakeStore } from "../fakes/store.ts";
import { Home } from "../homes/home.ts";
import { meteredStore } from "../homes/metered-store.ts";
import { watchNumbers } from "../homes/numbers.ts";
import { judge } from "../homes/oracle.ts";
import type { Finding } from "../homes/oracle.ts";
import { planOf, shrunk } from "../homes/shrink.ts";
import { caseOf } from "../homes/undecidable.ts";

/** Devices and days of the homes, in turn: small ones live longer. */
const sizes = [
  [5, 8],
  [8, 8],
  [12, 7],
  [20, 6],
  [35, 5],
  [60, 4],
  [100, 3],
  [200, 3],
] as const;
const limits = { bytesOfDevice: 4096, bytesOfEntry: 16_384, entriesOfDevice: 4 } as const;

const count = Number(process.env["DMGW_HOMES"] ?? 24);
const single = process.env["DMGW_HOME"];
const seeds = single === undefined ? Array.from({ length: count }, (_, n) => n + 1) : [Number(single)];
const homes = seeds.map((seed) => {
  const [size, days] = sizes[seed % sizes.length] ?? sizes[0];
  return { seed, size, days };
});

const counts = new Map<string, number>();
let [devices, listed, merges] = [0, 0, 0];
const note = (what: string) => counts.set(what, (counts.get(what) ?? 0) + 1);

describe("in a home whose addresses, names and UUIDs change, with restarts and power cuts", () => {
  it.each(homes)(
    "every one of $size devices is there once, for $days days (home $seed)",
    async ({ seed, size, days }) => {
      const plan = planOf(seed, size);
      const numbers = watchNumbers();
      const store = meteredStore(fakeStore());
      const home = new Home(plan, store, fakeClock(), numbers.atRestart);
      const errors = new Map<string, Finding>();
      const cases = new Set<string>();
      for (let day = 1; day <= days; day++) {
        await home.day();
        numbers.look(home.gateway);
        for (const finding of judge(home)) {
          const owners = finding.devices.map(({ name }) => name).sort();
          const known = caseOf(finding);
          if (known === undefined) errors.set(`${finding.what} ${owners.join()}`, finding);
          else cases.add(`${known.name}: ${owners.join()}`);
        }
      }
      devices += home.devices.filter(({ known }) => known).length;
      listed += home.gateway.devices().length;
      merges += numbers.merges;
      for (const known of cases) note(`undecidable, ${known.split(":")[0] ?? ""}`);
      for (const { what, cause } of errors.values()) note(`${what}: ${cause}`);

      const [first] = errors.values();
      if (first !== undefined) {
        const like = (finding: Finding) => finding.what === first.what && caseOf(finding) === undefined;
        const least = await shrunk(plan, days, like, 3000);
        expect.fail(
          `${[...errors.values()].map(({ what, story }) => `${what}: ${story}`).join("\n")}\n` +
            `The smallest home with such an error, day ${least.day}: ${JSON.stringify(least.plan)}\n${least.story}`,
        );
      }
      expect(numbers.broken).toEqual([]);
      const { entries, bytes, longest } = store.size();
      const known = home.gateway.devices().length;
      expect(longest, "the longest entry of the store").toBeLessThan(limits.bytesOfEntry);
      expect(entries, "entries of the store").toBeLessThan(limits.entriesOfDevice * known + 16);
      expect(bytes, "bytes of the store").toBeLessThan(limits.bytesOfDevice * known + 8192);
    },
    60_000,
  );

  afterAll(() => {
    const rows = [...counts]
      .sort(([, a], [, b]) => b - a)
      .map(([what, times]) => `${String(times).padStart(6)} ${what}`);
    const head = `${homes.length} homes: ${devices} devices, listed as ${listed}; ${merges} faces followed a join of listed devices`;
    console.log([head, ...rows].join("\n"));
  });
});

describe("the judge of generated homes", () => {
  it("sees a device that is listed twice, and two that are listed as one", async () => {
    const home = new Home({ ...planOf(1, 2, ["nas"]), restarts: false }, fakeStore(), fakeClock());
    for (const device of home.devices) device.away = 0;
    await home.day();
    expect(judge(home)).toEqual([]);
    const [first, second] = home.gateway.devices();
    const identity = first?.identities.find((one) => one.startsWith("ssdp ")) ?? "";
    await home.gateway.bridge.split(first?.id ?? "", [identity]);
    expect(judge(home).map(({ what }) => what)).toEqual(["twice"]);
    await home.gateway.bridge.merge(first?.id ?? "", second?.id ?? "");
    expect(judge(home).map(({ what }) => what)).toEqual(["joined", "twice"]);
  });
});

describe("a home whose people are away for more than a year", () => {
  it("knows every device again, on other interfaces and addresses", async () => {
    const clock = fakeClock();
    const home = new Home(
      planOf(7, 25, ["tv", "printer", "nas", "plug", "gateway", "laptop", "zigbee"]),
      fakeStore(),
      clock,
    );
    for (let day = 0; day < 3; day++) await home.day();
    const before = new Map(home.gateway.devices().flatMap(({ id, identities }) => identities.map((one) => [one, id])));
    await home.pause(31);
    clock.jump(370 * 86_400_000);
    expect(home.gateway.devices().filter(({ state }) => state === "gone").length).toBeGreaterThan(10);
    for (let day = 0; day < 2; day++) await home.day();
    expect(judge(home).filter((finding) => caseOf(finding) === undefined)).toEqual([]);
    for (const { id, identities } of home.gateway.devices())
      for (const identity of identities) expect(before.get(identity) ?? id, identity).toBe(id);
  });
});
