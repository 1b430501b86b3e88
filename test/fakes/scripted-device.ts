import { ProtocolError } from "../../tree/errors.ts";
import { authTypes, makeCred } from "../../tree/wire/auth.ts";
import type { AuthType, Command, Header, Item, Message } from "../../tree/wire/message.ts";
import { readMessage } from "../../tree/wire/syncml-read.ts";
import { writeMessage } from "../../tree/wire/syncml-write.ts";

export const nonce = new Uint8Array(Buffer.from("first"));

export const at = (uri: string) => ({ uri });
export const item = (uri: string, data: string, more: Partial<Item> = {}): Item => ({
  source: at(uri),
  meta: {},
  data,
  moreData: false,
  ...more,
});
export const info: Item[] = Object.entries({ DevId: "dev1", Man: "m", Mod: "x", DmV: "1", Lang: "en" }).map(
  ([name, data]) => item(`./DevInfo/${name}`, data),
);
export const start = { name: "Alert", cmdId: "", code: 1201, items: [] as Item[] } satisfies Command;
export const device = { name: "Replace", cmdId: "", meta: {}, items: info } satisfies Command;
export const nextMessage = { name: "Alert", cmdId: "", code: 1222, items: [] } satisfies Command;

export interface Saying {
  readonly header?: Partial<Header>;
  readonly final?: boolean;
  readonly type?: AuthType;
}

/** A DM device, user "gw" with the secret "a", that does exactly what the test says, right or wrong; CmdIDs are given in order where a command has none. */
export function scriptedDevice(url: string) {
  let msgId = 0;
  return async (commands: readonly Command[], { header, final = true, type = authTypes.digest }: Saying = {}) => {
    msgId++;
    const message: Message = {
      header: {
        verDtd: "1.2",
        verProto: "DM/1.2",
        sessionId: "1",
        msgId: String(msgId),
        target: at(url),
        source: { uri: "dev1", name: "gw" },
        ...(msgId === 1 ? { cred: makeCred(type, { name: "gw", secret: "a" }, nonce) ?? { type, data: "" } } : {}),
        maxMsgSize: 4000,
        ...header,
      },
      commands: commands.map((one, i) => (one.cmdId === "" ? { ...one, cmdId: String(i + 1) } : one)),
      final,
    };
    return post(url, writeMessage(message));
  };
}

export async function post(url: string, body: Uint8Array): Promise<Message> {
  const headers = { "Content-Type": "application/vnd.syncml.dm+xml" };
  const answer = await fetch(url, { method: "POST", headers, body });
  if (answer.status !== 200) throw new ProtocolError(`HTTP ${answer.status}`);
  return readMessage(new Uint8Array(await answer.arrayBuffer()));
}

export function status(ours: Message, cmdRef: string, cmd: string, code: number): Command {
  const { msgId } = ours.header;
  const refs = { targetRefs: [], sourceRefs: [], items: [] };
  return { name: "Status", cmdId: "", msgRef: msgId, cmdRef, cmd, status: code, ...refs };
}
export const header = (ours: Message, code = 212) => status(ours, "0", "SyncHdr", code);
export const results = (ours: Message, cmdRef: string, ...items: Item[]): Command => {
  return { name: "Results", cmdId: "", msgRef: ours.header.msgId, cmdRef, meta: {}, items };
};
/** The commands of a server message, without its Statuses. */
export const asks = (message: Message) => message.commands.filter((one) => one.name !== "Status");
export const firstStatus = (message: Message) => message.commands.find((one) => one.name === "Status")?.status;
