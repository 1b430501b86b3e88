import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import SqliteDatabase from "better-sqlite3";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openStore } from "../../daemon/store.ts";
import type { OpenedStore } from "../../daemon/store.ts";
import { openSqlite } from "../../daemon/sqlite.ts";
import { bucket } from "../../tree/ports.ts";
import { fakeClock } from "../fakes/clock.ts";
import { fakeLog } from "../fakes/log.ts";

let folder: string;
let file: string;
const stores: OpenedStore[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dmgw-damage-"));
  file = join(folder, "dmgw.db");
});
afterEach(() => {
  for (const store of stores.splice(0)) store.close();
  rmSync(folder, { recursive: true, force: true });
});

const clock = fakeClock(Date.UTC(2026, 10, 20, 12, 34, 56));
const aside = () => join(folder, "dmgw.db.damaged-20261120T123456Z");

function open(): OpenedStore {
  const store = openStore({ folder, clock, log: fakeLog() });
  stores.push(store);
  return store;
}

/** A state file of some 100 pages, closed. */
async function filled(size = 150): Promise<void> {
  const store = open();
  const batch = store.batch();
  for (let index = 0; index < 2000; index++) batch.put("t", `key ${index}`, "x".repeat(size));
  await store.commit(batch);
  store.close();
}

/** Works, holds nothing, says what happened, and the old bytes are still there. */
async function expectFresh(store: OpenedStore): Promise<void> {
  expect(store.degraded).toContain("damaged");
  expect(store.degraded).toContain(aside());
  expect(existsSync(aside())).toBe(true);
  expect([...store.entries("t")]).toEqual([]);
  await bucket(store, "t").set("new", 1);
  store.close();
  const again = open();
  expect(again.get("t", "new")).toBe(1);
  expect(again.degraded).toContain(`set aside as ${aside()}`);
  again.close();
  rmSync(aside(), { recursive: true });
  expect(open().degraded).toBeUndefined();
}

it.each<[what: string, damage: () => void]>([
  ["whose header is overwritten with zero bytes", () => overwrite(0, Buffer.alloc(100))],
  ["that is all garbage", () => writeFileSync(file, Buffer.from("garbage ".repeat(5000)))],
  ["of one stray byte", () => writeFileSync(file, "x")],
  ["that is cut in half", () => truncateSync(file, readFileSync(file).length / 2)],
  ["that is cut in the middle of a page", () => truncateSync(file, readFileSync(file).length - 1000)],
  ["with a page of garbage inside", () => overwrite(4096 * 5, Buffer.alloc(4096, 0xa5))],
  ["with a page of zero bytes inside", () => overwrite(4096 * 7, Buffer.alloc(4096))],
  ["with the root page of the table gone", () => overwrite(4096, Buffer.alloc(4096))],
])("sets a file aside %s, and starts with a fresh one", async (_, damage) => {
  await filled();
  damage();
  await expectFresh(open());
});

function overwrite(offset: number, bytes: Buffer): void {
  const content = readFileSync(file);
  bytes.copy(content, offset);
  writeFileSync(file, content);
}

it("sets a directory in the place of the file aside", async () => {
  mkdirSync(file);
  writeFileSync(join(file, "something"), "");
  await expectFresh(open());
});

it("sets aside a database that is not of dmgw's making", async () => {
  const other = new SqliteDatabase(file);
  other.exec("CREATE TABLE entries (id INTEGER PRIMARY KEY, name TEXT); PRAGMA user_version = 1");
  other.close();
  await expectFresh(open());
});

it("moves the log of the damaged file along with it", async () => {
  await filled();
  truncateSync(file);
  writeFileSync(`${file}-wal`, "log");
  const store = open();
  expect(readFileSync(`${aside()}-wal`, "utf8")).toBe("log");
  await bucket(store, "t").set("a", 1);
});

it("takes a missing or empty file for a new one", () => {
  expect(open().degraded).toBeUndefined();
  stores.pop()?.close();
  writeFileSync(file, "");
  expect(open().degraded).toBeUndefined();
});

it("does not mind a log that is garbage beside a sound file", async () => {
  await filled();
  writeFileSync(`${file}-wal`, Buffer.alloc(50_000, 0x5a));
  const store = open();
  expect(store.degraded).toBeUndefined();
  expect([...store.entries("t")]).toHaveLength(2000);
});

it("keeps three damaged files and no more, each under its own name", () => {
  for (let round = 0; round < 12; round++) {
    writeFileSync(file, `garbage ${round}`.repeat(100));
    open().close();
    expect(readdirSync(folder).filter((name) => name.includes("damaged")).length).toBeLessThanOrEqual(3);
  }
  const kept: string[] = readdirSync(folder).filter((name) => name.includes("damaged"));
  expect(kept).toHaveLength(3);
  expect(readFileSync(join(folder, "dmgw.db.damaged-20261120T123456Z-12"), "utf8")).toContain("garbage 11");
});

it("leaves out an entry that is not JSON, says which, and keeps the others", async () => {
  await filled();
  const raw = openSqlite(file);
  raw.write([{ table: "t", key: "bad", json: "{" }]);
  raw.close();
  const store = open();
  expect([...store.entries("t")]).toHaveLength(2000);
  expect(store.degraded).toContain("bad of t");
  expect(store.get("t", "bad")).toBeUndefined();
  await bucket(store, "t").set("bad", "good");
  expect(store.get("t", "bad")).toBe("good");
});

it("refuses the state of a running dmgw with the pid of that one", async () => {
  const store = open();
  expect(() => openStore({ folder, clock, log: fakeLog() })).toThrow(
    expect.objectContaining({
      name: "ConfigError",
      message: expect.stringContaining(`process ${process.pid}`) as string,
    }),
  );
  await bucket(store, "t").set("a", 1);
  expect(store.degraded).toBeUndefined();
  store.close();
  expect(open().get("t", "a")).toBe(1);
});

it("refuses a damaged file too while another dmgw runs, and does not touch it", () => {
  open();
  writeFileSync(file, "garbage".repeat(1000));
  expect(() => openStore({ folder, clock, log: fakeLog() })).toThrow("in use");
  expect(existsSync(aside())).toBe(false);
});

it("refuses a file that another program has locked, and does not take it for damage", async () => {
  await filled();
  const other = new SqliteDatabase(file);
  other.exec("BEGIN EXCLUSIVE");
  expect(() => open()).toThrow("open in another program");
  other.close();
  expect(open().degraded).toBeUndefined();
});

it("needs no sound lock file", async () => {
  await filled();
  writeFileSync(join(folder, "dmgw.lock"), "garbage".repeat(1000));
  const store = open();
  expect(store.degraded).toBeUndefined();
  expect(() => openStore({ folder, clock, log: fakeLog() })).toThrow("in use");
});

it("lets another dmgw in when a start has failed", async () => {
  await filled();
  const raw = new SqliteDatabase(file);
  raw.pragma("user_version = 99");
  raw.close();
  expect(() => open()).toThrow(expect.objectContaining({ name: "ConfigError" }));
  expect(() => open()).toThrow("newer dmgw (schema 99");
  expect(existsSync(aside())).toBe(false);
});

it("starts with a folder that cannot be made, and answers 510", async () => {
  writeFileSync(join(folder, "file"), "");
  const store = openStore({ folder: join(folder, "file", "state"), clock, log: fakeLog() });
  expect(store.degraded).toContain("cannot be written");
  expect([...store.entries("t")]).toEqual([]);
  expect(store.get("t", "a")).toBeUndefined();
  await expect(bucket(store, "t").set("a", 1)).rejects.toMatchObject({ status: 510 });
  expect(store.usage()).toEqual({ written: 0, syncs: 0, perDay: 0 });
  store.close();
});

it("keeps secrets from other users when the file was readable to all", async () => {
  await filled();
  chmodSync(file, 0o644);
  open();
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

it("stops writing when it meets damage while it runs, and says what to do", async () => {
  // More than fits into SQLite's cache.
  await filled(1500);
  const log = fakeLog();
  const store = openStore({ folder, clock, log });
  stores.push(store);
  // Behind the back of the running daemon, as bad flash would.
  overwriteInPlace(4096 * 2, Buffer.alloc(4096 * 300, 0xa5));
  expect(() => [...store.entries("t")]).toThrow(expect.objectContaining({ name: "DmError", status: 510 }));
  expect(store.degraded).toContain("damaged");
  expect(store.degraded).toContain("start dmgw again");
  await expect(bucket(store, "t").set("a", 1)).rejects.toMatchObject({ status: 510 });
  expect(log.lines.filter((line) => line.includes("damaged"))).toHaveLength(1);
  store.close();
  await expectFresh(open());
});

function overwriteInPlace(offset: number, bytes: Buffer): void {
  const handle = openSync(file, "r+");
  writeSync(handle, bytes, 0, bytes.length, offset);
  closeSync(handle);
}
