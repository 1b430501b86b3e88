import { afterEach, beforeEach, expect, test } from "vitest";
import { parseRel } from "../../../../tree/path.ts";
import { bool, chr, float, int, nul } from "../../../../tree/value.ts";
import { aCall, until } from "../../../fakes/host.ts";
import { moOf, passing } from "../../contract.ts";
import { smallHome } from "../small-home.ts";
import type { SmallHome } from "../small-home.ts";

let home: SmallHome;
beforeEach(async () => void (home = await smallHome()));
afterEach(() => home.stop());

const device = { identifiers: ["box"], name: "Box" };
const id = "mqtt:ha:box";
const announce = (place: string, config: object) =>
  home.publish(`homeassistant/${place}/config`, JSON.stringify({ device, ...config }));
/** Every order on these topics, as "topic payload"; on the first of a pair the second repeats it. */
const listen = async (...topics: (readonly [order: string, state?: string])[]) => {
  const orders: string[] = [];
  home.client.on("message", (topic, payload) => {
    orders.push(`${topic} ${payload.toString()}`);
    const state = topics.find(([order]) => order === topic)?.[1];
    if (state !== undefined) void home.publish(state, payload.toString(), false);
  });
  await home.client.subscribeAsync(topics.map(([order]) => order));
  return orders;
};
const schema = (rel: string) => moOf(home.host, id).schema(parseRel(rel));

test("what has no state is told and never read; a button takes one word", async () => {
  await announce("switch/blind", { command_topic: "blind/set", optimistic: true });
  await announce("switch/assumed", { command_topic: "assumed/set", state_topic: "assumed", optimistic: true });
  await announce("button/restart", { command_topic: "restart", payload_press: "NOW", retain: true });
  await home.appears(id);
  const orders = await listen(["blind/set"], ["assumed/set"], ["restart"]);
  expect(schema("blind/state")?.access).toEqual(new Set(["Replace"]));
  expect(schema("assumed/state")?.access).toEqual(new Set(["Get", "Replace"]));
  await home.replace(id, "blind/state", bool(true));
  await home.replace(id, "assumed/state", bool(false));
  await home.replace(id, "restart/command", chr("NOW"));
  await expect(home.replace(id, "restart/command", chr("LATER"))).rejects.toMatchObject({ status: 400 });
  await until(() => orders.length === 3);
  expect(orders).toEqual(["blind/set ON", "assumed/set OFF", "restart NOW"]);
  expect(await home.value(id, "assumed/state")).toEqual(nul);
});

test("a command template is filled; a value that it makes nothing of is refused before anything is sent", async () => {
  await announce("cover/c", {
    set_position_topic: "c/set",
    set_position_template: '{"pos":{{ position | int }}}',
    position_topic: "c",
    position_template: "{{ value_json.pos }}",
  });
  await announce("text/t", { command_topic: "t/set", command_template: "{{ value | float }}" });
  await home.appears(id);
  const orders = await listen(["c/set", "c"], ["t/set"]);
  await home.replace(id, "c/position", int(30));
  await expect(home.replace(id, "t/state", chr("warm"))).rejects.toMatchObject({ status: 400 });
  await home.replace(id, "t/state", chr("21.5"));
  await until(() => orders.length === 2);
  expect(orders).toEqual(['c/set {"pos":30}', "t/set 21.5"]);
});

test("two JSON lights of one device on one topic are told apart; a siren is told as JSON", async () => {
  const light = { schema: "json", state_topic: "strip", command_topic: "strip/set", supported_color_modes: ["hs"] };
  await announce("light/a", light);
  await announce("light/b", light);
  await announce("siren/s", { command_topic: "s/set", state_topic: "s" });
  await home.appears(id);
  await home.publish("strip", '{"state":"ON","color":{"h":100,"s":50}}');
  await home.shows(id, "b/color/h", float(100));
  const orders = await listen(["strip/set", "strip"], ["s/set", "s"]);
  await home.replace(id, "a/color/s", float(20));
  await home.replace(id, "s/state", bool(true));
  expect(orders).toEqual(['strip/set {"state":"ON","color":{"h":100,"s":20}}', 's/set {"state":"ON"}']);
  await home.publish("s", "OFF", false);
  await home.shows(id, "s/state", bool(false));
});

test("colors, words and numbers of a light with a topic for each", async () => {
  await announce("light/l", {
    command_topic: "l/set",
    state_topic: "l",
    rgb_command_topic: "l/rgb/set",
    rgb_state_topic: "l/rgb",
    brightness_command_topic: "l/bri/set",
    brightness_state_topic: "l/bri",
    brightness_scale: 100,
  });
  await home.appears(id);
  const orders = await listen(["l/set", "l"], ["l/rgb/set", "l/rgb"], ["l/bri/set", "l/bri"]);
  await moOf(home.host, id).apply(
    [
      { verb: "Replace", rel: parseRel("l/state"), value: bool(true) },
      { verb: "Replace", rel: parseRel("l/rgb"), value: chr("255,0,20") },
      { verb: "Replace", rel: parseRel("l/brightness"), value: int(40) },
    ],
    aCall(),
  );
  expect(orders).toEqual(["l/set ON", "l/rgb/set 255,0,20", "l/bri/set 40"]);
  await expect(home.replace(id, "l/rgb", chr("256,0,0"))).rejects.toMatchObject({ status: 400 });
});

test("an update entity says which firmware runs, where the device does not", async () => {
  await announce("update/fw", { state_topic: "fw", device_class: "firmware" });
  await home.appears(id);
  await home.publish("fw", '{"installed_version":"1.0","latest_version":"1.1","in_progress":false}');
  await home.shows(id, "fw/latest_version", chr("1.1"));
  expect(home.host.face(id)?.face.facts).toEqual({ name: "Box", firmware: "1.0" });
  await home.publish("fw", "1.1", false);
  await home.shows(id, "fw/installed_version", chr("1.1"));
  expect(home.host.face(id)?.face.facts.firmware).toBe("1.1");
});

test("a new version of a config changes the device, and what is still there keeps its value", async () => {
  await announce("sensor/s", { state_topic: "s", unit_of_measurement: "W" });
  await announce("sensor/n/t", { state_topic: "t", unit_of_measurement: "W" });
  await home.appears(id);
  await home.publish("s", "5", false);
  await home.shows(id, "s/state", float(5));
  await announce("sensor/n/t", { state_topic: "new/t", unit_of_measurement: "kW", device: { ...device, sw: "2" } });
  await passing(home.clock, () => schema("t/state")?.description === "kW", "the new unit");
  await home.publish("new/t", "7", false);
  await home.shows(id, "t/state", float(7));
  expect(await home.value(id, "s/state")).toEqual(float(5));
  expect(home.host.face(id)?.face.facts).toEqual({ name: "Box", firmware: "2" });
});

test("an entity that moves to another device leaves the old one, and the last one takes it along", async () => {
  await announce("switch/a", { unique_id: "a", command_topic: "a", state_topic: "a/state" });
  await home.appears(id);
  await announce("switch/a", { device: { identifiers: ["other"] }, unique_id: "a", command_topic: "a" });
  await home.appears("mqtt:ha:other");
  await passing(home.clock, () => home.host.face(id) === undefined, "the old device to go");
  await announce("switch/a", { migrate_discovery: true });
  const components = { x: { p: "switch", unique_id: "a", command_topic: "a" } };
  await home.publish(
    "homeassistant/device/third/config",
    JSON.stringify({ dev: { ids: ["third"] }, cmps: components }),
  );
  await home.appears("mqtt:ha:third");
  await passing(home.clock, () => home.host.face("mqtt:ha:other") === undefined, "the second device to go");
  await home.publish("homeassistant/switch/a/config", "");
  await announce("sensor/late", { state_topic: "late" });
  await home.appears(id);
  expect(home.host.present).toEqual([id, "mqtt:ha:third"]);
});
