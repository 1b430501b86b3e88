import { Session } from "../../../daemon/dm/session.ts";
import type { SessionAccount, SessionOptions } from "../../../daemon/dm/session-terms.ts";
import { local } from "../../../tree/acl.ts";
import { DmError, Status } from "../../../tree/errors.ts";
import type { Call, Mo } from "../../../tree/mo.ts";
import { devInfo } from "../../../tree/mos/dev-info.ts";
import { parsePath } from "../../../tree/path.ts";
import type { Mounted } from "../../../tree/shape.ts";
import { Tree } from "../../../tree/tree.ts";
import { StoredNodes } from "../../../tree/stored-nodes.ts";
import { tableMo } from "../../../tree/table.ts";
import { bin, bool, chr, int } from "../../../tree/value.ts";
import type { Value } from "../../../tree/value.ts";
import { authTypes, makeCred } from "../../../tree/wire/auth.ts";
import type { Command, Cred, EditName, Item, Message, Meta } from "../../../tree/wire/message.ts";
import { readMessage } from "../../../tree/wire/syncml-read.ts";
import { writeMessage } from "../../../tree/wire/syncml-write.ts";
import { fakeClock } from "../../fakes/clock.ts";
import { fakeLog } from "../../fakes/log.ts";
import { fakeStore } from "../../fakes/store.ts";

export const gatewayId = "urn:uuid:0b9e0a6e-0000-4000-8000-000000000001";
export const serverId = "com.example.dm";

/** A gateway's tree with one lamp, on a store and a clock of its own. */
export function home() {
  const store = fakeStore();
  const clock = fakeClock();
  const log = fakeLog();
  const tree = new Tree({ store, clock, log });
  const facts = { manufacturer: "Acme", model: "GW1", firmware: "1", hardware: "A", software: "0.1.0" };
  tree.mount(
    parsePath("./DevInfo"),
    devInfo(() => ({ id: gatewayId, ...facts }), new StoredNodes(store, "DevInfo")),
  );
  const lamp = new Map<string, Value>([
    ["Power", bool(false)],
    ["Level", int(10)],
    ["Name", chr("Lamp <1> & more")],
    ["Blob", bin(Uint8Array.of(1, 2, 3))],
    ["Temperature", int(20)],
    ["Note", chr("")],
  ]);
  /** What was written, in order. */
  const writes: string[] = [];
  const leaf = (name: string, format: "bool" | "int" | "chr" | "bin") => ({
    format,
    description: name,
    get: () => lamp.get(name) ?? chr("?"),
    set: (value: Value) => {
      if (name === "Level" && value.format === "int" && value.data > 100)
        throw new DmError(Status.badRequest, "more than 100 %");
      if (name === "Level" && value.format === "int" && value.data === 99) throw new TypeError("a bug in the lamp");
      const before = lamp.get(name);
      writes.push(name);
      lamp.set(name, value);
      return () => {
        if (before !== undefined) lamp.set(name, before);
      };
    },
  });
  const device: Mounted = tree.mount(
    parsePath("./Devices/d1/Lamp"),
    tableMo("urn:example:lamp:1.0", {
      format: "node",
      description: "a lamp",
      children: {
        Power: leaf("Power", "bool"),
        Level: leaf("Level", "int"),
        Name: leaf("Name", "chr"),
        Blob: leaf("Blob", "bin"),
        Note: leaf("Note", "chr"),
        Temperature: { format: "int", description: "°C", volatile: true, get: () => lamp.get("Temperature") },
        Blink: {
          format: "null",
          description: "blinks",
          exec: async (argument, _names, call) =>
            argument?.format === "chr" && argument.data === "later"
              ? { state: "accepted" }
              : { state: "done", result: chr(`blinked ${call.correlator}`) },
        },
      },
    }),
  );
  tree.mount(parsePath("./Devices/d1/Faulty"), faulty);
  return { store, clock, log, tree, device, lamp, writes };
}

/** Leaves that make trouble: Silent (504), Broken (a mistake of ours), Stuck (does not even hear its signal),
 * Picky (refuses what is written). */
const faulty: Mo = {
  urn: "urn:example:faulty:1.0",
  schema: (rel) => ({ format: rel === "" ? "node" : "chr", access: new Set(["Get", "Replace"]) }),
  has: () => true,
  read: async (rel) => {
    if (rel === "Silent") throw new DmError(Status.gatewayTimeout, "silent");
    if (rel === "Picky") return chr("old");
    if (rel === "Stuck") return new Promise(() => undefined);
    throw new TypeError("a bug in the adapter");
  },
  apply: async ([change]) => {
    if (change?.rel === "Picky") throw new DmError(Status.badRequest, "not this value");
    return new Promise(() => undefined);
  },
  exec: async () => ({ state: "done" }),
};

export type Home = ReturnType<typeof home>;

export const asLocal: Call = {
  by: local,
  signal: new AbortController().signal,
  correlator: "",
  mayDefer: false,
};

export const nonce = (text: string) => new Uint8Array(Buffer.from(text));

export const account = (over: Partial<SessionAccount> = {}): SessionAccount => ({
  id: serverId,
  url: "http://dm.example.com/dm",
  version: "1.2",
  client: { type: "digest", name: "gw", secret: "client secret", nonce: nonce("first client nonce") },
  server: { type: "digest", name: serverId, secret: "server secret", nonce: nonce("first server nonce") },
  tls: {},
  insecure: true,
  ...over,
});

/** The rights that a server of the config file has below ./Devices. */
export async function manage({ tree }: Home): Promise<void> {
  const value = ["Add", "Delete", "Exec", "Get", "Replace"].map((verb) => `${verb}=${serverId}`).join("&");
  await tree.change([{ verb: "Property", at: parsePath("./Devices"), name: "ACL", value }], asLocal);
}

/** One conversation, with a server that is written by the test: every message really goes through XML both ways. */
export function conversation({ tree, log }: Home, over: Partial<SessionOptions> = {}) {
  const signal = new AbortController();
  const session = new Session({
    account: account(),
    gatewayId,
    tree,
    reason: { code: 1201, sessionId: "7" },
    alerts: [],
    nonces: {},
    maxMsgSize: 65_536,
    timeLimit: () => ({ signal: signal.signal, clear: () => undefined }),
    log,
    ...over,
  });
  let msgId = 0;
  let last: Message | undefined;
  /** Every message of ours. */
  const sent: Message[] = [];

  const keep = (message: Message | undefined): Message | undefined => {
    if (message === undefined) return undefined;
    last = travel(message);
    sent.push(last);
    return last;
  };
  return {
    session,
    signal,
    sent,
    open: async (): Promise<Message> => keep(await session.open()) as Message,
    /** The server's next message: a Status for our header, then these commands, with CmdIDs 2, 3, … where they have none. */
    say: async (commands: readonly Command[] = [], more: Saying = {}): Promise<Message | undefined> => {
      if (more.sameMsgId !== true) msgId++;
      const { status = 212, chal } = more;
      const hdr: Command = {
        name: "Status",
        cmdId: "1",
        msgRef: last?.header.msgId ?? "",
        cmdRef: "0",
        cmd: "SyncHdr",
        targetRefs: [],
        sourceRefs: [],
        status,
        ...(chal === undefined ? {} : { chal }),
        items: [],
      };
      const message: Message = {
        header: {
          verDtd: "1.2",
          verProto: "DM/1.2",
          sessionId: "7",
          msgId: String(msgId),
          target: { uri: gatewayId },
          source: { uri: "http://dm.example.com/dm" },
          ...(more.cred === undefined ? {} : { cred: more.cred }),
          ...more.header,
        },
        commands: [
          ...(more.noStatus === true ? [] : [hdr]),
          ...commands.map((command, index) =>
            command.cmdId === "" && more.bare !== true ? { ...command, cmdId: String(index + 2) } : command,
          ),
        ],
        final: more.final ?? true,
      };
      return keep(await session.receive(travel(message), more.octets ?? 100));
    },
  };
}

interface Saying {
  readonly status?: number;
  readonly chal?: Extract<Command, { name: "Status" }>["chal"];
  readonly cred?: Cred;
  readonly final?: boolean;
  readonly header?: Partial<Message["header"]>;
  readonly sameMsgId?: boolean;
  readonly noStatus?: boolean;
  readonly bare?: boolean;
  readonly octets?: number;
}

/** As the other side sees it. */
export function travel(message: Message): Message {
  return readMessage(writeMessage(message));
}

/** A server's digest over this nonce, by default the first one. */
export function serverCred(over: Uint8Array = nonce("first server nonce"), secret = "server secret"): Cred {
  return makeCred(authTypes.digest, { name: serverId, secret }, over) as Cred;
}

/** A conversation after package 1, with the server about to say this, authenticated. */
export async function ask(at: Home, commands: readonly Command[], over: Partial<SessionOptions> = {}) {
  const talk = conversation(at, over);
  await talk.open();
  const reply = await talk.say(commands, { cred: serverCred() });
  return { ...talk, reply };
}

type Edit = Extract<Command, { name: EditName }>;
export const edit = (name: EditName, ...items: Partial<Item>[]): Edit => ({
  name,
  cmdId: "",
  meta: {},
  items: items.map((item) => ({ meta: {}, moreData: false, ...item })),
});
export const to = (uri: string, data?: string, meta: Meta = {}): Partial<Item> => ({
  target: { uri },
  meta,
  ...(data === undefined ? {} : { data }),
});
export const get = (...uris: string[]): Edit => edit("Get", ...uris.map((uri) => to(uri)));
export const replace = (uri: string, data?: string, meta?: Meta) => edit("Replace", to(uri, data, meta));
export const add = (uri: string, data?: string, meta?: Meta) => edit("Add", to(uri, data, meta));
export const remove = (uri: string) => edit("Delete", to(uri));
export const copy = (from: string, uri: string) => edit("Copy", { target: { uri }, source: { uri: from } });
export const alert = (code: number): Command => ({ name: "Alert", cmdId: "", code, items: [] });
export const group = (name: "Atomic" | "Sequence", ...commands: Command[]): Command => ({
  name,
  cmdId: "",
  meta: {},
  commands: commands.map((one, index) => (one.cmdId === "" ? { ...one, cmdId: `${name[0] ?? ""}${index}` } : one)),
});

/** "SyncHdr 212, Get 200, Results ./DevInfo=…": what a message of ours says, in order. */
export function gist(message: Message | undefined): string[] {
  return (message?.commands ?? []).map((one) => {
    switch (one.name) {
      case "Status":
        return `${one.cmd} ${one.status}${one.targetRefs.length > 0 && one.cmd !== "SyncHdr" ? ` ${one.targetRefs.join(" ")}` : ""}`;
      case "Results":
        return `Results ${one.items.map((item) => `${item.source?.uri ?? ""}=${textOf(item)}`).join(" ")}`;
      case "Alert":
        return `Alert ${one.code}`;
      default:
        return one.name;
    }
  });
}

function textOf({ data }: Item): string {
  return typeof data === "string" ? data : Buffer.from(data ?? []).toString("hex");
}
