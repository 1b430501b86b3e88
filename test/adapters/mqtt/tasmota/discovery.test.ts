import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { faceOf, parseConfig } from "../../../../adapters/mqtt/tasmota/discovery.ts";
import type { TasmotaConfig } from "../../../../adapters/mqtt/tasmota/discovery.ts";
import { nodesOf } from "../../../../adapters/mqtt/tasmota/nodes.ts";
import { parseSensors } from "../../../../adapters/mqtt/tasmota/sensors.ts";
import { understood } from "../../../../adapters/mqtt/tasmota/speech.ts";
import { parseRel } from "../../../../tree/path.ts";
import { configOf } from "../../../fakes/mqtt/tasmota-device.ts";
import { blind, colorBulb, energyPlug } from "../../../fakes/mqtt/tasmota-models.ts";

const mac = "C44F33A1B0E7";
const plug = configOf(energyPlug);
const parsed = (part: object) => parseConfig({ ...plug, ...part }, mac);
const topics = (part: object) => (parsed(part) as TasmotaConfig).topics;

describe("topics", () => {
  test("are made of the template as the firmware makes them", () => {
    expect(topics({})).toEqual({
      command: "cmnd/tasmota_A1B0E7/",
      stat: "stat/tasmota_A1B0E7/",
      tele: "tele/tasmota_A1B0E7/",
    });
    expect(topics({ ft: "home/%topic%/%prefix%" }).command).toBe("home/tasmota_A1B0E7/cmnd/");
    expect(topics({ ft: "%prefix%//%hostname%/%id%/" }).stat).toBe(`stat/tasmota-A1B0E7-4327/${mac}/`);
    expect(topics({ ft: "%prefix%/%topic%/", tp: ["c", "s", "t"] }).tele).toBe("t/tasmota_A1B0E7/");
    expect(topics({ tp: ["", "", ""] }).stat).toBe("stat/tasmota_A1B0E7/");
    // Without a prefix commands get one all the same, so that no device hears itself.
    expect(topics({ ft: "%topic%/" })).toEqual({
      command: "tasmota_A1B0E7/cmnd/",
      stat: "tasmota_A1B0E7/",
      tele: "tasmota_A1B0E7/",
    });
    // What stands for a token is never taken for a pattern, or for a token again.
    expect(topics({ t: "a$&b".replace("$", "€") }).command).toBe("cmnd/a€&b/");
  });

  test.each([
    ["a wildcard in the topic", { t: "+" }],
    ["a wildcard in the template", { ft: "%prefix%/#" }],
    ["a wildcard in a prefix", { tp: ["cmnd/+", "stat", "tele"] }],
    ["the broker's own topics", { ft: "$SYS/%prefix%/%topic%/" }],
    ["control characters", { t: "a\u0000b" }],
    ["a line break", { t: "a\nb" }],
    ["no topic", { t: undefined }],
    ["a topic that is no text", { t: { toString: "x" } }],
    ["10 kB of topic", { t: "t".repeat(10_000) }],
    ["10 kB of template", { ft: "%topic%".repeat(1500) }],
    ["one prefix for all, so that orders were reports", { tp: ["x", "x", "x"] }],
    ["nothing but slashes", { ft: "/", tp: ["/", "/", "/"] }],
  ])("that are none are refused: %s", (_what, part) => {
    expect(parsed(part)).toBe("a Tasmota config with topics that are none");
  });
});

test("a config below another device's MAC is refused", () => {
  expect(parseConfig(plug, "C44F33A1B0E8")).toBe("a Tasmota config below another device's MAC");
  expect(parsed({ mac: undefined })).toBe("a Tasmota config below another device's MAC");
  expect(parsed({ mac: [mac] })).toBe("a Tasmota config below another device's MAC");
  expect(parseConfig([plug], mac)).toBe("a Tasmota config that cannot be read");
});

test("names are cut, addresses and host names have to be some, words have to be short", () => {
  const config = parsed({
    dn: "x".repeat(10_000),
    ip: "0.0.0.0",
    hn: "a b",
    state: ["y".repeat(100), 7],
    onln: "",
  }) as TasmotaConfig;
  expect(config.name).toHaveLength(200);
  expect(faceOf(config)).toEqual({
    clues: [
      { kind: "mac", value: "c4:4f:33:a1:b0:e7" },
      { kind: "protocol-id", value: "tasmota:c44f33a1b0e7" },
    ],
    addresses: [],
    facts: { name: config.name, model: "Nous A1T", firmware: "14.4.1" },
  });
  expect(config).toMatchObject({ words: { off: "OFF", on: "ON" }, online: "Online" });
  expect((parsed({ dn: "" }) as TasmotaConfig).name).toBe("Washing machine");
});

test("sensors are taken by their paths, bounded in number and depth, and __proto__ is a name", () => {
  const config = parsed({}) as TasmotaConfig;
  const rels = (sn: string) => parseSensors(Buffer.from(`{"sn":${sn}}`), config)?.taps.map(({ rel }) => rel);
  expect(rels('{"Time":"x","__proto__":{"a":1},"A":[1,[2,3]],"TempUnit":"C","B":null,"":1}')).toEqual([
    "SENSOR/__proto__/a",
    "SENSOR/A/1",
    "SENSOR/A/2/1",
    "SENSOR/A/2/2",
    "SENSOR/B",
  ]);
  const many = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`s${i}`, i]));
  expect(rels(JSON.stringify(many))).toHaveLength(500);
  expect(rels(`${'{"a":'.repeat(90)}1${"}".repeat(90)}`)).toEqual([]);
  expect(rels(`{"${"k".repeat(10_000)}":1}`)).toEqual([]);
  const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  expect(rels(deep)).toBeUndefined();
  expect(rels(`{"a":${deep}}`)?.length ?? 0).toBe(0);
  for (const wrong of ["{", "null", "7", "[]", '{"sn":7}'])
    expect(parseSensors(Buffer.from(wrong), config)).toBeUndefined();
  expect(parseSensors(Buffer.alloc(0), config)?.taps).toEqual([]);
});

test("any JSON as config, sensors or speech is read or left out, never thrown at", () => {
  const keys = [...Object.keys(plug), "sn", "StatusSNS", "StatusSTS", "ENERGY", "Shutter1", "Position", "__proto__"];
  const { json } = fc.letrec((tie) => ({
    json: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom("ON", "%prefix%", "%topic%/#", 0, 1, 2, 3, -1, 1e99, null, true),
      fc.string(),
      fc.array(tie("json"), { maxLength: 5 }),
      fc.dictionary(fc.oneof(fc.constantFrom(...keys), fc.string()), tie("json"), { maxKeys: 6 }),
    ),
  }));
  const base = fc.constantFrom(configOf(colorBulb), configOf(blind), plug);
  const part = fc.dictionary(fc.constantFrom(...Object.keys(plug)), json, { maxKeys: 8 });
  fc.assert(
    fc.property(
      base,
      part,
      json,
      fc.constantFrom("RESULT", "SENSOR", "STATE", "STATUS10", "POWER1", "X"),
      (one, some, any, leaf) => {
        const config = parseConfig({ ...one, ...some }, String(one.mac));
        if (typeof config === "string") return;
        for (const topic of Object.values(config.topics)) expect(topic).toMatch(/^[^+#$\u0000-\u001f]*\/$/);
        const text = Buffer.from(JSON.stringify(any) ?? "");
        const { taps } = nodesOf(config, parseSensors(text, config)?.taps ?? []);
        for (const { rel, command } of taps) {
          expect(parseRel(rel)).toBe(rel);
          expect(command ?? "X").toMatch(/^[A-Za-z]+\d*$/);
        }
        understood(taps, leaf, text);
      },
    ),
  );
});
