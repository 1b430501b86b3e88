import { reasonOf } from "../tree/errors.ts";
import type { Batch, Bucket, Clock, Log, Store } from "../tree/ports.ts";
import { bucket } from "../tree/ports.ts";

/** One thing to tell a server. It carries no value: that is read when it is told, with the server's rights. */
export interface OutboxItem {
  /** Names this occurrence: the same node changed once more has another one. Holds until the daemon ends. */
  readonly id: string;
  readonly uri: string;
  readonly type: string;
  readonly mark?: string;
  /** Ms since 1970. */
  readonly since: number;
}

export interface NewItem {
  /** An item of the same key that was not told yet is replaced. */
  readonly key: string;
  readonly uri: string;
  readonly type: string;
  readonly mark?: string;
  /** false: in memory only (what devices report of volatile nodes); a restart forgets it. */
  readonly durable: boolean;
}

/** What there is to tell each server, until it was told: at least once. */
export interface Outbox {
  /**
   * @param batch what a durable item is committed with; without one it commits on its own. An item whose key is on the disk already is
   * not written again.
   */
  add(serverId: string, item: NewItem, batch?: Batch): void;
  /** Oldest first. */
  pending(serverId: string): readonly OutboxItem[];
  /** Strikes off what was told. What changed again in the meantime has another id, and stays. */
  delivered(serverId: string, ids: readonly string[], batch: Batch): void;
  /** The account is gone. */
  forget(serverId: string, batch: Batch): void;
  /** `oldest`: ms since 1970. `dropped`: lost since the start because there was no room. */
  state(serverId: string): { readonly length: number; readonly oldest: number | undefined; readonly dropped: number };
  /** Told whenever a server has something new to hear. */
  watch(listener: (serverId: string) => void): () => void;
}

/** Items of one server; the oldest goes when one more comes. */
export const outboxLimit = 1_000;

interface Entry extends OutboxItem {
  readonly durable: boolean;
}
type Stored = Omit<Entry, "id" | "durable">;

interface Box {
  /** By key, in the order of their arrival. */
  readonly items: Map<string, Entry>;
  dropped: number;
}

/** Opens the table "outbox" of the store. A row is named by server and key, so a node that keeps changing is written once. */
export function openOutbox({ store, clock, log }: { store: Store; clock: Clock; log: Log }): Outbox {
  const table: Bucket<Stored> = bucket(store, "outbox");
  const boxes = new Map<string, Box>();
  const listeners = new Set<(serverId: string) => void>();
  let last = 0;

  const boxOf = (serverId: string): Box => {
    const box = boxes.get(serverId) ?? { items: new Map<string, Entry>(), dropped: 0 };
    boxes.set(serverId, box);
    return box;
  };
  const written = [...table.entries()].sort(([, a], [, b]) => a.since - b.since);
  for (const [row, stored] of written) {
    // A server id holds no space (isServerId).
    const space = row.indexOf(" ");
    boxOf(row.slice(0, space)).items.set(row.slice(space + 1), { ...stored, id: String(++last), durable: true });
  }

  /** Makes room by the oldest one. What devices report never costs a write, so a volatile item only ever takes the place of another. */
  const makeRoom = (serverId: string, box: Box, durable: boolean, batch: Batch): boolean => {
    if (box.items.size < outboxLimit) return true;
    if (box.dropped++ === 0)
      log.warn("the outbox of a server is full: the oldest alerts are lost", { server: serverId });
    for (const [key, entry] of box.items) {
      if (!durable && entry.durable) continue;
      box.items.delete(key);
      if (entry.durable) table.delete(batch, `${serverId} ${key}`);
      return true;
    }
    return false;
  };

  return {
    add(serverId, { key, durable, ...item }, batch) {
      const box = boxOf(serverId);
      const before = box.items.get(key);
      const own = batch === undefined ? store.batch() : undefined;
      const into = batch ?? own ?? store.batch();
      const since = before?.since ?? clock.now();
      const entry: Entry = { ...item, since, id: String(++last), durable: durable || before?.durable === true };
      if (before === undefined && !makeRoom(serverId, box, durable, into)) return;
      box.items.set(key, entry);
      if (durable && before?.durable !== true) table.put(into, `${serverId} ${key}`, { ...item, since });
      if (own !== undefined && own.size > 0) {
        void store.commit(own).catch((error: unknown) => {
          log.error("an alert is in memory only", { server: serverId, uri: item.uri, reason: reasonOf(error) });
        });
      }
      for (const listener of listeners) listener(serverId);
    },
    pending: (serverId) => [...(boxes.get(serverId)?.items.values() ?? [])],
    delivered(serverId, ids, batch) {
      const box = boxes.get(serverId);
      if (box === undefined) return;
      const told = new Set(ids);
      for (const [key, entry] of box.items) {
        if (!told.has(entry.id)) continue;
        box.items.delete(key);
        if (entry.durable) table.delete(batch, `${serverId} ${key}`);
      }
    },
    forget(serverId, batch) {
      for (const [key, { durable }] of boxes.get(serverId)?.items ?? []) {
        if (durable) table.delete(batch, `${serverId} ${key}`);
      }
      boxes.delete(serverId);
    },
    state(serverId) {
      const box = boxes.get(serverId);
      let oldest: number | undefined;
      for (const { since } of box?.items.values() ?? []) if (oldest === undefined || since < oldest) oldest = since;
      return { length: box?.items.size ?? 0, oldest, dropped: box?.dropped ?? 0 };
    },
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
