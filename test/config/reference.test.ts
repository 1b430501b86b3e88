import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { generateReference } from "../../config/reference.ts";
import { root } from "../rules/sources.ts";

test("the reference stands as the schemas make it (npm run generate)", () => {
  expect(readFileSync(join(root, "config/reference.gen.md"), "utf8")).toBe(generateReference());
});

test("every key of the reference says what it takes and what it means", () => {
  const rows = generateReference()
    .split("\n")
    .filter((line) => line.startsWith("| `"));
  expect(rows.length).toBeGreaterThan(50);
  const silent = rows.filter((line) => {
    const [, , form, , meaning] = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
    return form === "" || (meaning === "" && form !== "not in this version");
  });
  expect(silent).toEqual([]);
});
