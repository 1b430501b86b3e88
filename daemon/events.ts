import { randomBytes } from "node:crypto";
import type { Path } from "../tree/path.ts";
import { within } from "../tree/path.ts";
import type { Clock } from "../tree/ports.ts";
import type { Changed, TreeShape } from "../tree/shape.ts";

/** One change of the tree, as it is remembered: no value, so that ten thousand of them stay small. */
export interface TreeEvent {
  readonly number: number;
  readonly uri: Path;
  readonly verb: Changed["verb"];
  readonly by: Changed["by"];
  /** Ms since 1970. */
  readonly time: number;
}

/** Reads events in order, at its own pace. What it has not read stays in the ring alone, so a slow reader costs no memory. */
export interface EventReader {
  /**
   * The next event that concerns it; undefined: none yet. "gap": events were lost before it could read them, and it goes on with
   * what happens from now on.
   */
  next(): TreeEvent | "gap" | undefined;
  /** Names everything that was read so far: what `Last-Event-ID` resumes from. */
  id(): string;
}

export interface Events {
  /**
   * Events at `uri`, below it and above it (a node that goes takes those below along). `after`: the id of the last event that the
   * reader knows; absent: only what happens from now on. An id that is not of this run, or too old, begins with a gap.
   */
  read(uri: Path, after?: string): EventReader;
  /** `wake` is called after events were added; the answer ends that. */
  listen(wake: () => void): () => void;
  close(): void;
}

/** Remembers the last `capacity` changes of the tree. Ids are "<boot>-<number>": none is ever good in another run. */
export function openEvents(tree: Pick<TreeShape, "watch">, clock: Clock, capacity = 10_000): Events {
  const boot = randomBytes(6).toString("hex");
  const ring: TreeEvent[] = [];
  const listeners = new Set<() => void>();
  let newest = 0;

  const unwatch = tree.watch((changes) => {
    for (const { at, verb, by } of changes) {
      newest += 1;
      ring[newest % capacity] = { number: newest, uri: at, verb, by, time: clock.now() };
    }
    for (const wake of listeners) wake();
  });

  /** The number in an id of this run, or undefined. */
  const numberOf = (id: string): number | undefined => {
    const match = /^([0-9a-f]{12})-(\d{1,15})$/.exec(id);
    const number = Number(match?.[2]);
    return match?.[1] === boot && number <= newest ? number : undefined;
  };

  return {
    read(uri, after) {
      // -1 is older than everything: the first look finds the gap.
      let read = after === undefined ? newest : (numberOf(after) ?? -1);
      return {
        next() {
          if (read < newest - capacity || read < 0) {
            read = newest;
            return "gap";
          }
          while (read < newest) {
            read += 1;
            const event = ring[read % capacity];
            if (event !== undefined && (within(event.uri, uri) || within(uri, event.uri))) return event;
          }
          return undefined;
        },
        id: () => `${boot}-${read}`,
      };
    },
    listen(wake) {
      listeners.add(wake);
      return () => listeners.delete(wake);
    },
    close() {
      unwatch();
      listeners.clear();
    },
  };
}
