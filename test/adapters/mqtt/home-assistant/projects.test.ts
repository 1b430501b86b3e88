import { afterEach, beforeEach, expect, test } from "vitest";
import { parseRel } from "../../../../tree/path.ts";
import { bool, chr, float, int, nul } from "../../../../tree/value.ts";
import { until } from "../../../fakes/host.ts";
import { colorLamp } from "../../../fakes/mqtt/models.ts";
import { zigbeeBridge } from "../../../fakes/mqtt/zigbee-bridge.ts";
import { moOf } from "../../contract.ts";
import * as bridges from "./bridge-payloads.ts";
import * as payloads from "./payloads.ts";
import { smallHome } from "../small-home.ts";
import type { SmallHome } from "../small-home.ts";

let home: SmallHome;
/** Every order that came, as "topic payload". */
let orders: string[];
beforeEach(async () => {
  home = await smallHome();
  orders = [];
});
afterEach(() => home.stop());

const announce = async (configs: Readonly<Record<string, unknown>>) => {
  for (const [topic, config] of Object.entries(configs)) await home.publish(topic, JSON.stringify(config));
};
/** What comes on `topic` is answered on another one. */
const answers = async (
  topic: string,
  answer: (payload: string) => readonly [topic: string, payload: string] | undefined,
) => {
  home.client.on("message", (at, payload) => {
    if (at !== topic) return;
    orders.push(`${at} ${payload.toString()}`);
    const reply = answer(payload.toString());
    if (reply !== undefined) void home.publish(reply[0], reply[1], false);
  });
  await home.client.subscribeAsync(topic);
};
const face = (id: string) => home.host.face(id)?.face;
const description = (id: string, rel: string) => moOf(home.host, id).schema(parseRel(rel))?.description;

test("ESPHome: a JSON light, told with its state; the MAC is in the identifier", async () => {
  await announce(payloads.espHome);
  await home.publish("bedroom-lamp/status", "online");
  const id = "mqtt:ha:a4cf12fedcba";
  await home.appears(id);
  await until(() => home.host.face(id)?.reachable);
  expect(await home.leaves(id)).toEqual([
    "strip/state",
    "strip/brightness",
    "strip/color_mode",
    "strip/color/r",
    "strip/color/g",
    "strip/color/b",
    "strip/effect",
    "uptime/state",
  ]);
  expect(face(id)).toMatchObject({
    facts: { name: "bedroom-lamp", maker: "Espressif", model: "esp32dev", firmware: "2023.12.5 (ESPHome)" },
    clues: [
      { kind: "protocol-id", value: "homeassistant:a4cf12fedcba" },
      { kind: "mac", value: "a4:cf:12:fe:dc:ba" },
    ],
  });
  const state = { state: "ON", brightness: 200, color_mode: "rgb", color: { r: 255, g: 128, b: 0 }, effect: "None" };
  await answers("bedroom-lamp/light/strip/command", (payload) => {
    const order = JSON.parse(payload) as typeof state;
    return [
      "bedroom-lamp/light/strip/state",
      JSON.stringify({ ...state, ...order, color: { ...state.color, ...order.color } }),
    ];
  });
  await home.publish("bedroom-lamp/light/strip/state", JSON.stringify(state));
  await home.shows(id, "strip/color/g", int(128));
  await home.replace(id, "strip/state", bool(false));
  await home.replace(id, "strip/brightness", int(50));
  await home.replace(id, "strip/color/r", int(10));
  await home.replace(id, "strip/effect", chr("Rainbow"));
  await until(() => orders.length === 4);
  expect(orders.map((order) => order.slice(order.indexOf(" ") + 1))).toEqual([
    '{"state":"OFF"}',
    '{"state":"ON","brightness":50}',
    '{"state":"ON","color":{"r":10,"g":128,"b":0}}',
    '{"state":"ON","effect":"Rainbow"}',
  ]);
  await home.shows(id, "strip/effect", chr("Rainbow"));
});

test("zigbee2mqtt: words of Python, an update's versions, and a clue that its own convention gives too", async () => {
  await announce({ ...bridges.zigbee2mqttLamp, ...bridges.zigbee2mqttWindow });
  const bridge = await zigbeeBridge(home.broker.url, [colorLamp]);
  const [lamp, window] = ["mqtt:ha:zigbee2mqtt_0x90fd9ffffe6494fc", "mqtt:ha:zigbee2mqtt_0x00158d0001a2b3c4"];
  for (const id of [lamp, window, `mqtt:z2m:${colorLamp.address}`]) await home.appears(id);
  await until(() => home.host.face(lamp)?.reachable);
  expect(face(lamp)?.clues).toContainEqual({ kind: "protocol-id", value: `zigbee:${colorLamp.address}` });
  expect(face(`mqtt:z2m:${colorLamp.address}`)?.clues).toContainEqual({
    kind: "protocol-id",
    value: `zigbee:${colorLamp.address}`,
  });
  await bridge.report(colorLamp.address, { update: { installed_version: 16842784, latest_version: 16842785 } });
  await home.shows(lamp, "update/installed_version", chr("16842784"));
  await home.shows(lamp, "update/latest_version", chr("16842785"));
  await home.shows(lamp, "linkquality/state", float(90));
  expect(moOf(home.host, lamp).schema(parseRel("update/installed_version"))?.access).toEqual(new Set(["Get"]));
  await home.replace(lamp, "light/brightness", int(12));
  await home.replace(lamp, "light/color/x", float(0.5));
  expect(bridge.orders.filter((order) => order.includes("/set "))).toEqual([
    'living room/lamp/set {"state":"ON","brightness":12}',
    'living room/lamp/set {"state":"ON","color":{"x":0.5,"y":0.4}}',
  ]);
  await home.publish("zigbee2mqtt/kitchen window", '{"contact":false,"battery":97}', false);
  await home.shows(window, "contact/state", bool(true));
  await home.publish("zigbee2mqtt/kitchen window", '{"contact":true}', false);
  await home.shows(window, "contact/state", bool(false));
  await bridge.availability(colorLamp.address, false);
  await until(() => home.host.face(lamp)?.reachable === false);
  expect(home.host.log.lines.join("\n")).toContain("a Home Assistant component that dmgw does not show");
  await bridge.crash();
});

test("Tasmota with SetOption19: what one config says of the device holds for all", async () => {
  await announce(payloads.tasmota);
  await home.publish("tele/socket/LWT", "Online");
  const id = "mqtt:ha:D1E2F3";
  await home.appears(id);
  await until(() => home.host.face(id)?.reachable);
  expect(face(id)?.facts).toEqual({
    name: "Socket",
    maker: "Tasmota",
    model: "Gosund SP111",
    firmware: "9.5.0(tasmota)",
  });
  await answers("cmnd/socket/POWER", (payload) => ["stat/socket/RESULT", JSON.stringify({ POWER: payload })]);
  await home.replace(id, "D1E2F3_RL_1/state", bool(true));
  expect(orders).toEqual(["cmnd/socket/POWER ON"]);
  await home.publish("tele/socket/SENSOR", '{"Time":"2026-01-01T00:00:00","ENERGY":{"Total":12.3,"Power":61}}', false);
  await home.shows(id, "D1E2F3_ENERGY_Power/state", float(61));
  await home.publish("tele/socket/LWT", "Offline");
  await until(() => home.host.face(id)?.reachable === false);
});

test("Shelly by a script: told and reported in other words; arithmetic is left out, and said to be", async () => {
  await announce(payloads.shelly);
  await home.publish("shellyplus1pm-a8032abe54dc/online", "true");
  const id = "mqtt:ha:shellyplus1pm-a8032abe54dc";
  await home.appears(id);
  await until(() => home.host.face(id)?.reachable);
  expect(face(id)?.clues).toContainEqual({ kind: "mac", value: "a8:03:2a:be:54:dc" });
  const status = (output: boolean) => JSON.stringify({ id: 0, output, apower: 8.25, aenergy: { total: 1234.5 } });
  await answers("shellyplus1pm-a8032abe54dc/command/switch:0", (payload) => [
    "shellyplus1pm-a8032abe54dc/status/switch:0",
    status(payload === "on"),
  ]);
  await home.replace(id, "switch_0/state", bool(true));
  expect(orders).toEqual(["shellyplus1pm-a8032abe54dc/command/switch:0 on"]);
  await home.shows(id, "power/state", float(8.2));
  expect(await home.value(id, "energy/state")).toEqual(nul);
  expect(description(id, "energy/state")).toBe("cannot be read: its template is none of the simple ones; kWh");
});

test("Z-Wave JS UI: what of its availability is understood counts", async () => {
  await announce(bridges.zwaveJsUi);
  const id = "mqtt:ha:zwavejs2mqtt_0xd1b2c3d4_node5";
  await home.appears(id);
  expect(home.host.face(id)?.reachable).toBe(false);
  await home.publish("zwave/driver/status", "true");
  await until(() => home.host.face(id)?.reachable);
  await answers("zwave/Cellar/Dryer/37/0/targetValue/set", (payload) => [
    "zwave/Cellar/Dryer/37/0/currentValue",
    JSON.stringify({ time: 1, value: payload === "True" }),
  ]);
  await home.replace(id, "switch/state", bool(true));
  await home.publish("zwave/Cellar/Dryer/50/0/value/66049", '{"time":1,"value":231.5}', false);
  await home.shows(id, "electric_w_value/state", float(231.5));
  expect(description(id, "nodeinfo_status/state")).toContain("cannot be read");
});

test("OpenMQTTGateway: the gateway is there, what it announces with wildcards is not listened to", async () => {
  await announce(payloads.openMqttGateway);
  await home.publish("home/OpenMQTTGateway_ESP32/LWT", "online");
  const id = "mqtt:ha:A4CF12ABCDEF";
  await home.appears(id);
  expect(face(id)?.clues).toContainEqual({ kind: "mac", value: "a4:cf:12:ab:cd:ef" });
  await home.publish("home/OpenMQTTGateway_ESP32/SYStoMQTT", '{"uptime":3605,"version":"v1.7.0"}', false);
  await home.shows(id, "A4CF12ABCDEF-uptime/state", float(3605));
  expect(home.host.present).toEqual([id]);
});

test("room-assistant: texts; a Bluetooth address is no MAC of the network", async () => {
  await announce(bridges.roomAssistant);
  await home.publish("room-assistant/status/living", "online");
  const id = "mqtt:ha:phone-1";
  await home.appears(id);
  expect(face(id)?.clues).toEqual([
    { kind: "protocol-id", value: "homeassistant:phone-1" },
    { kind: "protocol-id", value: "bluetooth:77:50:fb:4d:ab:70" },
  ]);
  await home.publish("room-assistant/sensor/ble-phone-1/state", "living room", false);
  await home.publish("room-assistant/device_tracker/ble-phone-1-tracker/state", "true", false);
  await home.shows(id, "ble-phone-1/state", chr("living room"));
  await home.shows(id, "ble-phone-1-tracker/state", chr("true"));
});

test("Valetudo: orders without a state are done when the broker has them, a fan speed when it comes back", async () => {
  await announce(bridges.valetudo);
  await home.publish("valetudo/BrazenSquid/$state", "ready");
  const id = "mqtt:ha:BrazenSquid";
  await home.appears(id);
  await until(() => home.host.face(id)?.reachable);
  const state = "valetudo/BrazenSquid/hass/BrazenSquid_vacuum/state";
  await home.publish(state, '{"state":"docked","fan_speed":"medium"}');
  await home.shows(id, "BrazenSquid_vacuum/state", chr("docked"));
  await answers("valetudo/BrazenSquid/hass/BrazenSquid_vacuum/command", () => undefined);
  await answers("valetudo/BrazenSquid/FanSpeedControlCapability/preset/set", (payload) => [
    state,
    JSON.stringify({ state: "cleaning", fan_speed: payload }),
  ]);
  await home.replace(id, "BrazenSquid_vacuum/command", chr("start"));
  await home.replace(id, "BrazenSquid_vacuum/fan_speed", chr("max"));
  await expect(home.replace(id, "BrazenSquid_vacuum/command", chr("dance"))).rejects.toMatchObject({ status: 400 });
  expect(orders).toEqual([
    "valetudo/BrazenSquid/hass/BrazenSquid_vacuum/command start",
    "valetudo/BrazenSquid/FanSpeedControlCapability/preset/set max",
  ]);
  await home.publish("valetudo/BrazenSquid/$state", "lost");
  await until(() => home.host.face(id)?.reachable === false);
});
