import { beforeEach, expect, it } from "vitest";
import { keepLinks } from "../../../daemon/discovery/links.ts";
import type { Links } from "../../../daemon/discovery/links.ts";
import type { Source } from "../../../daemon/discovery/source.ts";
import type { LanInterface } from "../../../daemon/lan.ts";
import { DmError } from "../../../tree/errors.ts";
import { fakeClock } from "../../fakes/clock.ts";
import type { FakeClock } from "../../fakes/clock.ts";
import { fakeLog } from "../../fakes/log.ts";

const lan = (name: string, address = "192.168.1.1"): LanInterface => ({
  name,
  address,
  netmask: "255.255.255.0",
  ipv6: [],
  mac: "02:00:00:00:00:01",
});

let clock: FakeClock;
let course: string[];
let refuse: ReadonlySet<string>;
let fail: Map<string, (reason: unknown) => void>;
let links: Links;
beforeEach(() => {
  clock = fakeClock();
  course = [];
  refuse = new Set();
  fail = new Map();
  const source: Source = {
    async open({ name }, failed) {
      course.push(`open ${name}`);
      if (refuse.has(name)) throw new DmError(503, "UDP port 1900 is taken");
      fail.set(name, failed);
      return {
        async close() {
          course.push(`close ${name}`);
        },
      };
    },
    forget: () => {},
    stop: async () => {},
  };
  links = keepLinks(source, { clock, log: fakeLog(), random: () => 0.5 });
});

it("opens what comes, closes what goes, and leaves the rest alone", async () => {
  await links.update([lan("a"), lan("b")]);
  await links.update([lan("b"), lan("c")]);
  expect(course).toEqual(["open a", "open b", "close a", "open c"]);
  expect(links.state()).toMatchObject({ state: "listening", open: ["b", "c"] });
});

it("leaves out a link without IPv4, unless the source can do without", async () => {
  await links.update([lan("a", ""), lan("b")]);
  expect(course).toEqual(["open b"]);
});

it("opens a link anew when its address has changed", async () => {
  await links.update([lan("a")]);
  await links.update([lan("a", "192.168.2.1")]);
  expect(course).toEqual(["open a", "close a", "open a"]);
});

it("says that it waits while there is no interface", async () => {
  expect(links.state().state).toBe("starting");
  await links.update([]);
  expect(links.state()).toMatchObject({ state: "waiting", open: [] });
});

it("tells why a link is not open, and tries again with growing gaps until it is", async () => {
  refuse = new Set(["a"]);
  await links.update([lan("a")]);
  expect(links.state()).toMatchObject({ state: "error", error: "a: UDP port 1900 is taken" });
  await clock.advance(3_600_000);
  const tries = course.length;
  // 0.75 s, 1.5 s, 3 s … 45 s: some 80 tries in an hour.
  expect(tries).toBeGreaterThan(60);
  expect(tries).toBeLessThan(100);
  refuse = new Set();
  await clock.advance(60_000);
  expect(links.state()).toMatchObject({ state: "listening", open: ["a"] });
  expect(links.state().error).toBeUndefined();
});

it("listens on, where it can, beside a link that fails", async () => {
  refuse = new Set(["a"]);
  await links.update([lan("a"), lan("b")]);
  expect(links.state()).toMatchObject({ state: "listening", error: "a: UDP port 1900 is taken", open: ["b"] });
});

it("closes a link that breaks, once, and opens it again", async () => {
  await links.update([lan("a")]);
  fail.get("a")?.(new Error("ENODEV"));
  fail.get("a")?.(new Error("ENODEV"));
  expect(links.state()).toMatchObject({ error: "a: ENODEV" });
  await clock.advance(2000);
  expect(course).toEqual(["open a", "close a", "open a"]);
  expect(links.state()).toMatchObject({ state: "listening" });
});

it("does nothing more after its stop", async () => {
  refuse = new Set(["b"]);
  await links.update([lan("a"), lan("b")]);
  await links.stop();
  fail.get("a")?.(new Error("late"));
  await clock.advance(600_000);
  expect(course).toEqual(["open a", "open b", "close a"]);
  expect(clock.timers).toBe(0);
});

it("ends as the last of quick changes wants it", async () => {
  const updates = [[lan("a")], [], [lan("a"), lan("b")], [lan("b")]].map((interfaces) => links.update(interfaces));
  await Promise.all(updates);
  expect(links.state().open).toEqual(["b"]);
  await links.stop();
  expect(course.filter((c) => c.startsWith("open")).length).toBe(course.filter((c) => c.startsWith("close")).length);
});
