import fc from "fast-check";
import { expect, test } from "vitest";
import { Heard, inJson, templateForm } from "../../../../adapters/mqtt/mapping/payload.ts";
import { TopicIndex } from "../../../../adapters/mqtt/mapping/topic-index.ts";

test.each<[string, unknown, string]>([
  ["{value}", "ON", "ON"],
  ["mode {value}", "$& $1", "mode $& $1"],
  ["{value},{value}", 5, "5,5"],
  ['{"cmd":"{value}"}', 'a "b" \\ \n', '{"cmd":"a \\"b\\" \\\\ \\n"}'],
  ['{"v":{value}}', 21.5, '{"v":21.5}'],
  ["[{value}]", true, "[true]"],
  ["{broken {value}", 'a"b', '{broken a"b'],
])("the payload %s takes %j as %s", (template, value, payload) => {
  expect(templateForm(template)(value)).toBe(payload);
});

test("whatever text goes into a payload in JSON comes out of it", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      expect(JSON.parse(templateForm('{"a":["{value}"]}')(text))).toEqual({ a: [text] });
    }),
  );
});

test.each([
  ["true", true],
  ["0", 0],
  ["-1.5", -1.5],
  ["ON", "ON"],
  ["007", "007"],
  ["1e999", "1e999"],
  ["", ""],
  [5, 5],
])("the word %j is %j in JSON", (word, value) => {
  expect(inJson(word)).toEqual(value);
});

test.each([
  ["a.b", 1],
  ["list.1.x", "y"],
  ["nothing", null],
  ["__proto__", undefined],
  ["a.toString", undefined],
  ["a.b.c", undefined],
  ["missing", undefined],
])("the field %s is %j", (path, value) => {
  const heard = new Heard(Buffer.from('{"a":{"b":1},"list":[0,{"x":"y"}],"nothing":null}'));
  expect(heard.at(path)).toEqual(value);
});

test("a payload that is no JSON has no fields, but is a text", () => {
  const heard = new Heard(Buffer.from(" [ \u00fc"));
  expect([heard.at("a"), heard.at(undefined), heard.word(undefined)]).toEqual([undefined, " [ \u00fc", "[ \u00fc"]);
});

test("topics find what fits them, with the levels that are left open", () => {
  const index = new TopicIndex<string>();
  index.add(["home", undefined, "state"], "any");
  index.add(["home", "kitchen", "state"], "kitchen");
  index.add(["home", undefined, undefined], "both");
  index.add(["__proto__"], "odd");
  const found = (topic: string) => [...index.match(topic)].map(([thing, open]) => `${thing}:${open.join()}`).sort();
  expect(found("home/kitchen/state")).toEqual(["any:kitchen", "both:kitchen,state", "kitchen:"]);
  expect(found("home/hall/temp")).toEqual(["both:hall,temp"]);
  expect(found("home/kitchen")).toEqual([]);
  expect(found("home/kitchen/state/more")).toEqual([]);
  expect(found("__proto__")).toEqual(["odd:"]);
  expect(found("constructor")).toEqual([]);
});
