import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { importsOf, root, source, sources, type Import, type Source } from "./sources.ts";

interface Room {
  /** Files that live in this room. */
  readonly holds: RegExp;
  /** Our own files that they may import. */
  readonly own: RegExp;
  /** Our own files that they may import for their types only. */
  readonly types?: RegExp;
  /** Packages and node: modules; all of them when left out. */
  readonly packages?: RegExp;
}

/** Each knows what all adapters share, and none of its siblings. */
const adapters = readdirSync(join(root, "adapters"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

/** Who may import whom. The first room that holds a file is its room. */
const rooms: readonly Room[] = [
  { holds: /^tree\//, own: /^tree\//, packages: /^(node:crypto|saxes)$/ },
  { holds: /^adapters\/index\.ts$/, own: /^(tree|adapters)\// },
  { holds: /^adapters\/[^/]+\.ts$/, own: /^(tree\/|adapters\/(?!index)[^/]+\.ts$)/ },
  ...adapters.map((name) => ({
    holds: new RegExp(`^adapters/${name}/`),
    own: new RegExp(`^(tree/|adapters/(?!index)[^/]+\\.ts$|adapters/${name}/)`),
  })),
  { holds: /^config\//, own: /^(tree\/|config\/|adapters\/([^/]+|[^/]+\/options)\.ts$)/ },
  { holds: /^daemon\/dm\//, own: /^(tree|daemon\/dm)\//, packages: /^node:crypto$/ },
  {
    holds: /^daemon\/cli\//,
    own: /^(tree\/errors\.ts$|config\/|daemon\/cli\/)/,
    types: /^(tree\/|daemon\/gateway\.ts$)/,
  },
  { holds: /^daemon\/main\.ts$/, own: /^((tree|config|adapters|daemon)\/|package\.json$)/ },
  { holds: /^daemon\//, own: /^(tree\/|config\/|adapters\/|daemon\/(?!(main|daemon)\.ts$))/ },
  { holds: /^test\//, own: /^(tree|config|adapters|daemon|test)\// },
];

/** Imports that reach where they may not. */
function forbidden(file: Source): readonly string[] {
  const room = rooms.find((r) => r.holds.test(file.path));
  if (room === undefined) return [`${file.path} lives in no room of the table in this test`];
  const allowed = (i: Import): boolean => {
    if (!i.own) return room.packages?.test(i.to) ?? true;
    return room.own.test(i.to) || (i.typeOnly && room.types?.test(i.to) === true);
  };
  return importsOf(file)
    .filter((i) => !allowed(i))
    .map((i) => `${file.path}:${i.line} imports ${i.to}`);
}

/** The first cycle found, as the way round; types count too: a reader has to go round them as well. */
function cycle(files: readonly Source[]): readonly string[] {
  const edges = new Map(files.map((file) => [file.path, importsOf(file).filter((i) => i.own)]));
  const done = new Set<string>();
  const visit = (path: string, way: readonly string[]): readonly string[] => {
    if (way.includes(path)) return [...way.slice(way.indexOf(path)), path];
    if (done.has(path)) return [];
    for (const { to } of edges.get(path) ?? []) {
      const found = visit(to, [...way, path]);
      if (found.length > 0) return found;
    }
    done.add(path);
    return [];
  };
  for (const { path } of files) {
    const found = visit(path, []);
    if (found.length > 0) return found;
  }
  return [];
}

test("folders import only what they may", () => {
  expect(sources().flatMap(forbidden)).toEqual([]);
});

test("no imports go round in a circle", () => {
  expect(cycle(sources()).join(" -> ")).toBe("");
});

test("our own files are imported by the name they have on the disk", () => {
  const missing = sources().flatMap((file) =>
    importsOf(file)
      .filter((i) => i.own && !existsSync(join(root, i.to)))
      .map((i) => `${file.path}:${i.line} imports ${i.to}`),
  );
  expect(missing).toEqual([]);
});

test.each([
  ["tree/a.ts", 'import { x } from "../daemon/b.ts";'],
  ["tree/a.ts", 'import { readFile } from "node:fs/promises";'],
  ["tree/a.ts", 'import type { x } from "../adapters/adapter.ts";'],
  ["adapters/mqtt/a.ts", 'import { x } from "../coap/b.ts";'],
  ["adapters/mqtt/a.ts", 'import { x } from "../../daemon/clock.ts";'],
  ["adapters/mqtt/a.ts", 'import { x } from "../index.ts";'],
  ["adapters/faces.ts", 'import { x } from "./mqtt/index.ts";'],
  ["config/a.ts", 'import { x } from "../adapters/mqtt/device.ts";'],
  ["daemon/dm/session.ts", 'import { request } from "node:http";'],
  ["daemon/dm/session.ts", 'const t = await import("node:timers/promises");'],
  ["daemon/dm/session.ts", 'type T = import("../store.ts").T;'],
  ["daemon/cli/get.ts", 'import { x } from "../gateway.ts";'],
  ["daemon/cli/get.ts", 'import type { x } from "../store.ts";'],
  ["daemon/store.ts", 'import { x } from "./daemon.ts";'],
  ["daemon/store.ts", 'export { x } from "../test/fakes/store.ts";'],
  ["elsewhere/a.ts", ""],
])("the import rule refuses %s with %s", (path, text) => {
  expect(forbidden(source(path, text))).toHaveLength(1);
});

test("the import rule allows what the table says", () => {
  const text =
    'import type { Gateway } from "../gateway.ts"; import { ConfigError } from "../../tree/errors.ts"; import yargs from "yargs";';
  expect(forbidden(source("daemon/cli/get.ts", text))).toEqual([]);
});

test("the cycle rule finds a way round three files", () => {
  const files = [
    source("tree/a.ts", 'import { b } from "./b.ts";'),
    source("tree/b.ts", 'import type { c } from "./wire/c.ts";'),
    source("tree/wire/c.ts", 'const a = import("../a.ts");'),
  ];
  expect(cycle(files)).toEqual(["tree/a.ts", "tree/b.ts", "tree/wire/c.ts", "tree/a.ts"]);
  expect(cycle(files.slice(0, 2))).toEqual([]);
});
