import { expect, test } from "vitest";
import fc from "fast-check";
import { aspectsOf, components } from "../../../../adapters/mqtt/home-assistant/components.ts";
import { parseConfig, parseTopic } from "../../../../adapters/mqtt/home-assistant/config.ts";
import type { Config, ConfigTopic } from "../../../../adapters/mqtt/home-assistant/config.ts";
import { identityOf, namesOf } from "../../../../adapters/mqtt/home-assistant/face.ts";
import { partsOf, pointOf, topicRules } from "../../../../adapters/mqtt/home-assistant/points.ts";
import { limits } from "../../../../adapters/mqtt/limits.ts";
import { parseRel } from "../../../../tree/path.ts";

const rules = topicRules("homeassistant");
const at = (text: string): ConfigTopic => {
  const topic = parseTopic("homeassistant", text);
  if (topic === undefined) throw new Error(`${text} is no config topic`);
  return topic;
};
const config = (topic: string, payload: unknown): Config => {
  const parsed = parseConfig(at(topic), JSON.stringify(payload));
  if (parsed === undefined || parsed === "migrate") throw new Error("no config");
  return parsed;
};
const parts = (component: string, payload: unknown) => {
  const [entity] = config(`homeassistant/${component}/x/config`, payload).entities;
  return entity === undefined ? [] : partsOf(entity, rules);
};

test("a config topic has a component, perhaps a node id, and an object id", () => {
  expect(at("homeassistant/sensor/a-1/b_2/config")).toEqual({ component: "sensor", nodeId: "a-1", objectId: "b_2" });
  expect(at("homeassistant/sensor/b/config")).toEqual({ component: "sensor", nodeId: undefined, objectId: "b" });
  expect(at("homeassistant/device/b/config").component).toBe("device");
  expect(parseTopic("a/b", "a/b/sensor/x/config")?.objectId).toBe("x");
  for (const wrong of [
    "homeassistant/status",
    "homeassistant/sensor/config",
    "homeassistant/sensor/a/b/c/config",
    "homeassistant/sensor/ä/config",
    "homeassistant/sensor/a b/config",
    "homeassistant/sensor/a/state",
    "homeassistant/device/a/b/config",
    "homeassistants/sensor/a/config",
    `homeassistant/sensor/${"a".repeat(1000)}/config`,
  ]) {
    expect(parseTopic("homeassistant", wrong)).toBeUndefined();
  }
});

test("short keys, the base topic and the device block are read", () => {
  const { device, entities } = config("homeassistant/switch/x/config", {
    "~": "lab/x",
    cmd_t: "~/set",
    stat_t: "state/~",
    avty: [{ t: "~/up" }],
    name: "~",
    uniq_id: 7,
    dev: {
      ids: "one",
      cns: [["mac", "AA:BB:CC:00:11:22"], "wrong", ["x"], [1, 2]],
      mf: "M",
      mdl_id: "id",
      sw: 2,
      hw: "",
      sn: "S",
      name: null,
    },
  });
  expect(device).toEqual({
    identifiers: ["one"],
    connections: [
      ["mac", "AA:BB:CC:00:11:22"],
      ["1", "2"],
    ],
    maker: "M",
    model: "id",
    firmware: "2",
    serial: "S",
  });
  const [entity] = entities;
  expect(entity?.uniqueId).toBe("7");
  expect(entity?.settings.get("command_topic")).toBe("lab/x/set");
  expect(entity?.settings.get("state_topic")).toBe("state/lab/x");
  expect(entity?.settings.get("availability")).toEqual([new Map([["topic", "lab/x/up"]])]);
  expect(entity?.settings.get("name")).toBe("~");
});

test("a device in one payload: what it says once holds for all, unless one says otherwise", () => {
  const { device, entities } = config("homeassistant/device/dev1/config", {
    "~": "lab",
    dev: { ids: ["d"] },
    o: { name: "lab" },
    avty_t: "~/status",
    stat_t: "~/state",
    qos: 2,
    cmps: {
      a: { p: "sensor", val_tpl: "{{ value_json.a }}", uniq_id: "a" },
      b: { platform: "switch", cmd_t: "~/b", avty_t: "own", stat_t: "own/state" },
      gone: { p: "sensor" },
      c: "wrong",
      d: { state_topic: "x" },
    },
  });
  expect(device?.identifiers).toEqual(["d"]);
  expect(entities.map(({ component, nodeId, objectId }) => [component, nodeId, objectId])).toEqual([
    ["sensor", "dev1", "a"],
    ["switch", "dev1", "b"],
    ["sensor", "dev1", "gone"],
  ]);
  const [a, b] = entities.map(({ settings }) => settings);
  expect([a?.get("state_topic"), a?.get("availability_topic"), a?.get("qos")]).toEqual(["lab/state", "lab/status", 2]);
  expect([b?.get("state_topic"), b?.get("availability_topic"), b?.get("command_topic")]).toEqual([
    "own/state",
    "own",
    "lab/b",
  ]);
});

test("migration is said on the topic that gives its entities away", () => {
  const topic = at("homeassistant/sensor/x/config");
  expect(parseConfig(topic, '{"migrate_discovery":true}')).toBe("migrate");
  expect(parseConfig(topic, '{"migr_discvry":true}')).toBe("migrate");
  for (const wrong of ["", "{", "[]", "null", "7", '"x"']) expect(parseConfig(topic, wrong)).toBeUndefined();
  expect(parseConfig(at("homeassistant/device/x/config"), '{"dev":{"ids":["x"]}}')).toBeUndefined();
});

test("topics with wildcards, of the broker and of the discovery are not used", () => {
  for (const wrong of [
    "a/#",
    "+/b",
    "$SYS/broker/uptime",
    "",
    "a\u0000b",
    "a\nb",
    "x".repeat(2000),
    "homeassistant/sensor/x/config",
    7,
    null,
    ["a"],
  ]) {
    expect(parts("switch", { state_topic: wrong, command_topic: wrong })).toEqual([]);
  }
  expect(rules.reads("homeassistant/status")).toBe(true);
  expect(rules.writes("homeassistant/status")).toBe(false);
  expect(rules.writes("homeassistant/sensor/x/state")).toBe(true);
});

test("who a device is hangs on its first identifier only", () => {
  const identity = (payload: object, topic = "homeassistant/sensor/n/x/config") => {
    const { device, entities } = config(topic, { state_topic: "a", ...payload });
    const [entity] = entities;
    return entity === undefined ? undefined : identityOf(at(topic), device, entity);
  };
  expect(identity({ device: { ids: [" a ", "b"], cns: [["mac", "00:11:22:33:44:55"]] } })).toBe("mqtt:ha:a");
  expect(identity({ device: { cns: [["mac", "00-11-22-AA-BB-CC"]] } })).toBe("mqtt:ha:mac:00:11:22:aa:bb:cc");
  expect(identity({ device: { name: "nobody" }, unique_id: "u" })).toBe("mqtt:ha:sensor:u");
  expect(identity({ unique_id: "a b\n%" })).toBe("mqtt:ha:sensor:a%20b%0A%25");
  expect(identity({})).toBe("mqtt:ha:sensor/n/x");
  expect(identity({ unique_id: "y".repeat(5000) })?.length).toBeLessThan(150);
});

test("entities of one device with the same object id carry what tells them apart, all of them", () => {
  const names = (...ids: [component: string, nodeId: string | undefined, objectId: string][]) =>
    [
      ...namesOf(
        ids.map(([component, nodeId, objectId]) => ({ component, nodeId, objectId, uniqueId: undefined })),
      ).values(),
    ].sort();
  expect(names(["sensor", "n", "a"], ["sensor", "n", "b"])).toEqual(["a", "b"]);
  expect(names(["sensor", "n", "a"], ["sensor", "m", "a"])).toEqual(["m_a", "n_a"]);
  expect(names(["sensor", "n", "a"], ["switch", "n", "a"])).toEqual(["sensor_a", "switch_a"]);
  expect(names(["sensor", "n", "a"], ["switch", "n", "a"], ["sensor", "m", "a"])).toEqual([
    "sensor_m_a",
    "sensor_n_a",
    "switch_n_a",
  ]);
  expect(names(["sensor", "n", "n_a"], ["sensor", "n", "a"], ["sensor", "m", "a"])).toHaveLength(3);
});

test("configs of any JSON are read or left out, never thrown at", () => {
  const keys = fc.oneof(
    fc.string(),
    fc.constantFrom(
      "~",
      "dev",
      "device",
      "ids",
      "cns",
      "cmps",
      "p",
      "stat_t",
      "cmd_t",
      "avty",
      "t",
      "val_tpl",
      "ops",
      "schema",
      "sup_clrm",
      "__proto__",
      "min",
      "max",
    ),
  );
  const { json } = fc.letrec((tie) => ({
    json: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom("sensor", "light", "json", "a/b", "~/x", "{{ value }}", 7, null, true, -1.5),
      fc.array(tie("json"), { maxLength: 4 }),
      fc.dictionary(keys, tie("json"), { maxKeys: 8 }),
    ),
  }));
  const topics = [
    "homeassistant/device/d/config",
    ...[...components.keys()].map((one) => `homeassistant/${one}/n/o/config`),
  ];
  fc.assert(
    fc.property(fc.constantFrom(...topics), fc.dictionary(keys, json, { maxKeys: 12 }), (topic, payload) => {
      const parsed = parseConfig(at(topic), JSON.stringify(payload));
      if (parsed === undefined || parsed === "migrate") return;
      for (const entity of parsed.entities) {
        aspectsOf(entity.component, entity.settings);
        identityOf(at(topic), parsed.device, entity);
        for (const part of partsOf(entity, rules)) {
          const rel = pointOf(part, entity.objectId)?.rel;
          if (rel !== undefined) expect(parseRel(rel)).toBe(rel);
        }
      }
    }),
    { numRuns: 1000 },
  );
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

test("long lists and names are cut or left out", () => {
  const many = Array.from({ length: 1000 }, (_, i) => `id${i}`);
  const { device } = config("homeassistant/select/x/config", {
    dev: { ids: many, name: "n".repeat(10_000), mf: "\u202e".repeat(300) },
  });
  expect(device?.identifiers).toHaveLength(16);
  expect(device?.name).toHaveLength(limits.name);
  expect(device?.maker).toBe("\ufffd".repeat(limits.name));
  const [select] = parts("select", { state_topic: "s", command_topic: "c", options: many });
  expect(select?.property.rule).toEqual({ kind: "text", of: "any" });
});
