import { describe, expect, it } from "vitest";
import { local } from "../../../tree/acl.ts";
import { call, path } from "../../tree/small-home.ts";
import { face, home } from "../identity/home.ts";

type Home = ReturnType<typeof home>;
const protocolId = [{ kind: "protocol-id", value: "zigbee:0x00158d0001a2b3c4" }] as const;
const read = (h: Home, at: string) => h.tree.get(path(at), "one", call(local));
const status = (code: number) => expect.objectContaining({ status: code }) as unknown;
const mountsOf = (h: Home, id: string) =>
  Object.fromEntries(h.bridge.registry.get(id).kept.faces.map(({ identity, mount }) => [identity, mount]));

async function twoFaces(): Promise<Home> {
  const h = home();
  h.host.attach(face("mqtt:z2m:a", { clues: protocolId }));
  h.host.attach(face("mqtt:ha:a", { clues: protocolId }));
  await h.clock.advance(1);
  return h;
}

describe("the name of a face in the tree", () => {
  it("is that of its protocol, for a second one with a number, in the order in which they came", async () => {
    const h = await twoFaces();
    expect(mountsOf(h, "d1")).toEqual({ "mqtt:z2m:a": "MQTT", "mqtt:ha:a": "MQTT2" });
    for (const at of ["./Devices/d1/MQTT", "./Devices/d1/MQTT2"]) await read(h, at);
  });

  it("stays after a restart in which they come in another order", async () => {
    const later = (await twoFaces()).again();
    later.host.attach(face("mqtt:ha:a", { clues: protocolId }));
    await later.clock.advance(1);
    expect(mountsOf(later, "d1")).toEqual({ "mqtt:z2m:a": "MQTT", "mqtt:ha:a": "MQTT2" });
    await read(later, "./Devices/d1/MQTT2");
    await expect(read(later, "./Devices/d1/MQTT/power")).rejects.toEqual(status(503));
  });

  it("stays for what stays when a face leaves for good; the name that is free is given again", async () => {
    const h = home();
    const first = h.host.attach(face("mqtt:z2m:a", { clues: protocolId }));
    h.host.attach(face("mqtt:ha:a", { clues: protocolId }));
    await h.clock.advance(1);
    first.detach();
    expect(mountsOf(h, "d1")).toEqual({ "mqtt:ha:a": "MQTT2" });
    expect(h.tree.has(path("./Devices/d1/MQTT"))).toBe(false);
    h.host.attach(face("mqtt:homie:a", { clues: protocolId }));
    await h.clock.advance(1);
    expect(mountsOf(h, "d1")).toEqual({ "mqtt:ha:a": "MQTT2", "mqtt:homie:a": "MQTT" });
  });

  it("is free in the device that it comes to by a merge, and its own again after the split", async () => {
    const h = home();
    h.host.attach(face("mqtt:a"));
    h.host.attach(face("mqtt:b"));
    await h.clock.advance(1);
    await h.bridge.merge("d1", "d2");
    await h.clock.advance(1);
    expect(mountsOf(h, "d1")).toEqual({ "mqtt:a": "MQTT", "mqtt:b": "MQTT2" });
    expect(h.tree.has(path("./Devices/d2"))).toBe(false);
    await read(h, "./Devices/d1/MQTT2/power");
    expect(mountsOf(h.again(), "d1")).toEqual(mountsOf(h, "d1"));
    await h.bridge.split("d1", []);
    await h.clock.advance(1);
    expect([mountsOf(h, "d1"), mountsOf(h, "d2")]).toEqual([{ "mqtt:a": "MQTT" }, { "mqtt:b": "MQTT" }]);
    await read(h, "./Devices/d2/MQTT/power");
    expect(h.tree.has(path("./Devices/d1/MQTT2"))).toBe(false);
  });
});

describe("a face that is not there", () => {
  it("is held in the tree with 503 after a restart, also when its device was merged before", async () => {
    const h = home();
    h.host.attach(face("mqtt:a"));
    h.host.attach(face("mqtt:b"));
    await h.clock.advance(1);
    await h.bridge.merge("d1", "d2");
    await h.clock.advance(1);
    const later = h.again();
    for (const mount of ["MQTT", "MQTT2"]) {
      await expect(read(later, `./Devices/d1/${mount}/power`)).rejects.toEqual(status(503));
    }
    await read(later, "./Devices/d1/DevInfo");
    await later.bridge.split("d1", []);
    await later.clock.advance(1);
    await expect(read(later, "./Devices/d2/MQTT/power")).rejects.toEqual(status(503));
    expect(later.tree.has(path("./Devices/d1/MQTT2"))).toBe(false);
  });

  it("cannot be attached twice", async () => {
    const h = await twoFaces();
    expect(() => h.host.attach(face("mqtt:ha:a"))).toThrow("mqtt:ha:a is attached already");
  });
});

describe("a face that anyone on the LAN could have said", () => {
  const anyones = () => face("upnp:tv", { name: "UPnP", access: "approve" });

  it("is in the tree when a person approves its device, and held there after a restart", async () => {
    const h = home();
    h.host.attach(anyones());
    await h.clock.advance(1);
    expect([h.tree.has(path("./Devices/d1")), h.bridge.device("d1").managed]).toEqual([false, false]);
    await h.bridge.approve("d1");
    await read(h, "./Devices/d1/UPnP");
    await expect(read(h.again(), "./Devices/d1/UPnP/power")).rejects.toEqual(status(503));
  });

  it("comes into the tree with a face that is sure of itself, and leaves it with that", async () => {
    const h = home();
    h.host.attach(face("upnp:tv", { name: "UPnP", access: "approve", clues: protocolId }));
    const sure = h.host.attach(face("mqtt:z2m:a", { clues: protocolId }));
    await h.clock.advance(1);
    for (const mount of ["UPnP", "MQTT"]) await read(h, `./Devices/d1/${mount}`);
    sure.detach();
    expect(h.tree.has(path("./Devices/d1"))).toBe(false);
    expect(h.bridge.device("d1")).toMatchObject({ managed: false });
  });

  it("makes nothing managed by being reachable", async () => {
    const h = home();
    h.host.attach(anyones());
    await h.clock.advance(1);
    expect(h.bridge.device("d1")).toMatchObject({ state: "away", reachable: false, managed: false });
  });
});
