import { Status } from "../../../tree/errors.ts";
import type { Command, GroupName } from "../../../tree/wire/message.ts";
import { throughout, whole } from "../answer.ts";
import type { Answer } from "../answer.ts";
import type { Execution } from "../execution.ts";
import { asksAPerson } from "./alert.ts";

export type GroupCommand = Extract<Command, { readonly name: GroupName }>;

/**
 * The commands in order (RepPro 1.2.1, 4.1.6.14). The standard lets nothing but a person's answer stop a Sequence: a command that fails does
 * not keep the next from running. Where a person should have agreed and could not be asked, what follows is bypassed (215), as after a "no".
 */
export async function sequence(command: GroupCommand, execution: Execution): Promise<readonly Answer[]> {
  if (command.commands.length === 0) return [whole(command, Status.incomplete)];
  const answers: Answer[] = [whole(command, Status.ok)];
  let stopped = false;
  for (const one of command.commands) {
    if (stopped) answers.push(...throughout(one, Status.notExecuted));
    else answers.push(...(await execution.execute(one)));
    if (one.name === "Alert" && asksAPerson(one)) stopped = true;
  }
  return answers;
}
