import { afterEach, beforeEach, expect, test } from "vitest";
import fc from "fast-check";
import { Holdings, limits } from "../../../adapters/mqtt/limits.ts";
import { parseDescription } from "../../../adapters/mqtt/homie/description.ts";
import { parseExposes } from "../../../adapters/mqtt/zigbee2mqtt/exposes.ts";
import { nested, stateIn } from "../../../adapters/mqtt/json.ts";
import { parseRel } from "../../../tree/path.ts";
import { chr, int } from "../../../tree/value.ts";
import { until } from "../../fakes/host.ts";
import { fakeLog } from "../../fakes/log.ts";
import { colorLamp } from "../../fakes/mqtt/models.ts";
import { zigbeeBridge } from "../../fakes/mqtt/zigbee-bridge.ts";
import { moOf, passing } from "../contract.ts";
import { heard, smallHome } from "./small-home.ts";
import type { SmallHome } from "./small-home.ts";

let home: SmallHome;
beforeEach(async () => void (home = await smallHome()));
afterEach(() => home.stop());

const simple = (id: string, value = "1") => ({
  [`homie/${id}/$homie`]: "4.0.0",
  [`homie/${id}/$nodes`]: "n",
  [`homie/${id}/n/$properties`]: "p",
  [`homie/${id}/n/p/$datatype`]: "string",
  [`homie/${id}/n/p/$settable`]: "true",
  [`homie/${id}/n/p`]: value,
  [`homie/${id}/$state`]: "ready",
});

test("messages above a megabyte are left out and counted; the device goes on", async () => {
  await home.publishAll(simple("big"));
  await home.appears("mqtt:homie:big");
  await home.publish("homie/big/n/p", Buffer.alloc(limits.payload + 1, "x"));
  await home.publish("homie/big/n/p", Buffer.alloc(limits.value + 1, "x"));
  // Above what is even read from the line.
  await home.publish("homie/big/n/p", Buffer.alloc(limits.list + 70_000, "x"));
  await home.publish("homie/big/n/p", "after");
  await passing(home.clock, () => home.host.face("mqtt:homie:big")?.changed.length === 1, "the last value");
  await home.shows("mqtt:homie:big", "n/p", chr("after"));
  const lines = home.host.log.lines.join("\n");
  expect(lines).toContain("an MQTT message above the limit: left out octets=1048577");
  expect(lines).toContain(`octets=${limits.list + 70_000}`.slice(0, 9));
});

test("ten thousand topics of nobody are nobody's, and ten thousand of a device stay within its limit", async () => {
  await home.publishAll(simple("flood"));
  await home.appears("mqtt:homie:flood");
  const send = (topic: string, payload: string) => home.client.publishAsync(topic, payload, { qos: 0, retain: true });
  await Promise.all(Array.from({ length: 10_000 }, (_, i) => send(`homie/ghost${i}/n/p`, "x")));
  await Promise.all(Array.from({ length: 10_000 }, (_, i) => send(`homie/flood/n${i}/p/$datatype`, "integer")));
  await Promise.all(Array.from({ length: 3000 }, (_, i) => send(`homie/flood/x/p${i}`, "1")));
  await send("homie/flood/$nodes", Array.from({ length: 10_000 }, (_, i) => `n${i}`).join(","));
  await send("homie/flood/n/p", "still here");
  await heard(home);
  await passing(home.clock, () => home.host.face("mqtt:homie:flood")?.changed.length, "a change");
  expect(home.host.present).toEqual(["mqtt:homie:flood"]);
  expect((await home.leaves("mqtt:homie:flood")).length).toBeLessThanOrEqual(limits.properties);
}, 60_000);

test("a thousand devices are taken, and no more", async () => {
  const send = (topic: string, payload: string) => home.client.publishAsync(topic, payload, { qos: 0, retain: true });
  for (let i = 0; i < limits.devices + 20; i++) {
    void send(
      `homie/5/d${i}/$description`,
      '{"homie":"5.0","nodes":{"n":{"properties":{"p":{"datatype":"integer"}}}}}',
    );
    void send(`homie/5/d${i}/$state`, "ready");
  }
  await until(
    () => home.host.present.length >= limits.devices,
    () => `${home.host.present.length}`,
    30_000,
  );
  expect(home.host.present).toHaveLength(limits.devices);
  expect(home.host.log.lines.some((line) => line.includes("more MQTT devices than dmgw takes"))).toBe(true);
  await home.publish("homie/5/d0/$state", "");
  await until(() => home.host.present.length === limits.devices - 1);
  await home.publish("homie/5/late/$description", '{"homie":"5.0","nodes":{}}');
  await home.publish("homie/5/late/$state", "ready");
  await home.appears("mqtt:homie:late");
}, 60_000);

test("__proto__ is a name like any other, everywhere", async () => {
  await home.publishAll(simple("__proto__", "evil"));
  await home.publishAll({
    "homie/__proto__/$nodes": "__proto__,constructor",
    "homie/__proto__/__proto__/$properties": "polluted",
    "homie/__proto__/__proto__/polluted/$datatype": "boolean",
    "homie/__proto__/__proto__/polluted": "true",
    "homie/__proto__/constructor/$properties": "",
  });
  await home.appears("mqtt:homie:__proto__");
  await passing(
    home.clock,
    () => moOf(home.host, "mqtt:homie:__proto__").has(parseRel("__proto__/polluted")),
    "the node",
  );
  const exposes = [
    { type: "numeric", name: "__proto__", property: "__proto__", access: 7, value_min: 0, value_max: 9 },
    { type: "composite", property: "constructor", features: [{ type: "text", property: "__proto__", access: 7 }] },
  ];
  const odd = { ...colorLamp, exposes, state: {} };
  const bridge = await zigbeeBridge(home.broker.url, [odd]);
  const id = `mqtt:z2m:${odd.address}`;
  await home.appears(id);
  await home.publish("zigbee2mqtt/living room/lamp", '{"__proto__":7,"constructor":{"__proto__":"x"}}');
  await until(() => home.host.face(id)?.changed.length);
  await home.shows(id, "state/__proto__", int(7));
  await home.shows(id, "state/constructor/__proto__", chr("x"));
  bridge.obey = () => undefined;
  const gone = home.replace(id, "state/__proto__", int(3)).catch(() => undefined);
  await until(() => bridge.orders.length > 0);
  expect(bridge.orders.at(-1)).toBe('living room/lamp/set {"__proto__":3}');
  await bridge.crash();
  await home.clock.advance(5000);
  await gone;
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

test("lists of devices of every wrong type change nothing, or only what they may", async () => {
  const bridge = await zigbeeBridge(home.broker.url, [colorLamp]);
  const id = `mqtt:z2m:${colorLamp.address}`;
  await home.appears(id);
  const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  for (const wrong of ["", "{", "null", "7", '"x"', "{}", deep.slice(0, -1)])
    await home.publish("zigbee2mqtt/bridge/devices", wrong);
  for (const wrong of ["", "[", "null", "[]", "7", deep, '{"state":{"a":1}}', '{"brightness":"x"}']) {
    await home.publish("zigbee2mqtt/living room/lamp", wrong, false);
  }
  await heard(home);
  expect(home.host.present).toEqual([id]);
  // Unknown still, or what the lamp itself answered when it was asked.
  expect(["null", "int"]).toContain((await home.value(id, "state/brightness")).format);
  const entry = {
    ieee_address: colorLamp.address,
    type: "Router",
    friendly_name: 7,
    definition: [],
    software_build_id: {},
  };
  await home.publish(
    "zigbee2mqtt/bridge/devices",
    JSON.stringify([null, [], 7, {}, { ieee_address: "0x1" }, entry, entry]),
  );
  await until(() => !moOf(home.host, id).has(parseRel("state/brightness")));
  expect(home.host.present).toEqual([id]);
  await bridge.crash();
});

test("a friendly name that is no topic, or another device's, leaves the device without one", async () => {
  const names = ["a/#", "+", "bridge/devices", "same", "same", "", "x".repeat(2000), "same/availability"];
  const list = names.map((friendly_name, i) => ({
    ieee_address: `0x00000000000000a${i}`,
    type: "Router",
    friendly_name,
    definition: { exposes: colorLamp.exposes },
  }));
  await home.publish("zigbee2mqtt/bridge/devices", JSON.stringify(list));
  await until(() => home.host.present.length === names.length);
  await home.publish("zigbee2mqtt/same", '{"brightness":9}');
  await until(() => home.host.face("mqtt:z2m:0x00000000000000a3")?.changed.length);
  expect(await home.value("mqtt:z2m:0x00000000000000a4", "state/brightness")).toEqual({ format: "null" });
});

test("descriptions and exposes of any JSON are read or left out, never thrown at", () => {
  const names = fc.oneof(
    fc.string(),
    fc.constantFrom("nodes", "properties", "datatype", "features", "property", "type", "__proto__"),
  );
  const { json } = fc.letrec((tie) => ({
    json: fc.oneof(
      { maxDepth: 6 },
      fc.constantFrom("integer", "composite", "numeric", "light", 7, null, true),
      fc.array(tie("json"), { maxLength: 4 }),
      fc.dictionary(names, tie("json"), { maxKeys: 5 }),
    ),
  }));
  fc.assert(
    fc.property(json, (any) => {
      parseDescription(JSON.stringify(any));
      for (const { rel } of parseExposes(any)) expect(parseRel(rel)).toBe(rel);
      expect(() => stateIn(Buffer.from(JSON.stringify(any)))).not.toThrow();
    }),
  );
});

test("JSON paths become one object, whatever they are called", () => {
  const paths = new Map<readonly string[], unknown>([
    [["state"], "ON"],
    [["color", "x"], 0.1],
    [["color", "y"], 0.2],
    [["__proto__", "a"], 1],
  ]);
  expect(JSON.stringify(nested(paths))).toBe('{"state":"ON","color":{"x":0.1,"y":0.2},"__proto__":{"a":1}}');
});

test("what is left out is said at the first time, the second, the fourth …", () => {
  const log = fakeLog();
  const holdings = new Holdings(log);
  for (let i = 0; i < 1000; i++) holdings.refuse("a thing", { of: "x" });
  expect(log.lines).toHaveLength(10);
  expect(holdings.refused("a thing")).toBe(1000);
  expect(holdings.exchange(0, limits.text)).toBe(true);
  expect(holdings.exchange(0, 1)).toBe(false);
  expect(holdings.exchange(5, 2)).toBe(true);
  expect(holdings.text).toBe(limits.text - 3);
});
