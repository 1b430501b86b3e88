import { describe, expect, test } from "vitest";
import { readDescription } from "../../../adapters/upnp/description.ts";
import { factsOf } from "../../../adapters/upnp/facts.ts";
import { nodesOf } from "../../../adapters/upnp/nodes.ts";
import { parseRel } from "../../../tree/path.ts";
import { minidlnaDescription } from "../../fixtures/discovery.ts";
import { aCall } from "../../fakes/host.ts";
import { moOf } from "../contract.ts";
import { identity, key, upnpScene } from "./scene.ts";
import { description, router } from "./small-home.ts";

const location = "http://10.77.0.2:8200/rootDesc.xml";
const leaves = (xml: string) => {
  const nodes = nodesOf(readDescription(Buffer.from(xml)), location);
  return new Map([...nodes.leaves()].map(([rel, { text }]) => [rel as string, text]));
};

describe("the nodes of a device", () => {
  test("are what it says of itself and of its services", () => {
    const found = leaves(minidlnaDescription);
    expect([...found.keys()].filter((rel) => rel.startsWith("Device/"))).toEqual(
      [
        ...["Location", "UDN", "DeviceType", "FriendlyName", "Manufacturer", "ManufacturerURL", "ModelName"],
        ...["ModelNumber", "ModelDescription", "ModelURL", "SerialNumber", "PresentationURL"],
      ].map((name) => `Device/${name}`),
    );
    expect(found.get("Device/Location")).toBe(location);
    expect(found.get("Device/FriendlyName")).toBe("Lab Media");
    expect([...found].filter(([rel]) => rel.startsWith("Services/ContentDirectory/"))).toEqual([
      ["Services/ContentDirectory/ServiceType", "urn:schemas-upnp-org:service:ContentDirectory:1"],
      ["Services/ContentDirectory/ServiceId", "urn:upnp-org:serviceId:ContentDirectory"],
      ["Services/ContentDirectory/SCPDURL", "/ContentDir.xml"],
      ["Services/ContentDirectory/ControlURL", "/ctl/ContentDir"],
      ["Services/ContentDirectory/EventSubURL", "/evt/ContentDir"],
    ]);
    expect(found.has("Services/X_MS_MediaReceiverRegistrar/ServiceType")).toBe(true);
  });

  test("hold the devices in it, by their types, with their own below them", () => {
    const found = leaves(router);
    const udn = (rel: string) => found.get(`${rel}/Device/UDN`)?.at(-1);
    expect(udn("Devices/WANDevice")).toBe("2");
    expect(udn("Devices/WANDevice/Devices/WANConnectionDevice")).toBe("3");
    expect(udn("Devices/WANDevice2")).toBe("4");
    expect(found.get("Devices/WANDevice/Services/WANCommonIFC1/ControlURL")).toBe("/c");
    expect(found.has("Services/Layer3Forwarding1/EventSubURL")).toBe(false);
  });

  test("are named without what some write behind the id of a service", () => {
    const light = ["SwitchPower:1", "Dimming:1", "Dimming:2"];
    const services = light.map((id) => `<service><serviceId>urn:upnp-org:serviceId:${id}</serviceId></service>`);
    const found = leaves(description({ UDN: "uuid:1" }, `<serviceList>${services.join("")}</serviceList>`));
    for (const name of ["SwitchPower", "Dimming", "Dimming2"])
      expect(found.has(`Services/${name}/ServiceId`)).toBe(true);
  });

  test("have names for services and devices without one, each its own", () => {
    const one = "<service><controlURL>/c</controlURL></service>";
    const typed = "<service><serviceType>urn:x:service:Dimming:1</serviceType></service>";
    const inner = "<deviceList><device><UDN>uuid:2</UDN></device></deviceList>";
    const found = leaves(
      description({ UDN: "uuid:1" }, `<serviceList>${one}${one}${typed}${typed}</serviceList>${inner}`),
    );
    const parents = new Set([...found.keys()].map((rel) => rel.split("/").slice(0, 2).join("/")));
    for (const at of [
      "Services/Service",
      "Services/Service2",
      "Services/Dimming",
      "Services/Dimming2",
      "Devices/Device",
    ])
      expect(parents).toContain(at);
  });

  test("can be read, and where the device is found now is no part of what it is", () => {
    const nodes = nodesOf(readDescription(Buffer.from(minidlnaDescription)), location);
    expect(nodes.schema(parseRel("Device/UDN"))).toMatchObject({ format: "chr", permanent: true, volatile: false });
    expect(nodes.schema(parseRel("Device/Location"))).toMatchObject({ volatile: true });
    for (const [rel] of nodes.leaves()) expect([...(nodes.schema(rel)?.access ?? [])]).toEqual(["Get"]);
  });
});

test.each([
  ["Windows Media Connect compatible (MiniDLNA)", "1", "Windows Media Connect compatible (MiniDLNA)"],
  ["Philips hue bridge 2015", "BSB002", "Philips hue bridge 2015 BSB002"],
  ["Socket", "v1.0", "Socket"],
  ["FRITZ!Box 7590", "avm", "FRITZ!Box 7590"],
  ["FRITZ!Box 7590", "7590", "FRITZ!Box 7590"],
  ["Roku 3", "4200X", "Roku 3 4200X"],
  ["", "4200X", "4200X"],
  ["", "", undefined],
])("the model %j with the number %j is called %j", (modelName, modelNumber, model) => {
  const read = readDescription(Buffer.from(description({ UDN: "uuid:1", modelName, modelNumber })));
  expect(factsOf(read).model).toBe(model);
});

describe("a live read", () => {
  const scene = upnpScene();
  const { device, see, comes, reachable, faceOf, end } = scene;
  const name = parseRel("Device/FriendlyName");
  const live = () => moOf(scene.host, identity).read(name, "one", aCall({ live: true }));
  const refusal = (status: number) => expect(live()).rejects.toMatchObject({ name: "DmError", status });

  test("asks the device, and takes what is new; others know it as of when it was learned", async () => {
    const media = await device();
    see(media.sighting(key));
    await comes(reachable);
    const mo = moOf(scene.host, identity);
    await scene.clock.advance(60_000);
    expect(scene.clock.now() - (mo.age?.(name) ?? 0)).toBeGreaterThanOrEqual(60_000);
    expect(mo.age?.(parseRel("Device"))).toBeUndefined();
    media.says(minidlnaDescription.replace("Lab Media", "Den"));
    expect(await live()).toEqual({ format: "chr", data: "Den" });
    expect(mo.age?.(name)).toBe(scene.clock.now());
    expect(faceOf()?.facts.name).toBe("Den");
    expect(scene.host.face(identity)?.changed).toEqual([name]);
    // Whoever is called away by its farewell may still answer; that is no announcement.
    end(key);
    await live();
    expect(reachable()).toBe(false);
  });

  test("of a device that does not answer says what is the matter", async () => {
    const media = await device();
    see(media.sighting(key));
    await comes(reachable);
    media.says("<html>");
    await refusal(502);
    media.says(description({ UDN: "uuid:another" }));
    await refusal(503);
    media.answers = () => undefined;
    const silent = refusal(504);
    await scene.clock.advance(0);
    await comes(() => media.requests === 4);
    await scene.clock.advance(2000);
    await silent;
    await media.down();
    await refusal(503);
    expect(reachable()).toBe(true);
    expect(faceOf()?.facts.name).toBe("Lab Media");
  });
});
