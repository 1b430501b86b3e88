import { beforeEach, describe, expect, test } from "vitest";
import { authTypes, makeChal, makeCred, nonceOf } from "../../../tree/wire/auth.ts";
import type { Chal, Command, Message } from "../../../tree/wire/message.ts";
import {
  account,
  alert,
  conversation,
  get,
  gist,
  home,
  manage,
  nonce,
  replace,
  serverCred,
  serverId,
} from "./scene.ts";
import type { Home } from "./scene.ts";

let at: Home;
beforeEach(async () => {
  at = home();
  await manage(at);
});

const level = "./Devices/d1/Lamp/Level";
const gateway = { name: "gw", secret: "client secret" };
const digest = (over: string) => makeCred(authTypes.digest, gateway, nonce(over));
const md5 = (text: string): Chal => makeChal(authTypes.digest, nonce(text));
const basic = makeChal(authTypes.basic, new Uint8Array());
const hex = (octets: Uint8Array | undefined) => Buffer.from(octets ?? []).toString("hex");
/** Our challenge to the server, or the nonce that it gets for its next session. */
const chalOf = (message: Message | undefined): Chal | undefined =>
  message?.commands.flatMap((one) => (one.name === "Status" && one.cmdRef === "0" && one.chal ? [one.chal] : []))[0];

describe("we prove ourselves", () => {
  test("with a digest over the stored nonce, or the configured one when there is none", async () => {
    expect((await conversation(at).open()).header.cred).toEqual(digest("first client nonce"));
    const later = conversation(at, { nonces: { client: nonce("kept") } });
    expect((await later.open()).header.cred).toEqual(digest("kept"));
  });

  test("with basic where the account says so; not at all where TLS does it", async () => {
    const talk = (type: "basic" | "transport") =>
      conversation(at, { account: account({ client: { type, ...gateway, nonce: new Uint8Array() } }) }).open();
    expect((await talk("basic")).header.cred).toEqual(makeCred(authTypes.basic, gateway, new Uint8Array()));
    expect((await talk("transport")).header.cred).toBeUndefined();
    const client = { type: "basic", ...gateway, nonce: new Uint8Array() } as const;
    const readable = conversation(at, { account: account({ client, insecure: false }) });
    expect((await readable.open()).header.cred).toBeUndefined();
  });

  test("212 holds for the session, 200 for one message", async () => {
    const { open, say } = conversation(at);
    await open();
    const asked = await say([get("./DevInfo/Man")], { cred: serverCred(), status: 200, chal: md5("next") });
    expect(asked?.header.cred).toEqual(digest("next"));
    expect((await say([get("./DevInfo/Man")], { status: 212 }))?.header.cred).toBeUndefined();
  });

  test("a challenge is answered with package 1 again, in the same session, with the Cred it asks for", async () => {
    for (const status of [401, 407]) {
      const alerts = [{ id: "1", uri: level, type: "t" }];
      const { open, say, session } = conversation(at, { alerts });
      const first = await open();
      const again = await say([], { status, chal: md5("fresh") });
      expect(gist(again)).toEqual(["SyncHdr 407", "Alert 1201", "Replace", "Alert 1226"]);
      expect(again?.header).toMatchObject({ sessionId: "7", msgId: "2", cred: digest("fresh") });
      expect(again?.commands.slice(2)).toEqual(
        first.commands.slice(1).map((one, index) => ({ ...one, cmdId: String(index + 3) })),
      );
      expect(again?.final).toBe(true);
      await say([], { cred: serverCred(nonceOf(chalOf(again) as Chal)) });
      expect(session.end).toMatchObject({ ok: true, nonces: { client: nonce("fresh") } });
    }
  });

  test("a server may ask for the other type: basic only over TLS or where it is allowed", async () => {
    const { open, say } = conversation(at);
    await open();
    expect((await say([], { status: 407, chal: basic }))?.header.cred).toEqual(
      makeCred(authTypes.basic, gateway, new Uint8Array()),
    );
    const strict = conversation(at, { account: account({ insecure: false }) });
    await strict.open();
    expect(await strict.say([], { status: 407, chal: basic })).toBeUndefined();
    expect(strict.session.end).toMatchObject({ ok: false, error: expect.stringContaining("basic") as string });
    const mac = conversation(at);
    await mac.open();
    expect(await mac.say([], { status: 401, chal: makeChal(authTypes.hmac, nonce("x")) })).toBeUndefined();
    expect(mac.session.end?.ok).toBe(false);
  });

  test("a second challenge in a row ends the session, and so does one without Chal", async () => {
    const { open, say, session } = conversation(at);
    await open();
    await say([], { status: 401, chal: md5("a") });
    expect(await say([], { status: 401, chal: md5("b") })).toBeUndefined();
    expect(session.end).toMatchObject({
      ok: false,
      error: expect.stringContaining("credentials") as string,
      nonces: {},
    });
    const other = conversation(at);
    await other.open();
    expect(await other.say([], { status: 401 })).toBeUndefined();
    const none = conversation(at, { account: account({ client: undefined }) });
    expect((await none.open()).header.cred).toBeUndefined();
    expect(await none.say([], { status: 407, chal: md5("a") })).toBeUndefined();
  });

  test("the nonce for the next session is the one of the 212, else the last one used", async () => {
    const { open, say, session } = conversation(at);
    await open();
    await say([], { cred: serverCred(), chal: md5("tomorrow") });
    expect(session.end?.nonces).toEqual({ client: nonce("tomorrow") });
    const same = conversation(at, { nonces: { client: nonce("kept") } });
    await same.open();
    await same.say([], { cred: serverCred() });
    expect(same.session.end?.nonces).toEqual({ client: nonce("kept") });
  });

  test("a nonce from somebody who did not prove himself is used, and not kept", async () => {
    const { open, say, session } = conversation(at);
    await open();
    expect((await say([], { status: 401, chal: md5("strange") }))?.header.cred).toEqual(digest("strange"));
    expect(await say([], { chal: md5("stranger") })).toBeUndefined();
    expect(session.end?.nonces).toEqual({});
  });
});

describe("the server proves itself", () => {
  const one = replace(level, "1");

  test("before any command runs: without Cred 407, with a wrong one 401, each with a fresh nonce, and Statuses only", async () => {
    const { open, say } = conversation(at, { alerts: [{ id: "1", uri: level, type: "t" }] });
    await open();
    const missing = await say([one, get("./DevInfo/Man"), alert(1222)]);
    expect(gist(missing)).toEqual(["SyncHdr 407", "Replace 407", "Get 407", "Alert 407"]);
    const wrong = await say([one], { cred: serverCred(nonce("first server nonce")) });
    expect(gist(wrong)).toEqual(["SyncHdr 401", "Replace 401"]);
    const [first, second] = [chalOf(missing), chalOf(wrong)];
    expect(first).toMatchObject({ type: "syncml:auth-md5", format: "b64" });
    expect(second?.nextNonce).not.toBe(first?.nextNonce);
    expect(at.writes).toEqual([]);
    const good = await say([one], { cred: serverCred(nonceOf(second as Chal)) });
    expect(gist(good)).toEqual(["SyncHdr 212", `Replace 200 ${level}`]);
    expect(at.writes).toEqual(["Level"]);
  });

  test("twice challenged and still wrong: the session ends", async () => {
    const { open, say, session } = conversation(at);
    await open();
    for (let turn = 0; turn < 2; turn++)
      expect(gist(await say([one], { cred: serverCred(nonce("no")) }))[0]).toBe("SyncHdr 401");
    expect(await say([one], { cred: serverCred(nonce("no")) })).toBeUndefined();
    expect(session.end).toMatchObject({ ok: false, error: "the server did not prove itself", nonces: {} });
    expect(at.writes).toEqual([]);
  });

  test("the right secret with the wrong name, type or nonce is wrong", async () => {
    for (const cred of [
      serverCred(nonce("first server nonce"), "other secret"),
      makeCred(authTypes.digest, { name: "other", secret: "server secret" }, nonce("first server nonce")),
      makeCred(authTypes.basic, { name: serverId, secret: "server secret" }, new Uint8Array()),
      serverCred(new Uint8Array()),
    ]) {
      const { open, say } = conversation(at);
      await open();
      expect(gist(await say([one], cred === undefined ? {} : { cred }))).toEqual(["SyncHdr 401", "Replace 401"]);
    }
  });

  test("with basic where the account says so, and then without a nonce", async () => {
    const credentials = { type: "basic", name: serverId, secret: "server secret", nonce: new Uint8Array() } as const;
    const { open, say, session } = conversation(at, { account: account({ server: credentials }) });
    await open();
    const cred = makeCred(authTypes.basic, credentials, new Uint8Array());
    const reply = await say([one], cred === undefined ? {} : { cred });
    expect([gist(reply)[0], chalOf(reply)]).toEqual(["SyncHdr 212", undefined]);
    await say();
    expect(session.end?.nonces.server).toBeUndefined();
  });

  test("once it has, it need not again; the nonce for its next session comes with our 212", async () => {
    const { open, say, session } = conversation(at);
    await open();
    const reply = await say([one], { cred: serverCred() });
    const next = chalOf(reply) as Chal;
    expect(gist(reply)).toEqual(["SyncHdr 212", `Replace 200 ${level}`]);
    expect(nonceOf(next)?.byteLength).toBeGreaterThanOrEqual(16);
    expect(gist(await say([one]))[0]).toBe("SyncHdr 200");
    await say();
    expect(hex(session.end?.nonces.server)).toBe(hex(nonceOf(next)));
  });

  test("a nonce that it was not told is not kept: it stays with the one before", async () => {
    const { open, say, session } = conversation(at);
    await open();
    expect(await say([], { cred: serverCred() })).toBeUndefined();
    expect(session.end?.nonces.server).toBeUndefined();
  });

  test("a pinned certificate does it too, but only over TLS", async () => {
    for (const [url, ca, done] of [
      ["https://dm.example.com/dm", "PEM", true],
      ["https://dm.example.com/dm", undefined, false],
      ["http://dm.example.com/dm", "PEM", false],
    ] as const) {
      const tls = ca === undefined ? {} : { ca };
      const { open, say } = conversation(at, { account: account({ url, tls, server: undefined }) });
      await open();
      expect(gist(await say([get("./DevInfo/Man")]))[0]).toBe(done ? "SyncHdr 200" : "SyncHdr 407");
    }
  });

  test("without Cred and without a wish it is not challenged; over plain http nothing that it said counts", async () => {
    const alerts = [{ id: "1", uri: level, type: "t" }];
    const told = (message: Message): Command[] =>
      message.commands
        .filter((command) => command.name === "Alert")
        .map(({ cmdId }) => ({
          name: "Status",
          cmdId: "",
          msgRef: "1",
          cmdRef: cmdId,
          cmd: "Alert",
          targetRefs: [],
          sourceRefs: [],
          status: 200,
          items: [],
        }));
    const plain = conversation(at, { alerts });
    expect(await plain.say(told(await plain.open()))).toBeUndefined();
    expect(plain.session.end).toMatchObject({ ok: false, delivered: [] });
    const secure = conversation(at, { alerts, account: account({ url: "https://dm.example.com/dm" }) });
    expect(await secure.say(told(await secure.open()))).toBeUndefined();
    expect(secure.session.end).toMatchObject({ ok: true, delivered: ["1"] });
    const silent = conversation(at);
    await silent.open();
    expect(await silent.say()).toBeUndefined();
    expect(silent.session.end?.ok).toBe(true);
  });

  test("both sides with stale nonces find each other", async () => {
    const { open, say, session } = conversation(at, { nonces: { client: nonce("stale"), server: nonce("stale") } });
    await open();
    const again = await say([], { status: 401, chal: md5("fresh client"), cred: serverCred() });
    expect(gist(again).slice(0, 2)).toEqual(["SyncHdr 401", "Alert 1201"]);
    const reply = await say([one], { cred: serverCred(nonceOf(chalOf(again) as Chal)), chal: md5("next client") });
    expect(gist(reply)).toEqual(["SyncHdr 212", `Replace 200 ${level}`]);
    await say();
    expect(session.end).toMatchObject({ ok: true, nonces: { client: nonce("next client") } });
    expect(hex(session.end?.nonces.server)).toBe(hex(nonceOf(chalOf(reply) as Chal)));
  });

  test("whoever did not prove himself can end the session, and nothing else", async () => {
    const { open, say, session } = conversation(at);
    await open();
    expect(await say([one, alert(1223)])).toBeUndefined();
    expect(session.end?.ok).toBe(false);
    expect(at.writes).toEqual([]);
  });
});
