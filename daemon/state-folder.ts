import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  openSync,
} from "node:fs";
import { readFileSync, readdirSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pid } from "node:process";
import { ConfigError, reasonOf } from "../tree/errors.ts";
import type { Clock } from "../tree/ports.ts";
import { makeFolder } from "./folders.ts";
import { faultOf, faultText, lockFile, openSqlite } from "./sqlite.ts";
import type { SqliteFile } from "./sqlite.ts";

/** What openStore works on: the state file, in the best shape that can be had. */
export interface OpenedState {
  /** Undefined: there is nothing to read. */
  readonly file: SqliteFile | undefined;
  /** Why nothing can be kept; undefined: everything can. */
  readonly readOnly: string | undefined;
  /** What a person must know and do; undefined: all is well. */
  readonly trouble: string | undefined;
  /** Closes the file and lets another daemon in. */
  close(): void;
}

const fileName = "dmgw.db";
/** Files that SQLite keeps beside its own, and that belong to it. */
const companions = ["-wal", "-journal"];
/** Damaged files take room on a small flash, so only the latest are kept. */
const damagedKept = 3;

/**
 * Opens dmgw.db in the folder, which is made when missing, for this process alone.
 *
 * - damaged or unreadable: the file is set aside as dmgw.db.damaged-<time>, and a fresh one is opened;
 * - the folder cannot be written (read-only, full, not ours): what the file holds is read from a copy in the temporary folder, so
 *   that the gateway is still itself, and nothing is kept;
 * - any start while a damaged file still lies there says so, since the first one may have been seen by nobody.
 * @throws ConfigError when another daemon has the state, or a newer dmgw wrote it.
 */
export function openState(folder: string, clock: Clock): OpenedState {
  const path = join(folder, fileName);
  let unlock: () => void;
  try {
    makeFolder(folder, 0o700);
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    unlock = lock(folder);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    return copyOf(path, `the state folder ${folder} cannot be written: ${faultText(error)}`, () => {});
  }
  try {
    return openOrReplace(folder, path, clock, unlock);
  } catch (error) {
    unlock();
    throw error;
  }
}

function openOrReplace(folder: string, path: string, clock: Clock, unlock: () => void): OpenedState {
  try {
    return working(openPrivate(path), leftBehind(folder), unlock);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    if (faultOf(error) === "busy") throw inUse(path, `${path} is open in another program: close that first`);
    if (!isDamaged(path, error)) return copyOf(path, `${path} cannot be opened: ${faultText(error)}`, unlock);
    return replace(folder, path, faultText(error), clock, unlock);
  }
}

/** The file is damaged: set aside, and a fresh one opened. */
function replace(folder: string, path: string, damage: string, clock: Clock, unlock: () => void): OpenedState {
  let aside: string;
  try {
    aside = setAside(folder, path, clock);
  } catch (error) {
    return copyOf(path, `${path} is damaged (${damage}) and cannot be set aside: ${reasonOf(error)}`, unlock);
  }
  const trouble =
    `the state file was damaged (${damage}) and is now ${aside}: dmgw has started with empty state. Stop dmgw and put a good copy ` +
    `back as ${path}, or set up again what was set up at run time; then delete the damaged file`;
  try {
    return working(openPrivate(path), trouble, unlock);
  } catch (error) {
    const why = `${trouble}. A fresh state file cannot be made: ${faultText(error)}`;
    return { file: undefined, readOnly: why, trouble: why, close: unlock };
  }
}

function working(file: SqliteFile, trouble: string | undefined, unlock: () => void): OpenedState {
  const close = () => {
    try {
      file.close();
    } finally {
      unlock();
    }
  };
  return { file, readOnly: undefined, trouble, close };
}

/** Nothing can be written where the file is: its copy is read, and is gone from the temporary folder before this returns. */
function copyOf(path: string, why: string, unlock: () => void): OpenedState {
  const what = `${why}. Nothing new is kept until that is mended and dmgw is started again`;
  let scratch: string | undefined;
  try {
    scratch = mkdtempSync(join(tmpdir(), "dmgw-"));
    const copy = join(scratch, fileName);
    copyFileSync(path, copy);
    for (const suffix of companions) if (existsSync(path + suffix)) copyFileSync(path + suffix, copy + suffix);
    return { ...working(openPrivate(copy), what, unlock), readOnly: what };
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const empty = `${what}. dmgw runs with empty state: ${faultText(error)}`;
    return { file: undefined, readOnly: empty, trouble: empty, close: unlock };
  } finally {
    // SQLite goes on with the files that it has open.
    if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true });
  }
}

/** Secrets of servers and devices are kept here: for nobody else to read, and SQLite gives its log the mode of the file. */
function openPrivate(path: string): SqliteFile {
  makePrivate(path);
  return openSqlite(path);
}

function makePrivate(path: string): void {
  try {
    // Only a new file is opened here: closing any handle of a file ends the locks that this process has on it.
    if (!existsSync(path)) closeSync(openSync(path, "ax", 0o600));
    chmodSync(path, 0o600);
  } catch {
    // Whatever stands in the way: opening it says it better.
  }
}

/**
 * The lock is the kernel's, so that it ends with the process; the pid beside it only serves the message.
 * @throws ConfigError when another daemon has it.
 */
function lock(folder: string): () => void {
  const path = join(folder, "dmgw.lock");
  const pidPath = join(folder, "dmgw.pid");
  makePrivate(path);
  let release: () => void;
  try {
    release = lockFile(path);
  } catch (error) {
    if (faultOf(error) === "busy")
      throw inUse(folder, `in use by another dmgw${holder(pidPath)}: stop that one, or set another "state:"`);
    if (faultOf(error) !== "damaged") throw error;
    // Somebody wrote into it; it needs no content. It is kept, not replaced: a lock is on the file, not on its name.
    truncateSync(path);
    release = lockFile(path);
  }
  try {
    writeFileSync(pidPath, `${pid}\n`, { mode: 0o600 });
  } catch {
    // A full disk: the lock holds without it.
  }
  return () => {
    rmSync(pidPath, { force: true });
    release();
  };
}

function holder(pidPath: string): string {
  try {
    const text = readFileSync(pidPath, "utf8").trim();
    return /^\d+$/.test(text) ? ` (process ${text})` : "";
  } catch {
    return "";
  }
}

function inUse(where: string, message: string): ConfigError {
  return new ConfigError([{ key: "state", message, where }]);
}

/** The file itself is at fault, and a fresh one would do better: not the disk, and not the folder. */
function isDamaged(path: string, error: unknown): boolean {
  const fault = faultOf(error);
  if (fault !== "refused") return fault === "damaged";
  try {
    if (!lstatSync(path).isFile()) return true;
    accessSync(path, constants.R_OK | constants.W_OK);
    return false;
  } catch (access) {
    return (access as NodeJS.ErrnoException).code === "EACCES";
  }
}

const damagedName = /^dmgw\.db\.damaged-\d{8}T\d{6}Z(-\d+)?$/;

/** @returns the new path. The newest {@link damagedKept} stay. */
function setAside(folder: string, path: string, clock: Clock): string {
  const time = new Date(clock.now()).toISOString().replace(/[-:]|\.\d+/g, "");
  const stem = `${fileName}.damaged-${time}`;
  const before = damagedFiles(folder);
  // Gateways boot in 1970, again and again: the time alone is not unique.
  const last = before.findLast((name) => name.startsWith(stem));
  const name = last === undefined ? stem : `${stem}-${Number(last.slice(stem.length + 1) || "1") + 1}`;

  const aside = join(folder, name);
  renameSync(path, aside);
  // The same suffix behind the new name, so that SQLite's own tools still find them.
  for (const suffix of companions) if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);

  for (const old of before.slice(0, Math.max(0, before.length - damagedKept + 1))) {
    for (const suffix of ["", ...companions]) removeFile(join(folder, old + suffix));
  }
  return aside;
}

function removeFile(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // A folder that stood in place of the file: not ours to empty.
  }
}

/** Oldest first. */
function damagedFiles(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => damagedName.test(name));
  return names.sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
}

function leftBehind(folder: string): string | undefined {
  const last = damagedFiles(folder).at(-1);
  if (last === undefined) return undefined;
  return `an earlier state file was damaged and set aside as ${join(folder, last)}: delete it when nothing of it is needed any more`;
}
