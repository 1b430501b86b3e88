import { beforeEach, describe, expect, test } from "vitest";
import { Session } from "../../../daemon/dm/session.ts";
import { DmError } from "../../../tree/errors.ts";
import { parsePath } from "../../../tree/path.ts";
import type { Message } from "../../../tree/wire/message.ts";
import { writeMessage } from "../../../tree/wire/syncml-write.ts";
import {
  account,
  add,
  alert,
  ask,
  asLocal,
  conversation,
  gatewayId,
  get,
  gist,
  home,
  manage,
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

const lamp = "./Devices/d1/Lamp";

describe("package 1", () => {
  test("says who we are, why we call, and what the device is", async () => {
    const first = await conversation(at).open();
    expect(first.header).toMatchObject({
      verDtd: "1.2",
      verProto: "DM/1.2",
      sessionId: "7",
      msgId: "1",
      target: { uri: "http://dm.example.com/dm" },
      source: { uri: gatewayId, name: "gw" },
      cred: { type: "syncml:auth-md5", format: "b64" },
      maxMsgSize: 65_536,
    });
    expect(gist(first)).toEqual(["Alert 1201", "Replace"]);
    expect(first.final).toBe(true);
    const [, info] = first.commands;
    expect(info?.name === "Replace" && info.items.map((item) => [item.source?.uri, item.data])).toEqual([
      ["./DevInfo/DevId", gatewayId],
      ["./DevInfo/Man", "Acme"],
      ["./DevInfo/Mod", "GW1"],
      ["./DevInfo/DmV", "dmgw 0.1.0"],
      ["./DevInfo/Lang", "en"],
    ]);
  });

  test("answers a notification with its session id and Alert 1200", async () => {
    const first = await conversation(at, { reason: { code: 1200, sessionId: "A1" } }).open();
    expect([first.header.sessionId, ...gist(first)]).toEqual(["A1", "Alert 1200", "Replace"]);
  });

  test("the session ends without a message when the server asks for nothing", async () => {
    const { open, say, session } = conversation(at);
    await open();
    expect(await say([], { cred: serverCred() })).toBeUndefined();
    expect(session.end).toMatchObject({ ok: true, delivered: [] });
    expect(await say([get("./DevInfo/Man")])).toBeUndefined();
  });
});

describe("packages 3 and 4", () => {
  test("Statuses stand in order, that for the header first, with the references of what they answer", async () => {
    const { reply, say, session } = await ask(at, [get("./DevInfo/Man"), replace(`${lamp}/Level`, "7"), alert(1100)]);
    expect(gist(reply)).toEqual([
      "SyncHdr 212",
      "Get 200 ./DevInfo/Man",
      "Results ./DevInfo/Man=Acme",
      `Replace 200 ${lamp}/Level`,
      "Alert 406",
    ]);
    expect(reply?.commands.map((one) => one.cmdId)).toEqual(["1", "2", "3", "4", "5"]);
    expect(reply?.commands[0]).toMatchObject({
      msgRef: "1",
      cmdRef: "0",
      targetRefs: [gatewayId],
      sourceRefs: ["http://dm.example.com/dm"],
    });
    expect(reply?.commands[2]).toMatchObject({ msgRef: "1", cmdRef: "2" });
    expect([reply?.final, reply?.header.msgId, reply?.header.sessionId]).toEqual([true, "2", "7"]);
    expect(gist(await say([get("./DevInfo/Mod")]))).toEqual([
      "SyncHdr 200",
      "Get 200 ./DevInfo/Mod",
      "Results ./DevInfo/Mod=GW1",
    ]);
    expect(await say()).toBeUndefined();
    expect(session.end?.ok).toBe(true);
  });

  test("NoResp in the header: no Status at all, but the Results", async () => {
    const { open, say } = conversation(at);
    await open();
    const reply = await say([get("./DevInfo/Man")], { cred: serverCred(), header: { noResp: true } });
    expect(gist(reply)).toEqual(["Results ./DevInfo/Man=Acme"]);
  });

  test("every command runs with the server's rights, its own signal and a correlator", async () => {
    const limits: AbortController[] = [];
    const timeLimit = () => {
      const limit = new AbortController();
      limits.push(limit);
      return { signal: limit.signal, clear: () => undefined };
    };
    const talk = ask(
      at,
      [get("./Devices/d1/Faulty/Stuck"), replace("./Devices/d1/Faulty/Stuck", "x"), get("./DevInfo/Man")],
      { timeLimit },
    );
    const tick = () => new Promise((resolve) => setImmediate(resolve));
    const before = limits.length;
    while (limits.length < 2) await tick();
    limits.at(-1)?.abort(new DmError(504, "time is up"));
    const seen = limits.length;
    while (limits.length === seen) await tick();
    limits.at(-1)?.abort(new Error("any reason"));
    expect(gist((await talk).reply).slice(1)).toEqual([
      "Get 504 ./Devices/d1/Faulty/Stuck",
      "Replace 504 ./Devices/d1/Faulty/Stuck",
      "Get 200 ./DevInfo/Man",
      "Results ./DevInfo/Man=Acme",
    ]);
    expect(before).toBe(0);
  });
});

describe("ending before the end", () => {
  test("Alert 1223 ends the session at once: nothing after it is done, nothing is said", async () => {
    const { reply, session } = await ask(at, [
      replace(`${lamp}/Level`, "1"),
      alert(1223),
      replace(`${lamp}/Level`, "2"),
    ]);
    expect(reply).toBeUndefined();
    expect(at.lamp.get("Level")).toEqual({ format: "int", data: 1 });
    expect(session.end).toMatchObject({ ok: false, error: expect.stringContaining("1223") as string });
  });

  test("we can end it too, and say so", async () => {
    const { open, session } = conversation(at);
    await open();
    const last = await session.abort("the gateway stops");
    expect([...gist(last), last?.final, last?.header.msgId]).toEqual(["Alert 1223", true, "2"]);
    expect(session.end).toMatchObject({ ok: false, error: "the gateway stops" });
    expect(await session.abort("again")).toBeUndefined();
  });
});

describe("messages that do not belong here", () => {
  test("a message that comes twice is answered with the same octets, and done once", async () => {
    const { reply, say } = await ask(at, [replace(`${lamp}/Name`, "once")]);
    const again = await say([replace(`${lamp}/Name`, "twice")], { sameMsgId: true, cred: serverCred() });
    expect(writeMessage(again as Message)).toEqual(writeMessage(reply as Message));
    expect(at.writes).toEqual(["Name"]);
  });

  test("one that repeats itself for ever is left, and so is one that goes back", async () => {
    const { say, session } = await ask(at, [get("./DevInfo/Man")]);
    let count = 0;
    while (session.end === undefined && ++count < 20) await say([get("./DevInfo/Man")], { sameMsgId: true });
    expect(session.end?.ok).toBe(false);
    const other = await ask(at, [get("./DevInfo/Man")]);
    await other.say([get("./DevInfo/Man")]);
    expect(await other.say([get("./DevInfo/Man")], { header: { msgId: "1" } })).toBeUndefined();
    expect(other.session.end?.ok).toBe(false);
  });

  test("a wrong SessionID ends the session; upper and lower case are one, and 0 is an id as any other", async () => {
    const { open, say, session } = conversation(at);
    await open();
    expect(await say([], { header: { sessionId: "8" } })).toBeUndefined();
    expect(session.end?.ok).toBe(false);
    for (const [ours, theirs] of [
      ["A1", "a1"],
      ["0", "0"],
    ] as const) {
      const talk = conversation(at, { reason: { code: 1200, sessionId: ours } });
      await talk.open();
      await talk.say([], { cred: serverCred(), header: { sessionId: theirs } });
      expect(talk.session.end?.ok).toBe(true);
    }
  });

  test("another DTD is 505, another protocol 513, and nothing is done; DM/1.1 and DM/1.3 are taken", async () => {
    for (const [header, status] of [
      [{ verDtd: "1.1" }, 505],
      [{ verProto: "DM/2.0" }, 513],
    ] as const) {
      const { open, say } = conversation(at);
      await open();
      const reply = await say([replace(`${lamp}/Level`, "1")], { cred: serverCred(), header });
      expect(gist(reply)).toEqual([`SyncHdr ${status}`, `Replace ${status}`]);
    }
    const { open, say } = conversation(at);
    await open();
    expect(gist(await say([get("./DevInfo/Man")], { cred: serverCred(), header: { verProto: "DM/1.3" } }))[1]).toBe(
      "Get 200 ./DevInfo/Man",
    );
    expect(at.writes).toEqual([]);
  });

  test("a message larger than announced is 413 as a whole", async () => {
    const { open, say } = conversation(at);
    await open();
    const reply = await say([replace(`${lamp}/Level`, "1")], { cred: serverCred(), octets: 65_537 });
    expect(gist(reply)).toEqual(["SyncHdr 413", "Replace 413"]);
    expect(at.writes).toEqual([]);
  });

  test("a server that refuses the session ends it", async () => {
    const { open, say, session } = conversation(at);
    await open();
    expect(await say([], { status: 513 })).toBeUndefined();
    expect(session.end).toMatchObject({ ok: false, error: expect.stringContaining("513") as string });
  });

  test("the rights of the session are those of its server, whatever its address says", async () => {
    const { reply } = await ask(at, [add("./DevInfo/Ext/mine", undefined, { format: "node" })]);
    expect(gist(reply)[1]).toBe("Add 200 ./DevInfo/Ext/mine");
    expect(await at.tree.property(parsePath("./DevInfo/Ext/mine"), "ACL", asLocal)).toContain(`Delete=${serverId}`);
  });
});

describe("RespURI", () => {
  const open = async (respUri: string, url = account().url) => {
    const talk = conversation(at, { account: account({ url }) });
    await talk.open();
    await talk.say([get("./DevInfo/Man")], { cred: serverCred(), header: { respUri } });
    return talk.session;
  };

  test("says where the next message goes, absolute or relative", async () => {
    expect((await open("http://other.example.com/s?sid=1")).url).toBe("http://other.example.com/s?sid=1");
    expect((await open("/x?sid=2")).url).toBe("http://dm.example.com/x?sid=2");
    expect((await open("?sid=3")).url).toBe("http://dm.example.com/dm?sid=3");
  });

  test("never leads out of TLS, nor to another kind of address", async () => {
    for (const [respUri, url] of [
      ["http://dm.example.com/", "https://dm.example.com/dm"],
      ["file:///etc/passwd", undefined],
      ["http://", undefined],
    ] as const) {
      expect((await open(respUri, url)).end).toMatchObject({ ok: false });
    }
  });
});

test("a mistake of ours in the session itself is thrown, not told to the server", async () => {
  const { tree, log } = at;
  const session = new Session({
    account: account(),
    gatewayId,
    tree,
    reason: { code: 1201, sessionId: "7" },
    alerts: [],
    nonces: {},
    maxMsgSize: 65_536,
    timeLimit: () => {
      throw new TypeError("a bug");
    },
    log,
  });
  await expect(session.open()).rejects.toThrow(TypeError);
});
