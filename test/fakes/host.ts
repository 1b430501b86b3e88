import { local } from "../../tree/acl.ts";
import { bucket } from "../../tree/ports.ts";
import type { Attached, Face, Host } from "../../adapters/adapter.ts";
import type { Call, WriteCall } from "../../tree/mo.ts";
import type { Rel } from "../../tree/path.ts";
import type { Clock, Store } from "../../tree/ports.ts";
import { fakeLog } from "./log.ts";
import type { FakeLog } from "./log.ts";
import { fakeStore } from "./store.ts";

/** One face that an adapter has attached, with what it said of it since. */
export interface Attachment {
  /** As attached, with the updates. */
  readonly face: Face;
  readonly reachable: boolean;
  /** Not detached yet. */
  readonly present: boolean;
  /** How often the device spoke. */
  readonly seen: number;
  readonly changed: readonly Rel[];
  readonly finished: readonly { readonly correlator: string; readonly status: number }[];
}

export interface FakeHost extends Host {
  readonly log: FakeLog;
  /** Every attachment ever made, in order. */
  readonly attachments: readonly Attachment[];
  /** The one that is present under this identity. */
  face(identity: string): Attachment | undefined;
  /** Identities that are present, sorted. */
  readonly present: readonly string[];
  /** What the adapter shows on `dmgw status` now, and before. */
  readonly statuses: readonly { readonly state: string; readonly detail: string }[];
}

interface Mutable extends Attachment {
  face: Face;
  reachable: boolean;
  present: boolean;
  seen: number;
  changed: Rel[];
  finished: { correlator: string; status: number }[];
}

/** A small Host: it holds an adapter to its side of the contract, and remembers. @throws where an adapter breaks the contract. */
export function fakeHost(clock: Clock, store: Store = fakeStore()): FakeHost {
  const attachments: Mutable[] = [];
  const statuses: { state: string; detail: string }[] = [];
  const log = fakeLog();
  const find = (identity: string) => attachments.find((one) => one.present && one.face.identity === identity);

  return {
    clock,
    log,
    state: bucket<unknown>(store, "adapter"),
    attachments,
    statuses,
    face: find,
    get present() {
      return attachments
        .filter((one) => one.present)
        .map((one) => one.face.identity)
        .sort();
    },
    status: (state, detail = "") => void statuses.push({ state, detail }),
    attach(face): Attached {
      if (find(face.identity) !== undefined) throw new Error(`${face.identity} is attached twice`);
      const one: Mutable = { face, reachable: face.reachable, present: true, seen: 0, changed: [], finished: [] };
      attachments.push(one);
      const alive = () => {
        if (!one.present) throw new Error(`${face.identity} is used after it was detached`);
      };
      return {
        changed: (rels) => (alive(), void one.changed.push(...rels)),
        seen: () => (alive(), void one.seen++),
        reachable: (now) => (alive(), void (one.reachable = now)),
        update: (part) => (alive(), void (one.face = { ...one.face, ...part })),
        finished: (correlator, status) => (alive(), void one.finished.push({ correlator, status })),
        detach: () => (alive(), void (one.present = false)),
      };
    },
  };
}

/** A call as the tree makes it, by the local principal. */
export function aCall(options: { live?: boolean; signal?: AbortSignal } = {}): Call & WriteCall {
  return {
    by: local,
    signal: options.signal ?? new AbortController().signal,
    correlator: "test",
    mayDefer: false,
    batch: fakeStore().batch(),
    ...(options.live === undefined ? {} : { live: options.live }),
  };
}

/** Resolves as soon as `condition` holds; asks again every few ms of real time. @throws after `ms`, with what `say` says then. */
export async function until(condition: () => unknown, say = () => String(condition), ms = 8000): Promise<void> {
  const end = Date.now() + ms;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`waited ${ms} ms in vain for: ${say()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
