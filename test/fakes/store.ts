import { emptyBatch, serialize } from "../../daemon/batch.ts";
import { DmError, Status } from "../../tree/errors.ts";
import type { Store } from "../../tree/ports.ts";

export interface FakeStore extends Store {
  /** The next commit that holds something rejects with this, and keeps nothing. Two calls: two failing commits. */
  failNext(error?: Error): void;
  /** Commits that were kept; empty ones do not count. */
  readonly commits: number;
}

/**
 * A store in memory with the promises of the real one: a commit is all or nothing, resolves later, and is seen by reads only then;
 * values come back as JSON leaves them, never as the object that was put. Hand the same store to a new daemon to restart it.
 */
export function fakeStore(): FakeStore {
  const tables = new Map<string, Map<string, string>>();
  const failures: Error[] = [];
  let commits = 0;

  return {
    batch: emptyBatch,
    async commit(batch) {
      if (batch.size === 0) return;
      const writes = serialize(batch);
      await Promise.resolve();
      const failure = failures.shift();
      if (failure) throw failure;
      for (const { table, key, json } of writes) {
        const rows = tables.get(table) ?? new Map<string, string>();
        tables.set(table, rows);
        if (json === undefined) rows.delete(key);
        else rows.set(key, json);
      }
      commits++;
    },
    entries(table, prefix = "") {
      const rows = [...(tables.get(table) ?? [])].filter(([key]) => key.startsWith(prefix));
      return rows.sort(([a], [b]) => byBytes(a, b)).map(([key, json]) => [key, JSON.parse(json) as unknown] as const);
    },
    get(table, key) {
      const json = tables.get(table)?.get(key);
      return json === undefined ? undefined : (JSON.parse(json) as unknown);
    },
    failNext(error = new DmError(Status.storeFailed, "the disk failed")) {
      failures.push(error);
    },
    get commits() {
      return commits;
    },
  };
}

/** The order of SQLite's BINARY collation: by UTF-8 bytes, where JavaScript compares UTF-16 units. */
function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
