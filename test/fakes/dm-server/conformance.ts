import type { Command, Message } from "../../../tree/wire/message.ts";

const mandatoryInfo = ["DevId", "Man", "Mod", "DmV", "Lang"];

/** A message of the device with what there is to know about its way here. */
export interface Received {
  readonly message: Message;
  readonly octets: number;
  /** The URL it was posted to. */
  readonly url: string;
}

export interface Expected {
  /** The first message of the session, or again package 1 after a challenge. */
  readonly packageOne: boolean;
  /** The message before this one in the session. */
  readonly before: Message | undefined;
  /** The last message that we sent; it wants a Status first of all. */
  readonly ours: Message | undefined;
  readonly maxMsgSize: number | undefined;
  /** Where the message had to go. */
  readonly url: string;
  /** The device shows md5 credentials. */
  readonly digest: boolean;
}

/** Holds one message of a device against DM 1.2.1. Everything that a strict server could stumble over, a line each. */
export function faultsOf({ message, octets, url }: Received, expected: Expected): string[] {
  const { header, commands } = message;
  return [
    ...headerFaults(message, expected),
    ...(url === expected.url ? [] : [`it went to ${url}, not to ${expected.url}`]),
    // Before our first message it cannot know.
    ...(expected.ours !== undefined && expected.maxMsgSize !== undefined && octets > expected.maxMsgSize
      ? [`${octets} octets; we said that we take ${expected.maxMsgSize}`]
      : []),
    ...(expected.digest && header.cred !== undefined && header.source.name === undefined
      ? ["md5 credentials without the user name in Source/LocName (RepPro, LocName)"]
      : []),
    ...idFaults(commands),
    ...commands.flatMap(commandFaults),
    ...firstFaults(message, expected),
    ...(expected.packageOne ? packageOneFaults(message) : []),
  ];
}

function headerFaults({ header }: Message, { before }: Expected): string[] {
  const faults: string[] = [];
  if (header.verDtd !== "1.2") faults.push(`VerDTD is ${header.verDtd}`);
  if (header.verProto !== "DM/1.2" && header.verProto !== "DM/1.3") faults.push(`VerProto is ${header.verProto}`);
  if (!/^[0-9A-F]{1,4}$/.test(header.sessionId))
    faults.push(`SessionID "${header.sessionId}" is not 1 to 4 hex digits`);
  if (header.noResp === true) faults.push("NoResp in the header");
  const msgId = before === undefined ? 1 : Number(before.header.msgId) + 1;
  if (header.msgId !== String(msgId)) faults.push(`MsgID is ${header.msgId}, expected ${msgId}`);
  if (before !== undefined && before.header.source.uri !== header.source.uri) faults.push("Source has changed");
  return faults;
}

function idFaults(commands: readonly Command[]): string[] {
  const seen = new Set<string>();
  const faults: string[] = [];
  const each = (command: Command) => {
    if (command.cmdId === "") faults.push(`${command.name} has no CmdID`);
    if (command.cmdId === "0") faults.push(`${command.name} has the CmdID 0, which means the header`);
    if (command.cmdId !== "" && seen.has(command.cmdId)) faults.push(`CmdID ${command.cmdId} stands twice`);
    seen.add(command.cmdId);
    if ("commands" in command) command.commands.forEach(each);
  };
  commands.forEach(each);
  return faults;
}

/** A client sends Status, Results, Alert, and Replace of ./DevInfo; nothing else (Protocol 1.2.1, 2.3). */
function commandFaults(command: Command): string[] {
  if ("noResp" in command && command.noResp === true) return [`NoResp in ${command.name}`];
  switch (command.name) {
    case "Status":
      return command.cred === undefined ? [] : ["a Status carries a Cred"];
    case "Results":
      return [];
    case "Alert":
      return alertFaults(command);
    case "Replace":
      return command.items.flatMap((item) => {
        if (item.target !== undefined) return ["Replace of ./DevInfo: an Item has Target, not Source"];
        if (item.data === undefined) return [`Replace of ${item.source?.uri}: no Data`];
        return item.source?.uri.startsWith("./DevInfo/") === true
          ? []
          : [`Replace of ${item.source?.uri ?? "nothing"}`];
      });
    default:
      return [`a client may not send ${command.name === "Unknown" ? command.element : command.name}`];
  }
}

function alertFaults({ code, items }: Extract<Command, { name: "Alert" }>): string[] {
  switch (code) {
    case 1200:
    case 1201:
    case 1222:
    case 1223:
    case 1225:
      return [];
    case 1224:
    case 1226:
      if (items.length === 0) return [`Alert ${code} without an Item`];
      return items.flatMap(({ meta, data }) => [
        ...(meta.type === undefined || meta.type === "" ? [`Alert ${code}: an Item without Type`] : []),
        ...(meta.format === undefined ? [`Alert ${code}: an Item without Format`] : []),
        ...(data === undefined ? [`Alert ${code}: an Item without Data`] : []),
      ]);
    default:
      return [`Alert ${code} is not one that a client sends`];
  }
}

/** Every message but the first begins with the Status for the header of ours. */
function firstFaults({ commands }: Message, { ours }: Expected): string[] {
  if (ours === undefined) return [];
  const first = commands[0];
  if (first?.name !== "Status" || first.cmdRef !== "0" || first.msgRef !== ours.header.msgId)
    return [`it does not begin with the Status for the header of our message ${ours.header.msgId}`];
  const faults: string[] = [];
  if (first.targetRefs.some((uri) => uri !== ours.header.target.uri))
    faults.push("TargetRef of SyncHdr is not our Target");
  if (first.sourceRefs.some((uri) => uri !== ours.header.source.uri))
    faults.push("SourceRef of SyncHdr is not our Source");
  return faults;
}

function packageOneFaults({ header, commands }: Message): string[] {
  // Who cuts a session short before it heard anything that it understood does not begin it anew.
  if (commands.some((command) => command.name === "Alert" && command.code === 1223)) return [];
  const faults: string[] = [];
  const opening = commands.filter((c) => c.name === "Alert" && (c.code === 1200 || c.code === 1201));
  if (opening.length !== 1) faults.push(`package 1 has ${opening.length} of the Alerts 1200 and 1201`);
  const info = commands.find((command) => command.name === "Replace");
  if (info === undefined || info.name !== "Replace") return [...faults, "package 1 has no Replace of ./DevInfo"];
  const values = new Map(info.items.map((item) => [item.source?.uri.replace("./DevInfo/", ""), item.data]));
  for (const name of mandatoryInfo) if (!values.has(name)) faults.push(`package 1 does not tell ./DevInfo/${name}`);
  if (values.has("DevId") && values.get("DevId") !== header.source.uri)
    faults.push("Source of the header is not ./DevInfo/DevId");
  return faults;
}
