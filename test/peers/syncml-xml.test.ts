import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Message } from "../../tree/wire/message.ts";
import { readMessage } from "../../tree/wire/syncml-read.ts";
import { writeMessage } from "../../tree/wire/syncml-write.ts";
import { completed, fixture, fixtureNames, message } from "../tree/wire/messages.ts";

// libwbxml knows the SyncML 1.2 DTD: what it turns into WBXML and back is what an implementation that is not ours reads in our XML.
let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "dmgw-syncml-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function throughLibwbxml(xml: Uint8Array): Message {
  const [given, binary, back] = ["given.xml", "binary.wbxml", "back.xml"].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(given, xml);
  execFileSync("xml2wbxml", ["-k", "-o", binary, given], { stdio: "pipe" });
  execFileSync("wbxml2xml", ["-k", "-m", "0", "-o", back, binary], { stdio: "pipe" });
  return readMessage(readFileSync(back));
}

/** Without what libwbxml itself does not bring back: CRs, which it writes bare, and the end of a CDATA section, which it writes inside one. */
function tame(given: Message): Message {
  const spare = (_: string, value: unknown) => (typeof value === "string" ? value.replace(/\r|\]\]>/g, "_") : value);
  return JSON.parse(JSON.stringify(given), spare) as Message;
}

describe("libwbxml reads our messages", () => {
  it.each(fixtureNames)("%s comes back the same", (name) => {
    const given = readMessage(fixture(name));
    expect(throughLibwbxml(writeMessage(given))).toEqual(given);
  });

  it("generated messages come back the same", () => {
    fc.assert(
      fc.property(message.map(tame), (given) => {
        expect(throughLibwbxml(writeMessage(given))).toEqual(completed(given));
      }),
      { numRuns: 100 },
    );
  });
});
