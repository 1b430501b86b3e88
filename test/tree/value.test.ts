import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  bin,
  chr,
  fromStored,
  int,
  leafFormats,
  parseValue,
  sameValue,
  sizeOf,
  textOf,
  toStored,
} from "../../tree/value.ts";
import type { Value } from "../../tree/value.ts";

describe("values", () => {
  it.each([
    ["int", "2147483648"],
    ["int", "1.5"],
    ["int", ""],
    ["int", "0x10"],
    ["float", "NaN"],
    ["float", "1e999"],
    ["float", ""],
    ["bool", "1"],
    ["bool", "yes"],
    ["date", "20260230"],
    ["date", "2026"],
    ["time", "noon"],
    ["b64", "***"],
    ["bin", "%%"],
  ] as const)("of format %s are not read from %j", (format, text) => {
    expect(() => parseValue(format, text)).toThrow(expect.objectContaining({ status: 415 }) as Error);
  });

  it.each([
    ["int", " -5 ", -5],
    ["float", "1e3", 1000],
    ["bool", "TRUE", true],
    ["date", "2026-11-20", "2026-11-20"],
    ["time", "20261120T101500Z", "20261120T101500Z"],
    ["chr", " kept as it is ", " kept as it is "],
  ] as const)("of format %s are read from %j", (format, text, data) => {
    expect(parseValue(format, text)).toEqual({ format, data });
  });

  it("have one text each, which reads back as the same value, in the store too", () => {
    const value: fc.Arbitrary<Value> = fc.oneof(
      fc.boolean().map((data): Value => ({ format: "bool", data })),
      fc.integer().map((data): Value => ({ format: "int", data })),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((data): Value => ({ format: "float", data })),
      fc.string({ unit: "binary" }).map((data): Value => ({ format: "chr", data })),
      fc.uint8Array().map((data): Value => ({ format: "bin", data })),
      fc.constant<Value>({ format: "null" }),
    );
    fc.assert(
      fc.property(value, (one) => {
        expect(sameValue(parseValue(one.format, textOf(one)), one)).toBe(true);
        expect(sameValue(fromStored(JSON.parse(JSON.stringify(toStored(one))) as never), one)).toBe(true);
      }),
    );
    expect(leafFormats).toHaveLength(10);
  });

  it("that do not fit a DM int travel as text, and sizes are octets", () => {
    expect(int(2 ** 31)).toEqual(chr("2147483648"));
    expect([sizeOf(chr("é")), sizeOf(bin(new Uint8Array(5))), sizeOf({ format: "null" })]).toEqual([2, 5, 0]);
  });
});
