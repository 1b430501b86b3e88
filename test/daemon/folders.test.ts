import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { makeFolder } from "../../daemon/folders.ts";

let place: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), "dmgw-folders-"));
});
afterEach(() => rmSync(place, { recursive: true }));

it("makes a folder and those above it, and leaves one that is there as it is", () => {
  makeFolder(join(place, "a/b/c"), 0o700);
  expect(statSync(join(place, "a/b/c")).mode & 0o777).toBe(0o700);
  makeFolder(join(place, "a/b/c"), 0o755);
  expect(statSync(join(place, "a/b/c")).mode & 0o777).toBe(0o700);
});

it.each(["/proc/nowhere/deep", "/sys/nowhere"])("fails at once where nothing can be made: %s", (folder) => {
  expect(() => makeFolder(folder, 0o700)).toThrow(/ENOENT|EPERM|EACCES|EROFS/);
});

it("fails where a file is in the way", () => {
  writeFileSync(join(place, "file"), "");
  expect(() => makeFolder(join(place, "file/below"), 0o700)).toThrow();
});
