import type { LocalApi, Reply } from "./local-api.ts";
import type { Random } from "./random.ts";
import { differences } from "./tree-image.ts";
import type { Image, Node } from "./tree-image.ts";
import { randomOp } from "./tree-ops.ts";
import type { Ground, Op } from "./tree-ops.ts";

/** Writes on ground of its own, one request after the other, and remembers what it was told. */
export interface TreeWriter {
  readonly ground: Ground;
  /** Since it was made. `cut`: requests without an answer. */
  readonly counts: { readonly acknowledged: number; readonly refused: number; readonly cut: number };
  /** DM statuses that it was refused with. */
  readonly statuses: ReadonlySet<number>;
  /** Writes once. false: nobody answered, and it may have been done or not. */
  write(api: LocalApi): Promise<boolean>;
  /**
   * Compares with what is there, and goes on from that. Empty: every acknowledged write is there, no refused one is, nothing else is, and what was in
   * flight is there whole or not at all.
   */
  check(found: Image, since: Since): readonly string[];
  /** How often a refused write was there after all. */
  readonly strays: number;
}

/**
 * What has happened to the gateway: it lives; it was started again; the same, after a disk that took nothing more to its end. Then the first write
 * that was refused may be there (see daemon/sqlite.ts).
 */
export type Since = "alive" | "restart" | "restart after a dead disk";

export function treeWriter(random: Random, ground: Ground, start: Image): TreeWriter {
  let known: Image = start;
  let inFlight: Op | undefined;
  let firstRefused: Op | undefined;
  const counts = { acknowledged: 0, refused: 0, cut: 0 };
  const statuses = new Set<number>();
  let strays = 0;

  const heed = (op: Op, reply: Reply | undefined) => {
    if (reply === undefined) {
      inFlight = op;
      counts.cut++;
    } else if (reply.status >= 200 && reply.status <= 299) {
      known = after(known, op);
      counts.acknowledged++;
    } else if (reply.status === 420 || reply.status === 510) {
      firstRefused ??= op;
      counts.refused++;
      statuses.add(reply.status);
    } else throw new Error(`${op.method} ${op.path} ${JSON.stringify(op.body)}: ${JSON.stringify(reply)}`);
  };

  return {
    ground,
    counts,
    statuses,
    get strays() {
      return strays;
    },
    async write(api) {
      const op = randomOp(random, ground, known);
      heed(op, await api.send(op.method, op.path, op.body));
      return inFlight === undefined;
    },
    check(found, since) {
      const is = (op: Op | undefined) => op !== undefined && differences(after(known, op), found).length === 0;
      const wrong = differences(known, found);
      const done = is(inFlight);
      const stray = since === "restart after a dead disk" && !done && is(firstRefused);
      if (wrong.length > 0 && stray) strays++;
      const why = inFlight === undefined ? [] : [`(in flight: ${inFlight.method} ${inFlight.path})`];
      known = found;
      inFlight = undefined;
      if (since !== "alive") firstRefused = undefined;
      return wrong.length === 0 || done || stray ? [] : [...wrong, ...why];
    },
  };
}

function after(known: Image, op: Op): Image {
  const next = new Map<string, Node>(known);
  for (const [at, node] of op.effect) {
    if (node === undefined) next.delete(at);
    else next.set(at, node);
  }
  return next;
}
