import { expect, test } from "vitest";
import fc from "fast-check";
import { limits } from "../../../adapters/mqtt/limits.ts";
import { ruleOf } from "../../../adapters/mqtt/homie/rules.ts";
import { allowed, formatOf, inFormat, read, sameReading, write } from "../../../adapters/mqtt/rules.ts";
import type { Rule } from "../../../adapters/mqtt/rules.ts";
import { DmError } from "../../../tree/errors.ts";
import { bin, bool, chr, float, int, nul, textOf } from "../../../tree/value.ts";
import type { Value } from "../../../tree/value.ts";

const homie = (datatype: string, format = "", version: 4 | 5 = 5): Rule => {
  const rule = ruleOf(version, datatype, format);
  if (rule === undefined) throw new Error(`no rule for ${datatype}`);
  return rule;
};
const takes = (rule: Rule, value: Value) => {
  try {
    write(rule, value, "it");
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(DmError);
    expect((error as DmError).status).toBe(400);
    return false;
  }
};

test.each<[string, string, string]>([
  ["integer", "", "int"],
  ["integer", "0:100", "int"],
  ["integer", "0:4294967295", "chr"],
  ["float", "", "float"],
  ["boolean", "off,on", "bool"],
  ["enum", "a,b", "chr"],
  ["string", "", "chr"],
  ["color", "rgb", "chr"],
  ["datetime", "", "chr"],
  ["duration", "", "chr"],
  ["json", "", "chr"],
])("a Homie %s with the format %j is a node of format %s", (datatype, format, expected) => {
  expect(formatOf(homie(datatype, format))).toBe(expected);
});

test("a datatype that Homie 5 does not have describes nothing; Homie 4 takes it for a text", () => {
  expect(ruleOf(5, "percent", "")).toBeUndefined();
  expect(ruleOf(4, "percent", "")).toEqual({ kind: "text", of: "any" });
});

const rows: [Rule, Value, boolean][] = [
  [homie("integer", "5:35"), int(5), true],
  [homie("integer", "5:35"), int(36), false],
  [homie("integer", "5:35"), chr("12"), true],
  [homie("integer", "5:35"), float(12.5), false],
  [homie("integer", ":10"), int(-1000), true],
  [homie("integer", "0:"), int(-1), false],
  [homie("float", "2:6:2"), float(4), true],
  [homie("float", "2:6:2"), float(5), false],
  [homie("float", "0:1:0.1"), float(0.3), true],
  [homie("float", "30:5"), float(100), true],
  [homie("float", "x:y:z"), float(100), true],
  [homie("boolean"), bool(true), true],
  [homie("boolean"), chr("yes"), false],
  [homie("enum", "off,heat"), chr("heat"), true],
  [homie("enum", "off,heat"), chr("HEAT"), false],
  [homie("enum", "off,heat"), nul, false],
  [homie("color", "rgb"), chr("rgb,255,0,12.5"), true],
  [homie("color", "rgb"), chr("rgb,256,0,0"), false],
  [homie("color", "rgb"), chr("hsv,0,0,0"), false],
  [homie("color", "xyz,rgb"), chr("xyz,0.25,0.34"), true],
  [homie("color", "rgb", 4), chr("1,2,3"), true],
  [homie("color", "rgb", 4), chr("1,2"), false],
  [homie("color", "hsv", 4), chr("361,2,3"), false],
  [homie("datetime"), chr("2026-11-21T00:12:00Z"), true],
  [homie("datetime"), chr("today"), false],
  [homie("duration"), chr("PT12H5M46S"), true],
  [homie("duration"), chr("P"), false],
  [homie("duration"), chr("PT"), false],
  [homie("json"), chr('{"a":1}'), true],
  [homie("json"), chr("{a:1}"), false],
  [homie("integer", "0:9223372036854775807"), chr("9223372036854775807"), true],
  [homie("integer", "0:9223372036854775807"), chr("9223372036854775808"), false],
  [homie("integer", "0:9223372036854775807"), chr("-1"), false],
  [{ kind: "number", whole: true, min: 0, max: 500, also: [65535] }, int(65535), true],
  [{ kind: "number", whole: true, min: 0, max: 500, also: [65535] }, int(65534), false],
];

test.each(rows.map(([rule, value, fits]) => [allowed(rule) || "a text", textOf(value), fits, rule, value] as const))(
  "where %s is allowed, %j fits: %s",
  (_allowed, _text, fits, rule, value) => {
    expect(takes(rule, value)).toBe(fits);
  },
);

test("a refusal says what is allowed", () => {
  expect(() => write(homie("float", "5:30:0.5"), float(31), "thermostat/target")).toThrow(
    '"31" is nothing that thermostat/target takes; allowed: 5 to 30 in steps of 0.5',
  );
  expect(() => write(homie("enum", "off,heat"), chr("x"), "mode")).toThrow("allowed: off, heat");
  expect(allowed({ kind: "number", whole: true, min: 0, max: 500, also: [65535] })).toBe("0 to 500, or 65535");
});

test("numbers come in the format that holds them", () => {
  const integer = homie("integer");
  expect(read(integer, "12")).toEqual(int(12));
  expect(read(integer, "12345678901")).toEqual(chr("12345678901"));
  expect(read(integer, "9007199254740993")).toEqual(chr("9007199254740993"));
  expect(read(integer, "1.5")).toBeUndefined();
  expect(read({ kind: "number", whole: true }, 87.5)).toEqual(float(87.5));
  expect(read(homie("float"), "NaN")).toBeUndefined();
  expect(read(homie("float"), "")).toBeUndefined();
  expect(inFormat("chr", int(5))).toEqual(chr("5"));
  expect(inFormat("float", int(5))).toEqual(float(5));
  expect(inFormat("int", chr("x"))).toBeUndefined();
});

test("what a device reports is nonsense or a value, never an exception", () => {
  const rules = [
    homie("integer"),
    homie("float"),
    homie("boolean"),
    homie("enum", "a,b"),
    homie("color", "rgb"),
    homie("json"),
    homie("string"),
  ];
  fc.assert(
    fc.property(fc.constantFrom(...rules), fc.oneof(fc.string(), fc.jsonValue(), fc.double()), (rule, plain) => {
      const value = read(rule, plain);
      if (value !== undefined) expect(["bool", "int", "float", "chr"]).toContain(value.format);
    }),
  );
});

test("a number as near as a 32-bit float is the same reading; JSON and colours are compared by meaning", () => {
  const number = homie("float");
  expect(sameReading(number, float(21.3), float(21.299999237))).toBe(true);
  expect(sameReading(number, float(21.3), float(21.5))).toBe(false);
  expect(sameReading(homie("json"), chr('{"a":1,"b":2}'), chr('{"b":2, "a":1}'))).toBe(true);
  expect(sameReading(homie("color", "rgb"), chr("rgb,1,2,3"), chr("rgb,1.0,2,3"))).toBe(true);
  expect(sameReading(homie("color", "rgb"), chr("rgb,1,2,3"), chr("hsv,1,2,3"))).toBe(false);
  expect(sameReading(homie("string"), chr("1.0"), chr("1"))).toBe(false);
});

test("64 bits without a sign take all of their range, and no more", () => {
  const unsigned: Rule = { kind: "long", min: 0n, max: 2n ** 64n - 1n };
  expect(takes(unsigned, chr("18446744073709551615"))).toBe(true);
  expect(takes(unsigned, chr("18446744073709551616"))).toBe(false);
  expect(takes(unsigned, chr("-1"))).toBe(false);
  const signed: Rule = { kind: "long" };
  expect(takes(signed, chr("9223372036854775807"))).toBe(true);
  expect(takes(signed, chr("9223372036854775808"))).toBe(false);
});

test("a point in time is the same however it is written, and needs its zone", () => {
  const instant: Rule = { kind: "text", of: "instant" };
  expect(takes(instant, chr("2026-01-31T12:00:00Z"))).toBe(true);
  expect(takes(instant, chr("2026-01-31T12:00:00"))).toBe(false);
  expect(takes(instant, chr("2026-13-31T12:00:00Z"))).toBe(false);
  expect(sameReading(instant, chr("2026-01-31T12:00:00Z"), chr("2026-01-31T13:00:00.000+01:00"))).toBe(true);
  expect(sameReading(instant, chr("2026-01-31T12:00:00Z"), chr("2026-01-31T12:00:01Z"))).toBe(false);
});

test("octets are octets: bounded, copied, and never a text", () => {
  const bytes: Rule = { kind: "bytes" };
  const given = Uint8Array.of(0, 255);
  const value = read(bytes, given);
  expect(value).toEqual(bin(Uint8Array.of(0, 255)));
  given[0] = 7;
  expect(value).toEqual(bin(Uint8Array.of(0, 255)));
  expect(read(bytes, new Uint8Array(limits.bytes + 1))).toBeUndefined();
  expect(read(bytes, "text")).toBeUndefined();
  expect(formatOf(bytes)).toBe("bin");
  expect(takes(bytes, bin(given))).toBe(true);
  expect(takes(bytes, bin(new Uint8Array(limits.bytes + 1)))).toBe(false);
  expect(takes(bytes, chr("AP8="))).toBe(false);
  expect(takes({ kind: "text", of: "any" }, bin(given))).toBe(false);
});
