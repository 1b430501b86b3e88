import { readFileSync } from "node:fs";
import fc from "fast-check";
import type { Address, Chal, Command, Cred, Header, Item, Message, Meta } from "../../../tree/wire/message.ts";
import { fitsXml } from "../../../tree/wire/xml-write.ts";

export const fixtureNames = [
  "package-1.xml",
  "package-2-challenge.xml",
  "package-2-commands.xml",
  "package-3-results.xml",
  "odd-but-legal.xml",
  "dm-1.1.xml",
] as const;

export function fixture(name: string): Uint8Array {
  return readFileSync(new URL(`../../fixtures/syncml/${name}`, import.meta.url));
}

/** Any text that XML can hold. */
export const xmlText: fc.Arbitrary<string> = fc
  .oneof(
    fc.string({ maxLength: 20 }),
    fc.string({ unit: "binary", maxLength: 12 }),
    fc.constantFrom("]]>", "<a>&amp;</a>", "\r\n\t \n", "🜁🏳️‍🌈", "\u0085\u2028", "%00", "__proto__"),
  )
  .filter(fitsXml);

// Where readers drop white space around a text, and an empty one says the same as none.
const word = xmlText.map((text) => text.trim()).filter((text) => text !== "");
const id = fc.oneof(
  fc.nat(99999).map((n) => String(n + 1)),
  word,
);
const size = fc.nat(2 ** 31);

function optional<T extends object>(shape: { [K in keyof T]-?: fc.Arbitrary<T[K]> }): fc.Arbitrary<Partial<T>> {
  return fc.record(shape, { requiredKeys: [] }) as fc.Arbitrary<Partial<T>>;
}

const address: fc.Arbitrary<Address> = fc.record({ uri: word, name: word }, { requiredKeys: ["uri"] });
const meta = optional<Meta>({
  format: fc.constantFrom("chr", "int", "b64", "node", "xml"),
  type: fc.constantFrom("text/plain", "application/vnd.syncml.dmtnds+xml", "urn:oma:mo:x:1.0"),
  size,
  mark: fc.constantFrom("critical", "minor"),
}) as fc.Arbitrary<Meta>;
const cred: fc.Arbitrary<Cred> = fc.record(
  { type: fc.constantFrom("syncml:auth-basic", "syncml:auth-md5"), format: fc.constant("b64"), data: word },
  { requiredKeys: ["type", "data"] },
);
const chal: fc.Arbitrary<Chal> = fc.record(
  { type: fc.constantFrom("syncml:auth-md5", "syncml:auth-MAC"), format: fc.constant("b64"), nextNonce: word },
  { requiredKeys: ["type"] },
);

const item: fc.Arbitrary<Item> = fc.record(
  { target: address, source: address, meta, data: xmlText, moreData: fc.boolean() },
  { requiredKeys: ["meta", "moreData"] },
);
const items = fc.array(item, { maxLength: 3 });
const flag = optional<{ noResp: true }>({ noResp: fc.constant(true) });
const code = fc.integer({ min: 100, max: 1299 });

const status: fc.Arbitrary<Command> = fc.record(
  {
    name: fc.constant("Status" as const),
    cmdId: id,
    msgRef: id,
    cmdRef: id,
    cmd: fc.constantFrom("SyncHdr", "Get", "Alert"),
    targetRefs: fc.array(word, { maxLength: 2 }),
    sourceRefs: fc.array(word, { maxLength: 2 }),
    status: code,
    chal,
    cred,
    items,
  },
  {
    requiredKeys: ["name", "cmdId", "msgRef", "cmdRef", "cmd", "targetRefs", "sourceRefs", "status", "items"],
  },
);
const results: fc.Arbitrary<Command> = fc.record({
  name: fc.constant("Results" as const),
  cmdId: id,
  msgRef: id,
  cmdRef: id,
  meta,
  items,
});
const alert: fc.Arbitrary<Command> = fc.record(
  { name: fc.constant("Alert" as const), cmdId: id, noResp: fc.constant(true), code, correlator: word, items },
  { requiredKeys: ["name", "cmdId", "code", "items"] },
);
const edit: fc.Arbitrary<Command> = fc
  .tuple(
    flag,
    fc.record({
      name: fc.constantFrom("Add", "Replace", "Delete", "Copy", "Get"),
      cmdId: fc.oneof(id, fc.constant("")),
      meta,
      items,
    }),
  )
  .map(([resp, rest]) => ({ ...resp, ...rest }));
const exec: fc.Arbitrary<Command> = fc.record(
  { name: fc.constant("Exec" as const), cmdId: id, noResp: fc.constant(true), correlator: word, meta, items },
  { requiredKeys: ["name", "cmdId", "meta", "items"] },
);
const plain = fc.oneof(edit, exec, alert);
const group = (depth: number): fc.Arbitrary<Command> =>
  fc.record({
    name: fc.constantFrom("Atomic", "Sequence"),
    cmdId: id,
    meta,
    commands: fc.array(depth === 0 ? plain : fc.oneof(plain, group(depth - 1)), { maxLength: 3 }),
  });
const unknown: fc.Arbitrary<Command> = fc.record({
  name: fc.constant("Unknown" as const),
  element: fc.constantFrom("Put", "Map", "Reboot"),
  cmdId: id,
});

export const command: fc.Arbitrary<Command> = fc.oneof(status, results, plain, group(1), unknown);

export const header: fc.Arbitrary<Header> = fc.record(
  {
    verDtd: fc.constantFrom("1.1", "1.2"),
    verProto: fc.constantFrom("DM/1.2", "DM/1.3"),
    sessionId: id,
    msgId: id,
    target: address,
    source: address,
    respUri: word,
    noResp: fc.constant(true),
    cred,
    maxMsgSize: size,
    maxObjSize: size,
  },
  { requiredKeys: ["verDtd", "verProto", "sessionId", "msgId", "target", "source"] },
);

export const message: fc.Arbitrary<Message> = fc.record({
  header,
  commands: fc.array(command, { maxLength: 5 }),
  final: fc.boolean(),
});

/** The message as a reader gives it: each item's Meta completed by its command's. */
export function completed(given: Message): Message {
  return { ...given, commands: given.commands.map(completedCommand) };
}

function completedCommand(given: Command): Command {
  if (given.name === "Atomic" || given.name === "Sequence") {
    return { ...given, commands: given.commands.map(completedCommand) };
  }
  if (!("items" in given) || !("meta" in given)) return given;
  return { ...given, items: given.items.map((one) => ({ ...one, meta: { ...given.meta, ...one.meta } })) };
}
