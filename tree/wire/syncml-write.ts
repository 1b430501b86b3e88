import type { Address, Chal, Command, Cred, Header, Item, Message, Meta } from "./message.ts";
import { xmlWriter } from "./xml-write.ts";
import type { ElementSink } from "./xml-write.ts";

const core = "SYNCML:SYNCML1.2";
const metinf = "syncml:metinf";
const finalSize = "<Final/>".length;

/**
 * A message as XML in UTF-8 (SyncML 1.2 DTD: its order of elements, its two namespaces). Bytes become base64, with the Format b64.
 * What an item's Meta repeats of its command's is written once.
 * @throws ProtocolError for texts that XML 1.0 cannot hold ({@link fitsXml}): such values are sent as bytes.
 */
export function writeMessage(message: Message): Uint8Array {
  const out = xmlWriter();
  out.open("SyncML", core);
  writeHeader(out, message.header);
  out.open("SyncBody");
  for (const command of message.commands) writeCommand(out, command);
  if (message.final) out.leaf("Final", "");
  out.close("SyncBody");
  out.close("SyncML");
  return Buffer.from(out.text());
}

/** Octets that this command adds to the XML of any message. @throws ProtocolError as {@link writeMessage} does. */
export function sizeOfCommand(command: Command): number {
  const out = xmlWriter();
  writeCommand(out, command);
  return Buffer.byteLength(out.text());
}

/**
 * Octets of a message with this header and no command, Final included (so that every message may become the last of its package).
 * Together with {@link sizeOfCommand} exact: a message without Final is 8 octets shorter.
 */
export function sizeOfEmpty(header: Header): number {
  return writeMessage({ header, commands: [], final: false }).byteLength + finalSize;
}

function writeHeader(out: ElementSink, header: Header): void {
  out.open("SyncHdr");
  out.leaf("VerDTD", header.verDtd);
  out.leaf("VerProto", header.verProto);
  out.leaf("SessionID", header.sessionId);
  out.leaf("MsgID", header.msgId);
  writeAddress(out, "Target", header.target);
  writeAddress(out, "Source", header.source);
  optional(out, "RespURI", header.respUri);
  flag(out, "NoResp", header.noResp);
  writeCred(out, header.cred);
  if (header.maxMsgSize !== undefined || header.maxObjSize !== undefined) {
    out.open("Meta");
    if (header.maxMsgSize !== undefined) out.leaf("MaxMsgSize", String(header.maxMsgSize), metinf);
    if (header.maxObjSize !== undefined) out.leaf("MaxObjSize", String(header.maxObjSize), metinf);
    out.close("Meta");
  }
  out.close("SyncHdr");
}

/** One command with everything in it, in the order of the DTD. */
export function writeCommand(out: ElementSink, command: Command): void {
  const name = command.name === "Unknown" ? command.element : command.name;
  out.open(name);
  if (command.cmdId !== "") out.leaf("CmdID", command.cmdId);
  switch (command.name) {
    case "Status":
      writeStatus(out, command);
      break;
    case "Results":
      out.leaf("MsgRef", command.msgRef);
      out.leaf("CmdRef", command.cmdRef);
      writeMeta(out, command.meta);
      writeItems(out, command.items, command.meta);
      break;
    case "Alert":
      flag(out, "NoResp", command.noResp);
      out.leaf("Data", String(command.code));
      optional(out, "Correlator", command.correlator);
      writeItems(out, command.items, {});
      break;
    case "Exec":
      flag(out, "NoResp", command.noResp);
      writeMeta(out, command.meta);
      optional(out, "Correlator", command.correlator);
      writeItems(out, command.items, command.meta);
      break;
    case "Atomic":
    case "Sequence":
      flag(out, "NoResp", command.noResp);
      writeMeta(out, command.meta);
      for (const one of command.commands) writeCommand(out, one);
      break;
    case "Unknown":
      break;
    default:
      flag(out, "NoResp", command.noResp);
      writeMeta(out, command.meta);
      writeItems(out, command.items, command.meta);
  }
  out.close(name);
}

function writeStatus(out: ElementSink, status: Extract<Command, { name: "Status" }>): void {
  out.leaf("MsgRef", status.msgRef);
  out.leaf("CmdRef", status.cmdRef);
  out.leaf("Cmd", status.cmd);
  for (const ref of status.targetRefs) out.leaf("TargetRef", ref);
  for (const ref of status.sourceRefs) out.leaf("SourceRef", ref);
  writeCred(out, status.cred);
  writeChal(out, status.chal);
  out.leaf("Data", String(status.status));
  writeItems(out, status.items, {});
}

function writeItems(out: ElementSink, items: readonly Item[], common: Meta): void {
  for (const item of items) {
    out.open("Item");
    if (item.target) writeAddress(out, "Target", item.target);
    if (item.source) writeAddress(out, "Source", item.source);
    const bytes = typeof item.data === "object";
    writeMeta(out, bytes ? { ...item.meta, format: "b64" } : item.meta, common);
    if (item.data !== undefined) out.leaf("Data", typeof item.data === "string" ? item.data : base64(item.data));
    flag(out, "MoreData", item.moreData);
    out.close("Item");
  }
}

function writeAddress(out: ElementSink, name: "Target" | "Source", address: Address): void {
  out.open(name);
  out.leaf("LocURI", address.uri);
  optional(out, "LocName", address.name);
  out.close(name);
}

function writeCred(out: ElementSink, cred: Cred | undefined): void {
  if (cred === undefined) return;
  out.open("Cred");
  writeMeta(out, cred);
  out.leaf("Data", cred.data);
  out.close("Cred");
}

function writeChal(out: ElementSink, chal: Chal | undefined): void {
  if (chal === undefined) return;
  out.open("Chal");
  out.open("Meta");
  optional(out, "Format", chal.format, metinf);
  out.leaf("Type", chal.type, metinf);
  optional(out, "NextNonce", chal.nextNonce, metinf);
  out.close("Meta");
  out.close("Chal");
}

/** The Meta of a command or an item, without what stands in `common` already; nothing at all when nothing is left. */
function writeMeta(out: ElementSink, meta: Meta, common: Meta = {}): void {
  const format = meta.format === common.format ? undefined : meta.format;
  const type = meta.type === common.type ? undefined : meta.type;
  const mark = meta.mark === common.mark ? undefined : meta.mark;
  const size = meta.size === common.size ? undefined : meta.size;
  if (format === undefined && type === undefined && mark === undefined && size === undefined) return;
  out.open("Meta");
  optional(out, "Format", format, metinf);
  optional(out, "Type", type, metinf);
  optional(out, "Mark", mark, metinf);
  if (size !== undefined) out.leaf("Size", String(size), metinf);
  out.close("Meta");
}

function optional(out: ElementSink, name: string, text: string | undefined, namespace?: string): void {
  if (text !== undefined) out.leaf(name, text, namespace);
}

function flag(out: ElementSink, name: string, on: boolean | undefined): void {
  if (on === true) out.leaf(name, "");
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}
