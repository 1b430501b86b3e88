import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { authTypes, makeCred } from "../../tree/wire/auth.ts";
import type { Command, Message } from "../../tree/wire/message.ts";
import { readMessage } from "../../tree/wire/syncml-read.ts";
import { writeMessage } from "../../tree/wire/syncml-write.ts";
import { get, replace } from "./dm-server/asks.ts";
import { dmType, startDmServer } from "./dm-server.ts";
import type { DmServer } from "./dm-server.ts";
import {
  asks,
  at,
  device,
  firstStatus,
  header,
  info,
  item,
  nextMessage,
  nonce,
  post,
  results,
  scriptedDevice,
  start,
  status,
} from "./scripted-device.ts";
import type { Saying } from "./scripted-device.ts";

let server: DmServer;
beforeEach(async () => {
  server = await startDmServer({
    client: { name: "gw", secret: "a", nonce },
    server: { name: "com.example.dm", secret: "b", nonce },
    maxMsgSize: 3000,
  });
});
afterEach(() => server.stop());

describe("a DM server, to a device that does what the standard says", () => {
  it("finds nothing against it, and gets its answers", async () => {
    const asked = server.run([get("./A", "./B"), get("./C")]);
    const say = scriptedDevice(server.url);
    const second = await say([start, device]);
    expect(firstStatus(second)).toBe(212);
    const [first, other] = asks(second).map((one) => one.cmdId);
    const fourth = await say([
      header(second),
      status(second, first ?? "", "Get", 200),
      results(second, first ?? "", item("./A", "1"), item("./B", "2")),
      status(second, other ?? "", "Get", 404),
    ]);
    expect(asks(fourth)).toEqual([]);
    expect(fourth.final).toBe(true);
    expect((await asked).map((one) => [one.status, one.results.map((r) => r.data)])).toEqual([
      [200, ["1", "2"]],
      [404, []],
    ]);
    expect(server.violations).toEqual([]);
  });

  it("answers the same message with the same answer", async () => {
    void server.run([get("./A")]);
    const say = scriptedDevice(server.url);
    await say([start, device]);
    const { received } = server.sessions[0]?.exchanges[0] ?? {};
    const again = await post(server.url, writeMessage(received as Message));
    expect(again).toEqual(readMessage(writeMessage(server.sessions[0]?.exchanges[0]?.sent as Message)));
    expect(server.sessions[0]?.exchanges).toHaveLength(1);
    expect(server.violations).toEqual([]);
  });

  it("challenges a device without credentials, and asks nothing before they come", async () => {
    void server.run([get("./A")]);
    const say = scriptedDevice(server.url);
    const second = await say([start, device], { header: { cred: undefined } as never });
    expect(second.commands.map((one) => one.name === "Status" && [one.cmd, one.status])).toEqual([
      ["SyncHdr", 407],
      ["Alert", 407],
      ["Replace", 407],
    ]);
    const chal = second.commands[0]?.name === "Status" ? second.commands[0].chal : undefined;
    const answer = Buffer.from(chal?.nextNonce ?? "", "base64");
    const cred = makeCred(authTypes.digest, { name: "gw", secret: "a" }, answer);
    const again = await say([header(second), start, device], { header: cred === undefined ? {} : { cred } });
    expect(firstStatus(again)).toBe(212);
    expect(asks(again).map((one) => one.name)).toEqual(["Get"]);
    expect(server.violations).toEqual([]);
  });

  it("gives up on a device that fails for the third time", async () => {
    const say = scriptedDevice(server.url);
    const ended = server.sessionEnded();
    let last = await say([start, device], { type: authTypes.basic });
    for (let i = 0; i < 2; i++)
      last = await say([header(last), start, device], { header: { cred: { type: authTypes.digest, data: "AA==" } } });
    expect((await ended).end).toEqual({ ok: false, why: "the device cannot prove itself" });
  });

  it("asks again, with better credentials, when the device does not believe it", async () => {
    const asked = server.run([get("./A")]);
    const say = scriptedDevice(server.url);
    const second = await say([start, device]);
    const chal = { type: authTypes.digest, format: "b64", nextNonce: Buffer.from("second").toString("base64") };
    const third = await say([{ ...header(second, 401), chal } as Command, status(second, "4", "Get", 401)]);
    expect(third.header.cred).toEqual(
      makeCred(authTypes.digest, { name: "com.example.dm", secret: "b" }, Buffer.from("second")),
    );
    const cmdId = asks(third)[0]?.cmdId ?? "";
    await say([header(third), status(third, cmdId, "Get", 200), results(third, cmdId, item("./A", "1"))]);
    expect((await asked)[0]?.results[0]?.data).toBe("1");
    expect(server.violations).toEqual([]);
  });

  it("takes a large object in chunks", async () => {
    const asked = server.run([get("./Log"), get("./A")]);
    const say = scriptedDevice(server.url);
    const second = await say([start, device]);
    const [log = "", a = ""] = asks(second).map((one) => one.cmdId);
    const chunk = (data: string, size?: number, moreData = true) =>
      results(second, log, item("./Log", data, { moreData, meta: size === undefined ? {} : { size } }));
    const fourth = await say([header(second), status(second, log, "Get", 200), chunk("aaaa", 10)], { final: false });
    expect(fourth.final).toBe(false);
    expect(fourth.commands.map((one) => (one.name === "Status" ? one.status : one.name))).toEqual([200, 213, "Alert"]);
    const next = asks(fourth)[0]?.cmdId ?? "";
    const sixth = await say([header(fourth), status(fourth, next, "Alert", 200), chunk("bbbb")], { final: false });
    await say([
      header(sixth),
      status(sixth, asks(sixth)[0]?.cmdId ?? "", "Alert", 200),
      chunk("cc", undefined, false),
      status(second, a, "Get", 404),
    ]);
    expect((await asked)[0]?.results).toEqual([
      { uri: "./Log", format: "chr", type: "text/plain", data: "aaaabbbbcc" },
    ]);
    expect(server.violations).toEqual([]);
  });

  it("sends a large object in chunks, and goes on with what comes after it", async () => {
    const text = "Grüße 🜁 ]]> ".repeat(1000);
    const asked = server.run([get("./A"), replace("./Note", text), get("./B")]);
    const say = scriptedDevice(server.url);
    let ours = await say([start, device]);
    let whole = "";
    let size: number | undefined;
    let first = true;
    for (let left = 20; left > 0 && asks(ours).length > 0; left--) {
      const answers: Command[] = [header(ours)];
      let more = false;
      for (const command of asks(ours)) {
        const [only] = command.name === "Replace" ? command.items : [];
        more = only?.moreData === true;
        if (only !== undefined) {
          whole += String(only.data);
          expect(only.meta.size === undefined).toBe(!first);
          size ??= only.meta.size;
          first = false;
        }
        answers.push(status(ours, command.cmdId, command.name, more ? 213 : command.name === "Get" ? 404 : 200));
      }
      expect(writeMessage(ours).byteLength).toBeLessThanOrEqual(4000);
      expect(ours.final).toBe(!more);
      ours = await say(more ? [...answers, nextMessage] : answers, { final: !more });
    }
    expect(whole).toBe(text);
    expect(size).toBe(Buffer.byteLength(text));
    expect((await asked).map((one) => one.status)).toEqual([404, 200, 404]);
    expect(server.violations).toEqual([]);
  });
});

describe("a DM server, to a device that does not", () => {
  const packageOne: [string, Command[], Saying | undefined, string][] = [
    ["no opening Alert", [device], undefined, "Alerts 1200 and 1201"],
    ["no device information", [start], undefined, "no Replace of ./DevInfo"],
    ["an incomplete one", [start, { ...device, items: info.slice(1) }], undefined, "does not tell ./DevInfo/DevId"],
    [
      "Target for Source",
      [start, { ...device, items: info.map(({ source, ...one }) => ({ ...one, target: source ?? at("") })) }],
      undefined,
      "has Target",
    ],
    ["another DevId", [start, device], { header: { source: { uri: "dev2", name: "gw" } } }, "is not ./DevInfo/DevId"],
    ["no user name", [start, device], { header: { source: at("dev1") } }, "user name in Source/LocName"],
    ["a first MsgID of 5", [start, device], { header: { msgId: "5" } }, "MsgID is 5"],
    ["a decimal SessionID", [start, device], { header: { sessionId: "123456" } }, "SessionID"],
    ["the same CmdID twice", [start, { ...device, cmdId: "1" }], undefined, "CmdID 1 stands twice"],
    ["CmdID 0", [start, { ...device, cmdId: "0" }], undefined, "CmdID 0"],
    ["NoResp", [{ ...start, noResp: true }, device], undefined, "NoResp"],
    ["a Get", [start, device, get("./A")], undefined, "may not send Get"],
    [
      "a Replace of something else",
      [start, device, { ...device, items: [item("./A", "x")] }],
      undefined,
      "Replace of ./A",
    ],
    [
      "a generic alert without Format",
      [start, device, { ...start, code: 1226, items: [item("./A", "x", { meta: { type: "t" } })] }],
      undefined,
      "without Format",
    ],
    ["another version", [start, device], { header: { verProto: "DS/1.2" } }, "VerProto is DS/1.2"],
  ];
  it.each(packageOne)("complains of %s in package 1", async (_, commands, saying, complaint) => {
    await scriptedDevice(server.url)(commands, saying);
    expect(server.violations.join("\n")).toContain(complaint);
  });

  type Answer = (ours: Message, a: string, b: string) => Command[];
  const good: Answer = (ours, a, b) => [
    header(ours),
    status(ours, a, "Get", 200),
    results(ours, a, item("./A", "1")),
    status(ours, b, "Get", 404),
  ];
  const answers: [string, Answer, string][] = [
    ["no Status for the header", (...x) => good(...x).slice(1), "does not begin with the Status"],
    ["no Status for a command", (...x) => good(...x).slice(0, 3), "no Status for Get"],
    ["no Results", (...x) => good(...x).filter((one) => one.name !== "Results"), "without Results"],
    [
      "Results before the Status",
      (...x) => [0, 2, 1, 3].map((i) => good(...x)[i] as Command),
      "come before its Status",
    ],
    ["Statuses in another order", (...x) => [0, 3, 1, 2].map((i) => good(...x)[i] as Command), "out of order"],
    ["one Status too many", (...x) => [...good(...x), status(x[0], x[2], "Get", 404)], "more Statuses than items"],
    ["a Status for nothing", (...x) => [...good(...x), status(x[0], "77", "Get", 200)], "which we do not wait for"],
    [
      "another command's name",
      (...x) => [...good(...x).slice(0, 3), status(x[0], x[2], "Exec", 404)],
      `calls Get "Exec"`,
    ],
    ["a Status of 0", (...x) => [...good(...x).slice(0, 3), status(x[0], x[2], "Get", 0)], "Status 0"],
  ];
  it.each(answers)("complains of %s in package 3", async (_, answer, complaint) => {
    void server.run([get("./A"), get("./B")]);
    const say = scriptedDevice(server.url);
    const second = await say([start, device]);
    const [a = "", b = ""] = asks(second).map((one) => one.cmdId);
    await say(answer(second, a, b));
    expect(server.violations.join("\n")).toContain(complaint);
  });

  it("complains when it goes on after the end, grows too large, or skips a MsgID", async () => {
    const say = scriptedDevice(server.url);
    const second = await say([start, device]);
    await say([header(second)], { header: { msgId: "9", source: { uri: "dev1", name: "x".repeat(3000) } } });
    expect(server.violations.map((one) => one.replace("session 1: ", ""))).toEqual([
      "the device goes on after we had nothing more to ask",
      "MsgID is 9, expected 2",
      expect.stringMatching(/^\d+ octets; we said that we take 3000$/),
      "Status for 1/0, which we do not wait for",
    ]);
  });

  it("complains of what is no SyncML message, and of another Content-Type", async () => {
    const bad = await fetch(server.url, { method: "POST", headers: { "Content-Type": dmType }, body: "<html/>" });
    const other = await fetch(server.url, { method: "POST", body: "x" });
    expect([bad.status, other.status]).toEqual([400, 415]);
    expect(server.violations).toHaveLength(2);
  });
});
