import { ChangeError, DmError, Status } from "../../../tree/errors.ts";
import type { TreeChange } from "../../../tree/shape.ts";
import type { Command } from "../../../tree/wire/message.ts";
import { throughout, whole } from "../answer.ts";
import type { Answer, ItemAnswer } from "../answer.ts";
import { Ahead } from "../ahead.ts";
import type { Execution } from "../execution.ts";
import { failure, refsOf, refuseChunk, within } from "../execution.ts";
import { planAdd } from "./add.ts";
import { copyStatus, planCopy } from "./copy.ts";
import { planDelete } from "./delete.ts";
import type { EditCommand, Planner } from "./edit.ts";
import { planReplace } from "./replace.ts";
import type { GroupCommand } from "./sequence.ts";

const planners: ReadonlyMap<Command["name"], Planner> = new Map([
  ["Add", planAdd],
  ["Copy", planCopy],
  ["Delete", planDelete],
  ["Replace", planReplace],
]);

/** Where in the Atomic something failed. */
interface Failure {
  readonly command: number;
  readonly item: number;
  readonly answer: ItemAnswer;
  /** false: something before it still stands as it was changed. */
  readonly undone: boolean;
}

interface Planned {
  readonly change: TreeChange;
  readonly command: number;
  readonly item: number;
}

/**
 * All of the commands or none, in one commit (RepPro 1.2.1, 4.1.6.3). After a failure the Atomic is 507, the failing member has its own
 * status, those before it 216 (516 where it could not be undone), those after it 215. Nested Atomic, Get and whatever else may not stand in an
 * Atomic are 500. The answers may take several messages, since everything has run by then: 517 never comes.
 */
export async function atomic(group: GroupCommand, execution: Execution): Promise<readonly Answer[]> {
  if (group.commands.length === 0) return [whole(group, Status.incomplete)];
  const planned = await plan(group, execution);
  const failed = "answer" in planned ? planned : await run(group, planned, execution);
  if (failed === undefined) {
    return [whole(group, Status.ok), ...group.commands.map((one) => whole(one, Status.ok))];
  }
  const before = failed.undone ? Status.rolledBack : Status.rollBackFailed;
  return [
    whole(group, Status.atomicFailed),
    ...group.commands.flatMap((one, index) => {
      if (index < failed.command) return throughout(one, before);
      if (index > failed.command) return throughout(one, Status.notExecuted);
      return failedMember(one, failed, before);
    }),
  ];
}

async function plan(group: GroupCommand, execution: Execution): Promise<readonly Planned[] | Failure> {
  const ahead = new Ahead(execution.tree, execution.call);
  const all: Planned[] = [];
  for (const [index, command] of group.commands.entries()) {
    const at = { command: index, undone: true };
    const planner = planners.get(command.name);
    if (command.cmdId === "" || command.cmdId === "0") return { ...at, item: 0, answer: { status: Status.badRequest } };
    if (planner === undefined)
      return { ...at, item: 0, answer: { status: command.name === "Alert" ? Status.notSupported : Status.failed } };
    const { items } = command as EditCommand;
    if (items.length === 0) return { ...at, item: 0, answer: { status: Status.incomplete } };
    for (const [number, item] of items.entries()) {
      try {
        refuseChunk(command as EditCommand, item, execution);
        const change = await within(execution.call, planner(item, ahead));
        ahead.note(change);
        all.push({ change, command: index, item: number });
      } catch (thrown) {
        return { ...at, item: number, answer: { ...refsOf(item), ...failure(thrown, command, execution) } };
      }
    }
  }
  return all;
}

async function run(
  group: GroupCommand,
  planned: readonly Planned[],
  execution: Execution,
): Promise<Failure | undefined> {
  const call = { ...execution.call, mayDefer: false };
  const changes = planned.map((one) => one.change);
  try {
    await within(call, execution.tree.change(changes, call));
    return undefined;
  } catch (thrown) {
    const member = thrown instanceof ChangeError ? planned[thrown.index] : planned.at(-1);
    const command = member === undefined ? undefined : group.commands[member.command];
    if (member === undefined || command === undefined) throw thrown;
    const answer = failure(thrown, command, execution);
    const status = command.name === "Copy" ? copyStatus(answer.status) : answer.status;
    const item = (command as EditCommand).items[member.item];
    const undone = thrown instanceof ChangeError ? thrown.undone : thrown instanceof DmError;
    return { ...member, undone, answer: { ...(item === undefined ? {} : refsOf(item)), ...answer, status } };
  }
}

/** The items of the member that failed: those before the bad one were undone, those after it never run. */
function failedMember(command: Command, failed: Failure, before: number): Answer[] {
  if (command.name === "Atomic" || command.name === "Sequence") {
    const inside = command.commands.flatMap((one) => throughout(one, Status.notExecuted));
    return [whole(command, failed.answer.status), ...inside];
  }
  if (!planners.has(command.name)) return [whole(command, failed.answer.status)];
  const { items } = command as EditCommand;
  if (items.length === 0) return [whole(command, failed.answer.status)];
  return [
    {
      command,
      items: items.map((item, index) => {
        if (index === failed.item) return failed.answer;
        return { ...refsOf(item), status: index < failed.item ? before : Status.notExecuted };
      }),
    },
  ];
}
