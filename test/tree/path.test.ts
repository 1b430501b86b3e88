import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { join, nameOf, parent, parsePath, pathLimits, relativeTo, segmentOf, within } from "../../tree/path.ts";

describe("parsePath", () => {
  it.each([
    [".", "."],
    ["./", "."],
    ["./A/B", "./A/B"],
    ["A/B", "./A/B"],
    ["./a b", "./a%20b"],
    ["./%41", "./A"],
    ["./%c3%a9", "./%C3%A9"],
    ["./é", "./%C3%A9"],
    ["./a%2fb", "./a%2Fb"],
    ["./0x00158d:1@x", "./0x00158d:1@x"],
    ["./__proto__", "./__proto__"],
  ])("reads %s as %s", (text, path) => expect(parsePath(text)).toBe(path));

  it.each([
    ["", 400],
    ["/A", 400],
    ["./A/", 400],
    ["./A//B", 400],
    ["./A/../B", 400],
    ["./A/./B", 400],
    ["..", 400],
    ["./%zz", 400],
    ["./%ff", 400],
    ["./a\u0000b", 400],
    ["./%0a", 400],
    [`./${"a/".repeat(40)}a`, 414],
    [`./${"a".repeat(256)}`, 414],
    [`./${"a".repeat(100_000)}`, 414],
  ])("answers %j with %i", (text, status) =>
    expect(() => parsePath(text)).toThrow(expect.objectContaining({ status }) as Error),
  );

  it("is canonical: what it gives, it gives again", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), (text) => {
        let path: string;
        try {
          path = parsePath(text);
        } catch (error) {
          expect([400, 414]).toContain((error as { status: number }).status);
          return;
        }
        expect(parsePath(path)).toBe(path);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("segmentOf", () => {
  it("makes a valid segment of any name, and different ones of different names", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 400 }), (name) => {
        const segment = segmentOf(name);
        expect(segment.length).toBeLessThanOrEqual(pathLimits.segment);
        expect(parsePath(`./${segment}`)).toBe(`./${segment}`);
      }),
      { numRuns: 2000 },
    );
    expect(segmentOf("a/b")).toBe("a%2Fb");
    expect(nameOf(segmentOf("Küche/Licht"))).toBe("Küche/Licht");
    expect(segmentOf("..")).toBe("%2E%2E");
    expect(segmentOf("")).toBe("_");
    expect(segmentOf("x".repeat(1000))).not.toBe(segmentOf("x".repeat(1001)));
  });
});

it("walks up and down", () => {
  const at = parsePath("./Devices/d1/MQTT");
  expect([parent(at), parent(parsePath("./A")), parent(parsePath("."))]).toEqual(["./Devices/d1", ".", undefined]);
  expect(join(parsePath("."), "A")).toBe("./A");
  expect(relativeTo(at, parsePath("./Devices/d1"))).toBe("MQTT");
  expect(within(parsePath("./Devices/d10"), parsePath("./Devices/d1"))).toBe(false);
  expect(within(at, parsePath("."))).toBe(true);
});
