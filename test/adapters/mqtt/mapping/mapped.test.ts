import { afterEach, beforeEach, expect, test } from "vitest";
import { join } from "node:path";
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { parseRel } from "../../../../tree/path.ts";
import { bool, chr, float, int, nul } from "../../../../tree/value.ts";
import { aCall, until } from "../../../fakes/host.ts";
import { root } from "../../../rules/sources.ts";
import { moOf } from "../../contract.ts";
import { heard, smallHome } from "../small-home.ts";
import type { SmallHome } from "../small-home.ts";

/** As the config reader gives it: every number as text. */
function texts(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(texts);
  if (typeof json === "object" && json !== null)
    return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, texts(value)]));
  return typeof json === "number" ? String(json) : json;
}
const example = texts(parse(readFileSync(join(root, "config/mqtt-devices.example.yaml"), "utf8")));
const cistern = "mqtt:map:cistern";
const climate = "mqtt:map:kitchen-climate";

let home: SmallHome;
const orders: string[] = [];
beforeEach(async () => {
  home = await smallHome({ mapping: [example] });
  orders.splice(0);
  home.client.on("message", (topic, payload) => orders.push(`${topic} ${payload.toString()}`));
  await home.client.subscribeAsync(["garden/cistern/pump/+", "home/+/+/set", "home/+/+/get"]);
});
afterEach(() => home.stop());
const face = (id: string) => home.host.face(id);
const reachable = (id: string, now = true) => until(() => face(id)?.reachable === now);

test("a device with topics of its own is there at once, and reachable when it says so", async () => {
  await home.appears(cistern);
  expect(face(cistern)?.reachable).toBe(false);
  expect(await home.leaves(cistern)).toEqual(["level", "pump/on", "pump/mode"]);
  expect(await home.value(cistern, "level")).toEqual(nul);
  await home.publishAll({
    "garden/cistern/status": "up",
    "garden/cistern/level": " 73 ",
    "garden/cistern/pump": "OFF",
    "garden/cistern/pump/mode": "auto",
    "garden/cistern/info": '{"fw":{"version":"1.4"}}',
  });
  await reachable(cistern);
  await home.shows(cistern, "level", int(73));
  await home.shows(cistern, "pump/on", bool(false));
  await home.shows(cistern, "pump/mode", chr("auto"));
  const schema = (rel: string) => moOf(home.host, cistern).schema(parseRel(rel));
  expect(schema("level")).toMatchObject({ access: new Set(["Get"]), volatile: true, description: "Water level; %" });
  expect(schema("pump/mode")).toMatchObject({ description: "auto, manual, holiday" });
  await until(() => face(cistern)?.face.facts.firmware === "1.4");
  expect(face(cistern)?.face).toMatchObject({
    facts: { name: "Cistern", maker: "Home-made", model: "ESP8266 with HC-SR04", firmware: "1.4" },
    clues: [
      { kind: "protocol-id", value: "mqtt-map:cistern" },
      { kind: "mac", value: "aa:bb:cc:00:11:22" },
    ],
  });
  await home.publish("garden/cistern/status", "down");
  await reachable(cistern, false);
  await home.publish("garden/cistern/level", "");
  await home.shows(cistern, "level", nul);
});

test("orders go out in the device's own words, and are done when it answers", async () => {
  await home.publish("garden/cistern/status", "up");
  await home.appears(cistern);
  await reachable(cistern);
  const pump = home.replace(cistern, "pump/on", bool(true));
  await until(() => orders.includes("garden/cistern/pump/set ON"));
  await home.publish("garden/cistern/pump", "ON");
  expect(await pump).toEqual({ state: "done" });
  const mode = home.replace(cistern, "pump/mode", chr("holiday"));
  await until(() => orders.includes("garden/cistern/pump/command mode holiday"));
  await home.publish("garden/cistern/pump/mode", "holiday");
  expect(await mode).toEqual({ state: "done" });
  await expect(home.replace(cistern, "pump/mode", chr("party"))).rejects.toMatchObject({ status: 400 });
  await expect(home.replace(cistern, "level", int(5))).rejects.toMatchObject({ status: 405 });
  const silent = expect(home.replace(cistern, "pump/on", bool(false))).rejects.toMatchObject({ status: 504 });
  await until(() => orders.includes("garden/cistern/pump/set OFF"));
  await home.clock.advance(6000);
  await silent;
});

test("an order that the broker shall keep is kept", async () => {
  await home.publish("garden/cistern/status", "up");
  await home.appears(cistern);
  await reachable(cistern);
  const mode = home.replace(cistern, "pump/mode", chr("manual"));
  await until(() => orders.includes("garden/cistern/pump/command mode manual"));
  await home.publish("garden/cistern/pump/mode", "manual");
  await mode;
  orders.splice(0);
  await home.client.unsubscribeAsync("garden/cistern/pump/+");
  await home.client.subscribeAsync("garden/cistern/pump/+");
  await until(() => orders.includes("garden/cistern/pump/command mode manual"));
});

test("a live read asks where the file says how", async () => {
  await home.publish("garden/cistern/status", "up");
  await home.appears(cistern);
  await reachable(cistern);
  const read = moOf(home.host, cistern).read(parseRel("pump/on"), "one", aCall({ live: true }));
  await until(() => orders.includes("garden/cistern/pump/get "));
  await home.publish("garden/cistern/pump", "ON", false);
  expect(await read).toEqual(bool(true));
});

test("a device that can be asked is asked once when it is there", async () => {
  await home.publish("garden/cistern/status", "up");
  await home.appears(cistern);
  await reachable(cistern);
  const asked = () => orders.filter((order) => order === "garden/cistern/pump/get ").length;
  await home.clock.advance(1000);
  await until(() => asked() === 1);
  await home.publish("garden/cistern/status", "up");
  await home.publish("garden/cistern/pump", "OFF");
  await home.shows(cistern, "pump/on", bool(false));
  await home.clock.advance(1000);
  await heard(home);
  expect(asked()).toBe(1);
});

test("a pattern makes a device of each place where something speaks, and knows them by their levels", async () => {
  await home.publish("home/kitchen/climate/state", '{"t":21.5,"rh":48,"relay":{"state":false},"setpoint":20}', false);
  await home.publish("home/hall/climate/state", '{"t":19,"other":[1]}', false);
  await home.appears(climate);
  await home.appears("mqtt:map:hall-climate");
  await home.shows(climate, "temperature", float(21.5));
  await home.shows(climate, "relay", bool(false));
  await home.shows("mqtt:map:hall-climate", "temperature", float(19));
  expect(await home.value("mqtt:map:hall-climate", "humidity")).toEqual(nul);
  expect(face(climate)?.face.facts).toMatchObject({ name: "climate in the kitchen", serial: "climate" });
  const relay = home.replace(climate, "relay", bool(true));
  await until(() => orders.includes('home/kitchen/climate/set {"relay":{"state":true}}'));
  await home.publish("home/kitchen/climate/state", '{"relay":{"state":true}}', false);
  expect(await relay).toEqual({ state: "done" });
  const setpoint = home.replace(climate, "setpoint", float(21.5));
  await until(() => orders.includes('home/kitchen/climate/set {"cmd":"setpoint","value":21.5}'));
  await home.publish("home/kitchen/climate/state", '{"setpoint":21.5}', false);
  expect(await setpoint).toEqual({ state: "done" });
  await expect(home.replace(climate, "setpoint", float(21.3))).rejects.toMatchObject({ status: 400 });
  const text = home.replace(climate, "message", chr('a "quoted" \\ text'));
  await until(() => orders.includes(`home/kitchen/climate/set ${JSON.stringify({ text: 'a "quoted" \\ text' })}`));
  await home.publish("home/kitchen/climate/state", JSON.stringify({ text: 'a "quoted" \\ text' }), false);
  expect(await text).toEqual({ state: "done" });
});

test("a device that says nothing for its time is away, and back with its next word; the broker's copy is no word of it", async () => {
  await home.publish("home/kitchen/climate/state", '{"t":21}', false);
  await home.appears(climate);
  await reachable(climate);
  await home.clock.advance(14 * 60_000);
  await home.publish("home/kitchen/climate/state", '{"t":22}', false);
  await home.shows(climate, "temperature", float(22));
  await home.clock.advance(14 * 60_000);
  expect(face(climate)?.reachable).toBe(true);
  await home.clock.advance(60_000);
  expect(face(climate)?.reachable).toBe(false);
  await home.publish("home/kitchen/climate/state", '{"t":23}', false);
  await reachable(climate);
  await home.publish("home/attic/climate/state", '{"t":5}');
  home.broker.breakLines();
  await home.clock.advance(2000);
  await until(() => home.host.statuses.at(-1)?.state === "connected");
});

test("devices on one topic are told apart by a field of the payload", async () => {
  const event = (id: unknown, more: object) =>
    home.publish("rtl_433/events", JSON.stringify({ id, model: "LaCrosse-TX29", ...more }), false);
  await event(137, { temperature_C: 4.2, battery_ok: 1 });
  await event("b7", { temperature_C: -3 });
  await event({ nonsense: true }, { temperature_C: 99 });
  await event("a/b", { temperature_C: 99 });
  await home.appears("mqtt:map:137");
  await home.appears("mqtt:map:b7");
  await home.shows("mqtt:map:137", "temperature", float(4.2));
  await home.shows("mqtt:map:137", "battery_ok", bool(true));
  await home.shows("mqtt:map:b7", "temperature", float(-3));
  await until(() => face("mqtt:map:b7")?.face.facts.model === "LaCrosse-TX29");
  expect(home.host.present).toEqual(["mqtt:map:137", "mqtt:map:b7", cistern]);
});

test("nobody can invent more devices than the file allows, or take another one's id", async () => {
  for (let n = 0; n < 60; n++) await home.publish(`home/room${n}/x/state`, '{"t":1}', false);
  await heard(home);
  expect(home.host.present.filter((id) => id.startsWith("mqtt:map:room"))).toHaveLength(40);
  expect(JSON.stringify(home.host.log.lines)).toContain("more MQTT devices than their mapping says at most");
});

test("two places with the same id are one device: the first one", async () => {
  await home.publish("home/a-b/c/state", '{"t":1}', false);
  await home.publish("home/a/b-c/state", '{"t":2}', false);
  await home.appears("mqtt:map:a-b-c");
  await heard(home);
  await home.shows("mqtt:map:a-b-c", "temperature", float(1));
  expect(JSON.stringify(home.host.log.lines)).toContain("a mapped MQTT device by the id of another one");
});

test("hostile names and payloads make no harm", async () => {
  const name = "__proto__";
  await home.publish(`home/${name}/constructor/state`, '{"__proto__":{"t":9},"t":1}', false);
  await home.publish("home/\u0007/x/state", '{"t":1}', false);
  await home.publish(`home/${"x".repeat(300)}/x/state`, '{"t":1}', false);
  await home.publish("home/k/x/state", `{"t":${"[".repeat(50_000)}`, false);
  await home.publish("home/k/x/state", '{"t":{"deep":1},"rh":"many","text":5}', false);
  await home.publish("home/k/x/state", Buffer.from([0xff, 0xfe, 0x00]), false);
  await heard(home);
  await home.shows("mqtt:map:__proto__-constructor", "temperature", float(1));
  expect(await home.value("mqtt:map:k-x", "temperature")).toEqual(nul);
  await home.shows("mqtt:map:k-x", "message", chr("5"));
  expect(home.host.present).toEqual(["mqtt:map:__proto__-constructor", cistern, "mqtt:map:k-x"]);
  expect(({} as Record<string, unknown>).t).toBeUndefined();
});

test("without a mapping nothing of it is subscribed to", async () => {
  const bare = await smallHome();
  try {
    await bare.publish("home/kitchen/climate/state", '{"t":21}');
    await heard(bare);
    expect(bare.host.present).toEqual([]);
  } finally {
    await bare.stop();
  }
});
