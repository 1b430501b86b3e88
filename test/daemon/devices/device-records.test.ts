import { describe, expect, it } from "vitest";
import { face, home, uuid } from "../identity/home.ts";

const nas = "00:11:32:44:55:66";
const minute = 60_000;

describe("what is written", () => {
  it("of one turn is one commit, however many devices it has", async () => {
    const h = home();
    const before = h.store.commits;
    for (let n = 0; n < 50; n++) h.host.attach(face(`mqtt:${n}`));
    await h.clock.advance(1);
    expect([h.bridge.devices().length, h.store.commits - before]).toEqual([50, 1]);
  });

  it("of a thousand changes of what a device says of itself is nothing before the flush, then once", async () => {
    const h = home();
    const attached = h.host.attach(face("mqtt:lamp"));
    await h.clock.advance(1);
    const before = h.store.commits;
    for (let n = 0; n < 1000; n++) {
      attached.update({
        facts: { name: `Lamp ${n}`, firmware: `1.${n}`, model: `M${n}` },
        addresses: [`10.0.0.${n % 250}`],
      });
      attached.seen();
      await h.clock.advance(1);
    }
    expect(h.bridge.device("d1")).toMatchObject({ name: "Lamp 999", firmware: "1.999" });
    expect(h.store.commits - before).toBe(0);
    await h.clock.advance(10 * minute);
    expect(h.store.commits - before).toBe(1);
    expect(h.again().bridge.device("d1")).toMatchObject({ name: "Lamp 999", firmware: "1.999" });
    await h.clock.advance(10 * minute);
    expect(h.store.commits - before).toBe(1);
  });

  it("of being heard is nothing, but is known after a stop", async () => {
    const h = home();
    await h.neighbour(nas, "192.168.1.30");
    await h.clock.advance(minute);
    const before = h.store.commits;
    for (let n = 0; n < 1000; n++) h.bridge.heard("neighbours", `${nas}%lan`);
    await h.clock.advance(20 * minute);
    expect(h.store.commits - before).toBe(0);
    await h.bridge.stop();
    expect(h.again().bridge.device("d1").lastSeen).toMatch(/^2026-01-01T00:01/);
  });

  it("of who is who is written at once", async () => {
    const h = home();
    await h.neighbour(nas, "192.168.1.30");
    await h.ssdp(uuid(1), "192.168.1.30");
    expect(h.again().listed()).toEqual(h.listed());
  });

  it("of an identity that changes all the time is little, and the last word of it", async () => {
    const h = home();
    await h.neighbour(nas, "192.168.1.30");
    const before = h.store.commits;
    for (let n = 0; n < 3000; n++) {
      await h.ssdp(uuid(n), "192.168.1.30");
      h.gone("ssdp", `uuid:${uuid(n)}`);
    }
    expect(h.store.commits - before).toBeLessThanOrEqual(512 + 2);
    await h.clock.advance(11 * minute);
    expect(h.again().listed()).toEqual(h.listed());
  });

  it("goes from the disk with the next write when a device ends in another, and never comes back", async () => {
    const h = home();
    await h.neighbour(nas, "192.168.1.30");
    await h.neighbour("00:1d:c9:01:02:03", "192.168.1.20");
    await h.bridge.merge("d1", "d2");
    expect(h.again().ids()).toEqual(["d1"]);
    await h.neighbour("00:1b:a9:00:00:01", "192.168.1.9");
    expect(h.again().ids()).toEqual(["d1", "d3"]);
  });
});

describe("a disk that fails", () => {
  it("is told of in the log, shows the device to people, and gets it when it works again", async () => {
    const h = home();
    h.store.failNext();
    await h.neighbour(nas, "192.168.1.30");
    expect(h.ids()).toEqual(["d1"]);
    expect(h.again().ids()).toEqual([]);
    await h.clock.advance(11 * minute);
    expect(h.again().ids()).toEqual(["d1"]);
  });

  it("at the flush keeps what was to be written for the next one", async () => {
    const h = home();
    const attached = h.host.attach(face("mqtt:lamp"));
    await h.clock.advance(1);
    attached.update({ facts: { firmware: "2" } });
    h.store.failNext();
    await h.clock.advance(11 * minute);
    expect(h.again().bridge.device("d1").firmware).toBe("");
    await h.clock.advance(10 * minute);
    expect(h.again().bridge.device("d1").firmware).toBe("2");
  });
});
