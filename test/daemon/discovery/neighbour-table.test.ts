import { beforeEach, describe, expect, it } from "vitest";
import type { Sighting } from "../../../adapters/adapter.ts";
import type { NeighbourRow } from "../../../daemon/discovery/neighbour-rows.ts";
import { neighbourLimits, neighbourTable } from "../../../daemon/discovery/neighbour-table.ts";
import type { NeighbourTable } from "../../../daemon/discovery/neighbour-table.ts";
import { fakeClock } from "../../fakes/clock.ts";
import type { FakeClock } from "../../fakes/clock.ts";
import { lan, mac, row, news } from "./kernel-rows.ts";

const minute = 60_000;
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

describe("presence", () => {
  it("holds for half an hour after the last confirmation, however long the row stays", () => {
    table.takeAll([row(5, { confirmedAgo: 60 }), row(6, { confirmedAgo: 1801 })]);
    expect(seen).toEqual([
      {
        source: "neighbours",
        key: `${mac(5)}%br-lan`,
        name: "",
        addresses: ["192.168.1.5"],
        service: "",
        text: new Map(),
        interface: "br-lan",
        mac: mac(5),
        expires: clock.monotonic() + 29 * minute,
      },
    ]);
  });

  it("is told again only when it was confirmed anew, or there is another address", async () => {
    table.takeAll([row(5)]);
    await clock.advance(minute);
    for (const state of ["STALE", "DELAY", "PROBE"]) table.takeAll([row(5, { state, confirmedAgo: 60 })]);
    for (const state of ["STALE", "DELAY", "PROBE"]) table.take(news(5, state));
    expect(seen).toHaveLength(1);
    table.takeAll([row(5)]);
    expect(seen).toHaveLength(2);
    expect(last()?.expires).toBe(clock.monotonic() + 30 * minute);
  });

  it.each<[string, Partial<NeighbourRow>]>([
    ["without an answer", { state: "FAILED" }],
    ["still being asked for", { state: "INCOMPLETE" }],
    ["written by hand", { state: "PERMANENT" }],
    ["that needs no question", { state: "NOARP" }],
    ["without a hardware address", { mac: "00:00:00:00:00:00" }],
    ["of everybody", { mac: "ff:ff:ff:ff:ff:ff" }],
    ["of a group", { mac: "33:33:00:00:00:01" }],
    ["of the gateway itself", { mac: "02:00:00:00:ff:01" }],
    ["at the gateway's own address", { address: "192.168.1.1" }],
    ["that is not of this link", { address: "192.168.2.5" }],
    ["on the way to the Internet", { interface: "wan0" }],
  ])("is proved by no row %s", (_, more) => {
    table.takeAll([row(5, more)]);
    expect(seen).toEqual([]);
    expect(table.due(10)).toEqual([]);
  });

  it("is proved by a row that is stale as soon as it is there: it was written because somebody spoke", () => {
    table.take(news(5, "STALE"));
    expect(seen).toHaveLength(1);
  });
});

describe("addresses", () => {
  it("of one neighbour are listed together: IPv4 first, the newest first, link-local last", () => {
    const addresses = ["fe80::5", "fe80::ffff"].map((address) => row(5, { address }));
    table.takeAll([...addresses, row(5)]);
    table.take(news(5, "REACHABLE", { address: "192.168.1.50" }));
    expect(last()?.addresses).toEqual(["192.168.1.50", "192.168.1.5", "fe80::ffff", "fe80::5"]);
  });

  it("that are new are told at once, and the old one is asked about; it goes when nobody answers there", () => {
    table.takeAll([row(5, { confirmedAgo: 30 })]);
    table.take(news(5, "REACHABLE", { address: "192.168.1.50" }));
    expect(last()?.addresses).toEqual(["192.168.1.50", "192.168.1.5"]);
    expect(table.due(10)).toEqual([{ address: "192.168.1.5", interface: "br-lan" }]);
    table.take(news(5, "FAILED"));
    expect(last()?.addresses).toEqual(["192.168.1.50"]);
  });

  it("that were not confirmed for half an hour go, beside one that was", async () => {
    table.takeAll([row(5), row(5, { address: "fe80::5" })]);
    await clock.advance(31 * minute);
    table.takeAll([row(5), row(5, { address: "fe80::5", confirmedAgo: 31 * 60 })]);
    expect(last()?.addresses).toEqual(["192.168.1.5"]);
  });

  it("belong to the hardware address that answers now", () => {
    table.takeAll([row(5), row(6)]);
    table.take(news(6, "REACHABLE", { address: "192.168.1.5" }));
    expect(left).toEqual([`${mac(5)}%br-lan br-lan`]);
    expect(last()).toMatchObject({ mac: mac(6), addresses: ["192.168.1.5", "192.168.1.6"] });
  });

  it("are bounded, and the ones confirmed last are kept", () => {
    const many = Array.from({ length: 100 }, (_, n) => row(5, { address: `fe80::${n + 10}`, confirmedAgo: 100 - n }));
    table.takeAll([...many, row(5)]);
    expect(last()?.addresses).toHaveLength(neighbourLimits.shown);
    expect(last()?.addresses.slice(0, 2)).toEqual(["192.168.1.5", "fe80::109"]);
  });
});

describe("questions", () => {
  it("are asked five minutes after the last sign of life, then in gaps that grow to ten while it only answers", async () => {
    const gaps: number[] = [];
    table.takeAll([row(5)]);
    for (let n = 0; n < 5; n++) {
      const from = clock.monotonic();
      while (table.due(1).length === 0) await clock.advance(1000);
      gaps.push(Math.round((clock.monotonic() - from) / minute));
      await clock.advance(2000);
      table.take(news(5, "REACHABLE"));
    }
    expect(gaps).toEqual([5, 8, 10, 10, 10]);
    await clock.advance(minute);
    table.take(news(5, "REACHABLE"));
    expect(table.nextProbe(`${mac(5)}%br-lan`)).toBe(clock.monotonic() + 5 * minute);
  });

  it("three of them without an answer are enough, minutes apart; then it is left alone until it speaks", async () => {
    table.takeAll([row(5)]);
    const asked: number[] = [];
    while (left.length === 0 && clock.monotonic() < 60 * minute) {
      await clock.advance(5000);
      if (table.due(10).length > 0) asked.push(Math.round(clock.monotonic() / minute));
      table.take(news(5, "FAILED"));
      table.takeAll([row(5, { state: "FAILED" })]);
      table.settle(() => false);
    }
    expect(left).toEqual([`${mac(5)}%br-lan br-lan`]);
    // Somebody has looked for it in vain, so the first one did not wait.
    expect(asked).toEqual([0, 2, 7]);
    await clock.advance(60 * minute);
    table.takeAll([row(5, { confirmedAgo: 4000 })]);
    expect(table.due(10)).toEqual([]);
    expect(table.nextProbe(`${mac(5)}%br-lan`)).toBeUndefined();
    table.take(news(5, "STALE"));
    expect(last()?.expires).toBe(clock.monotonic() + 30 * minute);
  });

  it("that cannot be sent say nothing about anybody", async () => {
    table.takeAll([row(5)]);
    for (let n = 0; n < 360; n++) {
      await clock.advance(10_000);
      table.due(10);
      table.settle(() => true);
    }
    expect(left).toEqual([]);
  });

  it("that the kernel did not hand on, since it trusts what it knows, say nothing about anybody", async () => {
    table.takeAll([row(5, { state: "REACHABLE" })]);
    for (let n = 0; n < 170; n++) {
      await clock.advance(10_000);
      table.takeAll([row(5, { state: "REACHABLE", confirmedAgo: clock.monotonic() / 1000 })]);
      table.due(10);
      table.settle(() => false);
    }
    expect(left).toEqual([]);
  });

  it("are not asked where no link leads, and go on when there is one", async () => {
    table.takeAll([row(5)]);
    table.links([]);
    await clock.advance(6 * minute);
    expect(table.due(10)).toEqual([]);
    table.links([lan("br-lan")]);
    await clock.advance(minute);
    expect(table.due(10)).toEqual([{ address: "192.168.1.5", interface: "br-lan" }]);
  });

  it("try the other addresses of a neighbour that does not answer at the first", async () => {
    table.takeAll([row(5), row(5, { address: "fe80::5", confirmedAgo: 10 })]);
    await clock.advance(6 * minute);
    expect(table.due(10)).toEqual([{ address: "192.168.1.5", interface: "br-lan" }]);
    await clock.advance(10_000);
    table.takeAll([row(5, { state: "FAILED" })]);
    table.settle(() => false);
    await clock.advance(2 * minute);
    expect(table.due(10)).toEqual([{ address: "fe80::5", interface: "br-lan" }]);
  });

  it("are so many at a time, and the rest waits", () => {
    table.takeAll(Array.from({ length: 100 }, (_, n) => row(n + 2, { confirmedAgo: 600 })));
    expect(table.due(20)).toHaveLength(20);
    expect(table.due(1000)).toHaveLength(80);
    expect(table.due(1000)).toEqual([]);
  });

  it("go to rows of before the start, which prove nothing by themselves", async () => {
    table.takeAll([row(5, { confirmedAgo: 7200 })]);
    expect(table.due(10)).toEqual([{ address: "192.168.1.5", interface: "br-lan" }]);
    await clock.advance(2000);
    table.take(news(5, "REACHABLE"));
    expect(seen).toHaveLength(1);
  });

  it("find out in a table without times who is there", async () => {
    const rows = [news(5, "COMPLETE"), news(6, "COMPLETE")];
    table.takeAll(rows);
    expect(table.due(10)).toHaveLength(2);
    await clock.advance(10_000);
    table.takeAll([news(5, "COMPLETE"), news(6, "INCOMPLETE")]);
    expect(seen.map((s) => s.mac)).toEqual([mac(5)]);
  });
});

it("a neighbour on another link is another sighting, and the one it may have come from is asked at once", () => {
  table.takeAll([row(5, { confirmedAgo: 20 })]);
  table.take(news(5, "REACHABLE", { address: "192.168.2.5", interface: "guest" }));
  expect(last()).toMatchObject({ key: `${mac(5)}%guest`, interface: "guest", addresses: ["192.168.2.5"] });
  expect(table.due(10)).toEqual([{ address: "192.168.1.5", interface: "br-lan" }]);
});
