import { DmError, Status } from "../../../tree/errors.ts";
import { isInterior } from "../../../tree/value.ts";
import { readAddress } from "../address.ts";
import type { Answer } from "../answer.ts";
import { dataOf, textData } from "../data.ts";
import type { Execution } from "../execution.ts";
import { eachItem, within } from "../execution.ts";
import type { Item } from "../../../tree/wire/message.ts";
import type { EditCommand } from "./edit.ts";

/** The value of a leaf, the child names of an interior node, or a property (RepPro 1.2.1, 4.1.6.7; DM TND 1.2.1). */
export function get(command: EditCommand, execution: Execution): Promise<readonly Answer[]> {
  return eachItem(command, execution, async (item) => {
    const result = await read(item, execution);
    execution.results.left -= result.data?.length ?? 0;
    if (execution.results.left < 0) throw new DmError(Status.tooLarge, "the results of this command are too large");
    return { status: Status.ok, result };
  });
}

/** The address goes back as it came, query included: by it the server knows what it asked for. */
async function read({ target }: Item, { tree, call }: Execution): Promise<Item> {
  const { at, property } = readAddress(target);
  const uri = target?.uri ?? at;
  if (property !== undefined) {
    const text = await within(call, tree.property(at, property, call));
    return { source: { uri }, meta: {}, data: textData(text), moreData: false };
  }
  const node = await within(call, tree.get(at, "one", call));
  const mo = isInterior(node) ? await within(call, tree.property(at, "Type", call)) : undefined;
  return { source: { uri }, ...dataOf(node, mo), moreData: false };
}
