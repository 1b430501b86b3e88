import { constants, watch } from "node:fs";
import type { FSWatcher } from "node:fs";
import { open, readdir, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { DmError, Status } from "../../tree/errors.ts";
import type { Clock } from "../../tree/ports.ts";
import { emptyBook } from "./lease-book.ts";
import type { LeaseBook } from "./lease-book.ts";
import { readLeases } from "./lease-formats.ts";

/** Where DHCP servers of routers and of Debian keep their leases: dnsmasq of OpenWrt and of Debian, odhcpd, Kea. */
export const usualPlaces: readonly string[] = [
  "/tmp/dhcp.leases",
  "/var/lib/misc/dnsmasq.leases",
  "/tmp/hosts/odhcpd",
  "/var/lib/kea/kea-leases4.csv",
  "/var/lib/kea/kea-leases6.csv",
];

const largestFile = 4 * 1024 * 1024;
/** Of a folder. */
const mostFiles = 16;
/** A server writes in several pieces. */
const settleMs = 300;

/** A file, or a folder of files, in which a DHCP server keeps its leases. */
export interface LeasePlace {
  readonly path: string;
  /**
   * Reads it, unless it is as it was. undefined: there is nothing; a book: what it says now, the same one while it has not changed.
   * @throws DmError 503 when it cannot be read.
   */
  read(): Promise<LeaseBook | undefined>;
  /** Begins to watch it, where the system can; harmless when it does already. */
  watch(): void;
  close(): void;
}

/** `changed` is called soon after it has changed, in so far as that is noticed; looking every now and then is left to the caller. */
export function leasePlace(path: string, clock: Clock, changed: () => void): LeasePlace {
  let watcher: FSWatcher | undefined;
  let cancel = () => {};
  let before: { readonly signature: string; readonly book: LeaseBook } | undefined;

  const soon = () => {
    cancel();
    cancel = clock.after(settleMs, changed);
  };
  const unwatch = () => {
    watcher?.close();
    watcher = undefined;
  };

  return {
    path,
    async read() {
      const parts = await partsOf(path);
      if (parts.length === 0) return undefined;
      const signature = JSON.stringify(parts);
      if (before?.signature === signature) return before.book;
      const book = emptyBook();
      for (const part of parts) readLeases(await contents(part.path), book);
      before = { signature, book };
      return book;
    },
    watch() {
      if (watcher !== undefined) return;
      try {
        // Its folder: the file itself is another one after it was replaced.
        const name = basename(path);
        watcher = watch(dirname(path), { persistent: false }, (_, file) => {
          if (file === null || file.startsWith(name)) soon();
        });
        watcher.on("error", unwatch);
      } catch {
        // No such folder yet, or no watches left: whoever looks every now and then finds it.
        unwatch();
      }
    },
    close() {
      cancel();
      unwatch();
    },
  };
}

interface Part {
  readonly path: string;
  readonly size: number;
  readonly changedAt: number;
  readonly inode: number;
}

/** In the order in which they count. */
async function partsOf(path: string): Promise<readonly Part[]> {
  const own = await partOf(path);
  if (own !== undefined && !own.isFolder) return [...(path.endsWith(".csv") ? await olderParts(path) : []), own.part];
  if (own === undefined) return path.endsWith(".csv") ? olderParts(path) : [];
  const names = (await readdir(path)).sort().slice(0, mostFiles);
  const inside = await Promise.all(names.map((name) => partOf(join(path, name))));
  return inside.flatMap((found) => (found === undefined || found.isFolder ? [] : [found.part]));
}

/**
 * Kea moves its file aside every hour and begins a new one: until it is restarted the older leases stand in these (Kea ARM, "Why Is Lease File Cleanup
 * Necessary?"): a finished clean-up, or else what was cleaned up before and what is being cleaned up.
 */
async function olderParts(path: string): Promise<readonly Part[]> {
  const [completed, previous, input] = await Promise.all(
    [".completed", ".2", ".1"].map((end) => partOf(`${path}${end}`)),
  );
  const older = completed === undefined ? [previous, input] : [completed];
  return older.flatMap((found) => (found === undefined || found.isFolder ? [] : [found.part]));
}

async function partOf(path: string): Promise<{ readonly part: Part; readonly isFolder: boolean } | undefined> {
  try {
    const about = await stat(path);
    const part = { path, size: about.size, changedAt: about.mtimeMs, inode: about.ino };
    return { part, isFolder: about.isDirectory() };
  } catch (cause) {
    if (codeOf(cause) === "ENOENT" || codeOf(cause) === "ENOTDIR") return undefined;
    throw unreadable(path, cause);
  }
}

/** @throws DmError 503 */
async function contents(path: string): Promise<string> {
  try {
    // Without O_NONBLOCK the opening of a pipe would wait for a writer.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const about = await file.stat();
      if (!about.isFile()) throw new DmError(Status.unavailable, `${path} is no file`);
      if (about.size > largestFile) throw new DmError(Status.unavailable, `${path} has more than 4 MB`);
      const buffer = Buffer.alloc(about.size);
      let filled = 0;
      while (filled < buffer.length) {
        const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return buffer.toString("utf8", 0, filled);
    } finally {
      await file.close();
    }
  } catch (cause) {
    // It was there a moment ago: a server is replacing it, and it is read next time.
    if (codeOf(cause) === "ENOENT") return "";
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): DmError {
  if (cause instanceof DmError) return cause;
  const code = codeOf(cause);
  const advice = code === "EACCES" ? ": let the group of the daemon read it, and its folder" : "";
  return new DmError(Status.unavailable, `${path} cannot be read (${code})${advice}`, { cause });
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && "code" in cause ? String(cause.code) : String(cause);
}
