import { describe, expect, it } from "vitest";
import { path } from "../../tree/small-home.ts";
import { face, home, uuid } from "./home.ts";

const tv = "00:1d:c9:01:02:03";
const nas = "00:11:32:44:55:66";
const minute = 60_000;

describe("what a person decides", () => {
  it("joins two, survives a restart and re-discovery, and can be taken back", async () => {
    const h = home();
    await h.neighbour(tv, "192.168.1.20");
    await h.neighbour(nas, "192.168.1.30");
    await h.bridge.name("d2", "Files");
    await h.bridge.merge("d1", "d2");
    expect(h.bridge.devices()).toMatchObject([{ id: "d1", name: "Files" }]);
    const later = h.again();
    await later.neighbour(nas, "192.168.1.31");
    await later.ssdp(uuid(5), "192.168.1.31");
    expect(later.ids()).toEqual(["d1"]);
    const [first, second] = await later.bridge.split("d1", []);
    expect([first.id, second.id]).toEqual(["d1", "d2"]);
    const last = later.again();
    await last.neighbour(nas, "192.168.1.31");
    await last.neighbour(tv, "192.168.1.20");
    expect(last.ids()).toEqual(["d1", "d2"]);
    expect(last.bridge.why("d2").decisions.map(({ what }) => what)).toEqual(["it is another device than d1"]);
  });

  it("parts what was joined, for good", async () => {
    const h = home();
    await h.neighbour(nas, "192.168.1.30");
    await h.ssdp(uuid(1), "192.168.1.30");
    await h.ssdp(uuid(2), "192.168.1.30");
    const [, other] = await h.bridge.split("d1", [`ssdp uuid:${uuid(2)}`]);
    expect(other.id).toBe("d2");
    const later = h.again();
    for (let day = 0; day < 30; day++) {
      await later.neighbour(nas, `192.168.1.${31 + day}`);
      await later.ssdp(uuid(1), `192.168.1.${31 + day}`);
      await later.ssdp(uuid(2), `192.168.1.${31 + day}`);
      await later.clock.advance(24 * 60 * minute);
    }
    expect(later.listed().get("d2")).toEqual([`ssdp uuid:${uuid(2)}`]);
    await expect(later.bridge.split("d2", [])).rejects.toMatchObject({ status: 412 });
  });

  it("parts what was heard a minute ago, and both are as lately seen as they were", async () => {
    const h = home();
    await h.neighbour(tv, "192.168.1.20");
    await h.neighbour(nas, "192.168.1.30");
    const [, before] = h.bridge.devices();
    await h.bridge.merge("d1", "d2");
    await h.clock.advance(minute);
    await h.bridge.split("d1", []);
    await h.clock.advance(minute);
    const [, after] = h.bridge.devices();
    expect(after).toMatchObject({ id: "d2", reachable: true, lastSeen: before?.lastSeen });
  });

  it("hides a device however often it is found, until it is not ignored any more", async () => {
    const h = home();
    h.host.attach(face("mqtt:lamp"));
    await h.clock.advance(1);
    await h.bridge.ignore("d1", true);
    expect(h.tree.has(path("./Devices/d1"))).toBe(false);
    const later = h.again();
    later.host.attach(face("mqtt:lamp"));
    await later.clock.advance(1);
    expect(later.bridge.devices()).toMatchObject([{ id: "d1", state: "ignored", managed: false }]);
    expect(later.tree.has(path("./Devices/d1"))).toBe(false);
    await later.bridge.ignore("d1", false);
    await later.clock.advance(1);
    expect(later.bridge.devices()).toMatchObject([{ id: "d1", state: "managed" }]);
    expect(later.tree.has(path("./Devices/d1/MQTT"))).toBe(true);
  });
});

describe("a box whose UUID changes with an update", () => {
  it("stays at the address in the tree where servers look for it", async () => {
    const h = home();
    const upnp = h.bridge.host("upnp", () => undefined);
    await h.neighbour(tv, "192.168.1.20");
    const attach = async (n: number) => {
      await h.ssdp(uuid(n), "192.168.1.20");
      const sightings = [{ source: "ssdp", key: `uuid:${uuid(n)}` }] as const;
      const attached = upnp.attach(face(`upnp:${uuid(n)}`, { name: "UPnP", access: "approve", sightings }));
      await h.clock.advance(1);
      return attached;
    };
    const first = await attach(1);
    await h.bridge.approve("d1");
    h.gone("ssdp", `uuid:${uuid(1)}`);
    first.reachable(false);
    await attach(2);
    expect(h.ids()).toEqual(["d1"]);
    expect([h.tree.has(path("./Devices/d1/UPnP")), h.tree.has(path("./Devices/d1/UPnP2"))]).toEqual([true, false]);
    // A second box of the same kind that is there at the same time gets a place of its own.
    await attach(3);
    expect(h.tree.has(path("./Devices/d1/UPnP2"))).toBe(true);
  });
});

describe("the life of a device", () => {
  it("is away after half an hour in which the network did not hear it, and says since when and why", async () => {
    const h = home();
    await h.neighbour(nas, "192.168.1.30");
    await h.mdns("Files", "_smb._tcp", "192.168.1.30");
    await h.clock.advance(21 * minute);
    expect(h.probes).toContain("192.168.1.30");
    expect(h.bridge.devices()[0]).toMatchObject({ state: "seen", reachable: true });
    expect(h.bridge.devices()[0]?.nextProbe).toBeDefined();
    await h.clock.advance(11 * minute);
    expect(h.bridge.devices()[0]).toMatchObject({
      state: "away",
      reachable: false,
      reason: "not heard for 30 minutes",
    });
    h.bridge.heard("neighbours", `${nas}%lan`);
    expect(h.bridge.devices()[0]).toMatchObject({ state: "seen", reason: "heard by the neighbour table" });
  });
});
