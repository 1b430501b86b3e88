import { beforeEach, describe, expect, test } from "vitest";
import type { Message } from "../../../tree/wire/message.ts";
import { parsePath } from "../../../tree/path.ts";
import {
  add,
  alert,
  ask,
  conversation,
  copy,
  edit,
  get,
  gist,
  group,
  home,
  manage,
  remove,
  replace,
  serverCred,
  to,
} from "./scene.ts";
import type { Home } from "./scene.ts";

let at: Home;
beforeEach(async () => {
  at = home();
  await manage(at);
});

const lamp = "./Devices/d1/Lamp";
const faulty = "./Devices/d1/Faulty";
const said = async (...commands: Parameters<typeof ask>[1]) => gist((await ask(at, commands)).reply).slice(1);
const status = (message: Message | undefined, cmdRef: string) =>
  message?.commands.find((one) => one.name === "Status" && one.cmdRef === cmdRef);

describe("Alert and unknown commands", () => {
  test("nobody is there to be asked: user interaction is 406", async () => {
    expect(await said(...[1100, 1101, 1102, 1103, 1104, 1150, 1226].map(alert))).toEqual(Array(7).fill("Alert 406"));
  });

  test("commands that DM leaves out are 406, unknown ones 400, and the rest of the message is done", async () => {
    const unknown = (element: string) => ({ name: "Unknown" as const, element, cmdId: "" });
    expect(await said(unknown("Put"), unknown("Search"), unknown("Nonsense"), get("./DevInfo/Man"))).toEqual([
      "Put 406",
      "Search 406",
      "Nonsense 400",
      "Get 200 ./DevInfo/Man",
      "Results ./DevInfo/Man=Acme",
    ]);
  });

  test("without CmdID, or with the one of the header, nothing is done: 400", async () => {
    const { say, open } = conversation(at);
    await open();
    const reply = await say([replace(`${lamp}/Level`, "1"), { ...replace(`${lamp}/Level`, "2"), cmdId: "0" }], {
      cred: serverCred(),
      bare: true,
    });
    expect(gist(reply).slice(1)).toEqual(["Replace 400", "Replace 400"]);
    expect(status(reply, "")).toMatchObject({ status: 400 });
    expect(at.writes).toEqual([]);
  });

  test("NoResp takes the Status away, not the Results", async () => {
    expect(await said({ ...get("./DevInfo/Man"), noResp: true }, replace(`${lamp}/Level`, "5"))).toEqual([
      "Results ./DevInfo/Man=Acme",
      `Replace 200 ${lamp}/Level`,
    ]);
  });
});

describe("large objects", () => {
  test("are refused with every chunk: the last one, which has no mark, is not taken for the value", async () => {
    const chunk = (data: string, moreData: boolean) => edit("Replace", { ...to(`${lamp}/Name`, data), moreData });
    expect(
      await said(chunk("one", true), chunk("two", true), chunk("three", false), replace(`${lamp}/Name`, "whole")),
    ).toEqual([
      `Replace 413 ${lamp}/Name`,
      `Replace 413 ${lamp}/Name`,
      `Replace 413 ${lamp}/Name`,
      `Replace 200 ${lamp}/Name`,
    ]);
    expect(at.writes).toEqual(["Name"]);
  });
});

describe("Sequence", () => {
  test("is 200, and its commands run in order; one that fails does not keep the next from running", async () => {
    expect(
      await said(
        group(
          "Sequence",
          replace(`${lamp}/Level`, "1"),
          replace(`${lamp}/No`, "1"),
          get(`${lamp}/Level`),
          replace(`${lamp}/Level`, "2"),
        ),
      ),
    ).toEqual([
      "Sequence 200",
      `Replace 200 ${lamp}/Level`,
      `Replace 404 ${lamp}/No`,
      `Get 200 ${lamp}/Level`,
      `Results ${lamp}/Level=1`,
      `Replace 200 ${lamp}/Level`,
    ]);
    expect(await said(group("Sequence"))).toEqual(["Sequence 412"]);
  });

  test("what follows a question to a person is bypassed, as after a no", async () => {
    expect(
      await said(
        group(
          "Sequence",
          replace(`${lamp}/Level`, "1"),
          alert(1101),
          replace(`${lamp}/Level`, "2"),
          group("Atomic", remove("./x")),
        ),
      ),
    ).toEqual(["Sequence 200", `Replace 200 ${lamp}/Level`, "Alert 406", "Replace 215", "Atomic 215", "Delete 215"]);
    expect(at.lamp.get("Level")).toEqual({ format: "int", data: 1 });
  });
});

describe("Atomic", () => {
  test("is one commit, each member reading what those before it have written", async () => {
    const before = at.store.commits;
    expect(
      await said(
        group(
          "Atomic",
          add("./DevInfo/Ext/n", undefined, { format: "node" }),
          add("./DevInfo/Ext/n/a", "5", { format: "int" }),
          replace("./DevInfo/Ext/n/a", "6"),
          copy("./DevInfo/Ext/n/a", "./DevInfo/Ext/n/b"),
          replace("./DevInfo/Ext/n?prop=Title", "new"),
        ),
        get("./DevInfo/Ext/n/b", "./DevInfo/Ext/n?prop=Title"),
      ),
    ).toEqual([
      "Atomic 200",
      "Add 200",
      "Add 200",
      "Replace 200",
      "Copy 200",
      "Replace 200",
      "Get 200",
      "Results ./DevInfo/Ext/n/b=6 ./DevInfo/Ext/n?prop=Title=new",
    ]);
    expect(at.store.commits - before).toBe(1);
  });

  test("one that fails: 507, its own status, 216 before it, 215 after it, and nothing is changed", async () => {
    expect(
      await said(
        group("Atomic", replace(`${lamp}/Level`, "1"), replace(`${lamp}/No`, "1"), replace(`${lamp}/Level`, "2")),
      ),
    ).toEqual(["Atomic 507", "Replace 216", `Replace 404 ${lamp}/No`, "Replace 215"]);
    expect(at.writes).toEqual([]);
  });

  test("one that the device refuses while it is done: what was done is taken back", async () => {
    expect(
      await said(
        group(
          "Atomic",
          add("./DevInfo/Ext/kept", undefined, { format: "node" }),
          edit("Replace", to(`${lamp}/Power`, "true"), to(`${faulty}/Picky`, "101"), to(`${lamp}/Name`, "x")),
          remove("./DevInfo/Ext/kept"),
        ),
      ),
    ).toEqual([
      "Atomic 507",
      "Add 216",
      `Replace 216 ${lamp}/Power`,
      `Replace 400 ${faulty}/Picky`,
      `Replace 215 ${lamp}/Name`,
      "Delete 215",
    ]);
    expect(at.lamp.get("Power")).toEqual({ format: "bool", data: false });
    expect(at.tree.has(parsePath("./DevInfo/Ext/kept"))).toBe(false);
  });

  test("Get, Exec, a group or a question inside refuse the whole of it", async () => {
    const one = replace(`${lamp}/Level`, "1");
    expect(await said(group("Atomic", one, get("./DevInfo/Man")))).toEqual(["Atomic 507", "Replace 216", "Get 500"]);
    expect(await said(group("Atomic", group("Atomic", remove("./x")), one))).toEqual([
      "Atomic 507",
      "Atomic 500",
      "Delete 215",
      "Replace 215",
    ]);
    expect(await said(group("Atomic", one, alert(1101)))).toEqual(["Atomic 507", "Replace 216", "Alert 406"]);
    expect(await said(group("Atomic"))).toEqual(["Atomic 412"]);
    expect(at.writes).toEqual([]);
  });

  test("a disk that is full fails all of it, and nothing stays changed", async () => {
    const talk = ask(at, [group("Atomic", replace(`${lamp}/Power`, "true"), add("./DevInfo/Ext/x", "1"))]);
    at.store.failNext();
    expect(gist((await talk).reply).slice(1)).toEqual(["Atomic 507", "Replace 216", "Add 510 ./DevInfo/Ext/x"]);
    expect(at.lamp.get("Power")).toEqual({ format: "bool", data: false });
    expect(at.tree.has(parsePath("./DevInfo/Ext/x"))).toBe(false);
  });
});
