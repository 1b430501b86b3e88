import { ProtocolError, Status } from "../../tree/errors.ts";
import type { Command, Header, Message } from "../../tree/wire/message.ts";
import { alertCodes } from "./commands/alert.ts";
import type { Verdict } from "./credentials.ts";

/** 505 or 513 for a message of another protocol; any DM 1.x is the same on the wire (RepPro 1.2.1, VerDTD and VerProto). */
export function versionFault({ verDtd, verProto }: Header): number | undefined {
  if (verDtd !== "1.2") return Status.dtdNotSupported;
  return /^DM\/1\.\d$/i.test(verProto) ? undefined : Status.protocolNotSupported;
}

/**
 * Where the next message goes: RespURI, absolute or relative to where the last one went.
 * @throws ProtocolError for one that cannot be used, or that leads from TLS to plain http.
 */
export function nextUrl(current: string, respUri: string | undefined): string {
  if (respUri === undefined) return current;
  if (respUri.length > 2048 || !URL.canParse(respUri, current))
    throw new ProtocolError("the server's RespURI is not a URI");
  const next = new URL(respUri, current);
  const allowed = current.startsWith("https:") ? ["https:"] : ["https:", "http:"];
  if (!allowed.includes(next.protocol)) throw new ProtocolError(`the server's RespURI leads to ${next.protocol}//`);
  return next.href;
}

/** The Status for the header of a message, with our challenge or the server's next nonce. */
export function headerStatus({ header }: Message, { status, chal }: Verdict): Command {
  return {
    name: "Status",
    cmdId: "",
    msgRef: header.msgId,
    cmdRef: "0",
    cmd: "SyncHdr",
    targetRefs: [header.target.uri],
    sourceRefs: [header.source.uri],
    status,
    ...(chal === undefined ? {} : { chal }),
    items: [],
  };
}

/** Everything of a message that wants an answer. */
export function commandsOf(message: Message): readonly Command[] {
  return message.commands.filter((one) => one.name !== "Status");
}

export function isAbort(command: Command): boolean {
  return command.name === "Alert" && command.code === alertCodes.abort;
}

export function asksForMore(command: Command): boolean {
  return command.name === "Alert" && command.code === alertCodes.nextMessage;
}

/** The server wants no Status at all. */
export function silent(message: Message): boolean {
  return message.header.noResp === true;
}
