import { afterEach, beforeEach, expect, test } from "vitest";
import { limits } from "../../../../adapters/mqtt/limits.ts";
import { parseRel } from "../../../../tree/path.ts";
import { bool, chr, float, nul } from "../../../../tree/value.ts";
import { until } from "../../../fakes/host.ts";
import { moOf, passing } from "../../contract.ts";
import { heard, smallHome } from "../small-home.ts";
import type { SmallHome } from "../small-home.ts";

let home: SmallHome;
beforeEach(async () => void (home = await smallHome()));
afterEach(() => home.stop());

const announce = (place: string, config: object) =>
  home.publish(`homeassistant/${place}/config`, JSON.stringify(config));
const face = (id: string) => home.host.face(id)?.face;
const log = () => home.host.log.lines.join("\n");
const has = (id: string, rel: string) => moOf(home.host, id).has(parseRel(rel));
/** Whatever was published has been heard, and what waits to be shown is shown. */
const settled = async () => {
  await heard(home);
  await home.clock.advance(1200);
};

const lamp = {
  name: "Lamp",
  unique_id: "lamp-1",
  state_topic: "lamp/state",
  command_topic: "lamp/set",
  device: { identifiers: ["lamp"], name: "Lamp", manufacturer: "Good", connections: [["mac", "00:11:22:33:44:55"]] },
};

test("a second topic with the ids of an entity is refused, whatever it says; the first keeps its place", async () => {
  await announce("switch/lamp", lamp);
  await home.appears("mqtt:ha:lamp");
  await announce("switch/thief", {
    ...lamp,
    command_topic: "thief/set",
    device: { identifiers: ["lamp"], name: "Mine" },
  });
  await announce("switch/thief2", { ...lamp, unique_id: "lamp-1", device: { identifiers: ["thief"] } });
  await settled();
  expect(home.host.present).toEqual(["mqtt:ha:lamp"]);
  expect(await home.leaves("mqtt:ha:lamp")).toEqual(["lamp/state"]);
  expect(log()).toContain("a Home Assistant entity that another topic has announced: left out");
  await home.client.subscribeAsync(["lamp/set", "thief/set"]);
  const heardAt: string[] = [];
  home.client.on("message", (topic) => {
    heardAt.push(topic);
    void home.publish("lamp/state", "ON", false);
  });
  await home.replace("mqtt:ha:lamp", "lamp/state", bool(true));
  expect(heardAt).toEqual(["lamp/set"]);
  // The place is free when the first has gone, and whoever announces itself again then has it.
  await home.publish("homeassistant/switch/lamp/config", "");
  await announce("switch/thief2", { ...lamp, device: { identifiers: ["thief"] } });
  await home.appears("mqtt:ha:thief");
  await until(() => home.host.face("mqtt:ha:lamp") === undefined);
});

test("with a device's identifier another topic adds entities and facts that are missing, and changes none", async () => {
  await announce("switch/lamp", lamp);
  await home.appears("mqtt:ha:lamp");
  await announce("sensor/other", {
    state_topic: "other",
    device: {
      identifiers: ["lamp", "zigbee2mqtt_0x00158d0001a2b3c4"],
      name: "Evil",
      manufacturer: "Evil",
      model: "M",
      connections: [["mac", "66:66:66:66:66:66"]],
    },
  });
  await passing(home.clock, () => has("mqtt:ha:lamp", "other/state"), "the added entity");
  expect(face("mqtt:ha:lamp")).toMatchObject({ facts: { name: "Lamp", maker: "Good", model: "M" } });
  expect(face("mqtt:ha:lamp")?.clues).toEqual([
    { kind: "protocol-id", value: "homeassistant:lamp" },
    { kind: "mac", value: "00:11:22:33:44:55" },
  ]);
});

test("a migration moves entities to the form for whole devices, and nothing else takes them over", async () => {
  await announce("switch/node/lamp", lamp);
  await announce("sensor/node/power", {
    unique_id: "power-1",
    state_topic: "lamp/power",
    unit_of_measurement: "W",
    device: lamp.device,
  });
  await home.appears("mqtt:ha:lamp");
  await home.publish("lamp/power", "4");
  await home.shows("mqtt:ha:lamp", "power/state", float(4));
  const whole = {
    device: lamp.device,
    origin: { name: "lab" },
    components: {
      lamp: { platform: "switch", unique_id: "lamp-1", state_topic: "new/state", command_topic: "new/set" },
      power: { platform: "sensor", unique_id: "power-1", state_topic: "lamp/power", unit_of_measurement: "W" },
      more: { platform: "sensor", unique_id: "more-1", state_topic: "new/more" },
    },
  };
  await announce("device/node", whole);
  await settled();
  expect((await home.leaves("mqtt:ha:lamp")).sort()).toEqual(["lamp/state", "more/state", "power/state"]);
  await announce("switch/node/lamp", { migrate_discovery: true });
  await announce("sensor/node/power", { migrate_discovery: true });
  await announce("device/node", whole);
  await home.publish("homeassistant/switch/node/lamp/config", "");
  await home.publish("homeassistant/sensor/node/power/config", "");
  await settled();
  expect((await home.leaves("mqtt:ha:lamp")).sort()).toEqual(["lamp/state", "more/state", "power/state"]);
  await home.shows("mqtt:ha:lamp", "power/state", float(4));
  await home.publish("new/state", "ON", false);
  await home.shows("mqtt:ha:lamp", "lamp/state", bool(true));
  expect(home.host.attachments.filter((one) => one.face.identity === "mqtt:ha:lamp")).toHaveLength(1);
});

test("entities without a device are devices of their own", async () => {
  await announce("sensor/bedroomT", {
    name: "Temperature",
    state_topic: "bedroom",
    value_template: "{{ value_json.t }}",
    unit_of_measurement: "°C",
  });
  await announce("sensor/bedroomH", {
    unique_id: "h",
    name: "Humidity",
    state_topic: "bedroom",
    value_template: "{{ value_json.h }}",
    unit_of_measurement: "%",
  });
  for (const id of ["mqtt:ha:sensor/bedroomT", "mqtt:ha:sensor:h"]) await home.appears(id);
  await home.publish("bedroom", '{"t":20.5,"h":43}', false);
  await home.shows("mqtt:ha:sensor/bedroomT", "bedroomT/state", float(20.5));
  await home.shows("mqtt:ha:sensor:h", "bedroomH/state", float(43));
  expect(face("mqtt:ha:sensor:h")?.facts.name).toBe("Humidity");
});

test("names of every kind are names; nothing is listened to or told but what is named exactly", async () => {
  const odd = [
    "__proto__",
    "constructor",
    "../..",
    "a\u0000b\n\u001b[31m",
    "\u202e".repeat(50),
    "x".repeat(10_000),
    "%2F",
  ];
  await announce("device/odd", {
    device: { identifiers: ["__proto__"], name: "\u001b[2J\u202e" + "n".repeat(10_000) },
    components: Object.fromEntries(
      odd.map((name, i) => [
        name,
        { platform: "text", name, unique_id: `u${i}`, state_topic: `odd/${i}`, command_topic: `odd/${i}/set` },
      ]),
    ),
  });
  await announce("switch/__proto__", {
    state_topic: "proto",
    value_template: "{{ value_json['__proto__'] }}",
    device: { ids: ["p"] },
  });
  for (const topic of [
    "#",
    "+/x",
    "$SYS/#",
    "$SYS/broker/uptime",
    "homeassistant/switch/lamp/config",
    "homeassistant/status",
  ]) {
    await announce(`switch/wild${topic.length}`, {
      command_topic: topic,
      availability_topic: topic,
      device: { ids: [`w${topic}`] },
    });
  }
  await home.appears("mqtt:ha:__proto__");
  await settled();
  expect(home.host.present).toEqual(["mqtt:ha:__proto__", "mqtt:ha:p"]);
  expect((await home.leaves("mqtt:ha:__proto__")).length).toBe(6);
  expect(face("mqtt:ha:__proto__")?.facts.name).toMatch(/^\ufffd\[2J\ufffdn{195}$/);
  await home.publish("odd/0", "polluted", false);
  await home.shows("mqtt:ha:__proto__", "__proto__/state", chr("polluted"));
  await home.publish("proto", '{"__proto__":"ON"}', false);
  await home.shows("mqtt:ha:p", "__proto__/state", bool(true));
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

test("payloads of every wrong kind change nothing", async () => {
  await announce("sensor/deep", {
    state_topic: "deep",
    value_template: "{{ value_json.a }}",
    device: { ids: ["deep"] },
  });
  await announce("light/deep", {
    schema: "json",
    state_topic: "deep",
    command_topic: "d",
    supported_color_modes: ["xy"],
    device: { ids: ["deep"] },
  });
  await home.appears("mqtt:ha:deep");
  const nested = `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`;
  for (const wrong of ["{", "null", "[]", "7", nested, '{"state":{"a":1},"color":7}', '{"a":[[]]}', "\u0000\u0001"]) {
    await home.publish("deep", wrong, false);
    await home.publish("homeassistant/sensor/deep/config", wrong);
    await home.publish("homeassistant/device/other/config", wrong);
  }
  await home.publish("homeassistant/sensor/big/config", `{"state_topic":"x","name":"${"n".repeat(limits.payload)}"}`);
  await settled();
  expect(home.host.present).toEqual(["mqtt:ha:deep"]);
  expect(await home.value("mqtt:ha:deep", "light_deep/state").catch(() => nul)).toEqual(nul);
  expect(log()).toContain("a Home Assistant config that cannot be read");
});

test("thousands of configs stay within the limits, and what they held is given back", async () => {
  const send = (topic: string, payload: string) => home.client.publishAsync(topic, payload, { qos: 0, retain: false });
  const many = Array.from({ length: 2400 }, (_, i) => i);
  const passes = (condition: () => boolean) =>
    until(
      () => {
        if (condition()) return true;
        void home.clock.advance(50);
        return false;
      },
      () => `${home.host.present.length} devices`,
      50_000,
    );
  for (const i of many) {
    const config = { state_topic: `flood/${i}`, device: { ids: [`flood${i % (limits.devices + 200)}`] } };
    void send(`homeassistant/sensor/flood${i}/config`, JSON.stringify(config));
  }
  await passes(() => home.host.present.length >= limits.devices);
  await home.clock.advance(2000);
  expect(home.host.present.length).toBe(limits.devices);
  expect(log()).toContain("more MQTT devices than dmgw takes");
  for (const i of many) void send(`homeassistant/sensor/flood${i}/config`, "");
  await passes(() => home.host.present.length === 0);
  const components = Object.fromEntries(many.map((i) => [`c${i}`, { p: "sensor", stat_t: `one/${i}` }]));
  await home.publish("homeassistant/device/one/config", JSON.stringify({ dev: { ids: ["one"] }, cmps: components }));
  await passes(() => home.host.present.length === 1);
  expect((await home.leaves("mqtt:ha:one")).length).toBeLessThanOrEqual(limits.properties);
}, 60_000);
