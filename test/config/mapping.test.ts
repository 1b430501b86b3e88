import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../rules/sources.ts";
import { configFolder } from "./config-folder.ts";

const example = readFileSync(join(root, "config/mqtt-devices.example.yaml"), "utf8");
const named = "adapters: { mqtt: { mapping: devices.yaml } }\n";

/** The problems of a mapping file, as "line:column message" without the long beginnings. */
async function problems(content: string): Promise<string[]> {
  const { write, folder, problems: found } = configFolder(named);
  const file = write("devices.yaml", content);
  return (await found()).map(({ where, message }) =>
    `${where.replace(`${file}:`, "")} ${message}`.replaceAll("adapters.mqtt.mapping[0].", "").replaceAll(folder, "…"),
  );
}
/** A device that is right, with more keys; the first of them stands in column 5 of line 5. */
const device = (more: string) =>
  `devices:\n  - id: a\n    properties:\n      - { name: p, topic: t, type: float }\n    ${more}\n`;
/** A property with these keys; they begin in column 11 of line 4. */
const property = (keys: string) => `devices:\n  - id: a\n    properties:\n      - { ${keys} }\n`;

test("the example loads, from the folder of the config or a list of paths", async () => {
  const { write, load } = configFolder(named);
  write("devices.yaml", example);
  const { config } = await load();
  expect(config.adapters.mqtt.mapping).toHaveLength(1);
  expect(config.adapters.mqtt.mapping[0]?.devices.map(({ id, idPath }) => id ?? idPath)).toEqual([
    "cistern",
    "{room}-{device}",
    "id",
  ]);
  expect(config.adapters.mqtt.mapping[0]?.devices[1]).toMatchObject({ most: 40, availability: { silence: 900_000 } });
  const path = write("more.yaml", "devices: [ { id: other, properties: [ { name: p, topic: t, type: string } ] } ]");
  const both = await load({ set: [`adapters.mqtt.mapping=[ ${join(path, "../devices.yaml")}, ${path} ]`] });
  expect(both.config.adapters.mqtt.mapping.map(({ devices }) => devices.length)).toEqual([3, 1]);
});

test("without the key there is no mapping", async () => {
  const { config } = await configFolder("adapters: { mqtt: { enabled: true } }").load();
  expect(config.adapters.mqtt.mapping).toEqual([]);
});

test("a file that is not there, is no text, or no YAML is said where its path or its fault stands", async () => {
  const { write, lines, file } = configFolder(named);
  expect(await lines()).toEqual(["1:30 adapters.mqtt.mapping: the file …/devices.yaml does not exist"]);
  write("devices.yaml", Uint8Array.of(0, 1));
  expect(await lines()).toEqual(["1:30 adapters.mqtt.mapping: the file …/devices.yaml is not text (UTF-8)"]);
  expect(file).toBeDefined();
  expect(await problems("devices:\n\t- id: a\n")).toEqual([
    expect.stringMatching(/^2:1 a line is indented with a tab/),
  ]);
  expect(await problems("")).toEqual([expect.stringMatching(/devices is missing: a list/)]);
  expect(await problems("- a\n")).toEqual([
    expect.stringMatching(/^1:1 adapters.mqtt.mapping: .* is not a group of keys$/),
  ]);
  const inline = configFolder("adapters: { mqtt: { mapping: { devices: [] } } }\n");
  expect(await inline.lines()).toEqual([
    "1:30 adapters.mqtt.mapping: expected the path of a YAML file, or a list of them",
  ]);
});

test("the config's own problems and those of its files come together, file by file", async () => {
  const { write, lines } = configFolder(`log: { level: loud }\n${named}`);
  write("devices.yaml", "devices: [ { id: a b, properties: [] } ]");
  expect(await lines()).toEqual([
    expect.stringMatching(/^1:15 log.level/),
    expect.stringMatching(/devices.yaml:1:18 .*holds a blank/),
    expect.stringMatching(/devices.yaml:1:\d+ .*properties is empty/),
  ]);
});

test.each<[string, string, string]>([
  ["an unknown key", device("nmae: x"), '5:5 devices[0].nmae: there is no such key; did you mean "name"?'],
  ["a type that is none", property("name: p, topic: t, type: flaot"), 'did you mean "float"?'],
  ["a topic with a wildcard", property("name: p, topic: a/#, type: float"), "4:27 devices[0].properties[0].topic: "],
  ["an empty level", property("name: p, topic: a//b, type: float"), "has an empty level"],
  [
    "a level that may be anything outside of base",
    property('name: p, topic: "a/{b}", type: float'),
    "belong into base",
  ],
  ["half a level", device('base: "a/x{b}"'), "holds braces that are no whole level"],
  ["a level twice", device('base: "{b}/{b}"').replace("id: a", 'id: "{b}"'), "has two levels of one name"],
  ["an id that is the same for all", device('base: "a/{b}"'), "names no {level} of base"],
  ["a level that base does not have", device('name: "{x}"'), '5:11 devices[0].name: "{x}" names a {level}'],
  ["id and idPath", device("idPath: x"), "is given beside id"],
  ["no id", "devices: [ { properties: [ { name: p, topic: t, type: float } ] } ]", "is missing: give id, or idPath"],
  ["a property that neither tells nor takes", property("name: p, type: float"), "is missing, and so is set"],
  [
    "the same name twice",
    property("name: p, topic: t, type: float }\n      - { name: p, topic: u, type: float"),
    '5:17 devices[0].properties[1].name: "p" stands twice',
  ],
  [
    "the same id twice",
    `${property("name: p, topic: t, type: float")}  - id: a\n    properties: [ { name: p, topic: t, type: float } ]`,
    '5:9 devices[1].id: "a" stands twice',
  ],
  [
    "a value that is a folder too",
    property("name: p, topic: t, type: float }\n      - { name: p/q, topic: u, type: float"),
    '4:17 devices[0].properties[0].name: "p" has other properties below its name',
  ],
  ["words for a number", property("name: p, topic: t, type: float, on: x"), "is only for type boolean"],
  ["one word for both", property("name: p, topic: t, type: boolean, on: x, off: x"), "is the same word as on"],
  ["an enum without words", property("name: p, topic: t, type: enum"), "needs values"],
  ["limits of a text", property("name: p, topic: t, type: string, min: 1"), "is only for integer and float"],
  ["limits the wrong way round", property("name: p, topic: t, type: float, min: 9, max: 1"), "is less than min"],
  ["a limit that is no number", property("name: p, topic: t, type: float, min: low"), "is not a number"],
  ["a path that is none", property("name: p, topic: t, type: float, path: a..b"), "is no path into JSON"],
  [
    "a payload without the value",
    property("name: p, topic: t, type: float, set: { topic: s, payload: x }"),
    "holds no {value}",
  ],
  [
    "a payload in two forms",
    property('name: p, topic: t, type: float, set: { topic: s, payload: "{value}", path: x }'),
    "is given beside path",
  ],
  [
    "an order to a level that is not known",
    property('name: p, topic: t, type: float, set: { topic: "s/{r}" }'),
    "here are: {id}",
  ],
  ["a MAC address that is none", device("mac: 12:34"), "is no MAC address"],
  ["more devices than can be", device("most: 5000"), "is no whole number from 1 to 1000"],
  ["a time that is none", device("availability: { silence: 5 }"), "is not a duration"],
  ["an availability of nothing", device("availability: {}"), "is missing, and so is silence"],
])("%s is told with its place and what to do", async (_what, content, says) => {
  const found = await problems(content);
  expect(found).toHaveLength(1);
  expect(found[0]).toContain(says);
  expect(found[0]).toMatch(/^\d+:\d+ devices/);
});

test("an id in two files is told", async () => {
  const { write, lines } = configFolder("adapters: { mqtt: { mapping: [ one.yaml, two.yaml ] } }");
  write("one.yaml", property("name: p, topic: t, type: float"));
  write("two.yaml", property("name: p, topic: t, type: float"));
  expect(await lines()).toEqual([expect.stringMatching(/two.yaml:2:9 .*"a" stands in another mapping file too/)]);
});

test("names of a file are never keys of ours", async () => {
  const found = await problems(device("__proto__: { polluted: true }"));
  expect(found).toEqual([expect.stringContaining("__proto__: there is no such key")]);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});
