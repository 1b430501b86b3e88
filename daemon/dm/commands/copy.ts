import { DmError, Status } from "../../../tree/errors.ts";
import { isInterior } from "../../../tree/value.ts";
import { readNode } from "../address.ts";
import type { Answer } from "../answer.ts";
import type { Execution } from "../execution.ts";
import type { EditCommand, Planner } from "./edit.ts";
import { edit } from "./edit.ts";

/** The value of one leaf to another, which is added where it does not exist (RepPro 1.2.1, 4.1.6.4). */
export const planCopy: Planner = async (item, ahead) => {
  const to = readNode(item.target);
  const value = await ahead.get(readNode(item.source));
  if (isInterior(value) || ahead.format(to) === "node")
    throw new DmError(Status.forbidden, "only leaves can be copied, and only onto leaves");
  return ahead.has(to) ? { verb: "Replace", at: to, value } : { verb: "Add", at: to, value };
};

const run = edit(planCopy);

export async function copy(command: EditCommand, execution: Execution): Promise<readonly Answer[]> {
  const answers = await run(command, execution);
  return answers.map((answer) => ({
    ...answer,
    items: answer.items.map((item) => ({ ...item, status: copyStatus(item.status) })),
  }));
}

/** A value that the target cannot take for another reason than rights is 403 here, not 415. */
export function copyStatus(status: number): number {
  return status === Status.unsupportedFormat ? Status.forbidden : status;
}
