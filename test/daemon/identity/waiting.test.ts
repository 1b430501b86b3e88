import { describe, expect, it } from "vitest";
import { Waiting } from "../../../daemon/identity/waiting.ts";
import { fakeClock } from "../../fakes/clock.ts";
import { sighting } from "./sightings.ts";

function waiting() {
  const clock = fakeClock();
  const over: string[] = [];
  return { clock, over, waiting: new Waiting(clock, ({ key, name }) => over.push(`${key} as ${name}`)) };
}

const at = (key: string, address: string, name = key) => sighting("ssdp", key, { name, addresses: [address] });

describe("something new whose hardware address is not known", () => {
  it("waits as long as it is told, and then goes on without", async () => {
    const { clock, over, waiting: list } = waiting();
    expect(list.add("ssdp a", at("a", "192.168.1.20"), 3000)).toBe(true);
    await clock.advance(2999);
    expect([over, list.hasAsked("ssdp a")]).toEqual([[], true]);
    await clock.advance(1);
    expect([over, list.hasAsked("ssdp a")]).toEqual([["a as a"], false]);
  });

  it("goes on at once when the network says who is there, and only what waits for that place", async () => {
    const { over, waiting: list } = waiting();
    list.add("ssdp a", at("a", "192.168.1.20"), 3000);
    list.add("ssdp b", at("b", "192.168.1.21"), 3000);
    list.add("ssdp c", at("c", "fe80::1"), 3000);
    list.placed("192.168.1.20");
    list.placed("fe80::1%guest");
    expect(over).toEqual(["a as a"]);
    list.placed("fe80::1%lan");
    expect(over).toEqual(["a as a", "c as c"]);
  });

  it("goes on with what it said last, after the time since it said the first", async () => {
    const { clock, over, waiting: list } = waiting();
    list.add("ssdp a", at("a", "192.168.1.20", "old"), 3000);
    await clock.advance(2000);
    list.add("ssdp a", at("a", "192.168.1.21", "new"), 3000);
    list.placed("192.168.1.20");
    expect(over).toEqual([]);
    await clock.advance(1000);
    expect(over).toEqual(["a as new"]);
  });

  it("has asked who it is when it has an address, not before", () => {
    const { waiting: list } = waiting();
    list.add("ssdp a", sighting("ssdp", "a"), 1000);
    expect(list.hasAsked("ssdp a")).toBe(false);
    list.add("ssdp a", at("a", "192.168.1.20"), 3000);
    expect(list.hasAsked("ssdp a")).toBe(true);
  });

  it("does not go on when it has ended, nor when the gateway stops, and leaves no timer", async () => {
    const { clock, over, waiting: list } = waiting();
    list.add("ssdp a", at("a", "192.168.1.20"), 3000);
    list.add("ssdp b", at("b", "192.168.1.21"), 3000);
    list.remove("ssdp a");
    expect(clock.timers).toBe(1);
    list.stop();
    expect(clock.timers).toBe(0);
    await clock.advance(10_000);
    expect(over).toEqual([]);
  });

  it("has no room after 256 others, and gets it back when they are through", async () => {
    const { clock, waiting: list } = waiting();
    for (let n = 0; n < 256; n++) expect(list.add(`ssdp ${n}`, at(`${n}`, "192.168.1.20"), 3000)).toBe(true);
    expect(list.add("ssdp late", at("late", "192.168.1.20"), 3000)).toBe(false);
    expect(list.add("ssdp 7", at("7", "192.168.1.20"), 3000)).toBe(true);
    expect(clock.timers).toBe(256);
    await clock.advance(3000);
    expect(list.add("ssdp late", at("late", "192.168.1.20"), 3000)).toBe(true);
  });
});
