import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ProtocolError } from "../../../tree/errors.ts";
import type { Command } from "../../../tree/wire/message.ts";
import { readMessage } from "../../../tree/wire/syncml-read.ts";
import { sizeOfCommand, sizeOfEmpty, writeMessage } from "../../../tree/wire/syncml-write.ts";
import { command, completed, fixture, fixtureNames, header, message } from "./messages.ts";

const head = {
  verDtd: "1.2",
  verProto: "DM/1.2",
  sessionId: "1",
  msgId: "1",
  target: { uri: "t" },
  source: { uri: "s" },
};
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

describe("writeMessage", () => {
  it("writes what readMessage reads back the same", () => {
    fc.assert(
      fc.property(message, (given) => {
        expect(readMessage(writeMessage(given))).toEqual(completed(given));
      }),
      { numRuns: 300 },
    );
    for (const name of fixtureNames) {
      const given = readMessage(fixture(name));
      expect(readMessage(writeMessage(given))).toEqual(given);
    }
  });

  it("writes the order of the DTD and declares the namespace of each Meta element", () => {
    const given = readMessage(fixture("package-2-challenge.xml"));
    expect(text(writeMessage(given))).toBe(text(fixture("package-2-challenge.xml")).trim());
    for (const name of ["package-2-commands.xml", "package-3-results.xml"]) {
      expect(text(writeMessage(readMessage(fixture(name))))).toBe(text(fixture(name)).replaceAll("\n", ""));
    }
  });

  it("knows the size of each command and of the empty message to the octet", () => {
    fc.assert(
      fc.property(header, fc.array(command, { maxLength: 4 }), fc.boolean(), (head, commands, final) => {
        const expected = commands.reduce((sum, one) => sum + sizeOfCommand(one), sizeOfEmpty(head)) - (final ? 0 : 8);
        expect(writeMessage({ header: head, commands, final }).byteLength).toBe(expected);
      }),
    );
  });

  it("sends bytes as base64 and says so", () => {
    const data = new Uint8Array([0, 1, 254, 255]);
    const item = { source: { uri: "./x" }, meta: { format: "bin", type: "image/png" }, data, moreData: false };
    const results: Command = { name: "Results", cmdId: "1", msgRef: "1", cmdRef: "2", meta: {}, items: [item] };
    expect(readMessage(writeMessage({ header: head, commands: [results], final: true })).commands[0]).toEqual({
      ...results,
      items: [{ ...item, meta: { format: "b64", type: "image/png" }, data: "AAH+/w==" }],
    });
  });

  it("refuses texts that XML cannot hold, wherever they stand", () => {
    for (const bad of ["\u0000", "\ud800", "\u001b[0m"]) {
      const item = { meta: {}, data: bad, moreData: false };
      const add: Command = { name: "Add", cmdId: "1", meta: {}, items: [item] };
      expect(() => writeMessage({ header: head, commands: [add], final: true })).toThrow(ProtocolError);
      expect(() => sizeOfCommand(add)).toThrow(ProtocolError);
      expect(() => sizeOfEmpty({ ...head, source: { uri: bad } })).toThrow(ProtocolError);
    }
  });
});
