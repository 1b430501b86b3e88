import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import SqliteDatabase from "better-sqlite3";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openSqlite } from "../../daemon/sqlite.ts";

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dmgw-sqlite-"));
  path = join(folder, "dmgw.db");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const first = "CREATE TABLE entries (tbl TEXT, key TEXT, value TEXT, PRIMARY KEY (tbl, key)) WITHOUT ROWID";
const second = "UPDATE entries SET tbl = 'devices' WHERE tbl = 'things'";

const version = () => {
  const raw = new SqliteDatabase(path);
  const found = raw.pragma("user_version", { simple: true });
  raw.close();
  return found;
};

it("brings an empty file to the newest schema", () => {
  openSqlite(path, [first, second]).close();
  expect(version()).toBe(2);
});

it("runs on an older file just the steps that it has not seen", () => {
  const old = openSqlite(path, [first]);
  old.write([{ table: "things", key: "d1", json: "1" }]);
  old.close();
  expect(version()).toBe(1);
  const now = openSqlite(path, [first, second]);
  expect(now.rows("devices", "")).toEqual([{ key: "d1", json: "1" }]);
  expect(now.rows("things", "")).toEqual([]);
  now.close();
  expect(version()).toBe(2);
  openSqlite(path, [first, second]).close();
});

it("leaves an older file as it was when a step fails", () => {
  const old = openSqlite(path, [first]);
  old.write([{ table: "things", key: "d1", json: "1" }]);
  old.close();
  expect(() => openSqlite(path, [first, `${second}; SELECT nonsense FROM nowhere`])).toThrow("nowhere");
  expect(version()).toBe(1);
  const again = openSqlite(path, [first]);
  expect(again.value("things", "d1")).toBe("1");
  again.close();
});

it("refuses a file of a newer schema, and leaves it alone", () => {
  openSqlite(path, [first, second]).close();
  expect(() => openSqlite(path, [first])).toThrow(
    expect.objectContaining({
      name: "ConfigError",
      message: expect.stringContaining("schema 2, this one knows 1") as string,
    }),
  );
  expect(version()).toBe(2);
});

it("counts no write for a transaction that changes nothing", () => {
  const file = openSqlite(path);
  file.write([{ table: "t", key: "a", json: undefined }]);
  expect(file.usage()).toEqual({ written: 0, syncs: 0 });
  file.close();
});
