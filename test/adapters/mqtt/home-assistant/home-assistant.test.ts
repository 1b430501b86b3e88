import { afterEach, beforeEach, expect, test } from "vitest";
import { parseRel } from "../../../../tree/path.ts";
import { bool, chr, float, int, nul } from "../../../../tree/value.ts";
import { until } from "../../../fakes/host.ts";
import { announcedDevice } from "../../../fakes/mqtt/home-assistant-device.ts";
import type { AnnouncedDevice } from "../../../fakes/mqtt/home-assistant-device.ts";
import { blind, boiler } from "../../../fakes/mqtt/announced-models.ts";
import { moOf, passing } from "../../contract.ts";
import { smallHome } from "../small-home.ts";
import type { SmallHome } from "../small-home.ts";

let home: SmallHome;
const devices: AnnouncedDevice[] = [];
const [heater, shade] = ["mqtt:ha:boiler-a4cf12", "mqtt:ha:blind-7c9ebd"] as const;
beforeEach(async () => {
  home = await smallHome();
  devices.push(await announcedDevice(home.broker.url, boiler), await announcedDevice(home.broker.url, blind));
  for (const id of [heater, shade]) await home.appears(id);
});
afterEach(async () => {
  for (const device of devices.splice(0)) await device.leave();
  await home.stop();
});
const face = (id: string) => home.host.face(id);
const device = (id: string) => devices.find((one) => id.endsWith(one.id));

test("each entity is a node, each of its topics a property; a device is what its block says", async () => {
  expect(home.host.present).toEqual([shade, heater]);
  expect((await home.leaves(heater)).sort()).toEqual([
    "heating/current_temperature",
    "heating/mode",
    "heating/temperature",
    "pressure/state",
    "pump/state",
  ]);
  expect((await home.leaves(shade)).sort()).toEqual(["blind/position", "blind/state", "rssi/state", "speed/state"]);
  const schema = (id: string, rel: string) => moOf(home.host, id).schema(parseRel(rel));
  expect(schema(heater, "heating/temperature")).toMatchObject({
    format: "float",
    description: "°C; 5 to 30 in steps of 0.5",
    access: new Set(["Get", "Replace"]),
    volatile: false,
  });
  expect(schema(heater, "pressure/state")).toMatchObject({ format: "float", description: "bar", volatile: true });
  expect(schema(heater, "pressure")).toMatchObject({ format: "node", description: "Pressure; sensor; pressure" });
  expect(schema(shade, "speed/state")).toMatchObject({ format: "chr", description: "silent, slow, fast" });
  expect(schema(shade, "blind/position")).toMatchObject({ format: "int", description: "0 to 100" });
  expect(face(heater)?.face).toMatchObject({
    name: "MQTT",
    addresses: [],
    facts: {
      name: "Boiler",
      maker: "Lab Heating",
      model: "LH-20",
      firmware: "1.8.2",
      hardware: "B",
      serial: "LH20-004711",
    },
    clues: [
      { kind: "protocol-id", value: "homeassistant:boiler-a4cf12" },
      { kind: "mac", value: "a4:cf:12:00:47:11" },
      { kind: "serial", value: "LH20-004711" },
    ],
  });
});

test("what is retained is shown, and is no sign of life; what is reported is", async () => {
  await home.shows(heater, "heating/temperature", float(21));
  await home.shows(heater, "pump/state", bool(true));
  await home.shows(shade, "blind/position", int(100));
  await home.shows(shade, "rssi/state", float(-61));
  const before = face(heater)?.seen ?? 0;
  await home.clock.advance(1000);
  await device(heater)?.report("pressure/state", "1.55");
  await home.shows(heater, "pressure/state", float(1.55));
  expect(face(heater)?.seen).toBe(before + 1);
  expect(face(heater)?.changed).toContain("pressure/state");
  await device(heater)?.report("pressure/state", "None");
  await home.shows(heater, "pressure/state", nul);
});

test("a write is done when the device says so", async () => {
  await home.replace(heater, "heating/temperature", float(19.5));
  await home.replace(heater, "pump/state", bool(false));
  await home.replace(shade, "blind/position", int(40));
  await home.replace(shade, "speed/state", chr("fast"));
  expect(device(heater)?.orders).toEqual(["heating/temperature=19.5", "pump/state=OFF"]);
  expect(device(shade)?.orders).toEqual(["blind/position=40", "speed/state=fast"]);
  expect(await home.value(heater, "heating/temperature")).toEqual(float(19.5));
  await expect(home.replace(heater, "heating/temperature", float(31))).rejects.toMatchObject({ status: 400 });
  await expect(home.replace(heater, "heating/mode", chr("boil"))).rejects.toMatchObject({ status: 400 });
  await expect(home.replace(heater, "pressure/state", float(1))).rejects.toMatchObject({ status: 405 });
});

test("the last will calls a device away, and its return back", async () => {
  await passing(home.clock, () => face(heater)?.reachable, "the boiler to be there");
  await device(heater)?.crash();
  await until(() => face(heater)?.reachable === false);
  await expect(home.replace(heater, "pump/state", bool(false))).rejects.toMatchObject({ status: 503 });
  await home.publish("lab/boiler-a4cf12/status", "online");
  await until(() => face(heater)?.reachable === true);
  expect(home.host.attachments).toHaveLength(2);
});

test("a cleared config takes its entity away, the last one the device", async () => {
  await home.publish("homeassistant/switch/boiler-a4cf12/pump/config", "");
  await passing(home.clock, () => !moOf(home.host, heater).has(parseRel("pump")), "the pump to go");
  expect(await home.leaves(heater)).toHaveLength(4);
  await home.publish("homeassistant/device/blind-7c9ebd/config", "");
  await passing(home.clock, () => face(shade) === undefined, "the blind to go");
  await device(shade)?.announce();
  await home.appears(shade);
  await home.shows(shade, "blind/state", chr("open"));
});

test("a broker that lost its memory leaves the devices away for a while before they go", async () => {
  await until(() => face(heater)?.reachable === true);
  for (const one of devices.splice(0)) await one.remove();
  await passing(home.clock, () => home.host.present.length === 0, "both to go");
});

test("after a broken line everything is as before, and comes once", async () => {
  await home.shows(heater, "pump/state", bool(true));
  home.broker.breakLines();
  await until(() => home.host.statuses.at(-1)?.state === "error");
  await passing(home.clock, () => home.host.statuses.at(-1)?.state === "connected", "the line");
  await home.clock.advance(3000);
  await device(heater)?.report("pressure/state", "1.1");
  await home.shows(heater, "pressure/state", float(1.1));
  expect(home.host.attachments).toHaveLength(2);
  await passing(home.clock, () => face(heater)?.reachable, "the boiler to be there");
});

test("a device whose config has gone while the line was down is away, and given up after an hour", async () => {
  await until(() => face(heater)?.reachable === true);
  const config = "homeassistant/device/blind-7c9ebd/config";
  for (const one of devices.splice(0)) await one.leave();
  home.broker.breakLines();
  await until(() => home.host.statuses.at(-1)?.state === "error");
  await until(() => home.client.connected);
  await home.publish(config, "");
  await passing(home.clock, () => home.host.statuses.at(-1)?.state === "connected", "the line");
  await passing(home.clock, () => face(shade)?.reachable === false, "the blind to be called away");
  await home.clock.advance(3_500_000);
  expect(home.host.present).toEqual([shade, heater]);
  await home.clock.advance(3_800_000);
  await home.clock.advance(200);
  expect(home.host.present).toEqual([heater]);
});

test("an announcement that is not retained outlasts a broken line: the device is there again when it speaks", async () => {
  const config = { state_topic: "meter/state", unit_of_measurement: "W", device: { identifiers: ["meter"] } };
  await home.publish("homeassistant/sensor/meter/config", JSON.stringify(config), false);
  await home.appears("mqtt:ha:meter");
  await home.publish("meter/state", "7", false);
  await home.shows("mqtt:ha:meter", "meter/state", float(7));
  home.broker.breakLines();
  await until(() => home.host.statuses.at(-1)?.state === "error");
  await until(() => home.client.connected);
  await passing(home.clock, () => face("mqtt:ha:meter")?.reachable === false, "the meter to be missed");
  await home.publish("meter/state", "8", false);
  await until(() => face("mqtt:ha:meter")?.reachable === true);
  await home.shows("mqtt:ha:meter", "meter/state", float(8));
  await home.clock.advance(8_000_000);
  expect(home.host.present).toContain("mqtt:ha:meter");
});
