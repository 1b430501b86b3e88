import type { Store } from "../../tree/ports.ts";

export interface MeteredStore extends Store {
  /** What stands in it: entries and bytes, by table, and the longest entry. */
  size(): { readonly entries: number; readonly bytes: number; readonly longest: number };
}

/** A store that knows what was put into it. */
export function meteredStore(store: Store): MeteredStore {
  const entries = new Map<string, number>();
  return {
    batch: () => store.batch(),
    async commit(batch) {
      await store.commit(batch);
      for (const { table, key, value } of batch.writes) {
        const at = `${table} ${key}`;
        if (value === undefined) entries.delete(at);
        else entries.set(at, Buffer.byteLength(JSON.stringify(value)));
      }
    },
    entries: (table, prefix) => store.entries(table, prefix),
    get: (table, key) => store.get(table, key),
    size() {
      const sizes = [...entries.values()];
      return { entries: sizes.length, bytes: sizes.reduce((sum, one) => sum + one, 0), longest: Math.max(0, ...sizes) };
    },
  };
}
