import { beforeEach, describe, expect, test } from "vitest";
import type { Message } from "../../../tree/wire/message.ts";
import { parsePath } from "../../../tree/path.ts";
import { add, ask, asLocal, copy, edit, get, gist, home, manage, remove, replace, serverId, to } from "./scene.ts";
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

describe("Get", () => {
  test("a leaf gives its value after the Status, under the address as it was asked", async () => {
    expect(await said(get("Devices/d1/Lamp/Name"))).toEqual([
      "Get 200 Devices/d1/Lamp/Name",
      "Results Devices/d1/Lamp/Name=Lamp <1> & more",
    ]);
  });

  test("Format and Type are left out where they are the default ones", async () => {
    const { reply } = await ask(at, [get(`${lamp}/Name`), get(`${lamp}/Level`), get(`${lamp}/Blob`), get(lamp)]);
    const metas = reply?.commands.flatMap((one) => (one.name === "Results" ? one.items.map((item) => item.meta) : []));
    expect(metas).toEqual([{}, { format: "int" }, { format: "b64" }, { format: "node", type: "urn:example:lamp:1.0" }]);
  });

  test("an interior node gives the names of its children, and an empty one an empty text", async () => {
    expect(await said(get("./DevInfo"), get("./DevInfo/Ext"))).toEqual([
      "Get 200 ./DevInfo",
      "Results ./DevInfo=DevId/Man/Mod/DmV/Lang/Ext",
      "Get 200 ./DevInfo/Ext",
      "Results ./DevInfo/Ext=",
    ]);
  });

  test("properties, the ACL that a node has none of being empty", async () => {
    expect(
      await said(get(`${lamp}/Level?prop=Format`, `${lamp}/Level?prop=ACL`, `${lamp}?prop=Name`, `${lamp}?prop=Type`)),
    ).toEqual([
      "Get 200",
      `Results ${lamp}/Level?prop=Format=int ${lamp}/Level?prop=ACL= ${lamp}?prop=Name=Lamp ${lamp}?prop=Type=urn:example:lamp:1.0`,
    ]);
    const [, result] = await said(get("./Devices?prop=Fingerprint"));
    expect(result).toMatch(/=\S{8,}$/);
  });

  test("what is missing, unknown, malformed, too long or not allowed has a status of its own", async () => {
    const deep = `./${Array(40).fill("a").join("/")}`;
    expect(await said(get("./DevInfo/No", "./DevInfo?prop=No", "./DevInfo?list=Struct", "./A//B", deep, ""))).toEqual([
      "Get 404 ./DevInfo/No",
      "Get 406 ./DevInfo?prop=No",
      "Get 406 ./DevInfo?list=Struct",
      "Get 400 ./A//B",
      `Get 414 ${deep}`,
      "Get 412 ",
    ]);
    await at.tree.change([{ verb: "Property", at: parsePath("./Devices"), name: "ACL", value: "Get=other" }], asLocal);
    expect(await said(get(`${lamp}/Level`))).toEqual([`Get 425 ${lamp}/Level`]);
  });

  test("one bad item does not spoil the others", async () => {
    expect(await said(get("./DevInfo/Man", "./DevInfo/No", "./DevInfo/Mod"))).toEqual([
      "Get 200 ./DevInfo/Man",
      "Get 404 ./DevInfo/No",
      "Get 200 ./DevInfo/Mod",
      "Results ./DevInfo/Man=Acme ./DevInfo/Mod=GW1",
    ]);
  });

  test("a silent device is 504; a mistake of ours is 500 with a stack in the log, and the session goes on", async () => {
    expect(await said(get(`${faulty}/Silent`), get(`${faulty}/Broken`), get("./DevInfo/Man"))).toEqual([
      `Get 504 ${faulty}/Silent`,
      `Get 500 ${faulty}/Broken`,
      "Get 200 ./DevInfo/Man",
      "Results ./DevInfo/Man=Acme",
    ]);
    expect(at.log.lines.some((line) => line.includes("TypeError: a bug in the adapter"))).toBe(true);
  });

  test("control characters that XML cannot hold travel as base64", async () => {
    await at.tree.change(
      [{ verb: "Replace", at: parsePath(`${lamp}/Name`), value: { format: "chr", data: "a\u0000b" } }],
      asLocal,
    );
    const { reply } = await ask(at, [get(`${lamp}/Name`)]);
    const result = reply?.commands.find((one) => one.name === "Results");
    expect(result).toMatchObject({ items: [{ meta: { format: "b64" }, data: "YQBi" }] });
  });
});

describe("Replace", () => {
  test("reads the text in the format of the node", async () => {
    expect(await said(replace(`${lamp}/Power`, "true"), replace(`${lamp}/Level`, "42"))).toEqual([
      `Replace 200 ${lamp}/Power`,
      `Replace 200 ${lamp}/Level`,
    ]);
    expect([at.lamp.get("Power"), at.lamp.get("Level")]).toEqual([
      { format: "bool", data: true },
      { format: "int", data: 42 },
    ]);
  });

  test("base64 is good for a binary node", async () => {
    expect(await said(replace(`${lamp}/Blob`, "AQID/w==", { format: "b64" }))).toEqual([`Replace 200 ${lamp}/Blob`]);
    expect(at.lamp.get("Blob")).toMatchObject({ format: "bin", data: Uint8Array.of(1, 2, 3, 255) });
  });

  test("never makes a node, and has a status for each refusal", async () => {
    expect(
      await said(
        replace(`${lamp}/No`, "1"),
        replace(lamp, "1"),
        replace(`${lamp}/Level`, "x"),
        replace(`${lamp}/Level`, "1", { format: "chr" }),
        replace(`${lamp}/Level`, "1", { format: "no-format" }),
        replace(`${lamp}/Level`, "101"),
        replace(`${lamp}/Level`, "99"),
        replace(`${lamp}/Level`),
        replace(`${lamp}/Temperature`, "1"),
        replace("./DevInfo/Man", "me"),
        edit("Replace"),
      ),
    ).toEqual([
      `Replace 404 ${lamp}/No`,
      `Replace 405 ${lamp}`,
      `Replace 415 ${lamp}/Level`,
      `Replace 415 ${lamp}/Level`,
      `Replace 415 ${lamp}/Level`,
      `Replace 400 ${lamp}/Level`,
      `Replace 500 ${lamp}/Level`,
      `Replace 412 ${lamp}/Level`,
      `Replace 405 ${lamp}/Temperature`,
      "Replace 425 ./DevInfo/Man",
      "Replace 412",
    ]);
  });

  test("of properties: ACL, Title and Name can be written, the others are read-only", async () => {
    expect(await said(add("./Devices/x", undefined, { format: "node" }))).toEqual(["Add 405 ./Devices/x"]);
    expect(
      await said(
        replace(`${lamp}?prop=ACL`, `Get=*&Replace=${serverId}`),
        replace(`${lamp}/Level?prop=Title`, "Brightness"),
        replace(`${lamp}/Level?prop=Format`, "chr"),
        replace(`${lamp}?prop=ACL`, "Get=&nonsense"),
        replace(`${lamp}?prop=ACL`),
        get(`${lamp}?prop=ACL`, `${lamp}/Level?prop=Title`),
      ),
    ).toEqual([
      `Replace 200 ${lamp}?prop=ACL`,
      `Replace 200 ${lamp}/Level?prop=Title`,
      `Replace 405 ${lamp}/Level?prop=Format`,
      `Replace 400 ${lamp}?prop=ACL`,
      `Replace 412 ${lamp}?prop=ACL`,
      "Get 200",
      `Results ${lamp}?prop=ACL=Get=*&Replace=${serverId} ${lamp}/Level?prop=Title=Brightness`,
    ]);
  });

  test("one item, one commit", async () => {
    const before = at.store.commits;
    await said(edit("Replace", to(`${lamp}/Name?prop=Title`, "a"), to(`${lamp}/Level?prop=Title`, "b")));
    expect(at.store.commits - before).toBe(2);
  });
});

describe("Add, Delete, Copy", () => {
  test("leaves and interior nodes are added with their parents, renamed, copied and deleted", async () => {
    expect(
      await said(
        add("./DevInfo/Ext/a/b", "text"),
        add("./DevInfo/Ext/n", undefined, { format: "node", type: "urn:x:y:1.0" }),
        add("./DevInfo/Ext/i", "7", { format: "int" }),
        get("./DevInfo/Ext/a/b", "./DevInfo/Ext/i?prop=Format", "./DevInfo/Ext/n?prop=Type"),
      ),
    ).toEqual([
      "Add 200 ./DevInfo/Ext/a/b",
      "Add 200 ./DevInfo/Ext/n",
      "Add 200 ./DevInfo/Ext/i",
      "Get 200",
      "Results ./DevInfo/Ext/a/b=text ./DevInfo/Ext/i?prop=Format=int ./DevInfo/Ext/n?prop=Type=urn:x:y:1.0",
    ]);
    expect(
      await said(
        add("./DevInfo/Ext/a/b", "again"),
        add("./DevInfo/Ext/a/b/c", "below a leaf"),
        add("./DevInfo/Ext/t", "x", { format: "xml", type: "application/vnd.syncml.dmtnds+xml" }),
        add("./DevInfo/Ext/u?prop=ACL", "x"),
        add("./DevInfo/Ext/v"),
        replace("./DevInfo/Ext/n?prop=Name", "m"),
        remove("./DevInfo/Ext/a"),
        remove("./DevInfo/Ext/a"),
        remove("./DevInfo/Man"),
        remove("."),
        get("./DevInfo/Ext"),
      ),
    ).toEqual([
      "Add 418 ./DevInfo/Ext/a/b",
      "Add 405 ./DevInfo/Ext/a/b/c",
      "Add 415 ./DevInfo/Ext/t",
      "Add 405 ./DevInfo/Ext/u?prop=ACL",
      "Add 412 ./DevInfo/Ext/v",
      "Replace 200 ./DevInfo/Ext/n?prop=Name",
      "Delete 200 ./DevInfo/Ext/a",
      "Delete 425 ./DevInfo/Ext/a",
      "Delete 425 ./DevInfo/Man",
      "Delete 425 .",
      "Get 200 ./DevInfo/Ext",
      "Results ./DevInfo/Ext=i/m",
    ]);
  });

  test("a Copy takes the value of a leaf onto a leaf, and adds the one that is missing", async () => {
    await said(
      add("./DevInfo/Ext/x/a", "1"),
      add("./DevInfo/Ext/x/b", "2"),
      add("./DevInfo/Ext/x/i", "3", { format: "int" }),
    );
    expect(
      await said(
        copy("./DevInfo/Ext/x/a", "./DevInfo/Ext/x/b"),
        copy("./DevInfo/Ext/x/a", "./DevInfo/Ext/x/c"),
        copy("./DevInfo/Ext/x", "./DevInfo/Ext/y"),
        copy("./DevInfo/Ext/x/no", "./DevInfo/Ext/x/b"),
        copy("./DevInfo/Ext/x/a", `${lamp}/Level`),
        edit("Copy", to("./DevInfo/Ext/x/b")),
        get("./DevInfo/Ext/x/b", "./DevInfo/Ext/x/c"),
      ),
    ).toEqual([
      "Copy 200 ./DevInfo/Ext/x/b",
      "Copy 200 ./DevInfo/Ext/x/c",
      "Copy 403 ./DevInfo/Ext/y",
      "Copy 404 ./DevInfo/Ext/x/b",
      `Copy 403 ${lamp}/Level`,
      "Copy 412 ./DevInfo/Ext/x/b",
      "Get 200",
      "Results ./DevInfo/Ext/x/b=1 ./DevInfo/Ext/x/c=1",
    ]);
  });
});

describe("Exec", () => {
  const exec = (uri: string, data?: string, correlator?: string) => ({
    name: "Exec" as const,
    cmdId: "",
    meta: {},
    ...(correlator === undefined ? {} : { correlator }),
    items: [{ target: { uri }, meta: {}, moreData: false, ...(data === undefined ? {} : { data }) }],
  });

  test("is 200 with what it gave back, 202 when it goes on, and 405 where there is nothing to start", async () => {
    const { reply } = await ask(at, [
      exec(`${lamp}/Blink`, "now", "c1"),
      exec(`${lamp}/Blink`, "later"),
      exec(`${lamp}/Level`),
      exec("./DevInfo/Man"),
      exec(`${lamp}/No`),
    ]);
    expect(gist(reply).slice(1)).toEqual([
      `Exec 200 ${lamp}/Blink`,
      `Exec 202 ${lamp}/Blink`,
      `Exec 405 ${lamp}/Level`,
      "Exec 425 ./DevInfo/Man",
      `Exec 404 ${lamp}/No`,
    ]);
    expect(status(reply, "2")).toMatchObject({ items: [{ data: "blinked c1" }] });
  });
});
