import { ProtocolError } from "../errors.ts";
import type { Address, Chal, Command, Cred, EditName, Header, Message, Meta } from "./message.ts";
import {
  isSyncml,
  readAddress,
  readChal,
  readCred,
  readItem,
  readMeta,
  readSizes,
  syncmlElements,
  trimmed,
} from "./syncml-parts.ts";
import { elementsOf, readXml } from "./xml.ts";
import type { Element } from "./xml.ts";

export interface MessageLimits {
  /** Of the message as it came. */
  readonly bytes: number;
  readonly elements: number;
  /** Commands in all, those inside Atomic and Sequence included. */
  readonly commands: number;
  /** Items in all. */
  readonly items: number;
}

export const messageLimits: MessageLimits = { bytes: 1_048_576, elements: 200_000, commands: 10_000, items: 50_000 };

/**
 * Reads a SyncML message of DM 1.2 (1.1 and 1.3 look the same) from XML in UTF-8. Lenient where deployed peers differ: children in any
 * order, any prefix, MetInf written or left out, white space around addresses and numbers, Data as text, CDATA or elements (given as XML
 * text), elements that nobody knows. VerDTD and VerProto come out as sent.
 * @throws ProtocolError not XML, not SyncML, no SyncHdr or SyncBody, a field of the header missing, or over a limit.
 */
export function readMessage(bytes: Uint8Array, limits: Partial<MessageLimits> = {}): Message {
  const limit = { ...messageLimits, ...limits };
  return messageOf(readXml(bytes, { bytes: limit.bytes, elements: limit.elements }), limit);
}

/** The same for a message that is read already, whatever it was encoded in. */
export function messageOf(root: Element, limits: MessageLimits = messageLimits): Message {
  if (root.name !== "SyncML" || !isSyncml(root.namespace)) {
    throw new ProtocolError(`not a SyncML message: the root is ${root.name} of the namespace "${root.namespace}"`);
  }
  let header: Header | undefined;
  let body: Element | undefined;
  for (const child of syncmlElements(root)) {
    if (child.name === "SyncHdr") header = readHeader(single(child, header));
    else if (child.name === "SyncBody") body = single(child, body);
  }
  if (header === undefined || body === undefined)
    throw new ProtocolError("a SyncML message needs SyncHdr and SyncBody");
  const left: Left = { commands: limits.commands, items: limits.items };
  const commands: Command[] = [];
  let final = false;
  for (const child of elementsOf(body)) {
    if (child.name === "Final" && isSyncml(child.namespace)) final = true;
    else commands.push(readCommand(child, left));
  }
  return { header, commands, final };
}

/** What may still come, before a limit is reached. */
interface Left {
  commands: number;
  items: number;
}

function single(element: Element, before: unknown): Element {
  if (before !== undefined) throw new ProtocolError(`${element.name} stands twice`);
  return element;
}

function readHeader(element: Element): Header {
  const texts = new Map<string, string>();
  const addresses = new Map<string, Address>();
  let sizes: { maxMsgSize?: number; maxObjSize?: number } = {};
  let cred: Cred | undefined;
  let noResp = false;
  for (const child of syncmlElements(element)) {
    if (child.name === "Target" || child.name === "Source") addresses.set(child.name, readAddress(child));
    else if (child.name === "Cred") cred = readCred(child);
    else if (child.name === "NoResp") noResp = true;
    else if (child.name === "Meta") sizes = readSizes(child);
    else texts.set(child.name, trimmed(child));
  }
  const field = <T>(map: Map<string, T>, name: string): T => {
    const found = map.get(name);
    if (found === undefined) throw new ProtocolError(`SyncHdr has no ${name}`);
    return found;
  };
  const respUri = texts.get("RespURI");
  return {
    verDtd: field(texts, "VerDTD"),
    verProto: field(texts, "VerProto"),
    sessionId: field(texts, "SessionID"),
    msgId: field(texts, "MsgID"),
    target: field(addresses, "Target"),
    source: field(addresses, "Source"),
    ...(respUri === undefined || respUri === "" ? {} : { respUri }),
    ...(noResp ? { noResp } : {}),
    ...(cred === undefined ? {} : { cred }),
    ...sizes,
  };
}

const edits = new Set<string>(["Add", "Replace", "Delete", "Copy", "Get"] satisfies EditName[]);
const known = new Set([...edits, "Status", "Results", "Alert", "Exec", "Atomic", "Sequence"]);

/** What any command may hold, in whatever order it came. */
interface Parts {
  cmdId: string;
  noResp: { noResp?: true };
  meta: Meta;
  data: string;
  correlator: { correlator?: string };
  msgRef: string | undefined;
  cmdRef: string;
  cmd: string;
  targetRefs: string[];
  sourceRefs: string[];
  cred: { cred?: Cred };
  chal: { chal?: Chal };
  items: Element[];
  commands: Element[];
}

function readParts(element: Element): Parts {
  const parts: Parts = {
    cmdId: "",
    noResp: {},
    meta: {},
    data: "",
    correlator: {},
    msgRef: undefined,
    cmdRef: "",
    cmd: "",
    targetRefs: [],
    sourceRefs: [],
    cred: {},
    chal: {},
    items: [],
    commands: [],
  };
  for (const child of elementsOf(element)) {
    if (isSyncml(child.namespace)) readPart(parts, child);
    else parts.commands.push(child);
  }
  return parts;
}

function readPart(parts: Parts, child: Element): void {
  switch (child.name) {
    case "CmdID":
      parts.cmdId = trimmed(child);
      break;
    case "Item":
      parts.items.push(child);
      break;
    case "Meta":
      parts.meta = readMeta(child);
      break;
    case "Data":
      parts.data = trimmed(child);
      break;
    case "MsgRef":
      parts.msgRef = trimmed(child);
      break;
    case "CmdRef":
      parts.cmdRef = trimmed(child);
      break;
    case "Cmd":
      parts.cmd = trimmed(child);
      break;
    case "TargetRef":
      parts.targetRefs.push(trimmed(child));
      break;
    case "SourceRef":
      parts.sourceRefs.push(trimmed(child));
      break;
    case "Correlator":
      parts.correlator = { correlator: trimmed(child) };
      break;
    case "NoResp":
      parts.noResp = { noResp: true };
      break;
    case "Cred":
      parts.cred = { cred: readCred(child) };
      break;
    case "Chal":
      parts.chal = { chal: readChal(child) };
      break;
    case "Lang":
    case "NoResults":
    case "Archive":
    case "SftDel":
    case "NumberOfChanges":
      break;
    default:
      parts.commands.push(child);
  }
}

function readCommand(element: Element, left: Left): Command {
  if (--left.commands < 0) throw new ProtocolError("too many commands in one message");
  const parts = readParts(element);
  const { name } = element;
  const { cmdId } = parts;
  if (!isSyncml(element.namespace) || !known.has(name)) return { name: "Unknown", element: name, cmdId };
  left.items -= parts.items.length;
  if (left.items < 0) throw new ProtocolError("too many items in one message");
  const items = parts.items.map((item) => readItem(item, parts.meta));
  const { noResp, meta, correlator, cmdRef } = parts;
  if (edits.has(name)) return { name: name as EditName, cmdId, ...noResp, meta, items };
  switch (name) {
    case "Status": {
      const { cmd, targetRefs, sourceRefs, cred, chal } = parts;
      const status = codeOf(parts.data);
      const msgRef = parts.msgRef ?? "";
      return { name, cmdId, msgRef, cmdRef, cmd, targetRefs, sourceRefs, status, ...chal, ...cred, items };
    }
    case "Results":
      // Left out, it means the first message (RepPro, MsgRef).
      return { name, cmdId, msgRef: parts.msgRef ?? "1", cmdRef, meta, items };
    case "Alert":
      return { name, cmdId, ...noResp, code: codeOf(parts.data), ...correlator, items };
    case "Exec":
      return { name, cmdId, ...noResp, ...correlator, meta, items };
    default: {
      const commands = parts.commands.map((one) => readCommand(one, left));
      return { name: name as "Atomic" | "Sequence", cmdId, ...noResp, meta, commands };
    }
  }
}

function codeOf(text: string): number {
  return /^\d{1,5}$/.test(text) ? Number(text) : 0;
}
