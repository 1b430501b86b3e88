import fc from "fast-check";
import { expect, test } from "vitest";
import type { Command, Message } from "../../../tree/wire/message.ts";
import { writeMessage } from "../../../tree/wire/syncml-write.ts";
import { alert, conversation, edit, group, home, manage, serverCred } from "./scene.ts";

const uri = fc.constantFrom(
  ...[
    "./DevInfo/Man",
    "./DevInfo",
    "./DevInfo/Ext/a",
    "./DevInfo/Ext/a/b",
    "./Devices/d1/Lamp/Level",
    ".",
    "",
    "./../x",
  ],
  ...[
    "./Devices/d1/Lamp/Name",
    "./Devices/d1/Lamp?prop=ACL",
    "./Devices/d1/Lamp/Level?prop=Name",
    "./DevInfo?list=TNDS",
  ],
  ...["./__proto__/constructor", "./DevInfo/Ext/%F0", "./Devices/d1/Faulty/Picky"],
);
const item = fc.record(
  {
    target: fc.record({ uri }),
    source: fc.record({ uri }),
    data: fc.constantFrom("", "1", "true", "x".repeat(300), "Get=*", "<&>"),
    meta: fc.record(
      {
        format: fc.constantFrom("node", "int", "chr", "bin", "null", "bogus"),
        type: fc.constantFrom("text/plain", "a/b"),
      },
      { requiredKeys: [] },
    ),
    moreData: fc.boolean(),
  },
  { requiredKeys: [] },
);
const editing = fc
  .tuple(fc.constantFrom("Add", "Replace", "Delete", "Copy", "Get"), fc.array(item, { maxLength: 4 }))
  .map(([name, items]) => edit(name as "Add", ...items) as Command);
const exec = fc.array(item, { maxLength: 2 }).map((items): Command => ({
  name: "Exec",
  cmdId: "",
  meta: {},
  items: items.map((one) => ({ meta: {}, moreData: false, ...one })),
}));
const plain = fc.oneof(
  { weight: 8, arbitrary: editing },
  { weight: 1, arbitrary: exec },
  { weight: 1, arbitrary: fc.constantFrom(1100, 1101, 1222, 1226).map(alert) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("Put", "Bogus").map((element): Command => ({ name: "Unknown", element, cmdId: "" })),
  },
);
const nested: fc.Arbitrary<Command> = fc.letrec<{ command: Command }>((tie) => ({
  command: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    plain,
    fc
      .tuple(fc.constantFrom("Atomic" as const, "Sequence" as const), fc.array(tie("command"), { maxLength: 3 }))
      .map(([name, commands]) => group(name, ...commands)),
  ),
})).command;

/** CmdIDs that no other command of the message has. */
function numbered(commands: readonly Command[]): Command[] {
  let last = 1;
  const walk = (one: Command): Command => {
    const cmdId = String(++last);
    return one.name === "Atomic" || one.name === "Sequence"
      ? { ...one, cmdId, commands: one.commands.map(walk) }
      : { ...one, cmdId };
  };
  return commands.map(walk);
}
const idsOf = (commands: readonly Command[]): string[] =>
  commands.flatMap((one) => [
    one.cmdId,
    ...(one.name === "Atomic" || one.name === "Sequence" ? idsOf(one.commands) : []),
  ]);

test("whatever an authenticated server asks: each command is answered, in order, in messages of the size it takes, and the session goes on", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(nested, { maxLength: 6 }),
      fc.constantFrom(1_500, 5_000, 60_000),
      async (asked, maxMsgSize) => {
        const at = home();
        await manage(at);
        const { open, say, session } = conversation(at);
        await open();
        const commands = numbered([...asked, edit("Get", { target: { uri: "./DevInfo/Mod" } })]);
        const answered: string[] = [];
        let reply: Message | undefined = await say(commands, { cred: serverCred(), header: { maxMsgSize } });
        for (let turn = 0; reply !== undefined && turn < 200; turn++) {
          const alone = reply.commands.length <= 2;
          if (!alone) expect(writeMessage(reply).byteLength).toBeLessThanOrEqual(maxMsgSize);
          for (const one of reply.commands)
            if (one.name === "Status" && one.msgRef === "1" && one.cmdRef !== "0") answered.push(one.cmdRef);
          if (reply.final) break;
          reply = await say([alert(1222)], { final: false });
        }
        expect([...new Set(answered)]).toEqual(idsOf(commands));
        expect(session.end).toBeUndefined();
      },
    ),
    { numRuns: 200 },
  );
});

test("whatever anybody else asks, nothing is done", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(nested, { minLength: 1, maxLength: 6 }), async (asked) => {
      const at = home();
      await manage(at);
      const { open, say } = conversation(at);
      const before = at.store.commits;
      await open();
      const reply = await say(numbered(asked));
      for (const one of reply?.commands ?? []) expect(one).toMatchObject({ name: "Status", status: 407 });
      expect([at.writes, at.store.commits]).toEqual([[], before]);
    }),
    { numRuns: 100 },
  );
});
