import { DmError, Status } from "./errors.ts";

/** What the outside gives to the tree and the adapters. Passed in, so every test is instant. */

/** The only source of time. */
export interface Clock {
  /** Wall clock, ms since 1970. It may jump: never use it for intervals. */
  now(): number;
  /** Ms since some start; never jumps. */
  monotonic(): number;
  /** Calls `run` once after `ms`; the answer cancels it. Does not keep the process alive. */
  after(ms: number, run: () => void): () => void;
}

export interface Log {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
  /** A log for one part; its name stands on each line. */
  part(name: string): Log;
}

/** What one command makes durable: all of it or none of it. */
export interface Batch {
  /** `value` is kept as JSON. */
  put(table: string, key: string, value: unknown): void;
  delete(table: string, key: string): void;
}

/** A batch as a store takes it. */
export interface FilledBatch extends Batch {
  readonly size: number;
  /** In the order of the calls; `value` undefined means delete. */
  readonly writes: readonly { readonly table: string; readonly key: string; readonly value?: unknown }[];
}

/** Durable state: tables of JSON values by key. */
export interface Store {
  batch(): FilledBatch;
  /**
   * Resolves when the batch has been synced to the disk: only then may it be acknowledged. Batches of one turn of the event
   * loop share one sync. An empty batch resolves at once, without a sync.
   * @throws DmError 420 disk full, 510 any other failure; nothing of the batch is then kept. Of batches that fail together the newest rejects
   * first, so that each can take back what it did over the older ones.
   */
  commit(batch: FilledBatch): Promise<void>;
  /** Everything in a table, in key order; only those whose key starts with `prefix` when given. Sees commits that have resolved. */
  entries(table: string, prefix?: string): Iterable<readonly [key: string, value: unknown]>;
  get(table: string, key: string): unknown;
}

/** One table of the store, for one owner, with a type. */
export interface Bucket<T> {
  get(key: string): T | undefined;
  entries(prefix?: string): Iterable<readonly [key: string, value: T]>;
  put(batch: Batch, key: string, value: T): void;
  delete(batch: Batch, key: string): void;
  /** One change on its own, committed. */
  set(key: string, value: T | undefined): Promise<void>;
}

/** The table `name` of the store, read and written as T. The owner of the name vouches for the type. */
export function bucket<T>(store: Store, name: string): Bucket<T> {
  return {
    get: (key) => store.get(name, key) as T | undefined,
    entries: (prefix) => store.entries(name, prefix) as Iterable<readonly [string, T]>,
    put: (batch, key, value) => batch.put(name, key, value),
    delete: (batch, key) => batch.delete(name, key),
    async set(key, value) {
      const batch = store.batch();
      if (value === undefined) batch.delete(name, key);
      else batch.put(name, key, value);
      await store.commit(batch);
    },
  };
}

/** A signal that fires after `ms`, or when `outer` does. */
export function deadline(
  clock: Clock,
  ms: number,
  outer?: AbortSignal,
): { readonly signal: AbortSignal; clear(): void } {
  const ends = new AbortController();
  const stop = () => ends.abort(outer?.reason);
  const cancel = clock.after(ms, () =>
    ends.abort(new DmError(Status.gatewayTimeout, `no answer within ${ms / 1000} s`)),
  );
  outer?.addEventListener("abort", stop, { once: true });
  if (outer?.aborted) stop();
  return {
    signal: ends.signal,
    clear() {
      cancel();
      outer?.removeEventListener("abort", stop);
    },
  };
}
