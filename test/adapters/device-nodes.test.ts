import { expect, test } from "vitest";
import fc from "fast-check";
import { DeviceNodes, relOf } from "../../adapters/device-nodes.ts";
import { parseRel, top } from "../../tree/path.ts";
import { chr } from "../../tree/value.ts";
import type { Rel } from "../../tree/path.ts";

const nodes = () =>
  new DeviceNodes<string>({
    schema: () => ({ format: "chr", access: new Set(["Get"]) }),
    value: chr,
    description: (rel) => (rel === "a" ? "the first" : undefined),
  });
const rel = (text: string) => parseRel(text);

test("leaves make the interior nodes above them", () => {
  const some = nodes();
  expect(some.put(rel("a/b/c"), "x")).toBe(true);
  expect([some.has(rel("a")), some.has(rel("a/b")), some.has(rel("a/b/c")), some.has(rel("b"))]).toEqual([
    true,
    true,
    true,
    false,
  ]);
  expect(some.schema(rel("a"))).toMatchObject({ format: "node", description: "the first" });
  expect(some.snapshot(top, "one")).toEqual({ format: "node", children: new Map([["a", undefined]]) });
  expect([...some.below(rel("a"))]).toEqual([["a/b/c", "x"]]);
});

test("no leaf takes the place of an interior node, and none stands below a leaf", () => {
  const some = nodes();
  some.put(rel("a/b"), "x");
  expect(some.put(rel("a"), "y")).toBe(false);
  expect(some.put(rel("a/b/c"), "y")).toBe(false);
  expect(some.addInterior(rel("a/b/c"))).toBe(false);
  expect(some.snapshot(top, "deep")).toEqual({
    format: "node",
    children: new Map([["a", { format: "node", children: new Map([["b", chr("x")]]) }]]),
  });
});

test("an interior node may be empty, and clear leaves nothing", () => {
  const some = nodes();
  expect(some.addInterior(rel("a/b"))).toBe(true);
  expect(some.snapshot(rel("a/b"), "deep")).toEqual({ format: "node", children: new Map() });
  some.clear();
  expect(some.has(rel("a"))).toBe(false);
  expect(some.has(top)).toBe(true);
});

test("any names make an address that the tree takes, or none", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary", maxLength: 60 }), { maxLength: 12 }), (names) => {
      const made: Rel | undefined = relOf(names);
      if (made !== undefined) expect(parseRel(made)).toBe(made);
    }),
  );
  expect(relOf(Array.from({ length: 40 }, () => "a"))).toBeUndefined();
  expect(relOf(["a".repeat(250), "b".repeat(250), "c".repeat(250), "d".repeat(250)])).toBeUndefined();
});
