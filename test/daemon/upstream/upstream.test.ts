import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openOutbox } from "../../../daemon/outbox.ts";
import type { Outbox } from "../../../daemon/outbox.ts";
import type { ServerAccount } from "../../../daemon/upstream/account.ts";
import type { ServerMemory } from "../../../daemon/upstream/memory.ts";
import { openUpstream } from "../../../daemon/upstream/upstream.ts";
import type { Upstream } from "../../../daemon/upstream/upstream.ts";
import { DmError } from "../../../tree/errors.ts";
import { startDmServer } from "../../fakes/dm-server.ts";
import type { DmServer } from "../../fakes/dm-server.ts";
import { get } from "../../fakes/dm-server/asks.ts";
import { account, gatewayId, home, manage, nonce, serverId } from "../dm/scene.ts";
import type { Home } from "../dm/scene.ts";

const lamp = "./Devices/d1/Lamp";
const day = 86_400_000;
const never = new AbortController().signal;
let at: Home;
let server: DmServer;
let outbox: Outbox;
let upstream: Upstream;
let chance: number;

const own = (over: Partial<ServerAccount> = {}): ServerAccount => ({
  ...account({ url: server.url }),
  encoding: "xml",
  devices: "manage",
  poll: 0,
  report: undefined,
  owner: "file",
  refused: undefined,
  ...over,
});
/** A daemon's part, on the store of the one before. */
function boot(): Upstream {
  outbox = openOutbox(at);
  upstream = openUpstream({ ...at, outbox, gatewayId, random: () => chance });
  return upstream;
}
beforeEach(async () => {
  chance = 0.5;
  at = home();
  await manage(at);
  server = await startDmServer({
    client: { name: "gw", secret: "client secret", nonce: nonce("first client nonce") },
    server: { name: serverId, secret: "server secret", nonce: nonce("first server nonce") },
  });
  boot();
});
afterEach(async () => {
  await upstream.stop();
  expect(at.clock.timers).toBe(0);
  await server.stop();
});

const connect = (progress: (line: string) => void = () => undefined, signal = never) =>
  upstream.connect(serverId, progress, signal);
const report = () => upstream.reports()[0];
const memory = () => at.store.get("nonces", serverId) as ServerMemory | undefined;
const tell = (uri: string, durable = true) =>
  outbox.add(serverId, { key: uri, uri, type: "urn:dmgw:at:change", durable });
/** Real I/O: looked at until it is so. */
async function until(is: () => boolean): Promise<void> {
  for (const end = Date.now() + 3_000; !is() && Date.now() < end;)
    await new Promise((resolve) => setTimeout(resolve, 2));
  expect(is()).toBe(true);
}
const sessions = (count: number) => until(() => server.sessions.length === count && report()?.state !== "in session");

describe("connect", () => {
  test("runs a session and tells its course", async () => {
    upstream.set([own()]);
    const asked = server.run([get("./DevInfo/Man")]);
    const lines: string[] = [];
    await connect((line) => lines.push(line));
    expect((await asked)[0]?.results[0]?.data).toBe("Acme");
    expect(lines[0]).toContain(`with ${serverId} at ${server.url}`);
    expect(lines.slice(1)).toEqual([
      "-> message 1: Alert 1201, Replace",
      "<- message 1: Status x3, Get",
      "-> message 2: Status x2, Results",
      "<- message 2: Status",
      "ended well",
    ]);
    expect(report()).toMatchObject({ id: serverId, state: "idle", lastSession: { ok: true }, outbox: { length: 0 } });
    expect(server.violations).toEqual([]);
  });

  test("joins the session that runs", async () => {
    upstream.set([own()]);
    server.fail({ kind: "slow", ms: 50 });
    await Promise.all([connect(), connect(), connect()]);
    expect(server.sessions).toHaveLength(1);
  });

  test("says why it cannot: no such server, refused, unreachable, no credentials", async () => {
    upstream.set([own({ refused: "it has no server authentication" })]);
    await expect(upstream.connect("nobody", () => undefined, never)).rejects.toMatchObject({ status: 404 });
    await expect(connect()).rejects.toMatchObject({ status: 403 });
    expect(report()).toMatchObject({ state: "refused", error: "it has no server authentication" });
    upstream.set([own({ url: "http://127.0.0.1:1/dm" })]);
    await expect(connect()).rejects.toMatchObject({ status: 503 });
    upstream.set([own()]);
    server.behaviour.refuse = 401;
    await expect(connect()).rejects.toMatchObject({
      status: 502,
      message: expect.stringContaining("credentials") as string,
    });
    expect(report()).toMatchObject({ lastSession: { ok: false }, error: expect.stringContaining("401") as string });
  });

  test("leaves the session alone when the caller has enough", async () => {
    upstream.set([own()]);
    server.fail({ kind: "slow", ms: 50 });
    const enough = new AbortController();
    const work = connect(undefined, enough.signal);
    enough.abort(new Error("enough"));
    await expect(work).rejects.toThrow("enough");
    await sessions(1);
    expect(report()?.lastSession?.ok).toBe(true);
  });

  test("a request while a session runs makes one more", async () => {
    upstream.set([own()]);
    server.fail({ kind: "slow", ms: 50 });
    const first = connect();
    upstream.request(serverId, { code: 1200, sessionId: "A1" });
    upstream.request(serverId, { code: 1200, sessionId: "A2" });
    await first;
    await sessions(2);
    expect(server.sessions[1]?.id).toBe("A2");
  });
});

describe("what a session leaves behind", () => {
  test("nonces and told alerts are one commit", async () => {
    upstream.set([own()]);
    tell(`${lamp}/Level`);
    tell(`${lamp}/Temperature`, false);
    await at.clock.advance(0);
    const before = at.store.commits;
    void server.run([get("./DevInfo/Man")]);
    await connect();
    expect(at.store.commits - before).toBe(1);
    expect(memory()?.client).toBe(Buffer.from(server.nonces.client).toString("base64"));
    expect(memory()?.server).toBe(Buffer.from(server.nonces.server).toString("base64"));
    expect(server.alerts.map((one) => [one.source, one.data])).toEqual([
      [`${lamp}/Level`, "10"],
      [`${lamp}/Temperature`, "20"],
    ]);
    expect(outbox.state(serverId).length).toBe(0);
  });

  test("the next one begins with its nonces, after a restart too: nobody is challenged", async () => {
    for (let turn = 0; turn < 4; turn++) {
      upstream.set([own()]);
      void server.run([get("./DevInfo/Man")]);
      await connect();
      if (turn % 2 === 1) {
        await upstream.stop();
        boot();
      }
    }
    expect(server.sessions.map((one) => one.exchanges.length)).toEqual([2, 2, 2, 2]);
    expect(server.violations).toEqual([]);
  });

  test("killed before the commit: the alert is told again, stale nonces are challenged once, and all is well", async () => {
    upstream.set([own()]);
    void server.run([get("./DevInfo/Man")]);
    await connect();
    tell(`${lamp}/Level`);
    await at.clock.advance(0);
    at.store.failNext();
    void server.run([get("./DevInfo/Man")]);
    await connect();
    expect(at.log.lines.join()).toContain("not on the disk");
    // The process ends here: what it knew in memory is gone.
    await upstream.stop();
    chance = 0.25;
    boot().set([own()]);
    expect(outbox.state(serverId).length).toBe(1);
    const asked = server.run([get("./DevInfo/Man")]);
    await connect();
    expect((await asked)[0]?.status).toBe(200);
    const told = server.sessions.at(-1)?.exchanges.at(-2)?.received.commands;
    expect(told).toContainEqual(expect.objectContaining({ name: "Alert", code: 1226 }));
    expect(server.sessions.at(-1)?.exchanges).toHaveLength(3);
    expect(server.violations).toEqual([]);
    expect(outbox.state(serverId).length).toBe(0);
  });

  test("killed at any exchange, the next session still comes to its end", async () => {
    for (const faults of [1, 2, 3]) {
      for (const when of ["before", "after"] as const) {
        upstream.set([own()]);
        const asked = server.run([get("./DevInfo/Man")]);
        const slow = Array(faults - 1).fill({ kind: "slow", ms: 0 }) as { kind: "slow"; ms: number }[];
        // The line is dropped, and once more when the message is sent again; then the process is gone.
        server.fail(...slow, { kind: "drop", when }, { kind: "drop", when });
        for (let turn = 0; turn < 3; turn++) {
          await connect().catch(() => undefined);
          await upstream.stop();
          boot().set([own()]);
        }
        await connect();
        await asked.catch(() => undefined);
        expect(report()?.lastSession?.ok).toBe(true);
      }
    }
  });

  test("a server that refuses an alert does not hear it again; one in trouble does", async () => {
    upstream.set([own()]);
    tell(`${lamp}/Level`);
    server.behaviour.alertStatus = 500;
    await connect();
    expect(outbox.state(serverId).length).toBe(1);
    server.behaviour.alertStatus = 415;
    await connect();
    expect(outbox.state(serverId).length).toBe(0);
    expect(at.log.lines.join()).toContain("refuses an alert");
  });
});

describe("the outbox", () => {
  test("starts a session after the merge interval, one for all that came meanwhile", async () => {
    upstream.set([own({ report: { subtrees: ["./Devices"], interval: 3_000 } })]);
    tell(`${lamp}/Level`);
    await at.clock.advance(2_000);
    tell(`${lamp}/Name`);
    expect(server.sessions).toHaveLength(0);
    expect(report()?.outbox.length).toBe(2);
    await at.clock.advance(1_000);
    await sessions(1);
    expect(server.alerts).toHaveLength(2);
    await at.clock.advance(day);
    expect(server.sessions).toHaveLength(1);
  });

  test("what comes while a session runs is told in the next one", async () => {
    upstream.set([own()]);
    tell(`${lamp}/Level`);
    server.fail({ kind: "slow", ms: 60 });
    const first = connect();
    await until(() => server.sessions.length === 1);
    tell(`${lamp}/Level`);
    await first;
    expect(outbox.state(serverId).length).toBe(1);
    await at.clock.advance(5_000);
    await sessions(2);
    expect([server.alerts.length, outbox.state(serverId).length]).toEqual([2, 0]);
  });

  test("what a restart finds is told", async () => {
    upstream.set([own({ refused: "not yet" })]);
    tell(`${lamp}/Level`);
    await at.clock.advance(0);
    await upstream.stop();
    boot().set([own()]);
    await at.clock.advance(5_000);
    await sessions(1);
    expect(server.alerts).toHaveLength(1);
  });
});

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
    chance = 1;
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
    chance = 0;
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
