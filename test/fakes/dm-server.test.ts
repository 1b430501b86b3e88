import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../daemon/clock.ts";
import type { SessionOptions } from "../../daemon/dm/session-terms.ts";
import { openHttp } from "../../daemon/upstream/http.ts";
import { runSession } from "../../daemon/upstream/run-session.ts";
import { account, gatewayId, home, manage, nonce, serverId } from "../daemon/dm/scene.ts";
import type { Home } from "../daemon/dm/scene.ts";
import { selfSigned } from "./certificate.ts";
import { add, alert, atomic, copy, del, exec, get, replace, sequence } from "./dm-server/asks.ts";
import type { Outcome } from "./dm-server/answers.ts";
import { badBodies } from "./dm-server/faults.ts";
import type { Fault } from "./dm-server/faults.ts";
import { startDmServer } from "./dm-server.ts";
import type { DmServer, DmServerOptions } from "./dm-server.ts";

const proofs = {
  client: { name: "gw", secret: "client secret", nonce: nonce("first client nonce") },
  server: { name: serverId, secret: "server secret", nonce: nonce("first server nonce") },
};

let server: DmServer;
afterEach(() => server.stop());

const story: string[] = [];
async function start(options: Partial<DmServerOptions> = {}): Promise<void> {
  story.length = 0;
  server = await startDmServer({ ...proofs, story: (line) => story.push(line), ...options });
}

/** A session of our own client with the server, as the daemon runs it. */
async function session(at: Home, over: Partial<SessionOptions> = {}, signal = new AbortController().signal) {
  const clock = systemClock;
  const transport = openHttp({ clock, tls: over.account?.tls ?? {} });
  try {
    return await runSession({
      account: account({ url: server.url }),
      gatewayId,
      tree: at.tree,
      reason: { code: 1201, sessionId: "7" },
      alerts: [],
      nonces: {},
      log: at.log,
      clock,
      transport,
      progress: () => undefined,
      signal,
      ...over,
    });
  } finally {
    await transport.close();
  }
}

const lamp = "./Devices/d1/Lamp";
async function managedHome(): Promise<Home> {
  const at = home();
  await manage(at);
  return at;
}
const statuses = (outcomes: readonly Outcome[]) => outcomes.map((one) => one.status);

describe("a DM server and our client", () => {
  it("ask and answer every kind of command, and tell it as a story", async () => {
    await start();
    const asked = server.run([
      get("./DevInfo/DevId", lamp),
      replace(`${lamp}/Power`, true),
      get("./Nowhere"),
      atomic([replace(`${lamp}/Level`, 5), replace(`${lamp}/Level`, 101)]),
      sequence([get(`${lamp}/Level`), exec(`${lamp}/Blink`, "x")]),
      copy(`${lamp}/Name`, "./DevInfo/Ext/n"),
      add("./DevInfo/Ext/a", "v"),
      del("./DevInfo/Ext/a"),
      alert(1100, "MINDT=1", "hello"),
    ]);
    const ended = server.sessionEnded();
    const end = await session(await managedHome());
    expect(end).toMatchObject({ ok: true });
    const outcomes = await asked;
    expect(statuses(outcomes)).toEqual([200, 200, 404, 507, 200, 200, 200, 425, 406]);
    expect(outcomes[0]?.results).toEqual([
      { uri: "./DevInfo/DevId", format: "chr", type: "text/plain", data: gatewayId },
      expect.objectContaining({ uri: lamp, format: "node", data: "Power/Level/Name/Blob/Note/Temperature/Blink" }),
    ]);
    expect(statuses(outcomes[3]?.inner ?? [])).toEqual([216, 400]);
    expect(outcomes[4]?.inner[0]?.results[0]?.data).toBe("10");
    expect(story).toContain(`    Replace ${lamp}/Power = "true" → 200 OK`);
    expect((await ended).end).toEqual({ ok: true, why: "nothing more to ask" });
    expect(server.violations).toEqual([]);
  });

  it("agree on nonces, so that the next session needs no challenge", async () => {
    await start();
    const at = await managedHome();
    const first = await session(at);
    const second = await session(at, { nonces: first.nonces, reason: { code: 1201, sessionId: "8" } });
    expect([first.ok, second.ok]).toEqual([true, true]);
    expect(server.sessions.map((one) => one.exchanges.length)).toEqual([1, 1]);
    expect(server.violations).toEqual([]);
  });

  it("find back to each other when both have forgotten their nonces", async () => {
    await start();
    Object.assign(server.nonces, { client: nonce("lost"), server: nonce("lost too") });
    const asked = server.run([get("./DevInfo/Man")]);
    expect(await session(await managedHome())).toMatchObject({ ok: true });
    expect((await asked)[0]?.results[0]?.data).toBe("Acme");
    expect(story.join("\n")).toContain("401 wrong credentials");
    expect(server.violations).toEqual([]);
  });

  it("prove themselves by basic credentials", async () => {
    await start({ auth: "basic" });
    const basic = { type: "basic", nonce: nonce("") } as const;
    const client = { ...basic, name: "gw", secret: "client secret" };
    const own = { ...basic, name: serverId, secret: "server secret" };
    const asked = server.run([get("./DevInfo/Mod")]);
    expect(
      await session(await managedHome(), { account: account({ url: server.url, client, server: own }) }),
    ).toMatchObject({ ok: true });
    expect(statuses(await asked)).toEqual([200]);
    expect(server.violations).toEqual([]);
  });

  it("talk over TLS, where the pinned certificate proves the server", async () => {
    const tls = selfSigned(["127.0.0.1"]);
    await start({ auth: "none", tls });
    const asked = server.run([get("./DevInfo/Mod")]);
    const over = { url: server.url, client: undefined, server: undefined, tls: { ca: tls.cert } };
    expect(await session(await managedHome(), { account: account(over) })).toMatchObject({ ok: true });
    expect(statuses(await asked)).toEqual([200]);
    expect(server.violations).toEqual([]);
  });

  it.each(["wrong", "none"] as const)(
    "part when the server's credentials are %s: nothing is done, nothing counts as told",
    async (credentials) => {
      await start();
      server.behaviour.credentials = credentials;
      const at = await managedHome();
      const asked = server.run([replace(`${lamp}/Power`, true)]);
      const alerts = [{ id: "1", uri: `${lamp}/Level`, type: "urn:dmgw:at:change" }];
      expect(await session(at, { alerts })).toMatchObject({ ok: false, delivered: [] });
      await server.stop();
      await expect(asked).rejects.toThrow("not answered");
      expect(at.writes).toEqual([]);
      expect(server.violations).toEqual([]);
    },
  );

  it.each([401, 407] as const)("part when the server refuses every device with %s", async (refuse) => {
    await start();
    server.behaviour.refuse = refuse;
    expect(await session(await managedHome())).toMatchObject({ ok: false });
    expect(server.violations).toEqual([]);
  });

  it("ask in several packages of one session", async () => {
    await start();
    const all = [
      server.run([get("./DevInfo/Man")]),
      server.run([get("./DevInfo/Mod")]),
      server.run([get("./DevInfo/Lang")]),
    ];
    expect(await session(await managedHome())).toMatchObject({ ok: true });
    expect((await Promise.all(all)).map((outcomes) => outcomes[0]?.results[0]?.data)).toEqual(["Acme", "GW1", "en"]);
    expect(server.sessions).toHaveLength(1);
    expect(server.violations).toEqual([]);
  });

  it("split packages over messages that the server can take", async () => {
    await start({ maxMsgSize: 1500 });
    const uris = Array.from({ length: 40 }, () => `${lamp}/Name`);
    const asked = server.run(uris.map((uri) => get(uri)));
    const alerts = Array.from({ length: 30 }, (_, i) => ({
      id: String(i),
      uri: `${lamp}/Level`,
      type: "urn:dmgw:at:change",
    }));
    const end = await session(await managedHome(), { alerts });
    expect(end).toMatchObject({ ok: true });
    expect(end.delivered).toHaveLength(30);
    expect((await asked).every((one) => one.results[0]?.data === "Lamp <1> & more")).toBe(true);
    expect(server.alerts).toHaveLength(30);
    expect(server.alerts[0]).toMatchObject({
      code: 1226,
      type: "urn:dmgw:at:change",
      source: `${lamp}/Level`,
      data: "10",
    });
    expect(server.violations).toEqual([]);
  });

  it("refuse what one message cannot hold, where the device does not take chunks", async () => {
    await start();
    const asked = server.run([replace(`${lamp}/Note`, "x".repeat(300_000))]);
    const then = server.run([get("./DevInfo/Man")]);
    expect(await session(await managedHome())).toMatchObject({ ok: true });
    expect(statuses(await asked)).toEqual([413]);
    expect(statuses(await then)).toEqual([200]);
    expect(server.violations).toEqual([]);
  });

  it("meet where RespURI says", async () => {
    await start({ respUri: "?session=7" });
    const asked = server.run([get("./DevInfo/Man")]);
    expect(await session(await managedHome())).toMatchObject({ ok: true });
    expect(statuses(await asked)).toEqual([200]);
    expect(server.violations).toEqual([]);
  });

  it("hold back what waits for an alert", async () => {
    await start();
    const at = await managedHome();
    server.holdForAlert(60_000);
    const asked = server.run([get(`${lamp}/Level`)]);
    const seen = server.alertSeen((one) => one.source === `${lamp}/Level`);
    const first = await session(at);
    expect(server.idle).toBe(false);
    const alerts = [{ id: "1", uri: `${lamp}/Level`, type: "urn:dmgw:at:change" }];
    await session(at, { alerts, nonces: first.nonces, reason: { code: 1201, sessionId: "8" } });
    expect(statuses(await asked)).toEqual([200]);
    expect((await seen).session).toBe("8");
    expect(server.idle).toBe(true);
  });
});

describe("a DM server that goes wrong", () => {
  it.each<[string, Fault]>([
    ["drops the line", { kind: "drop", when: "before" }],
    ["drops the line after the work", { kind: "drop", when: "after" }],
    ["answers 500", { kind: "status", code: 500 }],
    ["answers 503", { kind: "status", code: 503, retryAfter: "120" }],
    ...Object.entries(badBodies).map(([name, body]): [string, Fault] => [`answers ${name}`, { kind: "body", body }]),
  ])("ends our client's session when it %s, and the next one is good", async (_, fault) => {
    await start();
    const at = await managedHome();
    server.fail(fault);
    const bad = await session(at);
    expect(bad).toMatchObject({ ok: false });
    expect(bad.retryAfter).toBe(fault.kind === "status" && fault.retryAfter !== undefined ? 120_000 : undefined);
    const asked = server.run([get("./DevInfo/Man")]);
    expect(await session(at, { reason: { code: 1201, sessionId: "8" } })).toMatchObject({ ok: true });
    expect(statuses(await asked)).toEqual([200]);
    expect(server.violations).toEqual([]);
  });

  it("is waited for when it is slow", async () => {
    await start();
    server.fail({ kind: "slow", ms: 50 });
    expect(await session(await managedHome())).toMatchObject({ ok: true });
  });

  it("is left when it is silent", async () => {
    await start();
    server.fail({ kind: "silent" });
    const signal = AbortSignal.timeout(200);
    expect(await session(await managedHome(), {}, signal)).toMatchObject({ ok: false });
  });

  it("does not hold our client by asking for more for ever", async () => {
    await start();
    server.behaviour.neverFinal = true;
    expect(await session(await managedHome())).toMatchObject({ ok: false });
    expect(server.sessions[0]?.end).toEqual({ ok: false, why: "the device aborted the session" });
  });

  it("aborts a session, and our client stays silent then", async () => {
    await start();
    server.behaviour.abortAt = 2;
    const asked = server.run([get("./DevInfo/Man")]);
    expect(await session(await managedHome())).toMatchObject({ ok: false });
    expect(server.sessions[0]?.exchanges).toHaveLength(2);
    await expect(asked).rejects.toThrow("the server aborted the session");
    expect(server.violations).toEqual([]);
  });

  it.each([
    [{ dtd: "1.0", proto: "DM/1.2" }, 505],
    [{ dtd: "1.2", proto: "DS/1.2" }, 513],
  ])("is told that %s is not spoken here", async (version, status) => {
    await start();
    server.behaviour.version = version;
    const asked = server.run([get("./DevInfo/Man")]);
    await session(await managedHome());
    expect(server.sessions[0]?.exchanges[1]?.received.commands[0]).toMatchObject({ cmd: "SyncHdr", status });
    expect(statuses(await asked)).toEqual([status]);
  });
});
