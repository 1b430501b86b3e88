import { describe, expect, it } from "vitest";
import { home, uuid } from "../identity/home.ts";

const old = "00:1d:c9:01:02:03";
const fresh = "00:1d:c9:01:02:04";
const minute = 60_000;
const row = (mac: string) => `${mac}%lan`;

/** A television known at one hardware address an hour ago, and another thing known at `fresh`. Now its id is heard where the table has `fresh`. */
async function comesBack(): Promise<ReturnType<typeof home>> {
  const h = home();
  await h.neighbour(old, "192.168.1.20");
  await h.ssdp(uuid(1), "192.168.1.20");
  h.gone("ssdp", `uuid:${uuid(1)}`);
  h.gone("neighbours", row(old));
  await h.clock.advance(60 * minute);
  await h.neighbour(fresh, "192.168.1.25");
  await h.clock.advance(20 * minute);
  await h.ssdp(uuid(1), "192.168.1.25");
  return h;
}

describe("a row that may be out of date", () => {
  it("joins nothing before it was confirmed, however long it stands; it is asked about", async () => {
    const h = await comesBack();
    expect(h.probes.at(-1)).toBe("192.168.1.25");
    await h.clock.advance(25 * minute);
    expect(h.ids()).toEqual(["d1", "d2"]);
    expect(h.listed().get("d1")).toContain(`ssdp uuid:${uuid(1)}`);
  });

  it("joins when it was confirmed since, and has said the same for seven minutes", async () => {
    const h = await comesBack();
    await h.clock.advance(minute);
    h.bridge.heard("neighbours", row(fresh));
    await h.clock.advance(5 * minute);
    expect(h.ids()).toEqual(["d1", "d2"]);
    await h.clock.advance(2 * minute);
    expect(h.ids()).toEqual(["d1"]);
    expect(h.bridge.device("d2").id).toBe("d1");
  });

  it("that is confirmed only later joins then", async () => {
    const h = await comesBack();
    await h.clock.advance(15 * minute);
    h.bridge.heard("neighbours", row(fresh));
    await h.clock.advance(minute);
    expect(h.ids()).toEqual(["d1"]);
  });

  it("joins nothing when the network has somebody else there in between", async () => {
    const h = await comesBack();
    await h.clock.advance(minute);
    h.bridge.heard("neighbours", row(fresh));
    await h.neighbour(fresh, "192.168.1.26");
    await h.neighbour("00:1b:a9:00:00:01", "192.168.1.25");
    h.bridge.heard("neighbours", row(fresh));
    await h.clock.advance(30 * minute);
    expect(h.listed().get("d2")).toEqual([`neighbours ${row(fresh)}`]);
  });

  it("joins nothing when the thing has ended in between, and leaves nothing to look at", async () => {
    const h = await comesBack();
    await h.clock.advance(minute);
    h.bridge.heard("neighbours", row(fresh));
    h.gone("ssdp", `uuid:${uuid(1)}`);
    await h.clock.advance(100 * minute);
    expect(h.ids()).toEqual(["d1", "d2"]);
  });

  it("moves nothing that says an id of its own from a device where it was for its own sake", async () => {
    const h = home();
    await h.neighbour(old, "192.168.1.20");
    await h.neighbour(fresh, "192.168.1.25");
    await h.ssdp(uuid(1), "192.168.1.20");
    await h.ssdp(uuid(2), "192.168.1.25");
    const before = h.listed();
    await h.clock.advance(8 * 60 * minute);
    await h.ssdp(uuid(1), "192.168.1.25");
    for (let n = 0; n < 30; n++) {
      await h.clock.advance(minute);
      h.bridge.heard("ssdp", `uuid:${uuid(1)}`);
      h.bridge.heard("neighbours", row(fresh));
      expect(h.listed()).toEqual(before);
    }
  });

  it("holds nothing up for what is new: that has nothing to lose", async () => {
    const h = home();
    await h.neighbour(old, "192.168.1.20");
    await h.clock.advance(60 * minute);
    await h.ssdp(uuid(1), "192.168.1.20");
    expect(h.listed()).toEqual(new Map([["d1", [`neighbours ${row(old)}`, `ssdp uuid:${uuid(1)}`]]]));
    expect(h.probes.at(-1)).toBe("192.168.1.20");
  });
});

describe("a lease", () => {
  it("needs no confirmation by the table, but time", async () => {
    const h = home();
    await h.neighbour(old, "192.168.1.20");
    await h.ssdp(uuid(1), "192.168.1.20");
    h.gone("ssdp", `uuid:${uuid(1)}`);
    h.gone("neighbours", row(old));
    await h.clock.advance(60 * minute);
    await h.lease(fresh, "192.168.1.25", "tv-hall");
    await h.clock.advance(20 * minute);
    await h.ssdp(uuid(1), "192.168.1.25");
    expect(h.ids()).toEqual(["d1", "d2"]);
    await h.clock.advance(8 * minute);
    expect(h.ids()).toEqual(["d1"]);
  });
});
