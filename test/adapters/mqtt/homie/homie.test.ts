import { afterEach, beforeEach, expect, test } from "vitest";
import { parseRel } from "../../../../tree/path.ts";
import { bool, chr, float, int, nul } from "../../../../tree/value.ts";
import { aCall, until } from "../../../fakes/host.ts";
import { homieDevice } from "../../../fakes/mqtt/homie-device.ts";
import type { HomieDevice } from "../../../fakes/mqtt/homie-device.ts";
import { deskLamp, hub, plug, thermostat } from "../../../fakes/mqtt/models.ts";
import { moOf, passing } from "../../contract.ts";
import { smallHome } from "../small-home.ts";
import type { SmallHome } from "../small-home.ts";

let home: SmallHome;
let devices: HomieDevice[];
beforeEach(async () => {
  home = await smallHome();
  devices = [];
});
afterEach(async () => {
  for (const device of devices) await device.crash();
  await home.stop();
});
const add = async (...about: Parameters<typeof homieDevice>) => {
  const device = await homieDevice(...about);
  devices.push(device);
  await home.appears(`mqtt:homie:${device.id}`);
  return device;
};
const face = (id: string) => home.host.face(`mqtt:homie:${id}`);

test("a Homie 4 device shows its nodes and properties by their ids, with formats, units and limits", async () => {
  await add(home.broker.url, thermostat);
  const id = "mqtt:homie:hall-thermostat";
  expect(await home.leaves(id)).toEqual([
    "thermostat/current-temperature",
    "thermostat/target",
    "thermostat/mode",
    "battery/level",
  ]);
  await home.shows(id, "thermostat/current-temperature", float(20.5));
  await home.shows(id, "battery/level", int(87));
  const schema = (rel: string) => moOf(home.host, id).schema(parseRel(rel));
  expect(schema("thermostat/target")).toMatchObject({
    format: "float",
    access: new Set(["Get", "Replace"]),
    volatile: false,
    description: "Target; °C; 5 to 30",
  });
  expect(schema("battery/level")).toMatchObject({ access: new Set(["Get"]), volatile: true, description: "%" });
  expect(schema("thermostat")).toMatchObject({ format: "node", description: "Thermostat; heating" });
  expect(moOf(home.host, id).age?.(parseRel("battery/level"))).toBeGreaterThan(0);
  expect(face("hall-thermostat")?.face).toMatchObject({
    name: "MQTT",
    addresses: ["192.168.1.41"],
    facts: { name: "Hall thermostat", firmware: "2.4.1" },
    clues: [
      { kind: "protocol-id", value: id },
      { kind: "mac", value: "de:ad:be:ef:00:41" },
    ],
  });
});

test("only a real change is told, and a report is a sign of life", async () => {
  const device = await add(home.broker.url, thermostat);
  const before = face(device.id)?.changed.length ?? 0;
  const seen = face(device.id)?.seen ?? 0;
  await home.clock.advance(2000);
  await device.report("battery/level", "87");
  await device.report("battery/level", "86");
  await until(() => (face(device.id)?.changed.length ?? 0) > before);
  expect(face(device.id)?.changed.slice(before)).toEqual(["battery/level"]);
  expect(face(device.id)?.seen).toBeGreaterThan(seen);
});

test("attributes may come in any order, and late ones are taken over", async () => {
  await home.publishAll({
    "homie/x/n/p": "5",
    "homie/x/n/p/$datatype": "integer",
    "homie/x/n/$properties": "p,late",
    "homie/x/$state": "ready",
    "homie/x/$nodes": "n",
    "homie/x/$homie": "4.0.0",
  });
  await home.appears("mqtt:homie:x");
  await home.shows("mqtt:homie:x", "n/p", int(5));
  expect(await home.value("mqtt:homie:x", "n/late")).toEqual(nul);
  await home.publishAll({ "homie/x/n/late/$datatype": "float", "homie/x/n/late": "1.5", "homie/x/$name": "X" });
  await passing(home.clock, () => face("x")?.face.facts.name === "X", "the new name");
  await home.shows("mqtt:homie:x", "n/late", float(1.5));
  await home.shows("mqtt:homie:x", "n/p", int(5));
});

test("a device without its state, or of another version, is no device yet", async () => {
  await home.publishAll({ "homie/half/$homie": "4.0", "homie/half/$nodes": "", "homie/old/$homie": "2.0.0" });
  await home.publishAll({ "homie/old/$nodes": "", "homie/old/$state": "ready", "homie/half/$name": "half" });
  await home.clock.advance(10_000);
  expect(home.host.present).toEqual([]);
});

test("a value that has never been reported is null, and one that the broker forgets is null again", async () => {
  const device = await add(home.broker.url, { ...hub, nodes: { n: { properties: { p: { datatype: "integer" } } } } });
  const id = `mqtt:homie:${device.id}`;
  expect(await home.value(id, "n/p")).toEqual(nul);
  expect(moOf(home.host, id).age?.(parseRel("n/p"))).toBeUndefined();
  await device.report("n/p", "3");
  await until(() => face(device.id)?.changed.includes(parseRel("n/p")));
  await home.shows(id, "n/p", int(3));
  await home.publish("homie/5/garage-hub/n/p", "");
  await until(() => face(device.id)?.changed.filter((rel) => rel === "n/p").length === 2);
  expect(await home.value(id, "n/p")).toEqual(nul);
});

test("an empty text is written and read as one", async () => {
  const device = await add(home.broker.url, hub);
  await home.replace("mqtt:homie:garage-hub", "hub/note", chr("x"));
  expect(device.values.get("hub/note")).toBe("x");
  await home.replace("mqtt:homie:garage-hub", "hub/note", chr(""));
  expect(device.values.get("hub/note")).toBe("");
  await home.shows("mqtt:homie:garage-hub", "hub/note", chr(""));
});

test("64-bit integers keep their digits", async () => {
  await add(home.broker.url, hub);
  await home.shows("mqtt:homie:garage-hub", "hub/serial", chr("9007199254740993"));
  const device = await add(home.broker.url, {
    ...hub,
    id: "counter",
    nodes: { n: { properties: { c: { datatype: "integer", value: "1" } } } },
  });
  await home.shows("mqtt:homie:counter", "n/c", int(1));
  await device.report("n/c", "12345678901");
  await until(() => moOf(home.host, "mqtt:homie:counter").schema(parseRel("n/c"))?.format === "chr");
  await device.report("n/c", "2");
  await passing(home.clock, () => face("counter")?.changed.length === 2, "both changes");
  await home.shows("mqtt:homie:counter", "n/c", chr("2"));
});

test("a Homie 5 root that is lost takes its children with it, and brings them back", async () => {
  const root = await add(home.broker.url, hub);
  await add(home.broker.url, { ...plug, child: { of: root } });
  expect(face(plug.id)?.reachable).toBe(true);
  await root.state("lost");
  await until(() => face(plug.id)?.reachable === false && face(root.id)?.reachable === false);
  await root.state("ready");
  await until(() => face(plug.id)?.reachable === true);
  await root.state("sleeping");
  await until(() => face(root.id)?.reachable === false);
  expect(face(plug.id)?.reachable).toBe(true);
});

test("a new description changes the nodes and keeps the values of those that stay", async () => {
  const device = await add(home.broker.url, { ...plug });
  const { relay } = plug.nodes;
  if (relay === undefined) throw new Error("the plug has a relay");
  await device.describe({ relay, extra: { properties: { x: { datatype: "string", value: "new" } } } });
  await until(() => moOf(home.host, "mqtt:homie:garage-plug").has(parseRel("extra/x")));
  expect(await home.leaves("mqtt:homie:garage-plug")).toEqual(["relay/on", "extra/x"]);
  await home.shows("mqtt:homie:garage-plug", "relay/on", bool(true));
  expect(home.host.attachments).toHaveLength(1);
});

test("a device that removes itself is detached", async () => {
  const four = await add(home.broker.url, deskLamp);
  const five = await add(home.broker.url, hub);
  await four.remove();
  await five.remove();
  await until(
    () => home.host.present.length === 0,
    () => home.host.present.join(),
  );
});

test("a device that moves from Homie 4 to Homie 5 is the same device", async () => {
  const four = await add(home.broker.url, { ...deskLamp, id: "moved" });
  await four.leave();
  await add(home.broker.url, { ...hub, id: "moved" });
  await until(() => face("moved")?.face.mo.has(parseRel("hub/uptime")));
  expect(home.host.present).toEqual(["mqtt:homie:moved"]);
});

test("an order that the device accepts as its target is done", async () => {
  const device = await add(home.broker.url, plug);
  device.obey = (path, payload) => {
    void home.publish(`homie/5/garage-plug/${path}/$target`, payload);
    return undefined;
  };
  expect(await home.replace("mqtt:homie:garage-plug", "meter/limit", float(100))).toEqual({ state: "done" });
});

test("a device that takes another value than it was told is found out", async () => {
  const device = await add(home.broker.url, thermostat);
  device.obey = () => "20";
  const call = home.replace("mqtt:homie:hall-thermostat", "thermostat/target", float(25));
  const failed = expect(call).rejects.toMatchObject({
    status: 500,
    message: "the device kept 20 for thermostat/target",
  });
  await until(() => device.values.get("thermostat/target") === "20");
  await passing(home.clock, () => face(device.id)?.changed.includes(parseRel("thermostat/target")), "its report");
  await home.clock.advance(5000);
  await failed;
});

test("a momentary command is done when the broker has it", async () => {
  const device = await add(home.broker.url, deskLamp);
  device.obey = () => undefined;
  expect(await home.replace("mqtt:homie:desk-lamp", "light/blink", chr("twice"))).toEqual({ state: "done" });
  await until(() => device.orders.includes("light/blink=twice"));
});

test("a live read trusts what the broker holds, while the device is there", async () => {
  const device = await add(home.broker.url, thermostat);
  const read = () =>
    moOf(home.host, "mqtt:homie:hall-thermostat").read(parseRel("battery/level"), "one", aCall({ live: true }));
  expect(await read()).toEqual(int(87));
  await device.crash();
  await until(() => face(device.id)?.reachable === false);
  await expect(read()).rejects.toMatchObject({ status: 503 });
});
