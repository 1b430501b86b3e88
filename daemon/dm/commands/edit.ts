import { Status } from "../../../tree/errors.ts";
import type { TreeChange } from "../../../tree/shape.ts";
import type { Command, EditName, Item } from "../../../tree/wire/message.ts";
import type { Answer } from "../answer.ts";
import type { Execution, ItemCommand } from "../execution.ts";
import { eachItem, within } from "../execution.ts";
import { Ahead } from "../ahead.ts";

export type EditCommand = Extract<Command, { readonly name: EditName }>;

/** What an item asks of the tree. Reads, never writes. @throws DmError */
export type Planner = (item: Item, ahead: Ahead) => Promise<TreeChange>;

/** A command that changes the tree: every item on its own, each one commit. */
export function edit(plan: Planner): (command: ItemCommand, execution: Execution) => Promise<readonly Answer[]> {
  return (command, execution) =>
    eachItem(command, execution, async (item) => {
      const { tree, call } = execution;
      const change = await within(call, plan(item, new Ahead(tree, call)));
      const { state } = await within(call, tree.change([change], call));
      return { status: state === "accepted" ? Status.accepted : Status.ok };
    });
}
