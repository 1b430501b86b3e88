import { describe, expect, test } from "vitest";
import { DmError } from "../../../tree/errors.ts";
import { get } from "../../fakes/dm-server/asks.ts";
import { nonce, serverId } from "../dm/scene.ts";
import {
  at,
  boot,
  connect,
  day,
  lamp,
  memory,
  outbox,
  own,
  report,
  server,
  sessions,
  setChance,
  tell,
  until,
  upstream,
  useScene,
} from "./scene.ts";

useScene();

describe("polling and trouble", () => {
  test("a server is visited soon after it is known, and then at least once in the interval, at a time by chance", async () => {
    upstream.set([own({ poll: day })]);
    expect(report()?.next).toBe(new Date(at.clock.now() + 15_000).toISOString());
    await at.clock.advance(15_000);
    await sessions(1);
    expect(report()?.next).toBe(new Date(at.clock.now() + 0.9 * day).toISOString());
    await at.clock.advance(0.5 * day);
    await upstream.stop();
    boot().set([own({ poll: day })]);
    await at.clock.advance(0.4 * day);
    await sessions(2);
  });

  test("a clock that was set back does not put the visit off, and one that is overdue comes soon", async () => {
    upstream.set([own({ poll: day })]);
    await connect();
    await upstream.stop();
    at.clock.jump(-400 * day);
    boot().set([own({ poll: day })]);
    expect(report()?.next).toBe(new Date(at.clock.now() + 0.9 * day).toISOString());
    await upstream.stop();
    at.clock.jump(500 * day);
    boot().set([own({ poll: day })]);
    expect(report()?.next).toBe(new Date(at.clock.now() + 15_000).toISOString());
  });

  test("after failures it waits longer and longer, by chance under a roof, and forgets them at the first success", async () => {
    setChance(1);
    upstream.set([own({ poll: day, url: "http://127.0.0.1:1/dm" })]);
    const waits: number[] = [];
    await at.clock.advance(30_000);
    for (let turn = 0; turn < 11; turn++) {
      await until(() => report()?.state === "waiting");
      waits.push(Date.parse(report()?.next ?? "") - at.clock.now());
      await at.clock.advance(waits.at(-1) ?? 0);
    }
    expect(waits).toEqual([5, 10, 20, 40, 80, 160, 320, 640, 1280, 1800, 1800].map((seconds) => seconds * 1000));
    await until(() => report()?.state === "waiting");
    expect(report()).toMatchObject({ error: expect.stringContaining("ECONNREFUSED") as string });
    upstream.set([own({ poll: day })]);
    await at.clock.advance(0);
    await connect();
    expect(report()).toMatchObject({ state: "idle" });
    expect(report()?.error).toBeUndefined();
  });

  test("a server that says when to come again is believed", async () => {
    setChance(0);
    upstream.set([own({ poll: day })]);
    server.fail({ kind: "status", code: 503, retryAfter: "120" });
    await at.clock.advance(0);
    await until(() => report()?.state === "waiting");
    expect(Date.parse(report()?.next ?? "") - at.clock.now()).toBe(120_000);
    await at.clock.advance(119_000);
    expect(server.sessions).toHaveLength(0);
    await at.clock.advance(2_000);
    await sessions(1);
  });

  test("what only a person asked for is not tried again by itself", async () => {
    upstream.set([own()]);
    server.fail({ kind: "status", code: 500 });
    await expect(connect()).rejects.toMatchObject({ message: expect.stringContaining("500") as string });
    expect(report()?.next).toBeUndefined();
    tell(`${lamp}/Level`);
    await at.clock.advance(day);
    expect(server.sessions).toHaveLength(0);
  });

  test("a notification that failed is followed up", async () => {
    upstream.set([own()]);
    server.fail({ kind: "status", code: 500 });
    upstream.request(serverId, { code: 1200, sessionId: "B2" });
    await until(() => report()?.state === "waiting");
    await at.clock.advance(5_000);
    await sessions(1);
    expect(server.sessions[0]?.id).toBe("B2");
  });

  test("garbage, errors and drops end a session and nothing else", async () => {
    upstream.set([own()]);
    const drop = { kind: "drop", when: "after" } as const;
    for (const faults of [
      [{ kind: "body", body: "<html>", type: "text/html" }],
      [{ kind: "body", body: "no xml" }],
      [{ kind: "status", code: 404 }],
      // On a fresh line: one that was kept open would be tried twice.
      [drop],
    ] as const) {
      server.fail(...faults);
      await expect(connect()).rejects.toBeInstanceOf(DmError);
      expect(report()?.lastSession?.ok).toBe(false);
    }
    await connect();
    expect(report()?.lastSession?.ok).toBe(true);
  });
});

describe("accounts", () => {
  test("one that goes takes its nonces and its outbox along, also in the middle of a session", async () => {
    upstream.set([own()]);
    await connect();
    tell(`${lamp}/Level`);
    await at.clock.advance(0);
    server.fail({ kind: "silent" });
    const running = connect();
    const ended = expect(running).rejects.toMatchObject({ status: 503 });
    await until(() => report()?.state === "in session");
    upstream.set([]);
    expect(upstream.reports()).toEqual([]);
    await ended;
    await until(() => memory() === undefined);
    expect(outbox.state(serverId).length).toBe(0);
    expect([...at.store.entries("outbox")]).toEqual([]);
  });

  test("one that changes is used as it is from then on; new secrets begin with their own nonces", async () => {
    upstream.set([own()]);
    void server.run([get("./DevInfo/Man")]);
    await connect();
    expect(memory()?.client).toBeDefined();
    const moved = own({ poll: 0, url: `${server.url}?moved` });
    upstream.set([moved]);
    upstream.set([moved]);
    await connect();
    expect(server.sessions[1]?.exchanges[0]?.received.header.target.uri).toBe(`${server.url}?moved`);
    upstream.set([own({ client: { type: "digest", name: "gw", secret: "new", nonce: nonce("n") } })]);
    await until(() => memory()?.client === undefined);
    await expect(connect()).rejects.toThrow();
  });
});

describe("the stop", () => {
  test("ends a session within a second and tells the server that still holds it", async () => {
    upstream.set([own()]);
    void server.run([get("./DevInfo/Man")]);
    server.fail({ kind: "slow", ms: 0 }, { kind: "silent" });
    const running = connect();
    const ended = expect(running).rejects.toMatchObject({ message: "the gateway stops" });
    await until(() => server.sessions[0]?.exchanges.length === 1);
    await new Promise((resolve) => setTimeout(resolve, 30));
    const before = performance.now();
    await upstream.stop();
    expect(performance.now() - before).toBeLessThan(1_000);
    await ended;
    const last = server.sessions[0]?.exchanges.at(-1)?.received;
    expect(last?.commands).toMatchObject([{ name: "Alert", code: 1223 }]);
    await expect(connect()).rejects.toMatchObject({ status: 503 });
  });
});
