import type { Command, Message } from "../../../tree/wire/message.ts";
import type { Verdict } from "./proofs.ts";

/** The Status for the header of a message. */
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

/**
 * A Status for each command of a device; for Results only what is not 200 (RepPro 1.2.1, Status).
 * @param results by CmdID
 * @param all one for everything, when nothing of it was looked at
 */
export function statusesFor(
  { header, commands }: Message,
  results: ReadonlyMap<string, number>,
  genericAlert: number,
  all?: number,
): Command[] {
  const statuses: Command[] = [];
  for (const command of commands) {
    const status = all ?? statusOf(command, results, genericAlert);
    if (status === undefined) continue;
    const cmd = command.name === "Unknown" ? command.element : command.name;
    const { cmdId: cmdRef } = command;
    const refs = { targetRefs: [], sourceRefs: [], items: [] };
    statuses.push({ name: "Status", cmdId: "", msgRef: header.msgId, cmdRef, cmd, status, ...refs });
  }
  return statuses;
}

function statusOf(command: Command, results: ReadonlyMap<string, number>, genericAlert: number): number | undefined {
  switch (command.name) {
    case "Status":
      return undefined;
    case "Results":
      return results.get(command.cmdId);
    case "Alert":
      return command.code === 1226 ? genericAlert : 200;
    case "Replace":
      return 200;
    default:
      return 405;
  }
}

export function isAlert(command: Command, code: number): boolean {
  return command.name === "Alert" && command.code === code;
}
