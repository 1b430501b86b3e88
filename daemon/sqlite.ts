import { closeSync, openSync, readSync, statSync } from "node:fs";
import SqliteDatabase from "better-sqlite3";
import { ConfigError, reasonOf } from "../tree/errors.ts";
import type { SerializedWrite } from "./batch.ts";

/**
 * The driver below store.ts, and the only file that knows SQLite. It works synchronously: a call has reached the disk when it returns.
 *
 * One connection holds the file exclusively, so that SQLite keeps its index of the write-ahead log in memory and needs no shared one.
 */
export interface SqliteFile {
  /** All of the writes or none, in one transaction with one sync. Throws what {@link faultOf} can name. */
  write(writes: Iterable<SerializedWrite>): void;
  /** In key order, by UTF-8 bytes. */
  rows(table: string, prefix: string): readonly { readonly key: string; readonly json: string }[];
  value(table: string, key: string): string | undefined;
  /** Since open: bytes that were given to the disk, and how often it was told to sync. See {@link meter}. */
  usage(): { readonly written: number; readonly syncs: number };
  close(): void;
}

/**
 * Where the schema comes from: step n brings a file from version n to n + 1. Released steps are never edited, only added to.
 */
const migrations: readonly string[] = [
  `CREATE TABLE entries (
     tbl TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
     PRIMARY KEY (tbl, key)
   ) WITHOUT ROWID, STRICT`,
];

/** The log: a header, then frames of a header (it begins with the page's number) and a page (SQLite file format, section 4.1). */
const pageSize = 4096;
const frameSize = pageSize + 24;
const logHeaderSize = 32;
/** Pages: 1 MiB of log. Larger saves writes of pages that change often, and takes room that a router's flash has not. */
const checkpointAt = 256;

/**
 * Opens the file, making it when missing, checks it and brings it to the present schema. `steps`: for tests of migration itself.
 *
 * The check reads every page. It was measured at 0.1 ms for 200 entries and 12 ms for 50,000 (8.5 MB), so it is never skipped:
 * a file can be damaged while the daemon is down as well.
 * @throws ConfigError when a newer dmgw wrote the file; anything else is for {@link faultOf}.
 */
export function openSqlite(path: string, steps: readonly string[] = migrations): SqliteFile {
  refuseStub(path);
  // No waiting for locks: nobody else has business in this file.
  const database = new SqliteDatabase(path, { timeout: 0 });
  try {
    database.pragma("locking_mode = EXCLUSIVE");
    database.pragma("cell_size_check = ON");
    database.pragma(`page_size = ${pageSize}`);
    const mode = database.pragma("journal_mode = WAL", { simple: true });
    if (mode !== "wal") throw new Damage(`journal mode ${String(mode)} where a write-ahead log was asked for`);
    database.pragma("synchronous = FULL");
    database.pragma("cache_size = -512"); // KiB
    database.pragma("temp_store = MEMORY");
    database.pragma(`wal_autocheckpoint = ${checkpointAt}`);
    database.pragma(`journal_size_limit = ${checkpointAt * frameSize}`);
    const check = database.pragma("quick_check(1)", { simple: true });
    if (check !== "ok") throw new Damage(String(check));
    migrate(database, path, steps);
    return opened(database, path, steps.length);
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * SQLite takes a file without a whole page for an empty one, and throws the log beside it away. We never leave such a file behind: its
 * first page is synced before there is a log.
 */
function refuseStub(path: string): void {
  const size = (file: string) => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size(path) >= pageSize) return;
  if (size(path) > 0 || size(`${path}-wal`) > 0) throw new Damage(`only ${size(path)} bytes of the file are left`);
}

function migrate(database: SqliteDatabase.Database, path: string, steps: readonly string[]): void {
  const version = database.pragma("user_version", { simple: true }) as number;
  if (version > steps.length) {
    const message = `${path} was written by a newer dmgw (schema ${version}, this one knows ${steps.length}): install that version again, or move the file away to start empty`;
    throw new ConfigError([{ key: "state", message, where: path }]);
  }
  for (const [index, sql] of steps.entries()) {
    if (index < version) continue;
    database.transaction(() => {
      database.exec(sql);
      database.pragma(`user_version = ${index + 1}`);
    })();
  }
}

function opened(database: SqliteDatabase.Database, path: string, version: number): SqliteFile {
  const put = database.prepare<[string, string, string]>(
    "INSERT OR REPLACE INTO entries (tbl, key, value) VALUES (?, ?, ?)",
  );
  const remove = database.prepare<[string, string]>("DELETE FROM entries WHERE tbl = ? AND key = ?");
  const one = database.prepare<[string, string]>("SELECT value FROM entries WHERE tbl = ? AND key = ?").pluck();
  const all = database.prepare<[string], { key: string; json: string }>(
    "SELECT key, value AS json FROM entries WHERE tbl = ? ORDER BY key",
  );
  // No UTF-8 byte is as large as FF, so this is the least text above every key with the prefix.
  const some = database.prepare<[string, string, Buffer], { key: string; json: string }>(
    "SELECT key, value AS json FROM entries WHERE tbl = ? AND key >= ? AND key < CAST(? AS TEXT) ORDER BY key",
  );
  const usage = meter(database, path);

  const transaction = database.transaction((writes: Iterable<SerializedWrite>): boolean => {
    let changes = 0;
    for (const { table, key, json } of writes) {
      changes += (json === undefined ? remove.run(table, key) : put.run(table, key, json)).changes;
    }
    return changes > 0;
  });

  /**
   * When the sync of a commit fails, its frames stand complete in the log and would come alive at the next start, though the commit
   * was answered as failed. A commit that changes nothing, put over them, ends that, even if its own sync fails as well. Only where the
   * disk takes no more writes until the daemon ends can a commit that was refused be found at the next start.
   */
  const bury = () => {
    try {
      database.pragma(`user_version = ${version}`);
    } catch {
      // The disk is as bad as it was: the caller is told of the first failure.
    }
  };

  return {
    write(writes) {
      let changed: boolean;
      try {
        changed = transaction.immediate(writes);
      } catch (error) {
        bury();
        usage.skip();
        throw error;
      }
      // Deleting what is not there writes nothing.
      if (changed) usage.add();
    },
    rows: (table, prefix) =>
      prefix === ""
        ? all.all(table)
        : some.all(table, prefix, Buffer.concat([Buffer.from(prefix), Buffer.from([0xff])])),
    value: (table, key) => one.get(table, key) as string | undefined,
    usage: () => usage.counts(),
    close: () => void database.close(),
  };
}

/**
 * Counts what goes to the disk, from SQLite's own account of its log.
 *
 * Counted: every frame of the log, and at each checkpoint the pages that were copied into the file. Not counted: the log's header, failed
 * commits, making the file, and what the file system and the flash add below us (their journal, whole blocks for small writes), which no
 * program can see.
 */
function meter(database: SqliteDatabase.Database, path: string) {
  const state = (): { readonly log: number; readonly checkpointed: number } => {
    // NOOP tells the state of the log and does no work; it takes some 30 µs.
    const [row] = database.pragma("wal_checkpoint(NOOP)") as { log: number; checkpointed: number }[];
    return row ?? { log: 0, checkpointed: 0 };
  };
  let last = state();
  let written = 0;
  let syncs = 0;
  return {
    /** A commit that wrote something has succeeded. */
    add() {
      const now = state();
      // A log that was copied whole is begun again by the next write, which then syncs the log's new header on its own.
      const anew = last.checkpointed === last.log;
      const frames = anew ? now.log : now.log - last.log;
      const copiedBefore = anew ? 0 : last.checkpointed;
      const copied = now.checkpointed > copiedBefore ? pagesInLog(`${path}-wal`, copiedBefore, now.checkpointed) : 0;
      written += frames * frameSize + copied * pageSize;
      syncs += (anew ? 2 : 1) + (copied > 0 ? 2 : 0);
      last = now;
    },
    /** A commit has failed: whatever the log holds now is where the next one begins. */
    skip() {
      last = state();
    },
    counts: () => ({ written, syncs }),
  };
}

/** How many different pages the frames from `first` to before `end` hold: a page that changed often is copied once. */
function pagesInLog(path: string, first: number, end: number): number {
  let handle: number | undefined;
  try {
    handle = openSync(path, "r");
    const pages = new Set<number>();
    const number = Buffer.alloc(4);
    for (let frame = first; frame < end; frame++) {
      readSync(handle, number, 0, 4, logHeaderSize + frame * frameSize);
      pages.add(number.readUInt32BE());
    }
    return pages.size;
  } catch {
    // The commit itself is done, and no count may undo that: as if each had changed once.
    return end - first;
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}

/**
 * Takes the kernel's lock on `path`, an empty file that is never written. It is gone with the process, however that ends.
 * It is a file of its own, so that a state file can be judged, moved away and made anew without another daemon in between.
 * @returns what gives the lock back. @throws what {@link faultOf} calls "busy" when another process has it.
 */
export function lockFile(path: string): () => void {
  const database = new SqliteDatabase(path, { timeout: 0 });
  try {
    database.pragma("journal_mode = MEMORY");
    database.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    throw error;
  }
  return () => void database.close();
}

/** The content is wrong, as far as we ourselves can tell. */
class Damage extends Error {}

/**
 * What a failure is about: `busy`: another process has the file; `damaged`: its content is wrong or cannot be read; `full`: no room;
 * `refused`: the file cannot be opened; `failed`: the disk or the file system does not do its work.
 */
export function faultOf(error: unknown): "busy" | "damaged" | "full" | "refused" | "failed" {
  if (error instanceof Damage) return "damaged";
  const code = error instanceof SqliteDatabase.SqliteError ? error.code : "";
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) return "busy";
  // SQLITE_ERROR: our own statements do not fit the tables in the file.
  if (/^SQLITE_(CORRUPT|NOTADB|IOERR_READ|IOERR_SHORT_READ|IOERR_DATA|IOERR_CORRUPTFS|ERROR$)/.test(code))
    return "damaged";
  if (code === "SQLITE_FULL") return "full";
  if (/^SQLITE_(CANTOPEN|PERM|READONLY|AUTH)/.test(code)) return "refused";
  return "failed";
}

/** One line for a person, with SQLite's own name of the fault. */
export function faultText(error: unknown): string {
  return error instanceof SqliteDatabase.SqliteError ? `${error.message} (${error.code})` : reasonOf(error);
}
