import { beforeEach, describe, expect, it } from "vitest";
import { ssdpDevices } from "../../../daemon/discovery/ssdp-devices.ts";
import type { SsdpDevices } from "../../../daemon/discovery/ssdp-devices.ts";
import { lan } from "./dns-records.ts";

const sender = "10.77.0.2";
const key = "uuid:4d696e69-444c-164e-9d41-0123456789ab";
const mediaServer = "urn:schemas-upnp-org:device:MediaServer:1";
const headers = (more: Record<string, unknown> = {}) => ({
  USN: `${key}::upnp:rootdevice`,
  NT: "upnp:rootdevice",
  LOCATION: "http://10.77.0.2:8200/rootDesc.xml",
  SERVER: "Debian DLNADOC/1.50 UPnP/1.0 MiniDLNA/1.3.0",
  "CACHE-CONTROL": "max-age=1800",
  ...more,
});

let devices: SsdpDevices;
let keys: Set<string>;
beforeEach(() => {
  keys = new Set();
  devices = ssdpDevices(lan, (name) => keys.has(name) || (keys.size < 64 && keys.add(name) !== undefined));
});

describe("a device", () => {
  it("is one sighting, whatever it announces of itself", () => {
    expect(devices.alive(headers(), sender, 0)).toMatchObject({
      key,
      service: "upnp:rootdevice",
      name: "MiniDLNA 1.3.0",
    });
    devices.alive(headers({ USN: key.toUpperCase(), NT: key }), sender, 0);
    const service = "urn:schemas-upnp-org:service:ContentDirectory:1";
    devices.alive(headers({ USN: `${key}::${service}`, NT: undefined, ST: service }), sender, 0);
    expect(devices.alive(headers({ USN: `${key}::${mediaServer}`, NT: mediaServer }), sender, 1000)).toEqual({
      source: "ssdp",
      key,
      name: "MiniDLNA 1.3.0",
      addresses: [sender],
      port: 8200,
      service: mediaServer,
      text: new Map([
        ["SERVER", "Debian DLNADOC/1.50 UPnP/1.0 MiniDLNA/1.3.0"],
        ["LOCATION", "http://10.77.0.2:8200/rootDesc.xml"],
        ["NT", `upnp:rootdevice ${service} ${mediaServer}`],
      ]),
      interface: "br-lan",
      expires: 1000 + 1_800_000,
    });
    expect(keys.size).toBe(1);
  });

  it.each([
    ["Linux/6.1, UPnP/1.0, Portable SDK for UPnP devices/1.8.4", "Portable SDK for UPnP devices 1.8.4"],
    ["Debian/12 UPnP/1.1", "MediaServer"],
    ["", "MediaServer"],
  ])("that calls its server %j is called %j", (server, name) => {
    const sighting = devices.alive(headers({ SERVER: server, NT: mediaServer }), sender, 0);
    expect(sighting?.name).toBe(name);
  });

  it("says where its description is, and when it or its description has started anew", () => {
    const told = (more: Record<string, unknown>, from = sender) => {
      const { text, port } = devices.alive(headers(more), from, 0) ?? {};
      return [port, ...["LOCATION", "BOOTID.UPNP.ORG", "CONFIGID.UPNP.ORG"].map((name) => text?.get(name))];
    };
    const [before, after] = ["http://10.77.0.2:8200/rootDesc.xml", "http://10.77.0.9/d.xml"];
    expect(told({})).toEqual([8200, before, undefined, undefined]);
    expect(told({ "BOOTID.UPNP.ORG": "7", "CONFIGID.UPNP.ORG": "1" })).toEqual([8200, before, "7", "1"]);
    expect(told({ "BOOTID.UPNP.ORG": "8".repeat(99) })).toEqual([8200, before, "8".repeat(16), "1"]);
    expect(told({ LOCATION: after }, "10.77.0.9")).toEqual([80, after, "8".repeat(16), "1"]);
  });

  it("that has been forgotten is a new one", () => {
    devices.alive(headers({ NT: mediaServer }), sender, 0);
    devices.forget(key);
    expect(devices.alive(headers(), sender, 1000)?.text.get("NT")).toBe("upnp:rootdevice");
  });
});

describe("its life", () => {
  it.each([
    ["max-age=1800", 1800],
    ["max-age=100", 100],
    ['no-cache="Ext", max-age = "120"', 120],
    ["max-age=1", 60],
    ["max-age=0", 60],
    ["max-age=86400", 1800],
    ["max-age=99999999999999", 1800],
    ["max-age=soon", 1800],
    [undefined, 1800],
  ])("with CACHE-CONTROL %j is %i s: never longer than half an hour unheard", (control, seconds) => {
    expect(devices.alive(headers({ "CACHE-CONTROL": control }), sender, 0)?.expires).toBe(seconds * 1000);
  });

  it("ends by its own farewell, whichever part of it says so, and by nobody else's", () => {
    devices.alive(headers(), sender, 0);
    expect(devices.bye({ USN: `${key}::${mediaServer}` }, "10.77.0.66")).toBeUndefined();
    expect(devices.bye({ USN: `${key}::${mediaServer}` }, sender)).toBe(key);
    expect(devices.bye({ USN: "uuid:another" }, sender)).toBeUndefined();
  });
});

describe("hostile messages", () => {
  it.each([
    ["another host", "http://10.77.0.3/d.xml"],
    ["a name", "http://kitchen.local/d.xml"],
    ["the WAN", "http://203.0.113.9/d.xml"],
    ["the gateway itself", "http://127.0.0.1:80/d.xml"],
    ["https", "https://10.77.0.2/d.xml"],
    ["a file", "file:///etc/passwd"],
    ["a login", "http://10.77.0.2@203.0.113.9/d.xml"],
    ["a password", "http://a:b@10.77.0.2/d.xml"],
    ["no URL", "rootDesc.xml"],
    ["a novel", `http://10.77.0.2/${"a".repeat(1000)}`],
  ])("whose LOCATION is %s are ignored", (_, location) => {
    expect(devices.alive(headers({ LOCATION: location }), sender, 0)).toBeUndefined();
    expect(keys.size).toBe(0);
  });

  it("whose LOCATION is elsewhere do not move a device that is known", () => {
    devices.alive(headers(), sender, 0);
    devices.alive(headers({ LOCATION: "http://203.0.113.9/d.xml" }), sender, 1000);
    expect(devices.alive(headers({ LOCATION: undefined }), sender, 2000)?.port).toBe(8200);
  });

  it.each([undefined, "", "4d696e69", "urn:x", "uuid:", `uuid:${"a".repeat(100)}`, "uuid:a b", 7])(
    "whose USN is %j name no device",
    (usn) => {
      expect(devices.alive(headers({ USN: usn }), sender, 0)).toBeUndefined();
    },
  );

  it("leave no control characters, and no more than 32 types of 128 characters", () => {
    for (let n = 0; n < 1000; n++)
      devices.alive(
        headers({ NT: `urn:x:device:${n}\u001b[31m${"y".repeat(1000)}`, SERVER: "\u0007".repeat(9999) }),
        sender,
        0,
      );
    const text = devices.alive(headers(), sender, 0)?.text;
    const types = text?.get("NT")?.split(" ") ?? [];
    expect(types).toHaveLength(32);
    expect(Math.max(...types.map((type) => type.length))).toBeLessThanOrEqual(128);
    for (const value of text?.values() ?? []) expect(value).not.toMatch(/\p{Cc}/u);
  });

  it("that name 10,000 devices cost bounded room and time", () => {
    const before = performance.now();
    for (let n = 0; n < 10_000; n++) devices.alive(headers({ USN: `uuid:${n}` }), sender, 0);
    expect(performance.now() - before).toBeLessThan(5000);
    expect(keys.size).toBe(64);
  });
});

describe("a gateway like this one", () => {
  const target = "urn:dmgw:service:gateway:1";
  const announced = { LOCATION: undefined, NT: target, USN: `${key}::${target}`, "ID.DMGW": "com.example:2" };

  it("is a sighting with its id", () => {
    const sighting = devices.alive(headers(announced), sender, 0);
    expect(sighting).toMatchObject({ service: target });
    expect(sighting?.text.get("id")).toBe("com.example:2");
  });

  it("is none when it is this one", () => {
    const ours = ssdpDevices(lan, () => true, key);
    expect(ours.alive(headers(announced), sender, 0)).toBeUndefined();
    expect(ours.bye(headers(announced), sender)).toBeUndefined();
  });
});
