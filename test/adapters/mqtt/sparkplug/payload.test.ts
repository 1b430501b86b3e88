import fc from "fast-check";
import { expect, test } from "vitest";
import { readPayload, writePayload } from "../../../../adapters/mqtt/sparkplug/payload.ts";
import type { Carried, Metric, Payload } from "../../../../adapters/mqtt/sparkplug/payload.ts";
import { limits } from "../../../../adapters/mqtt/limits.ts";
import { ProtocolError } from "../../../../tree/errors.ts";
import { tahuDecode, tahuEncode } from "../../../fakes/mqtt/sparkplug-edge.ts";

const long = fc.bigInt(0n, 2n ** 64n - 1n);
const value: fc.Arbitrary<Carried> = fc.oneof(
  fc.record({ in: fc.constantFrom("int", "long"), data: long }),
  fc.record({ in: fc.constant("float" as const), data: fc.float() }),
  fc.record({ in: fc.constant("double" as const), data: fc.double() }),
  fc.record({ in: fc.constant("bool" as const), data: fc.boolean() }),
  fc.record({ in: fc.constant("string" as const), data: fc.string({ unit: "grapheme" }) }),
  fc.record({ in: fc.constant("bytes" as const), data: fc.uint8Array() }),
);
const metric = fc.record(
  {
    name: fc.string({ unit: "grapheme", maxLength: 300 }),
    alias: long,
    timestamp: fc.maxSafeNat(),
    datatype: fc.nat({ max: 40 }),
    historical: fc.boolean(),
    value,
  },
  { requiredKeys: [] },
) as fc.Arbitrary<Metric>;
const payload = fc.record(
  { timestamp: fc.maxSafeNat(), metrics: fc.array(metric, { maxLength: 8 }), seq: fc.nat({ max: 255 }) },
  { requiredKeys: ["metrics"] },
) as fc.Arbitrary<Payload>;

test("what is written is read back", () => {
  fc.assert(
    fc.property(payload, (one) => {
      expect(readPayload(writePayload(one))).toEqual(one);
    }),
  );
});

test("a payload that is cut off anywhere is refused, or is a shorter payload", () => {
  fc.assert(
    fc.property(payload, (one) => {
      const octets = writePayload(one);
      for (let end = 0; end < octets.length; end++) {
        try {
          expect(readPayload(octets.subarray(0, end)).metrics.length).toBeLessThanOrEqual(one.metrics.length);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }
    }),
    { numRuns: 50 },
  );
});

test("whatever the octets are: a payload, or a ProtocolError", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => {
      try {
        readPayload(octets);
      } catch (error) {
        expect(error).toBeInstanceOf(ProtocolError);
      }
    }),
    { numRuns: 2000 },
  );
});

test("what Eclipse Tahu writes is read, values of all scalar types", () => {
  const octets = tahuEncode({
    timestamp: 1_767_225_600_000,
    seq: 255,
    metrics: [
      { name: "i8", alias: 1, type: "Int8", value: -8 },
      { name: "i32", alias: 2, type: "Int32", value: -2147483648 },
      { name: "i64", alias: 3, type: "Int64", value: -1 },
      { name: "u32", alias: 4, type: "UInt32", value: 4294967295 },
      { name: "f", alias: 5, type: "Float", value: 21.5 },
      { name: "d", alias: 6, type: "Double", value: 21.3 },
      { name: "b", alias: 7, type: "Boolean", value: true },
      { name: "ü/☃", alias: 8, type: "String", value: "ünï ☃" },
      { name: "x", alias: 9, type: "Bytes", value: Uint8Array.of(0, 255) },
      { name: "null", alias: 10, type: "Int32", value: null, isNull: true },
    ],
  });
  const { metrics, seq, timestamp } = readPayload(octets);
  expect([timestamp, seq]).toEqual([1_767_225_600_000, 255]);
  expect(metrics.map(({ name, alias, datatype, value }) => [name, alias, datatype, value?.data])).toEqual([
    ["i8", 1n, 1, expect.anything()],
    ["i32", 2n, 3, expect.anything()],
    ["i64", 3n, 4, 2n ** 64n - 1n],
    ["u32", 4n, 7, 4294967295n],
    ["f", 5n, 9, 21.5],
    ["d", 6n, 10, 21.3],
    ["b", 7n, 11, true],
    ["ü/☃", 8n, 12, "ünï ☃"],
    ["x", 9n, 17, Buffer.of(0, 255)],
    ["null", 10n, 3, undefined],
  ]);
  const [i8, i32] = metrics;
  expect(i8?.value?.in === "int" && BigInt.asIntN(8, i8.value.data)).toBe(-8n);
  expect(i32?.value?.in === "int" && BigInt.asIntN(32, i32.value.data)).toBe(-2147483648n);
});

test("what we write Eclipse Tahu reads", () => {
  const metrics: Metric[] = [
    { name: "i", alias: 2n ** 40n, timestamp: 5, datatype: 3, value: { in: "int", data: BigInt.asUintN(32, -5n) } },
    { name: "l", datatype: 4, value: { in: "long", data: BigInt.asUintN(64, -5n) } },
    { name: "f", datatype: 9, value: { in: "float", data: 1.5 } },
    { name: "d", datatype: 10, value: { in: "double", data: 21.3 } },
    { name: "b", datatype: 11, value: { in: "bool", data: true } },
    { name: "s", datatype: 12, value: { in: "string", data: "ünï ☃".repeat(100) } },
  ];
  const read = tahuDecode(writePayload({ timestamp: 1_767_225_600_000, seq: 3, metrics }));
  expect(Number(read.seq)).toBe(3);
  expect((read.metrics ?? []).map(({ name, type, value }) => [name, type, `${value as string | number}`])).toEqual([
    ["i", "Int32", "-5"],
    ["l", "Int64", "-5"],
    ["f", "Float", "1.5"],
    ["d", "Double", "21.3"],
    ["b", "Boolean", "true"],
    ["s", "String", "ünï ☃".repeat(100)],
  ]);
  expect(String(read.metrics?.[0]?.alias)).toBe(String(2 ** 40));
});

test("templates, data sets and property sets are stepped over, however deep they are", () => {
  let template: Record<string, unknown> = { version: "1", isDefinition: false };
  for (let depth = 0; depth < 60; depth++)
    template = { version: "1", metrics: [{ name: "in", type: "Template", value: template }] };
  const rows = [[1, true]];
  const octets = tahuEncode({
    metrics: [
      { name: "t", type: "Template", value: template },
      {
        name: "d",
        type: "DataSet",
        value: { numOfColumns: 2, columns: ["a", "b"], types: ["Int32", "Boolean"], rows } as never,
      },
      { name: "p", type: "Int32", value: 5, properties: { engUnit: { type: "String", value: "°C" } } },
    ],
  });
  const { metrics } = readPayload(octets);
  expect(metrics.map(({ name, value }) => [name, value?.data])).toEqual([
    ["t", undefined],
    ["d", undefined],
    ["p", 5n],
  ]);
});

test("of more metrics than a message may have the first ones are read", () => {
  const metrics = Array.from({ length: 10_000 }, (_, i): Metric => ({ name: `m${i}`, datatype: 3 }));
  const read = readPayload(writePayload({ metrics }));
  expect([read.metrics.length, read.cut]).toEqual([limits.metrics, true]);
});

test.each([
  ["a field with the number 0", [0x00, 0x01]],
  ["a length beyond the end", [0x12, 0x7f, 0x0a]],
  ["a length of 64 bits", [0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]],
  ["a metric whose name is longer than itself", [0x12, 0x02, 0x0a, 0x05, 0x61, 0x61, 0x61, 0x61, 0x61]],
  ["a number that does not end", [0x08, ...Array.from({ length: 11 }, () => 0xff)]],
  ["a group, which nobody uses", [0x0b, 0x0c]],
  ["a metric that reaches beyond the payload", [0x12, 0x03, 0x61, 0x00, 0x00]],
])("%s is refused", (_what, octets) => {
  expect(() => readPayload(Uint8Array.from(octets))).toThrow(ProtocolError);
});
