import { statfsSync } from "node:fs";
import { DmError, Status, reasonOf } from "../tree/errors.ts";
import type { Clock, Log, Store } from "../tree/ports.ts";
import { emptyBatch, serialize } from "./batch.ts";
import type { SerializedWrite } from "./batch.ts";
import { faultOf, faultText } from "./sqlite.ts";
import { openState } from "./state-folder.ts";

export interface OpenedStore extends Store {
  /** What is wrong with the store and what to do about it, for the warnings of `dmgw status`; undefined: all is well. */
  readonly degraded: string | undefined;
  /** What the store has given to the flash since it was opened. */
  usage(): StoreUsage;
  /** Keeps what was committed up to now, and closes. Later commits answer 510. */
  close(): void;
}

export interface StoreUsage {
  /** Bytes: the pages of the write-ahead log, and those copied from it into the file. What the file system adds is not known here. */
  readonly written: number;
  /** How often the disk was told to make it durable. */
  readonly syncs: number;
  /** `written` carried on to a day. The first hour counts as a whole one, so that a start is not taken for a habit. */
  readonly perDay: number;
}

const hour = 3_600_000;

/**
 * Opens the durable state: `dmgw.db` in `folder`, made when missing, for this process alone.
 *
 * Commits of one turn of the event loop share one transaction and one sync. A damaged file is set aside and a fresh one begun, and a
 * folder that cannot be written is read as it is: both show in `degraded`, and the daemon runs.
 * @throws ConfigError when another dmgw has this state, or a newer one wrote it.
 */
export function openStore(options: { readonly folder: string; readonly clock: Clock; readonly log: Log }): OpenedStore {
  const { folder, clock, log } = options;
  const state = openState(folder, clock);
  if (state.trouble !== undefined) log.error(state.trouble);

  const opened = clock.monotonic();
  let pending: PendingCommit[] = [];
  let closed = false;
  /** Damage that was met while running. It stays: what else is wrong with the file only a start finds out. */
  let damage: string | undefined;
  /** The latest entry that could not be read. */
  let lost: string | undefined;
  /** Why the last commit failed, until one succeeds. */
  let failing: string | undefined;

  const noteDamage = (error: unknown) => {
    if (damage !== undefined) return;
    damage = `the state file is damaged: ${faultText(error)}. Nothing new is kept; start dmgw again, and it sets the file aside`;
    log.error(damage);
  };

  /** Why a commit cannot even be tried. */
  const refusal = () => (closed ? "the store is closed" : (damage ?? state.readOnly));

  const failure = (error: unknown): DmError => {
    const fault = faultOf(error);
    if (fault === "damaged") noteDamage(error);
    // Where room is only given out at the sync, that is what fails on a full disk.
    const full = fault === "full" || (fault !== "damaged" && !hasRoom(folder));
    const why = full
      ? `no room is left for the state in ${folder}: make room there`
      : `the state cannot be written in ${folder}: ${faultText(error)}`;
    if (failing === undefined) log.error(why);
    failing = why;
    return new DmError(full ? Status.deviceFull : Status.storeFailed, why, { cause: error });
  };

  /** The newest hears it first: whoever takes back what a refused commit did in memory may have written over an older one that is refused too. */
  const rejectAll = (group: readonly PendingCommit[], answer: DmError) => {
    for (const commit of [...group].reverse()) commit.reject(answer);
  };

  const flush = () => {
    const group = pending;
    pending = [];
    if (group.length === 0) return;
    const refused = refusal();
    if (refused !== undefined || state.file === undefined) {
      rejectAll(group, new DmError(Status.storeFailed, refused ?? "there is no state file"));
      return;
    }
    try {
      state.file.write(group.flatMap((commit) => commit.writes));
    } catch (error) {
      rejectAll(group, failure(error));
      return;
    }
    if (failing !== undefined) log.info("the state is written again");
    failing = undefined;
    for (const commit of group) commit.resolve();
  };

  const read = <T>(work: () => T): T => {
    if (closed) throw new DmError(Status.storeFailed, "the store is closed");
    try {
      return work();
    } catch (error) {
      if (faultOf(error) === "damaged") noteDamage(error);
      throw new DmError(Status.storeFailed, `the state cannot be read: ${faultText(error)}`, { cause: error });
    }
  };

  /** Text that is not JSON was not written by us. That entry is lost: the rest of the state is not, so the store goes on. */
  const parse = (table: string, key: string, json: string): unknown => {
    try {
      return JSON.parse(json) as unknown;
    } catch (error) {
      lost = `an entry of the state is damaged and left out: ${key} of ${table}. What it held has to be set up again`;
      log.error(lost, { error: reasonOf(error) });
      return undefined;
    }
  };

  return {
    batch: emptyBatch,
    async commit(batch) {
      if (batch.size === 0) return;
      const writes = serialize(batch);
      const refused = refusal();
      if (refused !== undefined) throw new DmError(Status.storeFailed, refused);
      if (pending.length === 0) setImmediate(flush);
      await new Promise<void>((resolve, reject) => pending.push({ writes, resolve, reject }));
    },
    entries(table, prefix = "") {
      // Read at once, so that the answer is of one moment; parsed one by one, so that a large table is not in memory twice.
      const rows = read(() => state.file?.rows(table, prefix) ?? []);
      return {
        *[Symbol.iterator]() {
          for (const { key, json } of rows) {
            const value = parse(table, key, json);
            if (value !== undefined) yield [key, value] as const;
          }
        },
      };
    },
    get(table, key) {
      const json = read(() => state.file?.value(table, key));
      return json === undefined ? undefined : parse(table, key, json);
    },
    get degraded() {
      return damage ?? failing ?? state.trouble ?? lost;
    },
    usage() {
      const { written, syncs } = state.file?.usage() ?? { written: 0, syncs: 0 };
      const elapsed = Math.max(clock.monotonic() - opened, hour);
      return { written, syncs, perDay: Math.round((written * 24 * hour) / elapsed) };
    },
    close() {
      if (closed) return;
      flush();
      closed = true;
      try {
        state.close();
      } catch (error) {
        // What was acknowledged is on the disk already: closing only tidies up.
        log.warn("the state file did not close well", { error: faultText(error) });
      }
    },
  };
}

function hasRoom(folder: string): boolean {
  try {
    return statfsSync(folder).bavail > 0;
  } catch {
    return true;
  }
}

interface PendingCommit {
  readonly writes: readonly SerializedWrite[];
  resolve(): void;
  reject(error: DmError): void;
}
