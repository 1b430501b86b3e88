import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import SqliteDatabase from "better-sqlite3";
import { int } from "../../tree/value.ts";
import { home } from "./home.ts";
import { rate, round } from "./measure.ts";
import type { Table } from "./measure.ts";

/**
 * One node read and written: through the tree with all of its checks, beside what it could cost at least. A bare Map has no rights and
 * forgets; the bare statement is SQLite with the same settings as the store, and no tree.
 */
export async function treeBench(): Promise<readonly Table[]> {
  const reads: string[][] = [];
  const writes: string[][] = [];
  for (const nodes of [1000, 10_000, 100_000]) {
    const tree = await throughTree(nodes);
    const map = await throughMap(nodes);
    const sqlite = await throughSqlite(nodes);
    const label = nodes.toLocaleString("en-US");
    reads.push([label, round(tree.get), round(sqlite.get), round(map.get)]);
    writes.push([label, ...[tree.set, tree.keep, tree.keepTogether, sqlite.set, map.set].map(round)]);
  }
  return [
    { caption: "Get of one leaf, per second", columns: ["nodes", "tree", "bare SELECT", "bare Map"], rows: reads },
    {
      caption:
        "Replace of one leaf, per second (a device's leaf stays in memory; a kept one is synced before it is acknowledged)",
      columns: [
        "nodes",
        "tree, device",
        "tree, kept, 1 caller",
        "tree, kept, 64 callers",
        "bare UPSERT, synced",
        "bare Map",
      ],
      rows: writes,
    },
  ];
}

async function throughTree(nodes: number) {
  const { tree, call, deviceLeaves, keptLeaves, close } = await home({ devices: nodes / 400, kept: nodes / 2 });
  const everywhere = [...deviceLeaves, ...keptLeaves];
  const replace = (at: (typeof everywhere)[number], n: number) =>
    tree.change([{ verb: "Replace", at, value: int(n) }], call);
  const figures = {
    get: await rate((n) => tree.get(scattered(everywhere, n), "one", call)),
    set: await rate((n) => replace(scattered(deviceLeaves, n), n)),
    keep: await rate((n) => replace(scattered(keptLeaves, n), n)),
    keepTogether:
      64 *
      (await rate((n) =>
        Promise.all(Array.from({ length: 64 }, (_, c) => replace(scattered(keptLeaves, n * 64 + c), n))),
      )),
  };
  close();
  return figures;
}

async function throughMap(nodes: number) {
  const keys = Array.from({ length: nodes }, (_, n) => `./Kept/a${Math.floor(n / 1000)}/l${n % 1000}`);
  const map = new Map(keys.map((key) => [key, int(0)]));
  return {
    get: await rate((n) => void map.get(scattered(keys, n))),
    set: await rate((n) => void map.set(scattered(keys, n), int(n))),
  };
}

async function throughSqlite(nodes: number) {
  const folder = mkdtempSync(join(tmpdir(), "dmgw-bench-"));
  const database = new SqliteDatabase(join(folder, "bare.db"));
  database.pragma("locking_mode = EXCLUSIVE");
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = FULL");
  database.exec("CREATE TABLE nodes (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID, STRICT");
  const put = database.prepare(
    "INSERT INTO nodes VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
  );
  const get = database.prepare("SELECT value FROM nodes WHERE key = ?");
  const keys = Array.from({ length: nodes }, (_, n) => `./Kept/a${Math.floor(n / 1000)}/l${n % 1000}`);
  database.transaction(() => keys.forEach((key) => put.run(key, "0")))();
  const figures = {
    get: await rate((n) => void get.get(scattered(keys, n))),
    set: await rate((n) => void put.run(scattered(keys, n), String(n))),
  };
  database.close();
  rmSync(folder, { recursive: true });
  return figures;
}

/** The nth of a walk that jumps all over `list`. */
function scattered<T>(list: readonly T[], n: number): T {
  return list[(n * 7919) % list.length] as T;
}
