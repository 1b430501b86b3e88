import { Status } from "../../tree/errors.ts";
import type { Command, Item, Message } from "../../tree/wire/message.ts";
import { sizeOfCommand } from "../../tree/wire/syncml-write.ts";
import { throughout } from "./answer.ts";
import type { Answer, ItemAnswer } from "./answer.ts";
import { commandsOf, silent } from "./incoming.ts";

/** A command that waits for its place in a message; the CmdID is given there. */
export interface Draft {
  readonly command: Command;
  /** The outbox item that it tells, to be struck off when the server has answered. */
  readonly alert?: string;
}

type ResultsCommand = Extract<Command, { readonly name: "Results" }>;

/**
 * Status, and then Results, for one command (Protocol 1.2.1, 2.3.5). Items with different outcomes get a Status each. Results that fit no
 * message make 413 of their item, since large objects are not sent.
 * @param room octets of an otherwise empty message.
 */
export function replies(answer: Answer, msgRef: string, silent: boolean, room: number): Draft[] {
  const { command } = answer;
  const cmdRef = command.cmdId;
  const results = (items: readonly Item[]): ResultsCommand => ({
    name: "Results",
    cmdId: "",
    msgRef,
    cmdRef,
    meta: {},
    items,
  });
  const fits = (items: readonly Item[]) => sizeOfCommand({ ...results(items), cmdId: "0000" }) <= room;
  const items = answer.items.map((item) => (item.result === undefined || fits([item.result]) ? item : tooLarge(item)));
  const found = items.flatMap((item) => item.result ?? []);
  const drafts: Draft[] = [];
  if (!silent && !("noResp" in command && command.noResp === true)) {
    for (const status of statuses(command, items, msgRef)) drafts.push({ command: status });
  }
  if (found.length > 0 && fits(found)) drafts.push({ command: results(found) });
  else for (const item of found) drafts.push({ command: results([item]) });
  return drafts;
}

/** The same status for every command of a message, none of which was done. */
export async function* refusals(message: Message, status: number, room: number): AsyncGenerator<Draft> {
  const silently = silent(message);
  for (const command of commandsOf(message))
    for (const answer of throughout(command, status)) yield* replies(answer, message.header.msgId, silently, room);
}

function tooLarge({ target }: ItemAnswer): ItemAnswer {
  return { ...(target === undefined ? {} : { target }), status: Status.tooLarge };
}

function statuses(command: Command, items: readonly ItemAnswer[], msgRef: string): Command[] {
  const first = items[0];
  if (first === undefined) return [];
  const alike = items.every((item) => item.status === first.status && item.about === undefined);
  // Without TargetRef a Status speaks for every item of the command (RepPro 1.2.1, Status).
  if (alike && items.length > 1) return [statusOf(command, msgRef, { status: first.status })];
  return items.map((item) => statusOf(command, msgRef, item));
}

function statusOf(command: Command, msgRef: string, answer: ItemAnswer): Command {
  return {
    name: "Status",
    cmdId: "",
    msgRef,
    cmdRef: command.cmdId,
    cmd: command.name === "Unknown" ? command.element : command.name,
    targetRefs: answer.target === undefined ? [] : [answer.target],
    sourceRefs: answer.source === undefined ? [] : [answer.source],
    status: answer.status,
    items: answer.about ?? [],
  };
}
