import { beforeEach, describe, expect, it } from "vitest";
import type { Sighting } from "../../../adapters/adapter.ts";
import { neighbourLimits, neighbourTable } from "../../../daemon/discovery/neighbour-table.ts";
import type { NeighbourTable } from "../../../daemon/discovery/neighbour-table.ts";
import { fakeClock } from "../../fakes/clock.ts";
import type { FakeClock } from "../../fakes/clock.ts";
import { lan, mac, row, news } from "./kernel-rows.ts";

let clock: FakeClock;
let seen: Sighting[];
let left: string[];
let table: NeighbourTable;
beforeEach(() => {
  clock = fakeClock();
  seen = [];
  left = [];
  table = neighbourTable(clock, {
    seen: (sighting) => seen.push(sighting),
    left: (key, onInterface) => left.push(`${key} ${onInterface}`),
  });
  table.links([lan("br-lan"), lan("guest", 2)]);
});
const last = () => seen.at(-1);

describe("a flood", () => {
  const flood = (from: number, count: number) =>
    Array.from({ length: count }, (_, n) => {
      const hex = (from + n)
        .toString(16)
        .padStart(4, "0")
        .replace(/(..)(?=.)/, "$1:");
      return row(5, { mac: `02:00:00:01:${hex}`, address: `fe80::${(from + n).toString(16)}` });
    });

  it("of hardware addresses is cut, is counted, and pushes nobody out", () => {
    table.takeAll([row(5)]);
    table.takeAll([...flood(2, 5000), row(5)]);
    expect(table.refused()).toBe(5000 - neighbourLimits.neighbours + 1);
    expect(seen.filter((s) => s.mac === mac(5))).toHaveLength(1);
    table.take(news(5, "REACHABLE", { address: "192.168.1.77" }));
    expect(last()).toMatchObject({ mac: mac(5), addresses: ["192.168.1.77", "192.168.1.5"] });
  });

  it("of addresses that nobody answers for (a scan) takes no room", () => {
    const scan = Array.from({ length: 5000 }, (_, n) => ({
      address: `fe80::${n.toString(16)}`,
      interface: "br-lan",
      state: "FAILED",
    }));
    table.takeAll([...scan, row(5)]);
    expect(seen).toHaveLength(1);
    expect(table.refused()).toBe(0);
    expect(table.due(1000)).toEqual([]);
  });

  it("leaves room again when it has gone from the kernel", () => {
    table.takeAll(flood(1, 5000).map((one) => ({ ...one, confirmedAgo: 4000 })));
    table.takeAll([row(5)]);
    table.takeAll([row(5)]);
    expect(seen.map((s) => s.mac)).toContain(mac(5));
  });
});

it("who could be asked is who is on the link, is not the gateway, and has not just answered", () => {
  table.takeAll([row(5), row(6, { confirmedAgo: 60 })]);
  const asked = [
    "192.168.1.5",
    "192.168.1.6",
    "192.168.1.7",
    "192.168.1.1",
    "192.168.2.7",
    "8.8.8.8",
    "fe80::7",
    "fe80::1",
  ];
  expect(asked.filter((address) => table.askable(address, "br-lan"))).toEqual([
    "192.168.1.6",
    "192.168.1.7",
    "fe80::7",
  ]);
  expect(table.askable("192.168.1.7", "wan0")).toBe(false);
});
