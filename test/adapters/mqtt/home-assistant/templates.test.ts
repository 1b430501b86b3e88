import { describe, expect, test } from "vitest";
import fc from "fast-check";
import {
  bare,
  fill,
  heard,
  parseCommandTemplate,
  parseTemplate,
  render,
  wordOf,
} from "../../../../adapters/mqtt/home-assistant/templates.ts";

const rendered = (template: string, payload: unknown) => {
  const parsed = parseTemplate(template);
  if (parsed === undefined) return "not read";
  return render(parsed, heard(Buffer.from(typeof payload === "string" ? payload : JSON.stringify(payload))));
};
const filled = (template: string, value: unknown, ...names: string[]) => {
  const parsed = parseCommandTemplate(template, ["value", ...names]);
  return parsed === undefined ? "not read" : fill(parsed, value);
};

describe("templates that name a value", () => {
  const payload = { a: { b: 1.5, "b c": ["x", { d: true }] }, n: null, t: " 7 ", zero: 0, items: 3, word: "Eco" };
  test.each([
    ["{{ value }}", "21.5", "21.5"],
    ["{{value}}", "x", "x"],
    ["{{- value -}}", "x", "x"],
    ["{{ value | int }}", "7.9", 7],
    ["{{ value | float(0) }}", "nonsense", 0],
    ["{{ value|float }}", "nonsense", undefined],
    ["{{ value_json.a.b }}", payload, 1.5],
    ["{{value_json.a['b c'][0]}}", payload, "x"],
    ['{{ value_json["a"]["b c"][1].d }}', payload, true],
    ["{{ value_json['items'] }}", payload, 3],
    ["{{ value_json.n }}", payload, null],
    ["{{ value_json.none }}", payload, undefined],
    ["{{ value_json.none | default('off') }}", payload, "off"],
    ["{{ value_json.none | default(3) | int }}", payload, 3],
    ["{{ value_json.zero | default(5, true) }}", payload, 5],
    ["{{ value_json.none.deeper | default('off') }}", payload, undefined],
    ["{{ value_json.none | is_defined }}", payload, undefined],
    ["{{ value_json.word | lower }}", payload, "eco"],
    ["{{ value_json.word | upper }}", payload, "ECO"],
    ["{{ value_json.t | int }}", payload, 7],
    ["{{ value_json.a.b | round }}", payload, 2],
    ["{{ value_json.a.b | round(0) | int }}", { a: { b: 2.5 } }, 2],
    ["{{ value_json.a.b | round(2) }}", { a: { b: 3.14159 } }, 3.14],
    ["{{ value_json.a.b }}", "no json", undefined],
    ["{{ value_json.a.b }}", "[1]", undefined],
    ["{{ value_json[1] }}", "[1,2]", 2],
    ["{{ value_json['__proto__'] }}", "{}", undefined],
    ["{{ value_json.constructor }}", "{}", undefined],
  ])("%s of %j is %j", (template, from, value) => {
    expect(rendered(template, from)).toEqual(value);
  });
});

test.each([
  "{{ value_json.a + 1 }}",
  "{{ value_json.a | float / 1000 }}",
  "{{ 'ON' if value_json.a else 'OFF' }}",
  "{% if value %}1{% endif %}",
  "{% set x = 1 %}{{ x }}",
  "{{ value_json.a }} {{ value_json.b }}",
  "{{ value_json.a }} W",
  "{{ value_json.items }}",
  "{{ value_json.get('a') }}",
  "{{ value_json[value_json.a] }}",
  "{{ value_json.a | tojson }}",
  "{{ value_json.a | round(1, 'floor') }}",
  "{{ value_json.a | default(x) }}",
  "{{ value.a }}",
  "{{ states('sensor.x') }}",
  "{{ this.state }}",
  "{{ value",
  "{{ }}",
  "value",
  "",
  `{{ value${" ".repeat(5000)}}}`,
])("%s is beyond what is read, and is not guessed", (template) => {
  expect(parseTemplate(template)).toBeUndefined();
});

test("a command is a text with at most one place for the value", () => {
  expect(fill(bare, 21.5)).toBe("21.5");
  expect(filled("{{ value }}", "heat")).toBe("heat");
  expect(filled('{"position":{{ position }}}', 40, "position")).toBe('{"position":40}');
  expect(filled('{"mode": "{{ value | lower }}"}', "HEAT")).toBe('{"mode": "heat"}');
  expect(filled("{{ value | int }}", 21.7)).toBe("21");
  expect(filled("go", 1)).toBe("go");
  expect(filled("{{ value | float }}", "warm")).toBeUndefined();
  for (const beyond of [
    "{{ position }}",
    "{{ value }}{{ value }}",
    "{% if value %}1{% endif %}",
    "{{ value * 2 }}",
    "{{{ value }}}",
    "{{ value.a }}",
    "{# no #}",
    "{{ value | tojson }}",
  ]) {
    expect(parseCommandTemplate(beyond, ["value"])).toBeUndefined();
  }
});

test("words are written as Python writes them", () => {
  expect([true, false, 1, 1.5, "on"].map(wordOf)).toEqual(["True", "False", "1", "1.5", "on"]);
  expect([null, undefined, {}, []].map(wordOf)).toEqual([undefined, undefined, undefined, undefined]);
});

test("any text is read or left out in no time, any payload rendered or not", () => {
  const pieces = fc.constantFrom(
    "{{",
    "}}",
    " ",
    "value",
    "value_json",
    ".a",
    "['b']",
    "[0]",
    "|",
    "int",
    "default(",
    ")",
    "'",
    "{%",
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(pieces, { maxLength: 30 }).map((all) => all.join("")),
  );
  fc.assert(
    fc.property(text, fc.oneof(fc.string(), fc.json()), (template, payload) => {
      const parsed = parseTemplate(template);
      if (parsed !== undefined) render(parsed, heard(Buffer.from(payload)));
      const command = parseCommandTemplate(template, ["value"]);
      if (command !== undefined) fill(command, payload);
    }),
    { numRuns: 2000 },
  );
});
