import { describe, expect, it } from "vitest";
import { local } from "../../../tree/acl.ts";
import { call, path } from "../../tree/small-home.ts";
import { face, home, uuid } from "./home.ts";

const tv = "00:1d:c9:01:02:03";
const nas = "00:11:32:44:55:66";
const minute = 60_000;

describe("one thing that is seen in many ways", () => {
  it("is one device, in whatever order its traces come", async () => {
    const steps = [
      (h: ReturnType<typeof home>) => h.neighbour(tv, "192.168.1.20", "fe80::21d:c9ff:fe01:203"),
      (h: ReturnType<typeof home>) => h.lease(tv, "192.168.1.20", "living-tv"),
      (h: ReturnType<typeof home>) =>
        h.mdns("Living Room", "_googlecast._tcp", "192.168.1.20", { id: "aa".repeat(16) }),
      (h: ReturnType<typeof home>) => h.ssdp(uuid(1), "192.168.1.20"),
      async (h: ReturnType<typeof home>) =>
        void h.host.attach(face("mqtt:ha:tv", { clues: [{ kind: "mac", value: tv }] })),
      (h: ReturnType<typeof home>) => h.mdns("Living Room", "_airplay._tcp", "fe80::21d:c9ff:fe01:203"),
    ];
    for (let turn = 0; turn < steps.length; turn++) {
      const h = home();
      for (const step of [...steps.slice(turn), ...steps.slice(0, turn)]) await step(h);
      await h.clock.advance(10_000);
      const devices = h.bridge.devices();
      expect(devices).toHaveLength(1);
      expect(devices[0]).toMatchObject({ state: "managed", mac: tv, manufacturer: "" });
      expect(devices[0]?.protocols.toSorted()).toEqual(["MQTT", "UPnP", "airplay", "googlecast"]);
      expect(devices[0]?.sources.toSorted()).toEqual(["leases", "mdns", "neighbours", "ssdp"]);
    }
  });

  it("is one device without any neighbour table, by its address", async () => {
    const h = home();
    await h.mdns("Living Room", "_airplay._tcp", "192.168.1.20");
    await h.ssdp(uuid(1), "192.168.1.20");
    await h.ssdp(uuid(2), "192.168.1.21");
    expect(h.ids()).toEqual(["d1", "d2"]);
  });

  it("keeps several servers on one host together, with the id of each", async () => {
    const h = home();
    await h.neighbour(nas, "192.168.1.30");
    for (let n = 1; n <= 3; n++) await h.ssdp(uuid(n), "192.168.1.30", { serialNumber: `serial-${n}` });
    expect(h.ids()).toEqual(["d1"]);
    expect(h.bridge.devices()[0]?.identities).toHaveLength(3);
  });

  it("waits a moment for the hardware address of something new, and asks for it", async () => {
    const h = home();
    await h.neighbour(nas, "192.168.1.30");
    await h.ssdp(uuid(1), "192.168.1.20");
    expect([h.ids(), h.probes]).toEqual([["d1"], ["192.168.1.20"]]);
    await h.neighbour(tv, "192.168.1.20");
    expect(h.listed()).toEqual(
      new Map([
        ["d1", [`neighbours ${nas}%lan`]],
        ["d2", [`neighbours ${tv}%lan`, `ssdp uuid:${uuid(1)}`]],
      ]),
    );
    await h.ssdp(uuid(7), "192.168.1.77");
    await h.clock.advance(3001);
    expect(h.ids()).toEqual(["d1", "d2", "d3"]);
  });
});

describe("two things", () => {
  it("with the same serial number are two, and each says why", async () => {
    const h = home();
    const [a, b] = ["00:11:22:00:00:01", "00:11:22:00:00:02"];
    await h.neighbour(a, "192.168.1.40");
    await h.neighbour(b, "192.168.1.41");
    const facts = { maker: "Acme", model: "Eye", serial: "CAM-778899" };
    for (const n of [0, 1]) {
      await h.ssdp(uuid(n), `192.168.1.4${n}`);
      const sightings = [{ source: "ssdp", key: `uuid:${uuid(n)}` }] as const;
      const clues = [{ kind: "serial", value: facts.serial }] as const;
      h.host.attach(face(`upnp:${uuid(n)}`, { name: "UPnP", access: "approve", sightings, clues, facts }));
    }
    await h.clock.advance(1);
    expect(h.ids()).toEqual(["d1", "d2"]);
    const { others } = h.bridge.why("d2");
    expect(others.map(({ id }) => id)).toEqual(["d1"]);
    expect(others[0]?.because.join("; ")).toMatch(/serial number cam-778899.*different hardware addresses/);
  });

  it("that trade their addresses at night stay themselves", async () => {
    const h = home();
    await h.neighbour(tv, "192.168.1.20");
    await h.neighbour(nas, "192.168.1.30");
    await h.ssdp(uuid(1), "192.168.1.20");
    await h.mdns("Files", "_smb._tcp", "192.168.1.30");
    const before = h.listed();
    await h.clock.advance(8 * 60 * minute);
    await h.neighbour(tv, "192.168.1.30");
    await h.neighbour(nas, "192.168.1.20");
    await h.ssdp(uuid(1), "192.168.1.30");
    await h.mdns("Files", "_smb._tcp", "192.168.1.20");
    expect(h.listed()).toEqual(before);
  });

  it("behind one repeater are two, and so is the repeater", async () => {
    const h = home();
    const [repeater, x, y] = ["00:1e:2a:00:00:01", "00:1e:2a:00:00:02", "00:1e:2a:00:00:03"];
    await h.lease(x, "192.168.1.31", "x");
    await h.lease(y, "192.168.1.32", "y");
    await h.lease(repeater, "192.168.1.30", "repeater");
    await h.neighbour(repeater, "192.168.1.30", "192.168.1.31", "192.168.1.32");
    await h.ssdp(uuid(1), "192.168.1.31");
    await h.ssdp(uuid(2), "192.168.1.32");
    await h.mdns("Repeater", "_http._tcp", "192.168.1.30");
    expect(h.bridge.devices()).toHaveLength(3);
    expect(h.bridge.why("d1").members.map(({ identity }) => identity)).toEqual([`leases ${x}`, `ssdp uuid:${uuid(1)}`]);
  });

  it("with junk in common are two", async () => {
    const h = home();
    for (const n of [1, 2]) {
      await h.neighbour(`00:1e:2a:00:01:0${n}`, `192.168.1.5${n}`);
      await h.lease(`00:1e:2a:00:01:0${n}`, `192.168.1.5${n}`, "ESP_A1B2C3");
      await h.ssdp(`00000000-0000-0000-0000-00000000000${n - 1}`, `192.168.1.5${n}`, { serialNumber: "1234567890" });
      h.host.attach(face(`mqtt:homie:plug${n}`, { clues: [{ kind: "mac", value: "00:00:00:00:00:00" }] }));
    }
    await h.clock.advance(1);
    expect(h.bridge.devices()).toHaveLength(4);
  });
});

describe("what changes", () => {
  it("its UUID after an update", async () => {
    const h = home();
    await h.neighbour(tv, "192.168.1.20");
    await h.ssdp(uuid(1), "192.168.1.20");
    h.gone("ssdp", `uuid:${uuid(1)}`);
    await h.ssdp(uuid(9), "192.168.1.20");
    expect(h.ids()).toEqual(["d1"]);
    await h.clock.advance(1);
    const later = h.again();
    await later.ssdp(uuid(9), "192.168.1.99");
    expect(later.ids()).toEqual(["d1"]);
  });

  it("nothing, when a row is out of date: the address of one is the other's since a minute", async () => {
    const h = home();
    await h.neighbour(tv, "192.168.1.20");
    await h.neighbour(nas, "192.168.1.30");
    await h.ssdp(uuid(1), "192.168.1.20");
    await h.mdns("Files", "_smb._tcp", "192.168.1.30");
    const before = h.listed();
    await h.clock.advance(8 * 60 * minute);
    await h.ssdp(uuid(1), "192.168.1.30");
    expect(h.listed()).toEqual(before);
    await h.neighbour(nas, "192.168.1.31");
    await h.neighbour(tv, "192.168.1.30");
    expect(h.listed()).toEqual(before);
  });

  it("its network port: it comes back at another hardware address with its old id", async () => {
    const h = home();
    await h.neighbour(tv, "192.168.1.20");
    await h.ssdp(uuid(1), "192.168.1.20");
    h.gone("ssdp", `uuid:${uuid(1)}`);
    h.gone("neighbours", `${tv}%lan`);
    await h.clock.advance(60 * minute);
    await h.neighbour("00:1d:c9:01:02:04", "192.168.1.25");
    expect(h.ids()).toEqual(["d1", "d2"]);
    await h.ssdp(uuid(1), "192.168.1.25");
    // Rows outlive whom they were made for: it is asked first, and not at once.
    expect([h.ids(), h.probes.at(-1)]).toEqual([["d1", "d2"], "192.168.1.25"]);
    await h.clock.advance(1000);
    h.bridge.heard("neighbours", "00:1d:c9:01:02:04%lan");
    await h.clock.advance(9 * minute);
    expect(h.ids()).toEqual(["d1"]);
    expect(h.bridge.device("d2").id).toBe("d1");
    await h.neighbour("00:1d:c9:01:02:05", "192.168.1.26");
    expect(h.ids()).toEqual(["d1", "d3"]);
  });

  it("a phone's made-up hardware address, each day, when its host name is its own", async () => {
    const h = home();
    for (let day = 0; day < 5; day++) {
      const mac = `da:a1:19:00:00:0${day}`;
      await h.neighbour(mac, `192.168.1.6${day}`);
      await h.lease(mac, `192.168.1.6${day}`, "annas-phone");
      await h.clock.advance(60 * minute);
      h.gone("neighbours", `${mac}%lan`);
      await h.clock.advance(60 * minute);
    }
    expect(h.ids()).toEqual(["d1"]);
  });

  it("nothing for a year: a nomad comes back on another interface and is itself", async () => {
    const h = home();
    await h.neighbour(tv, "192.168.1.20");
    await h.ssdp(uuid(1), "192.168.1.20");
    h.gone("ssdp", `uuid:${uuid(1)}`);
    h.gone("neighbours", `${tv}%lan`);
    await h.clock.advance(24 * 60 * minute);
    const later = h.again();
    h.clock.jump(365 * 24 * 60 * minute);
    await h.clock.advance(2 * minute);
    expect(later.bridge.devices()[0]).toMatchObject({ id: "d1", state: "gone" });
    await later.ssdp(uuid(1), "192.168.2.7");
    expect(later.bridge.devices()).toMatchObject([{ id: "d1", state: "seen", reachable: true }]);
  });

  it("the network's mind: who was joined by a row that was out of date is parted again", async () => {
    const h = home();
    await h.neighbour(tv, "192.168.1.20");
    await h.ssdp(uuid(1), "192.168.1.20");
    await h.clock.advance(60 * minute);
    // The television has left; a printer has its address before the row knows.
    await h.mdns("Printer", "_ipp._tcp", "192.168.1.20");
    expect(h.ids()).toEqual(["d1"]);
    await h.neighbour("00:1b:a9:00:00:01", "192.168.1.20");
    expect(h.listed().get("d1")).not.toContain("mdns printer._ipp._tcp.local");
    expect(h.bridge.devices()).toHaveLength(2);
  });
});

describe("a face", () => {
  it("that says the hardware address of a seen device is that device's, and makes it managed", async () => {
    const h = home();
    await h.neighbour(tv, "192.168.1.20");
    h.host.attach(face("mqtt:tasmota:001dc9010203", { clues: [{ kind: "mac", value: "001DC9010203" }] }));
    await h.clock.advance(1);
    expect(h.bridge.devices()).toMatchObject([{ id: "d1", state: "managed", managed: true }]);
    expect(await h.tree.get(path("./Devices/d1/MQTT"), "one", call(local))).toMatchObject({ format: "node" });
  });

  it("of one convention and of another with the same id are two faces of one device", async () => {
    const h = home();
    const clues = [{ kind: "protocol-id", value: "zigbee:0x00158d0001a2b3c4" }] as const;
    h.host.attach(face("mqtt:z2m:0x00158d0001a2b3c4", { clues }));
    h.host.attach(face("mqtt:ha:zigbee2mqtt_0x00158d0001a2b3c4", { clues }));
    await h.clock.advance(1);
    expect(h.ids()).toEqual(["d1"]);
    expect(h.tree.has(path("./Devices/d1/MQTT2"))).toBe(true);
  });

  it("that anyone could have said comes into the tree when a person approves it", async () => {
    const h = home();
    await h.ssdp(uuid(1), "192.168.1.20");
    h.bridge
      .host("upnp", () => undefined)
      .attach(
        face(`upnp:${uuid(1)}`, {
          name: "UPnP",
          access: "approve",
          sightings: [{ source: "ssdp", key: `uuid:${uuid(1)}` }],
        }),
      );
    await h.clock.advance(1);
    expect(h.bridge.devices()).toMatchObject([{ id: "d1", state: "seen", managed: false }]);
    expect(h.tree.has(path("./Devices/d1"))).toBe(false);
    await h.bridge.approve("d1");
    expect(h.bridge.devices()).toMatchObject([{ id: "d1", state: "managed", managed: true }]);
    expect(h.tree.has(path("./Devices/d1/UPnP"))).toBe(true);
    expect(h.again().bridge.devices()).toMatchObject([{ id: "d1", state: "away", managed: true }]);
  });
});
