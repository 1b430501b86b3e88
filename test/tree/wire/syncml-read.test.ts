import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ProtocolError } from "../../../tree/errors.ts";
import type { Command, Message } from "../../../tree/wire/message.ts";
import { readMessage } from "../../../tree/wire/syncml-read.ts";
import { fixture, fixtureNames } from "./messages.ts";

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
const doc = (body: string, hdr = "") =>
  Buffer.from(
    `<SyncML xmlns="SYNCML:SYNCML1.2"><SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto><SessionID>1</SessionID><MsgID>1</MsgID>` +
      `<Target><LocURI>t</LocURI></Target><Source><LocURI>s</LocURI></Source>${hdr}</SyncHdr><SyncBody>${body}</SyncBody></SyncML>`,
  );
const one = (body: string): Command | undefined => readMessage(doc(body)).commands[0];

describe("readMessage", () => {
  it("reads package 1", () => {
    expect(readMessage(fixture("package-1.xml"))).toEqual({
      header: {
        verDtd: "1.2",
        verProto: "DM/1.2",
        sessionId: "3F",
        msgId: "1",
        target: { uri: "https://dm.example.test/dm?gw=7&r=eu" },
        source: { uri: "urn:uuid:6e0e9a1c-2f0d-4a6d-9a53-6b2d5b0c1f11", name: "gw7" },
        cred: { type: "syncml:auth-md5", format: "b64", data: "Zz6EivR3yeaaENcRN6lpAQ==" },
        maxMsgSize: 16384,
        maxObjSize: 1000000,
      },
      commands: [
        { name: "Alert", cmdId: "1", code: 1201, items: [] },
        {
          name: "Replace",
          cmdId: "2",
          meta: {},
          items: [
            {
              source: { uri: "./DevInfo/DevId" },
              meta: { format: "chr", type: "text/plain" },
              data: "urn:uuid:6e0e9a1c-2f0d-4a6d-9a53-6b2d5b0c1f11",
              moreData: false,
            },
            { source: { uri: "./DevInfo/Man" }, meta: {}, data: "Möbel & Töchter", moreData: false },
          ],
        },
        {
          name: "Alert",
          cmdId: "3",
          code: 1226,
          correlator: "upd-17",
          items: [
            {
              source: { uri: "./Devices/d1/FUMO" },
              meta: { format: "chr", type: "org.openmobilealliance.dm.firmwareupdate.update", mark: "critical" },
              data: "200",
              moreData: false,
            },
          ],
        },
      ],
      final: true,
    } satisfies Message);
  });

  it("reads a challenge, and an address to answer to", () => {
    const { header, commands } = readMessage(fixture("package-2-challenge.xml"));
    expect(header.respUri).toBe("https://dm.example.test/dm?s=3F");
    expect(commands[0]).toMatchObject({
      status: 407,
      cmdRef: "0",
      chal: { type: "syncml:auth-md5", format: "b64", nextNonce: "Tm9uY2U=" },
    });
  });

  it("reads every command of DM, nested ones in their order", () => {
    const { commands } = readMessage(fixture("package-2-commands.xml"));
    expect(commands.map((c) => c.name)).toEqual([
      "Status",
      "Get",
      "Add",
      "Copy",
      "Delete",
      "Alert",
      "Atomic",
      "Sequence",
    ]);
    const [atomic, sequence] = [commands[6], commands[7]] as Extract<Command, { commands: unknown }>[];
    expect(atomic?.commands.map((c) => [c.name, c.cmdId])).toEqual([
      ["Add", "8"],
      ["Replace", "9"],
    ]);
    expect(sequence?.commands[1]).toMatchObject({ name: "Exec", correlator: "c-77" });
  });

  it("tells the first chunk of a large object", () => {
    const { commands, final } = readMessage(fixture("package-3-results.xml"));
    expect(final).toBe(false);
    expect(commands.at(-1)).toMatchObject({ items: [{ moreData: true, data: "AAECAwQF", meta: { size: 40000 } }] });
  });

  it("reads what odd but legal peers write", () => {
    const { header, commands, final } = readMessage(fixture("odd-but-legal.xml"));
    expect(final).toBe(false);
    expect(header).toEqual({
      verDtd: "1.2",
      verProto: "DM/1.3",
      sessionId: "0",
      msgId: "1",
      target: { uri: "gw7" },
      source: { uri: "https://dm.example.test/dm", name: "boss" },
      noResp: true,
      maxObjSize: 7000,
    });
    const plain = { moreData: false };
    expect(commands).toEqual([
      {
        name: "Status",
        cmdId: "8c1f",
        msgRef: "1",
        cmdRef: "0",
        cmd: "SyncHdr",
        targetRefs: [],
        sourceRefs: [],
        status: 401,
        chal: { type: "syncml:auth-md5", format: "b64", nextNonce: "Tm9uY2U=" },
        items: [],
      },
      { name: "Get", cmdId: "", meta: {}, items: [{ target: { uri: "./A" }, meta: {}, ...plain }] },
      {
        name: "Replace",
        cmdId: "2",
        meta: { type: "text/x-common", format: "chr" },
        items: [
          { target: { uri: "./A/cdata" }, meta: { type: "text/x-common", format: "chr" }, data: "a<b & c", ...plain },
          { target: { uri: "./A/own" }, meta: { type: "text/x-own", format: "chr" }, data: "  kept  ", ...plain },
        ],
      },
      {
        name: "Add",
        cmdId: "3",
        meta: {},
        items: [
          {
            target: { uri: "./Inbox" },
            meta: { type: "application/vnd.syncml.dmtnds+xml", format: "xml" },
            data:
              `<MgmtTree xmlns="syncml:dmddf1.2"><VerDTD>1.2</VerDTD><Node><NodeName>x&lt;y</NodeName>` +
              `<Hint xmlns="http://vendor.example.test/" n="1"/></Node></MgmtTree>`,
            ...plain,
          },
        ],
      },
      { name: "Unknown", element: "Sync", cmdId: "4" },
      { name: "Unknown", element: "Reboot", cmdId: "6" },
      { name: "Atomic", cmdId: "7", meta: {}, commands: [{ name: "Unknown", element: "Put", cmdId: "9" }] },
      {
        name: "Results",
        cmdId: "10",
        msgRef: "1",
        cmdRef: "9",
        meta: {},
        items: [{ source: { uri: "./A" }, meta: {}, data: "", ...plain }],
      },
      { name: "Alert", cmdId: "11", code: 0, items: [] },
    ]);
  });

  it("reads DM 1.1, with credentials that do not say their type", () => {
    const { header, final } = readMessage(fixture("dm-1.1.xml"));
    expect(header).toMatchObject({
      verDtd: "1.1",
      verProto: "DM/1.1",
      cred: { type: "syncml:auth-basic", data: "cm9vdDp0b29y" },
    });
    expect(final).toBe(true);
  });

  it("reads a namespace left out, in other letters, and of Meta set wrongly", () => {
    const bare = text(doc(`<Add><CmdID>1</CmdID><Item><Meta><Format>int</Format></Meta></Item></Add>`));
    for (const variant of [bare, bare.replace(' xmlns="SYNCML:SYNCML1.2"', ""), bare.replace("SYNCML:S", "syncml:s")]) {
      expect(readMessage(Buffer.from(variant)).commands[0]).toMatchObject({ items: [{ meta: { format: "int" } }] });
    }
  });

  it("keeps the difference between no Data and empty Data", () => {
    expect(one("<Add><Item/><Item><Data></Data></Item></Add>")).toMatchObject({ items: [{}, { data: "" }] });
    expect(one("<Add><Item/></Add>")).not.toHaveProperty("items.0.data");
  });

  it("takes numbers that are none as absent", () => {
    expect(one("<Alert><Data>soon</Data></Alert>")).toMatchObject({ code: 0 });
    expect(one("<Status><Data>-200</Data></Status>")).toMatchObject({ status: 0 });
    expect(one("<Add><Meta><Size>1e9</Size></Meta></Add>")).toMatchObject({ meta: {} });
  });

  it.each([
    ["another root", "<html/>"],
    ["a root of another namespace", `<SyncML xmlns="urn:x"><SyncHdr/><SyncBody/></SyncML>`],
    ["no header", `<SyncML xmlns="SYNCML:SYNCML1.2"><SyncBody/></SyncML>`],
    ["an empty header", `<SyncML xmlns="SYNCML:SYNCML1.2"><SyncHdr/><SyncBody/></SyncML>`],
    ["no body", text(doc("")).replace(/<SyncBody.*<\/SyncBody>/, "")],
    ["two bodies", text(doc("")).replace("</SyncML>", "<SyncBody/></SyncML>")],
    ["two headers", text(doc("")).replace(/<SyncHdr>.*<\/SyncHdr>/, "$&$&")],
    ["a header of a foreign namespace", text(doc("")).replace("<SyncHdr>", `<SyncHdr xmlns="urn:x">`)],
    ...["VerDTD", "VerProto", "SessionID", "MsgID", "Target", "Source"].map((field): [string, string] => [
      `no ${field}`,
      text(doc("")).replace(new RegExp(`<${field}>.*</${field}>`), ""),
    ]),
  ])("refuses %s", (_, given) => {
    expect(() => readMessage(Buffer.from(given))).toThrow(ProtocolError);
  });

  it("refuses too many commands, items, octets, and what is nested too deep", () => {
    const limits = { commands: 3, items: 3 };
    expect(readMessage(doc("<Get><Item/></Get>".repeat(3)), limits).commands).toHaveLength(3);
    expect(() => readMessage(doc("<Get/>".repeat(4)), limits)).toThrow("too many commands");
    expect(() => readMessage(doc(`<Atomic>${"<Get/>".repeat(3)}</Atomic>`), limits)).toThrow("too many commands");
    expect(() => readMessage(doc(`<Get>${"<Item/>".repeat(4)}</Get>`), limits)).toThrow("too many items");
    expect(readMessage(doc("<Atomic>".repeat(62) + "</Atomic>".repeat(62))).commands).toHaveLength(1);
    expect(() => readMessage(doc("<Atomic>".repeat(63) + "</Atomic>".repeat(63)))).toThrow(ProtocolError);
    const started = performance.now();
    expect(() => readMessage(Buffer.alloc(10_000_000, "<a>"))).toThrow(ProtocolError);
    expect(performance.now() - started).toBeLessThan(100);
  });

  it("reads or refuses every message cut short, and never breaks", () => {
    for (const name of fixtureNames) {
      const bytes = fixture(name);
      const whole = readMessage(bytes);
      const end = text(bytes).trimEnd();
      for (let length = 0; length < Buffer.byteLength(end); length++) {
        expect(() => readMessage(bytes.subarray(0, length))).toThrow(ProtocolError);
      }
      expect(readMessage(Buffer.from(end))).toEqual(whole);
    }
  });

  it("reads or refuses every damaged message, and never breaks", () => {
    const bytes = fixture("odd-but-legal.xml");
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), fc.nat(40), (at, value, cut) => {
        const bad = Buffer.concat([bytes.subarray(0, at), Buffer.from([value]), bytes.subarray(at + cut)]);
        try {
          readMessage(bad);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
      { numRuns: 500 },
    );
  });
});
