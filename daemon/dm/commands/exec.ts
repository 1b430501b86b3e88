import { Status } from "../../../tree/errors.ts";
import type { Command } from "../../../tree/wire/message.ts";
import { readNode } from "../address.ts";
import type { Answer } from "../answer.ts";
import { dataOf, formatOf, valueOf } from "../data.ts";
import type { Execution } from "../execution.ts";
import { eachItem, within } from "../execution.ts";

/**
 * Starts what the target stands for (RepPro 1.2.1, 4.1.6.6). 202: it was started, and its end comes as a generic alert with the same
 * Correlator. A value that it gave back at once stands in an item of the Status.
 */
export function exec(
  command: Extract<Command, { readonly name: "Exec" }>,
  execution: Execution,
): Promise<readonly Answer[]> {
  return eachItem(command, execution, async (item) => {
    const { tree } = execution;
    const call =
      command.correlator === undefined ? execution.call : { ...execution.call, correlator: command.correlator };
    const at = readNode(item.target);
    const format = formatOf(item.meta) ?? "chr";
    const argument = item.data === undefined || format === "node" ? undefined : valueOf(item, format);
    const { state, result } = await within(call, tree.exec(at, argument, call));
    const status = state === "accepted" ? Status.accepted : Status.ok;
    if (result === undefined || result.format === "null") return { status };
    return { status, about: [{ source: { uri: item.target?.uri ?? at }, ...dataOf(result), moreData: false }] };
  });
}
