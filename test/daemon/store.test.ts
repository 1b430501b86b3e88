import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { openStore } from "../../daemon/store.ts";
import type { OpenedStore } from "../../daemon/store.ts";
import { bucket } from "../../tree/ports.ts";
import type { Store } from "../../tree/ports.ts";
import { fakeClock } from "../fakes/clock.ts";
import { fakeStore } from "../fakes/store.ts";
import { fakeLog } from "../fakes/log.ts";

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "dmgw-store-"));
  cleanups.push(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

function open(path = folder()): OpenedStore {
  const store = openStore({ folder: path, clock: fakeClock(), log: fakeLog() });
  cleanups.push(() => store.close());
  return store;
}

async function put(store: Store, table: string, entries: Record<string, unknown>): Promise<void> {
  const batch = store.batch();
  for (const [key, value] of Object.entries(entries)) batch.put(table, key, value);
  await store.commit(batch);
}

const both: [name: string, make: () => Store][] = [
  ["the store on SQLite", open],
  ["the store in memory", fakeStore],
];

describe.each(both)("%s", (_, make) => {
  it("gives back what was committed, as JSON leaves it", async () => {
    const store = make();
    const value = { list: [1, "two", null, { deep: true }], gone: undefined };
    await put(store, "t", { a: value });
    value.list.push("later");
    expect(store.get("t", "a")).toEqual({ list: [1, "two", null, { deep: true }] });
    expect(store.get("t", "b")).toBeUndefined();
    expect(store.get("u", "a")).toBeUndefined();
  });

  it("takes the value of the moment of the commit, not of a later one", async () => {
    const store = make();
    const batch = store.batch();
    const value = { n: 1 };
    batch.put("t", "a", value);
    const committed = store.commit(batch);
    value.n = 2;
    await committed;
    expect(store.get("t", "a")).toEqual({ n: 1 });
  });

  it("keeps null, false, 0 and empty text apart from nothing", async () => {
    const store = make();
    await put(store, "t", { n: null, f: false, z: 0, e: "" });
    expect([...store.entries("t")]).toEqual([
      ["e", ""],
      ["f", false],
      ["n", null],
      ["z", 0],
    ]);
  });

  it("applies the writes of a batch in their order", async () => {
    const store = make();
    const batch = store.batch();
    batch.put("t", "a", 1);
    batch.put("t", "a", 2);
    batch.put("t", "b", 1);
    batch.delete("t", "b");
    batch.delete("t", "c");
    batch.put("t", "c", 3);
    batch.put("t", "d", 4);
    batch.put("t", "d", undefined);
    expect(batch.size).toBe(8);
    await store.commit(batch);
    expect([...store.entries("t")]).toEqual([
      ["a", 2],
      ["c", 3],
    ]);
  });

  it("shows nothing of a commit before it has resolved", async () => {
    const store = make();
    const committed = put(store, "t", { a: 1 });
    expect(store.get("t", "a")).toBeUndefined();
    await committed;
    expect(store.get("t", "a")).toBe(1);
  });

  it("refuses a batch that JSON cannot hold, as a whole, and keeps its neighbours", async () => {
    const store = make();
    const circle: { self?: unknown } = {};
    circle.self = circle;
    const results = await Promise.allSettled([
      put(store, "t", { a: 1 }),
      put(store, "t", { b: 1, c: circle }),
      put(store, "t", { d: 10n }),
      put(store, "t", { e: () => 1 }),
      put(store, "t", { f: 1 }),
    ]);
    expect(results.map((result) => result.status)).toEqual([
      "fulfilled",
      "rejected",
      "rejected",
      "rejected",
      "fulfilled",
    ]);
    for (const index of [1, 2, 3]) expect(results[index]).toMatchObject({ reason: { name: "DmError", status: 510 } });
    expect([...store.entries("t")].map(([key]) => key)).toEqual(["a", "f"]);
  });

  it("lists a table in the order of the keys' UTF-8 bytes, and by prefix", async () => {
    const store = make();
    // U+FF5E comes after the emoji in UTF-16 units, and before it in UTF-8.
    const keys = [
      "b",
      "a",
      "a/1",
      "a/10",
      "a/2",
      "ab",
      "～",
      "😀",
      "😀x",
      "\u{10FFFF}",
      "\u{10FFFF}z",
      "",
      "a\0b",
      "é",
      "%",
      "_",
      "*",
    ];
    await put(store, "t", Object.fromEntries(keys.map((key) => [key, key])));
    await put(store, "t2", { "a/3": 1 });
    const sorted = [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect([...store.entries("t")].map(([key]) => key)).toEqual(sorted);
    for (const prefix of ["a", "a/", "a/1", "😀", "\u{10FFFF}", "%", "_", "*", "zz", ""]) {
      const expected = sorted.filter((key) => key.startsWith(prefix));
      expect([...store.entries("t", prefix)].map(([key]) => key)).toEqual(expected);
    }
  });

  it("can be changed while its entries are walked", async () => {
    const store = make();
    await put(store, "t", { a: 1, b: 2, c: 3 });
    const seen: string[] = [];
    for (const [key] of store.entries("t")) {
      seen.push(key);
      await put(store, "t", { [key]: undefined, [`${key}+`]: 1 });
    }
    expect(seen).toEqual(["a", "b", "c"]);
  });

  it("gives names no meaning of their own", async () => {
    const store = make();
    const names = ["__proto__", "constructor", "'; DROP TABLE entries; --", "\u0000"];
    for (const name of names) {
      await bucket<string>(store, name).set(name, name);
      expect(bucket<string>(store, name).get(name)).toBe(name);
    }
  });

  it("refuses a key that UTF-8 cannot hold, since it would fall together with another", async () => {
    const store = make();
    await expect(bucket(store, "t").set("\ud800", 1)).rejects.toMatchObject({ status: 510 });
    await expect(bucket(store, "\udfff").set("a", 1)).rejects.toMatchObject({ status: 510 });
  });
});

describe("the store on SQLite", () => {
  it("does the same as the store in memory, whatever is committed", async () => {
    const write = fc.record({
      table: fc.constantFrom("t", "u"),
      key: fc.string({ maxLength: 3, unit: "binary" }),
      value: fc.option(fc.jsonValue({ maxDepth: 2 }), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(write, { maxLength: 6 }), { maxLength: 8 }), async (batches) => {
        const path = folder();
        const real = open(path);
        const fake = fakeStore();
        for (const store of [real, fake]) {
          const commits = batches.map(async (writes) => {
            const batch = store.batch();
            for (const { table, key, value } of writes) batch.put(table, key, value);
            await store.commit(batch);
          });
          await Promise.all(commits);
        }
        real.close();
        const again = open(path);
        for (const table of ["t", "u"]) expect([...again.entries(table)]).toEqual([...fake.entries(table)]);
        again.close();
      }),
      { numRuns: 40 },
    );
  });

  it("keeps everything over close and open", async () => {
    const path = folder();
    const store = open(path);
    await put(store, "t", { a: { x: 1 }, b: "text" });
    store.close();
    expect([...open(path).entries("t")]).toEqual([
      ["a", { x: 1 }],
      ["b", "text"],
    ]);
  });

  it("keeps what was committed in the turn in which it is closed", async () => {
    const path = folder();
    const store = open(path);
    const committed = put(store, "t", { a: 1 });
    store.close();
    await committed;
    expect(open(path).get("t", "a")).toBe(1);
  });

  it("answers 510 when it is closed", async () => {
    const store = open();
    store.close();
    store.close();
    await expect(put(store, "t", { a: 1 })).rejects.toMatchObject({ status: 510 });
    expect(() => store.get("t", "a")).toThrow("closed");
  });

  it("makes folder and file for its user alone", () => {
    const path = join(folder(), "made", "here");
    open(path);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    for (const file of ["dmgw.db", "dmgw.db-wal", "dmgw.lock"])
      expect(statSync(join(path, file)).mode & 0o777).toBe(0o600);
  });

  it("shares one sync among the commits of one turn, and needs none for an empty one", async () => {
    const store = open();
    await put(store, "t", { first: 1 });
    const before = store.usage();
    await store.commit(store.batch());
    expect(store.usage()).toEqual(before);
    await Promise.all(Array.from({ length: 1000 }, (_, index) => put(store, "t", { [`k${index}`]: index })));
    expect(store.usage().syncs - before.syncs).toBe(1);
    expect([...store.entries("t")]).toHaveLength(1001);
    await put(store, "t", { another: 1 });
    expect(store.usage().syncs - before.syncs).toBe(2);
  });

  it("counts the bytes it writes, and carries them on to a day", async () => {
    const clock = fakeClock();
    const store = openStore({ folder: folder(), clock, log: fakeLog() });
    cleanups.push(() => store.close());
    expect(store.usage()).toEqual({ written: 0, syncs: 0, perDay: 0 });
    await put(store, "t", { a: 1 });
    const { written } = store.usage();
    expect(written).toBeGreaterThanOrEqual(4096);
    expect(written).toBeLessThanOrEqual(3 * 4120);
    await clock.advance(60_000);
    expect(store.usage().perDay).toBe(written * 24);
    await clock.advance(12 * 3_600_000 - 60_000);
    expect(store.usage().perDay).toBe(written * 2);
  });

  it("keeps its files small while the same entries change again and again", async () => {
    const path = folder();
    const store = open(path);
    for (let round = 0; round < 1500; round++) await put(store, "t", { [`k${round % 20}`]: "x".repeat(200) + round });
    const size = (name: string) => statSync(join(path, name)).size;
    expect(size("dmgw.db")).toBeLessThan(64 * 1024);
    expect(size("dmgw.db-wal")).toBeLessThan(1.2 * 1024 * 1024);
  });
});
