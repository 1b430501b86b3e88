import { isDeepStrictEqual } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DmError } from "../../tree/errors.ts";
import { joinRel, parseRel, top } from "../../tree/path.ts";
import { chr, isInterior, sameValue } from "../../tree/value.ts";
import type { Adapter } from "../../adapters/adapter.ts";
import type { Mo } from "../../tree/mo.ts";
import type { Rel } from "../../tree/path.ts";
import type { Snapshot, Value } from "../../tree/value.ts";
import type { FakeClock } from "../fakes/clock.ts";
import { aCall, until } from "../fakes/host.ts";
import type { FakeHost } from "../fakes/host.ts";

/** Devices of one protocol, real enough to be talked to over real sockets, and an adapter that can be started on them. */
export interface ReadOnlyHome {
  readonly clock: FakeClock;
  /** A fresh one for each start. */
  host(): FakeHost;
  start(host: FakeHost): Promise<Adapter>;
  /** The face of the device that the suite looks at. */
  readonly identity: string;
  /** The device says again who it is. */
  announce(): Promise<void>;
  /** The device loses its power, or its line. */
  lose(): Promise<void>;
  /** A device appears whose names are as odd as the protocol lets them be; its identity. */
  odd(): Promise<string>;
  stop(): Promise<void>;
}

/** One whose devices take orders. */
export interface Home extends ReadOnlyHome {
  /** Two leaves that take both of these values, none of which is there at the start. */
  readonly writable: readonly [readonly [Rel, Value, Value], readonly [Rel, Value, Value]];
  /** A value of the right format that the second leaf does not allow. */
  readonly unacceptable: Value;
  /** What the device itself holds. */
  holds(rel: Rel): Value | undefined;
  /** Orders that have reached the device. */
  readonly orders: number;
  /** From now on the device takes no order for this leaf, and says nothing. */
  ignore(rel: Rel): void;
}

/** What every adapter keeps to. `setup` makes a home; it is called for each test. */
export function adapterContract(name: string, setup: () => Promise<Home>): void;
export function adapterContract(name: string, setup: () => Promise<ReadOnlyHome>, kind: "read only"): void;
export function adapterContract(name: string, setup: () => Promise<ReadOnlyHome>, kind?: "read only"): void {
  describe(`the adapter contract: ${name}`, () => {
    let home: Home;
    let host: FakeHost;
    let adapter: Adapter;

    beforeEach(async () => {
      // Its writing half is only looked at where there is one.
      home = (await setup()) as Home;
      host = home.host();
      adapter = await home.start(host);
      await passing(home.clock, () => host.face(home.identity)?.reachable, `${home.identity} to appear`);
      await quiet(home, moOf(host, home.identity), kind === "read only" ? [] : home.writable);
    });
    afterEach(async () => {
      await adapter.stop();
      await home.stop();
    });
    const mo = () => moOf(host, home.identity);
    const status = async (call: Promise<unknown>) => {
      const thrown: unknown = await call.then(
        () => "nothing was thrown",
        (error: unknown) => error,
      );
      expect(thrown).toBeInstanceOf(DmError);
      return (thrown as DmError).status;
    };
    const replace = (rel: Rel, value: Value) => ({ verb: "Replace", rel, value }) as const;

    test("a device is attached once, however often it says who it is", async () => {
      await home.announce();
      await home.announce();
      await home.clock.advance(5000);
      expect(host.attachments.filter((one) => one.face.identity === home.identity)).toHaveLength(1);
    });

    test("a device has the same identity after a restart", async () => {
      await adapter.stop();
      host = home.host();
      adapter = await home.start(host);
      await passing(home.clock, () => host.face(home.identity)?.reachable, `${home.identity} to appear again`);
    });

    test("a deep read is the sum of the shallow reads", async () => {
      const sum = async (rel: Rel): Promise<Snapshot> => {
        const one = await mo().read(rel, "one", aCall());
        if (!isInterior(one)) return one;
        expect([...one.children.values()].every((child) => child === undefined)).toBe(true);
        const children = new Map<string, Snapshot>();
        for (const child of one.children.keys()) children.set(child, await sum(joinRel(rel, child)));
        return { format: "node", children };
      };
      expect(await mo().read(top, "deep", aCall())).toEqual(await sum(top));
    });

    test("schema and has say the same as read", async () => {
      await agrees(mo());
      const nowhere = parseRel("no/such/node");
      expect([mo().has(nowhere), mo().schema(nowhere)]).toEqual([false, undefined]);
      expect(await status(mo().read(nowhere, "one", aCall()))).toBe(404);
    });

    test("names of a device are never more than names", async () => {
      const identity = await home.odd();
      await passing(home.clock, () => host.face(identity), `${identity} to appear`);
      await agrees(moOf(host, identity));
      expect(Object.keys(Object.prototype)).toEqual([]);
      expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    });

    test("a stop leaves no socket and no timer", async () => {
      await adapter.stop();
      expect(home.clock.timers).toBe(0);
      const before = resources();
      const again = home.host();
      adapter = await home.start(again);
      await passing(home.clock, () => again.face(home.identity)?.reachable, `${home.identity} to appear`);
      await adapter.stop();
      expect(home.clock.timers).toBe(0);
      await until(
        () => resources() <= before,
        () => `${process.getActiveResourcesInfo().join()} to become fewer`,
      );
    });

    if (kind === "read only")
      return onlyLookedAt(
        () => home,
        mo,
        () => host.face(home.identity)?.reachable,
        status,
      );

    test("a write is done when the device holds the value, and is read back", async () => {
      const [[rel, first, second]] = home.writable;
      for (const value of [first, second]) {
        expect(await mo().apply([replace(rel, value)], aCall())).toEqual({ state: "done" });
        expect(home.holds(rel)).toEqual(value);
        expect(await mo().read(rel, "one", aCall())).toEqual(value);
      }
      expect(host.face(home.identity)?.changed).toContain(rel);
    });

    test("nothing is sent when one of several values is not allowed", async () => {
      const [[rel, value], [other]] = home.writable;
      const before = home.orders;
      expect(await status(mo().apply([replace(rel, value), replace(other, home.unacceptable)], aCall()))).toBe(400);
      expect(home.orders).toBe(before);
    });

    test("what was written before a failure is written back", async () => {
      const [[rel, value], [other, otherValue]] = home.writable;
      const before = home.holds(rel);
      home.ignore(other);
      const call = mo().apply([replace(rel, value), replace(other, otherValue)], aCall());
      const failed = status(call);
      await until(() => same(home.holds(rel), value));
      await passing(home.clock, () => same(home.holds(rel), before), `${rel} to be written back`);
      // Silent, or it reports what it kept.
      expect([500, 504]).toContain(await failed);
      expect(await mo().read(rel, "one", aCall())).toEqual(before);
    });

    test("the signal of a call ends it", async () => {
      const [[rel, value]] = home.writable;
      home.ignore(rel);
      const end = new AbortController();
      const failed = status(mo().apply([replace(rel, value)], aCall({ signal: end.signal })));
      await until(() => home.orders > 0);
      end.abort();
      expect(await failed).toBe(504);
    });

    test("calls to one device are one at a time", async () => {
      const [[rel, first, second]] = home.writable;
      const calls = [first, second, first, second].map((value) => mo().apply([replace(rel, value)], aCall()));
      await Promise.all(calls);
      expect(home.holds(rel)).toEqual(second);
    });

    test("a device that is gone is unreachable, not detached: it shows what it said last, and takes no orders", async () => {
      const [[rel, value]] = home.writable;
      const before = home.holds(rel);
      await home.lose();
      await passing(home.clock, () => host.face(home.identity)?.reachable === false, "the device to be called away");
      expect(await mo().read(rel, "one", aCall())).toEqual(before);
      expect(await status(mo().apply([replace(rel, value)], aCall()))).toBe(503);
    });
  });
}

/** What holds of devices that take no orders. */
function onlyLookedAt(
  home: () => ReadOnlyHome,
  mo: () => Mo,
  reachable: () => boolean | undefined,
  status: (call: Promise<unknown>) => Promise<number>,
): void {
  test("nothing takes an order", async () => {
    const before = await mo().read(top, "deep", aCall());
    const visit = async (rel: Rel, snapshot: Snapshot | undefined): Promise<void> => {
      expect([...(mo().schema(rel)?.access ?? [])]).toEqual(["Get"]);
      expect(await status(mo().exec(rel, undefined, aCall()))).toBe(405);
      if (snapshot === undefined || !isInterior(snapshot)) {
        expect(await status(mo().apply([{ verb: "Replace", rel, value: chr("other") }], aCall()))).toBe(405);
      } else for (const [name, child] of snapshot.children) await visit(joinRel(rel, name), child);
    };
    await visit(top, before);
    expect(await mo().read(top, "deep", aCall())).toEqual(before);
  });

  test("a live read asks the device, and the signal of the call ends it", async () => {
    const before = await mo().read(top, "deep", aCall());
    expect(await mo().read(top, "deep", aCall({ live: true }))).toEqual(before);
    const end = new AbortController();
    const failed = status(mo().read(top, "deep", aCall({ live: true, signal: end.signal })));
    end.abort();
    expect(await failed).toBe(504);
  });

  test("a device that is gone is unreachable, not detached: it shows what it said last, and does not answer", async () => {
    const before = await mo().read(top, "deep", aCall());
    await home().lose();
    await passing(home().clock, () => reachable() === false, "the device to be called away");
    expect(await mo().read(top, "deep", aCall())).toEqual(before);
    expect(await status(mo().read(top, "deep", aCall({ live: true })))).toBe(503);
  });
}

/** Passes time until the condition holds, real I/O in between. */
export async function passing(clock: FakeClock, condition: () => unknown, what: string): Promise<void> {
  await until(
    () => {
      if (condition()) return true;
      void clock.advance(50);
      return false;
    },
    () => what,
  );
}

/** Time passes until the device has told what it holds, and says nothing more. */
async function quiet(home: Home, mo: Mo, writable: readonly Home["writable"][number][]): Promise<void> {
  const end = Date.now() + 8000;
  let last: Snapshot | undefined;
  for (;;) {
    await home.clock.advance(250);
    await new Promise((resolve) => setTimeout(resolve, 15));
    const now = await mo.read(top, "deep", aCall());
    const known = await Promise.all(
      writable.map(async ([rel]) => isDeepStrictEqual(await mo.read(rel, "one", aCall()), home.holds(rel))),
    );
    if (known.every(Boolean) && isDeepStrictEqual(now, last)) return;
    if (Date.now() > end) throw new Error("the device never told what it holds");
    last = now;
  }
}

export function moOf(host: FakeHost, identity: string): Mo {
  const face = host.face(identity)?.face;
  if (face === undefined) throw new Error(`${identity} is not attached; there are ${host.present.join()}`);
  return face.mo;
}

/** Every node has a canonical name, a schema of its format, and is there. */
async function agrees(mo: Mo): Promise<void> {
  const visit = (rel: Rel, snapshot: Snapshot) => {
    expect(parseRel(rel)).toBe(rel);
    expect(mo.has(rel)).toBe(true);
    const schema = mo.schema(rel);
    if (snapshot.format !== "null") expect(schema?.format).toBe(snapshot.format);
    expect(schema?.access.size).toBeGreaterThan(0);
    if (!isInterior(snapshot)) return;
    for (const [name, child] of snapshot.children) {
      expect(child).toBeDefined();
      if (child !== undefined) visit(joinRel(rel, name), child);
    }
  };
  visit(top, await mo.read(top, "deep", aCall()));
}

function same(a: Value | undefined, b: Value | undefined): boolean {
  return a !== undefined && b !== undefined && sameValue(a, b);
}

/** Sockets and timers that are open in this process. */
function resources(): number {
  return process.getActiveResourcesInfo().filter((kind) => /Socket|TCP|TLS|Timeout/.test(kind)).length;
}
