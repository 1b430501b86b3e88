import { beforeEach, describe, expect, test } from "vitest";
import { parsePath } from "../../../tree/path.ts";
import type { Command, Message } from "../../../tree/wire/message.ts";
import { writeMessage } from "../../../tree/wire/syncml-write.ts";
import { alert, asLocal, conversation, get, gist, home, manage, replace, serverCred, edit, to } from "./scene.ts";
import type { Home } from "./scene.ts";

let at: Home;
beforeEach(async () => {
  at = home();
  await manage(at);
});

const lamp = "./Devices/d1/Lamp";
const change = (uri: string, id = uri) => ({ id, uri, type: "urn:dmgw:at:change" });
const answerTo = (sent: Message | undefined, find: (command: Command) => boolean, status = 200): Command[] =>
  (sent?.commands ?? []).filter(find).map((one) => ({
    name: "Status",
    cmdId: "",
    msgRef: sent?.header.msgId ?? "",
    cmdRef: one.cmdId,
    cmd: one.name,
    targetRefs: [],
    sourceRefs: [],
    status,
    items: [],
  }));
const generic = (one: Command) => one.name === "Alert" && one.code === 1226;

describe("several messages in a package", () => {
  test("what does not fit the server's MaxMsgSize comes in the next message, and only the last one is final", async () => {
    const uris = Array.from({ length: 40 }, (_, index) => `./DevInfo/Ext/n${index}`);
    for (const uri of uris)
      await at.tree.change(
        [{ verb: "Add", at: parsePath(uri), value: { format: "chr", data: "x".repeat(50) } }],
        asLocal,
      );
    const { open, say, session } = conversation(at);
    await open();
    let reply = await say(
      uris.map((uri) => get(uri)),
      { cred: serverCred(), header: { maxMsgSize: 3000 } },
    );
    const found: string[] = [];
    let messages = 0;
    while (reply !== undefined) {
      messages++;
      expect(writeMessage(reply).byteLength).toBeLessThanOrEqual(3000);
      found.push(...gist(reply).filter((one) => one.startsWith("Results")));
      if (reply.final) break;
      reply = await say([alert(1222)], { final: false });
      expect(gist(reply).slice(0, 1)).toEqual(["SyncHdr 200"]);
    }
    expect(messages).toBeGreaterThan(3);
    expect(found).toEqual(uris.map((uri) => `Results ${uri}=${"x".repeat(50)}`));
    expect(await say()).toBeUndefined();
    expect(session.end?.ok).toBe(true);
  });

  test("commands are run when their answers can travel, so a broken line leaves the rest undone", async () => {
    const { open, say } = conversation(at);
    await open();
    const long = `${lamp}/Name?prop=Title`;
    const commands = [
      edit("Get", to(`${lamp}/Name`)),
      replace(`${lamp}/Level`, "3"),
      ...Array<Command>(30).fill(get(long)),
      replace(`${lamp}/Level`, "4"),
    ];
    await say(commands, { cred: serverCred(), header: { maxMsgSize: 2500 } });
    expect(at.lamp.get("Level")).toEqual({ format: "int", data: 3 });
  });

  test("a single result that fits no message is 413, since large objects are not sent", async () => {
    await at.tree.change(
      [{ verb: "Add", at: parsePath("./DevInfo/Ext/big"), value: { format: "chr", data: "x".repeat(5000) } }],
      asLocal,
    );
    const { open, say } = conversation(at);
    await open();
    const reply = await say([get("./DevInfo/Ext/big", "./DevInfo/Man")], {
      cred: serverCred(),
      header: { maxMsgSize: 4000 },
    });
    expect(gist(reply).slice(1)).toEqual([
      "Get 413 ./DevInfo/Ext/big",
      "Get 200 ./DevInfo/Man",
      "Results ./DevInfo/Man=Acme",
    ]);
  });

  test("a server's package of several messages is asked on with Alert 1222, and ours ends after its", async () => {
    const { open, say } = conversation(at);
    await open();
    const first = await say([replace(`${lamp}/Level`, "1")], { cred: serverCred(), final: false });
    expect([...gist(first).slice(1), first?.final]).toEqual([`Replace 200 ${lamp}/Level`, "Alert 1222", false]);
    const second = await say([replace(`${lamp}/Level`, "2")], { final: true });
    expect([...gist(second).slice(1), second?.final]).toEqual([`Replace 200 ${lamp}/Level`, true]);
  });

  test("a server that asks for more and more is left", async () => {
    const { open, say, session } = conversation(at);
    await open();
    let reply = await say([alert(1222)], { cred: serverCred(), final: false });
    let count = 0;
    while (reply !== undefined && !gist(reply).includes("Alert 1223") && ++count < 50)
      reply = await say([alert(1222)], { final: false });
    expect(count).toBeLessThan(10);
    expect(session.end).toMatchObject({ ok: false });
  });

  test("package 1 with many alerts is cut too, each message within what we take ourselves", async () => {
    const alerts = Array.from({ length: 60 }, (_, index) => change(`${lamp}/Name`, `a${index}`));
    const { open, say, session, sent } = conversation(at, { alerts, maxMsgSize: 4000 });
    let last: Message | undefined = await open();
    expect(gist(last).slice(0, 2)).toEqual(["Alert 1201", "Replace"]);
    let replies: Command[] = [];
    for (let turn = 0; last !== undefined && turn < 50; turn++) {
      replies = answerTo(last, generic);
      last = last.final
        ? await say(replies)
        : await say([...replies, alert(1222)], { final: false, ...(turn === 0 ? { cred: serverCred() } : {}) });
    }
    expect(sent.length).toBeGreaterThan(3);
    expect(sent.map((one) => one.final)).toEqual([...Array<boolean>(sent.length - 1).fill(false), true]);
    expect(session.end).toMatchObject({ ok: true });
    expect(session.end?.delivered).toHaveLength(60);
  });
});

describe("alerts from the outbox", () => {
  test("carry the value of now, its format, or null where the node is gone", async () => {
    const alerts = [change(`${lamp}/Level`), change(`${lamp}/Name`), change(`${lamp}/Gone`), change(lamp)];
    const first = await conversation(at, { alerts }).open();
    const items = first.commands.filter(generic).map((one) => (one.name === "Alert" ? one.items[0] : undefined));
    expect(items.map((item) => [item?.source?.uri, item?.meta, item?.data])).toEqual([
      [`${lamp}/Level`, { format: "int", type: "urn:dmgw:at:change" }, "10"],
      [`${lamp}/Name`, { format: "chr", type: "urn:dmgw:at:change" }, "Lamp <1> & more"],
      [`${lamp}/Gone`, { format: "null", type: "urn:dmgw:at:change" }, ""],
      [lamp, { format: "node", type: "urn:dmgw:at:change" }, ""],
    ]);
  });

  test("are delivered when the server says 2xx, rejected when it will not have them, and told again otherwise", async () => {
    const alerts = ["Level", "Name", "Power", "Blob"].map((name) => change(`${lamp}/${name}`, name));
    const { open, say, session } = conversation(at, { alerts });
    const first = await open();
    const [a, b, c] = answerTo(first, generic);
    const said = [a, { ...b, status: 415 } as Command, { ...c, status: 500 } as Command];
    await say(said as Command[], { cred: serverCred() });
    expect(session.end).toMatchObject({ ok: true, delivered: ["Level"], rejected: [{ id: "Name", status: 415 }] });
  });

  test("what the server may not read any more is dropped; what cannot be read now waits", async () => {
    await at.tree.change([{ verb: "Property", at: parsePath(lamp), name: "ACL", value: "Get=other" }], asLocal);
    const alerts = [change(`${lamp}/Level`), change("./Devices/d1/Faulty/Silent")];
    const { open, say, session } = conversation(at, { alerts });
    expect(gist(await open())).toEqual(["Alert 1201", "Replace"]);
    await say([], { cred: serverCred() });
    expect(session.end).toMatchObject({ ok: true, delivered: [`${lamp}/Level`] });
  });

  test("a value that fits no message is left out, and its Size says so", async () => {
    await at.tree.change(
      [{ verb: "Replace", at: parsePath(`${lamp}/Name`), value: { format: "chr", data: "x".repeat(9000) } }],
      asLocal,
    );
    const first = await conversation(at, { alerts: [change(`${lamp}/Name`)], maxMsgSize: 6000 }).open();
    expect(first.commands.find(generic)).toMatchObject({ items: [{ meta: { size: 9000 }, data: "" }] });
  });
});
