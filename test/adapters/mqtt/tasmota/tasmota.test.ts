import { afterEach, beforeEach, expect, test } from "vitest";
import { DmError } from "../../../../tree/errors.ts";
import { parseRel } from "../../../../tree/path.ts";
import { bool, chr, float, int } from "../../../../tree/value.ts";
import type { Value } from "../../../../tree/value.ts";
import { aCall, until } from "../../../fakes/host.ts";
import { configOf, tasmotaDevice } from "../../../fakes/mqtt/tasmota-device.ts";
import type { TasmotaDevice } from "../../../fakes/mqtt/tasmota-device.ts";
import { airSensor, blind, colorBulb, energyPlug, relayBoard } from "../../../fakes/mqtt/tasmota-models.ts";
import type { TasmotaModel } from "../../../fakes/mqtt/tasmota-models.ts";
import { moOf, passing } from "../../contract.ts";
import { smallHome } from "../small-home.ts";
import type { SmallHome } from "../small-home.ts";

let home: SmallHome;
const devices: TasmotaDevice[] = [];
beforeEach(async () => void (home = await smallHome({ conventions: ["tasmota"] })));
afterEach(async () => {
  for (const device of devices.splice(0)) await device.leave();
  await home.stop();
});

const idOf = ({ mac }: TasmotaModel) => `mqtt:tasmota:${mac.toLowerCase()}`;

/** Comes onto the broker, and into the tree, reachable, with its first answers. */
async function appears(model: TasmotaModel): Promise<TasmotaDevice> {
  const device = await tasmotaDevice(home.broker.url, model);
  devices.push(device);
  await passing(home.clock, () => home.host.face(idOf(model))?.reachable, `${model.name} to appear`);
  await passing(home.clock, () => device.orders.includes("STATUS 10"), "the first questions");
  await heard(device);
  return device;
}

/** What the device has said so far has been heard: a last message of its own goes the same way. */
async function heard(device: TasmotaDevice): Promise<void> {
  const beacon = { ...energyPlug, mac: "0200000000FF", topic: "beacon" };
  const put = (text: string) =>
    device.client.publishAsync("tasmota/discovery/0200000000FF/config", text, { qos: 1, retain: true });
  await device.settled();
  await put(JSON.stringify(configOf(beacon)));
  await home.appears(idOf(beacon));
  await put("");
  await until(() => home.host.face(idOf(beacon)) === undefined);
}
const shows = (model: TasmotaModel, rel: string, value: Value) => home.shows(idOf(model), rel, value);
const replace = (model: TasmotaModel, rel: string, value: Value) => home.replace(idOf(model), rel, value);
const status = async (call: Promise<unknown>) => {
  const thrown: unknown = await call.catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(DmError);
  return (thrown as DmError).status;
};

test("a plug that measures: facts, clues, switch, energy, and how it is doing", async () => {
  const plug = await appears(energyPlug);
  expect(home.host.face(idOf(energyPlug))?.face).toMatchObject({
    name: "MQTT",
    addresses: ["192.168.1.61"],
    facts: { name: "Washing machine", model: "Nous A1T", firmware: "14.4.1" },
    clues: [
      { kind: "mac", value: "c4:4f:33:a1:b0:e7" },
      { kind: "protocol-id", value: "tasmota:c44f33a1b0e7" },
      { kind: "host-name", value: "tasmota-A1B0E7-4327" },
    ],
  });
  await shows(energyPlug, "POWER", bool(true));
  await shows(energyPlug, "SENSOR/ENERGY/Total", float(151.203));
  await shows(energyPlug, "SENSOR/ENERGY/TotalStartTime", chr("2025-03-01T08:32:22"));
  await shows(energyPlug, "STATE/Wifi/RSSI", int(84));
  const mo = moOf(home.host, idOf(energyPlug));
  expect(mo.schema(parseRel("POWER"))).toMatchObject({ format: "bool", volatile: false });
  expect(mo.schema(parseRel("SENSOR/ENERGY/Power"))).toMatchObject({
    format: "float",
    volatile: true,
    description: "W",
  });
  expect(mo.schema(parseRel("STATE"))?.description).toBe("how the device itself is doing");
  await plug.report({ ENERGY: { ...(energyPlug.sensors?.ENERGY as object), Power: 1811 } });
  await shows(energyPlug, "SENSOR/ENERGY/Power", float(1811));
});

test("a switch is told in the device's own words, below its own command topic, and is done when it answers", async () => {
  const board = await appears(relayBoard);
  await shows(relayBoard, "POWER2", bool(false));
  expect(await replace(relayBoard, "POWER2", bool(true))).toEqual({ state: "done" });
  expect(board.orders.at(-1)).toBe("POWER2 EIN");
  expect(board.state.power).toEqual([true, true, false, true]);
  await shows(relayBoard, "POWER2", bool(true));
  expect(moOf(home.host, idOf(relayBoard)).schema(parseRel("POWER2"))?.description).toContain("Solar pump");
});

test("one relay is POWER, whether the device says POWER or POWER1 (SetOption26)", async () => {
  await appears(energyPlug);
  await home.publish("stat/tasmota_A1B0E7/RESULT", '{"POWER1":"OFF"}', false);
  await shows(energyPlug, "POWER", bool(false));
  await home.publish("stat/tasmota_A1B0E7/POWER", "ON", false);
  await shows(energyPlug, "POWER", bool(true));
  await home.publish("stat/tasmota_A1B0E7/POWER1", "OFF", false);
  await shows(energyPlug, "POWER", bool(false));
});

test("a board of relays: buttons, switches, phases by number", async () => {
  const board = await appears(relayBoard);
  await shows(relayBoard, "SENSOR/ENERGY/Power/1", float(230));
  await shows(relayBoard, "SENSOR/ENERGY/Voltage/3", float(230));
  await shows(relayBoard, "Switch2", chr("EIN"));
  await board.press(1, "DOUBLE");
  await shows(relayBoard, "Button1", chr("DOUBLE"));
  await home.publish("house/boiler/done/RESULT", '{"Switch2":{"Action":"AUS"}}', false);
  await shows(relayBoard, "Switch2", chr("AUS"));
  expect(moOf(home.host, idOf(relayBoard)).has(parseRel("Button2"))).toBe(false);
});

test("a bulb takes colours, white and fading, and the order to be off comes last", async () => {
  const bulb = await appears(colorBulb);
  await shows(colorBulb, "HSBColor", chr("24,80,60"));
  await shows(colorBulb, "Color", chr("99501F0000"));
  await shows(colorBulb, "Fade", bool(true));
  expect(await replace(colorBulb, "HSBColor", chr("240,100,50"))).toEqual({ state: "done" });
  await shows(colorBulb, "Color", chr("0000800000"));
  await shows(colorBulb, "Dimmer", int(50));
  expect(await status(replace(colorBulb, "CT", int(152)))).toBe(400);
  expect(await status(replace(colorBulb, "HSBColor", chr("361,0,0")))).toBe(400);
  const changes = [
    { verb: "Replace", rel: parseRel("POWER"), value: bool(false) },
    { verb: "Replace", rel: parseRel("Dimmer"), value: int(20) },
    { verb: "Replace", rel: parseRel("Speed"), value: int(9) },
  ] as const;
  expect(await moOf(home.host, idOf(colorBulb)).apply(changes, aCall())).toEqual({ state: "done" });
  expect(bulb.orders.slice(-3)).toEqual(["Dimmer 20", "Speed 9", "POWER OFF"]);
  expect(bulb.state).toMatchObject({ power: [false], dimmer: 20, speed: 9 });
});

test("what a light has follows from its kind", async () => {
  const kinds: readonly (readonly [number, string[]])[] = [
    [1, ["Dimmer"]],
    [2, ["Dimmer", "CT"]],
    [3, ["Dimmer", "HSBColor", "Color", "Scheme"]],
    [4, ["Dimmer", "HSBColor", "Color", "White", "Scheme"]],
    [5, ["Dimmer", "HSBColor", "Color", "White", "CT", "Scheme"]],
  ];
  for (const [light, expected] of kinds) {
    const model = { ...colorBulb, mac: `40F520FE3A1${light}`, topic: `bulb${light}`, light };
    await appears(model);
    const own = (await home.leaves(idOf(model))).filter((leaf) => !leaf.includes("/"));
    expect(own).toEqual(["POWER", ...expected, "Fade", "Speed"]);
  }
  const config = (part: object) => JSON.stringify({ ...configOf(colorBulb), ...part });
  await home.publish(
    "tasmota/discovery/40F520FE3A20/config",
    config({ mac: "40F520FE3A20", t: "split", rl: [2, 2], lk: 0 }),
  );
  await home.publish(
    "tasmota/discovery/40F520FE3A21/config",
    config({ mac: "40F520FE3A21", t: "five", rl: [2, 2, 2, 2, 2], so: { "68": 1 } }),
  );
  await home.publish(
    "tasmota/discovery/40F520FE3A22/config",
    config({ mac: "40F520FE3A22", t: "fan", rl: [2, 0, 0, 0], if: 1, lt_st: 0 }),
  );
  await home.appears("mqtt:tasmota:40f520fe3a20");
  expect(await home.leaves("mqtt:tasmota:40f520fe3a20")).toEqual(
    expect.arrayContaining(["POWER1", "POWER2", "Dimmer1", "Dimmer2", "CT"]),
  );
  await home.appears("mqtt:tasmota:40f520fe3a21");
  expect(await home.leaves("mqtt:tasmota:40f520fe3a21")).toEqual(expect.arrayContaining(["POWER5", "Channel5"]));
  await home.appears("mqtt:tasmota:40f520fe3a22");
  expect(await home.leaves("mqtt:tasmota:40f520fe3a22")).toEqual(expect.arrayContaining(["POWER", "FanSpeed"]));
});

test("a blind has taken its order as soon as it says where it goes; its place follows", async () => {
  const device = await appears(blind);
  await shows(blind, "ShutterPosition1", int(100));
  expect(moOf(home.host, idOf(blind)).has(parseRel("POWER1"))).toBe(false);
  expect(await replace(blind, "ShutterPosition1", int(30))).toEqual({ state: "done" });
  expect(device.orders.at(-1)).toBe("ShutterPosition1 30");
  await shows(blind, "SENSOR/Shutter1/Target", int(30));
  await shows(blind, "SENSOR/Shutter1/Direction", int(-1));
  await shows(blind, "ShutterPosition1", int(100));
  await device.move(40);
  await shows(blind, "ShutterPosition1", int(60));
  await device.move(40);
  await shows(blind, "ShutterPosition1", int(30));
  expect(await replace(blind, "ShutterTilt1", int(-45))).toEqual({ state: "done" });
  await shows(blind, "SENSOR/ANALOG/Temperature", float(48.2));
  expect(moOf(home.host, idOf(blind)).schema(parseRel("SENSOR/ANALOG/Temperature"))?.description).toBe("°C");
});

test("a sensor with topics of its own: the last will, the id and the units", async () => {
  const device = await appears(airSensor);
  await shows(airSensor, "SENSOR/BME280/Pressure", float(1013.2));
  await shows(airSensor, "SENSOR/DS18B20/Id", chr("0316A279E254"));
  expect(moOf(home.host, idOf(airSensor)).schema(parseRel("SENSOR/BME280/Pressure"))?.description).toBe("hPa");
  expect(await home.leaves(idOf(airSensor))).toContain("STATE/BatteryPercentage");
  await home.publish("greenhouse/tele/A4CF12B3C4D5/LWT", "Offline");
  await until(() => home.host.face(idOf(airSensor))?.reachable === false);
  expect(await status(home.replace(idOf(airSensor), "SENSOR/BME280/Humidity", float(1)))).toBe(405);
  // Who speaks is there.
  await device.report({ BME280: { Temperature: 3.5 } });
  await until(() => home.host.face(idOf(airSensor))?.reachable === true);
  await shows(airSensor, "SENSOR/BME280/Temperature", float(3.5));
});

test("a live read asks the device itself", async () => {
  const plug = await appears(energyPlug);
  plug.state.power[0] = false;
  const before = plug.orders.length;
  const read = moOf(home.host, idOf(energyPlug)).read(parseRel("POWER"), "one", aCall({ live: true }));
  expect(await read).toEqual(bool(false));
  expect(plug.orders.slice(before)).toEqual(["STATE"]);
  const all = moOf(home.host, idOf(energyPlug)).read(parseRel(""), "deep", aCall({ live: true }));
  expect((await all).format).toBe("node");
  expect(plug.orders.slice(before + 1)).toEqual(["STATE", "STATUS 10"]);
});

test("an order that the device refuses, or does not answer, is no success", async () => {
  const bulb = await appears(colorBulb);
  bulb.obey = (command) => command !== "Dimmer";
  const silent = status(replace(colorBulb, "Dimmer", int(5)));
  await until(() => bulb.orders.at(-1) === "Dimmer 5");
  await home.clock.advance(6000);
  expect(await silent).toBe(504);
  bulb.obey = (command) => command !== "POWER";
  const kept = status(replace(colorBulb, "POWER", bool(false)));
  await until(() => bulb.orders.at(-1) === "POWER OFF");
  await bulb.client.publishAsync("stat/tasmota_FE3A09/RESULT", '{"POWER":"ON"}', { qos: 1 });
  await heard(bulb);
  await home.clock.advance(6000);
  expect(await kept).toBe(500);
});

test("a device that takes its discovery back is gone; one that comes again is the same", async () => {
  const plug = await appears(energyPlug);
  await plug.hide();
  await until(() => home.host.face(idOf(energyPlug)) === undefined);
  await plug.announce();
  await home.appears(idOf(energyPlug));
  await passing(home.clock, () => home.host.face(idOf(energyPlug))?.reachable, "its last will again");
});

test("new sensors and another topic are taken over without a new device", async () => {
  const plug = await appears(energyPlug);
  await home.publish(
    "tasmota/discovery/C44F33A1B0E7/sensors",
    '{"sn":{"Time":"2026-11-21T02:00:00","DS18B20":{"Temperature":40.5},"TempUnit":"F"},"ver":1}',
  );
  await until(() => moOf(home.host, idOf(energyPlug)).has(parseRel("SENSOR/DS18B20")));
  await shows(energyPlug, "SENSOR/DS18B20/Temperature", float(40.5));
  expect(moOf(home.host, idOf(energyPlug)).has(parseRel("SENSOR/ENERGY"))).toBe(false);
  await shows(energyPlug, "POWER", bool(true));
  await plug.leave();
  const moved = { ...energyPlug, topic: "laundry", name: "Laundry" };
  const again = await tasmotaDevice(home.broker.url, moved);
  devices.push(again);
  await passing(home.clock, () => home.host.face(idOf(moved))?.face.facts.name === "Laundry", "its new name");
  await passing(home.clock, () => home.host.face(idOf(moved))?.reachable, "its last will");
  expect(await replace(moved, "POWER", bool(false))).toEqual({ state: "done" });
  expect(home.host.attachments.filter(({ face }) => face.identity === idOf(moved))).toHaveLength(1);
});

test("orders of others are no reports, and what the log of a device says neither", async () => {
  await appears(energyPlug);
  await shows(energyPlug, "POWER", bool(true));
  const changes = () => home.host.face(idOf(energyPlug))?.changed.length;
  const before = changes();
  await home.publish("stat/tasmota_A1B0E7/LOGGING", '{"POWER":"OFF"}', false);
  await home.publish("tele/tasmota_A1B0E7/INFO1", '{"POWER":"OFF"}', false);
  await home.publish("stat/tasmota_A1B0E7/RESULT", '{"Command":"Unknown"}', false);
  await home.publish("stat/tasmota_A1B0E7/RESULT", '{"Dimmer":7}', false);
  await until(() => (home.host.face(idOf(energyPlug))?.seen ?? 0) > 0);
  expect(changes()).toBe(before);
});
