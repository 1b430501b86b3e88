// What stands beside the sources: packages, generated files, the README's map.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { filesBelow, importsOf, root, sources } from "./sources.ts";

const read = (path: string): string => readFileSync(join(root, path), "utf8");

/** Packages that are not asked for in one exact version, or that come from neither the registry nor this repository. */
function loose(packages: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(packages)
    .filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version) && !/^file:\.\/config\/shims\/[a-z-]+$/.test(version))
    .map(([name, version]) => `${name}: ${version}`);
}

/** The folders that the README's code map names, each a row that begins with | `folder/`. */
function mapped(readme: string): readonly string[] {
  const section = readme.split(/^## /m).find((part) => part.startsWith("Code map")) ?? "";
  return [...section.matchAll(/^\| *`([a-z0-9/.-]+)\/`/gm)].map((row) => row[1] ?? "");
}

/** The row that a folder needs. Tests that mirror a folder are one row, and so is each other folder below test/. */
function rowOf(folder: string): string {
  if (/^test\/(tree|adapters|config|daemon)(\/|$)/.test(folder)) return "test";
  return /^test\/[^/]+/.exec(folder)?.[0] ?? folder;
}

/** Every folder of ours that holds a file itself, as the rows that the map needs for them. */
function folders(): readonly string[] {
  const files = ["tree", "adapters", "config", "daemon", "systemd", "test", ".ci"].flatMap(filesBelow);
  return [...new Set(files.map((path) => rowOf(path.slice(0, path.lastIndexOf("/")))))].sort();
}

test("packages are pinned to one version", () => {
  const { dependencies, devDependencies } = JSON.parse(read("package.json")) as Record<string, Record<string, string>>;
  expect(loose({ ...dependencies, ...devDependencies })).toEqual([]);
});

test("every package that ships is used", () => {
  const { dependencies } = JSON.parse(read("package.json")) as { dependencies: Record<string, string> };
  const ours = sources().filter(({ path }) => !path.startsWith("test/"));
  const used = new Set(ours.flatMap(importsOf).map(({ to }) => to.split("/")[0]));
  const own = Object.entries(dependencies).filter(([, version]) => !version.startsWith("file:"));
  expect(own.map(([name]) => name).filter((name) => !used.has(name))).toEqual([]);
});

test("the lock file names no registry, so that it holds behind every mirror", () => {
  expect(read("package-lock.json").match(/"resolved": "(?!config\/shims\/).*/g) ?? []).toEqual([]);
});

test("the version stands in package.json, its lock file and the change log alike", () => {
  const { version } = JSON.parse(read("package.json")) as { version: string };
  expect((JSON.parse(read("package-lock.json")) as { version: string }).version).toBe(version);
  expect(read("CHANGELOG.md")).toContain(`## [${version}]`);
});

test("every folder is on the README's code map, and nothing else is", () => {
  expect([...mapped(read("README.md"))].sort()).toEqual(folders());
});

test("the rules about packages and the map can fail", () => {
  expect(
    loose({ a: "^1.2.3", b: "1.2.x", c: "git+https://example.org/c", d: "1.2.3", e: "file:./config/shims/e" }),
  ).toHaveLength(3);
  expect(["daemon/dm", "test/daemon/dm", "test/fakes/dm-server"].map(rowOf)).toEqual([
    "daemon/dm",
    "test",
    "test/fakes",
  ]);
  expect(mapped("# x\n\n## Code map\n\n| `tree/` | a |\n| `tree/wire/` | b |\n\n## Next\n\n| `no/` | c |\n")).toEqual([
    "tree",
    "tree/wire",
  ]);
});
