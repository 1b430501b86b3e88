import { beforeEach, describe, expect, test } from "vitest";
import { openOutbox, outboxLimit } from "../../daemon/outbox.ts";
import type { NewItem, Outbox } from "../../daemon/outbox.ts";
import { fakeClock, settled } from "../fakes/clock.ts";
import { fakeLog } from "../fakes/log.ts";
import { fakeStore } from "../fakes/store.ts";

const server = "com.example.dm";
let store: ReturnType<typeof fakeStore>;
let clock: ReturnType<typeof fakeClock>;
let log: ReturnType<typeof fakeLog>;
let outbox: Outbox;
beforeEach(() => {
  store = fakeStore();
  clock = fakeClock();
  log = fakeLog();
  outbox = openOutbox({ store, clock, log });
});

const item = (uri: string, durable = true): NewItem => ({ key: uri, uri, type: "t", durable });
const uris = (of = outbox) => of.pending(server).map((one) => one.uri);
const restarted = () => openOutbox({ store, clock, log });
const strike = async (ids: readonly string[]) => {
  const batch = store.batch();
  outbox.delivered(server, ids, batch);
  await store.commit(batch);
};

describe("what is added", () => {
  test("is pending, oldest first, and still there after a restart", async () => {
    outbox.add(server, item("./b"));
    await clock.advance(10);
    outbox.add(server, { ...item("./a"), mark: "critical" });
    await settled();
    expect(uris()).toEqual(["./b", "./a"]);
    const again = restarted().pending(server);
    expect(again).toMatchObject([{ uri: "./b" }, { uri: "./a", mark: "critical" }]);
    expect(outbox.state(server)).toEqual({ length: 2, oldest: clock.now() - 10, dropped: 0 });
  });

  test("is written once: the same node again costs no write", async () => {
    for (let turn = 0; turn < 100; turn++) {
      outbox.add(server, item("./a"));
      await settled();
    }
    expect(store.commits).toBe(1);
    expect(uris()).toEqual(["./a"]);
  });

  test("goes into the batch that is given, and nowhere else", async () => {
    const batch = store.batch();
    outbox.add(server, item("./a"), batch);
    await settled();
    expect([store.commits, batch.size]).toEqual([0, 1]);
  });

  test("of volatile nodes costs no write at all, and a restart forgets it", async () => {
    for (let turn = 0; turn < 50; turn++) outbox.add(server, item(`./v${turn % 5}`, false));
    await settled();
    expect(store.commits).toBe(0);
    expect(outbox.state(server).length).toBe(5);
    expect(restarted().state(server).length).toBe(0);
  });

  test("a volatile one that becomes durable is written; the other way round it stays written", async () => {
    outbox.add(server, item("./a", false));
    outbox.add(server, item("./a", true));
    await settled();
    outbox.add(server, item("./a", false));
    await settled();
    expect(store.commits).toBe(1);
    await strike(outbox.pending(server).map((one) => one.id));
    expect(uris(restarted())).toEqual([]);
  });

  test("is told to whoever watches", () => {
    const heard: string[] = [];
    const stop = outbox.watch((id) => heard.push(id));
    outbox.add(server, item("./a"));
    stop();
    outbox.add("other", item("./a"));
    expect(heard).toEqual([server]);
  });

  test("a disk that fails costs the durability, not the alert", async () => {
    store.failNext();
    outbox.add(server, item("./a"));
    await settled();
    expect(uris()).toEqual(["./a"]);
    expect(log.lines.join()).toContain("in memory only");
  });
});

describe("what was told", () => {
  test("is struck off, on the disk too", async () => {
    outbox.add(server, item("./a"));
    outbox.add(server, item("./b"));
    await settled();
    const [first] = outbox.pending(server);
    await strike([first?.id ?? ""]);
    expect([uris(), uris(restarted())]).toEqual([["./b"], ["./b"]]);
  });

  test("stays when it changed again while it was told, with no second write", async () => {
    outbox.add(server, item("./a"));
    await settled();
    const told = outbox.pending(server).map((one) => one.id);
    outbox.add(server, item("./a"));
    await strike(told);
    expect([uris(), uris(restarted()), store.commits]).toEqual([["./a"], ["./a"], 1]);
  });

  test("twice, or by a server without an outbox, is nothing", async () => {
    outbox.add(server, item("./a"));
    await settled();
    const told = outbox.pending(server).map((one) => one.id);
    await strike(told);
    await strike(told);
    outbox.delivered("nobody", told, store.batch());
    expect(store.commits).toBe(2);
  });
});

describe("limits", () => {
  test("a thousand for each server: the oldest goes, and is counted", async () => {
    for (let turn = 0; turn < outboxLimit + 5; turn++) outbox.add(server, item(`./n${turn}`));
    await settled();
    expect(outbox.state(server)).toMatchObject({ length: outboxLimit, dropped: 5 });
    expect(uris()[0]).toBe("./n5");
    expect(restarted().state(server).length).toBe(outboxLimit);
    expect(log.lines.filter((line) => line.includes("full"))).toHaveLength(1);
    outbox.add("other", item("./a"));
    expect(outbox.state("other").length).toBe(1);
  });

  test("what devices report pushes nothing durable out, and costs no write when the box is full", async () => {
    for (let turn = 0; turn < outboxLimit - 1; turn++) outbox.add(server, item(`./n${turn}`));
    await settled();
    const before = store.commits;
    outbox.add(server, item("./v1", false));
    outbox.add(server, item("./v2", false));
    await settled();
    expect([store.commits - before, uris().includes("./v1"), uris().includes("./v2")]).toEqual([0, false, true]);
    outbox.add(server, item("./n"));
    await settled();
    expect(uris().includes("./n0")).toBe(false);
    for (let turn = 0; turn < 3; turn++) outbox.add(server, item(`./m${turn}`));
    expect(outbox.state(server).length).toBe(outboxLimit);
  });
});

test("a server that is forgotten leaves nothing behind, and its neighbours everything", async () => {
  outbox.add(server, item("./a"));
  outbox.add(`${server}.longer`, item("./a"));
  await settled();
  const batch = store.batch();
  outbox.forget(server, batch);
  await store.commit(batch);
  expect([outbox.state(server).length, restarted().state(server).length]).toEqual([0, 0]);
  expect(restarted().state(`${server}.longer`).length).toBe(1);
});
