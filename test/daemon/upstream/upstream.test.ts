import { describe, expect, test } from "vitest";
import { get } from "../../fakes/dm-server/asks.ts";
import { serverId } from "../dm/scene.ts";
import {
  at,
  boot,
  connect,
  day,
  lamp,
  memory,
  never,
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
    setChance(0.25);
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
