import { DmError, Status } from "../../../tree/errors.ts";
import { readAddress } from "../address.ts";
import { dataText, formatOf, valueOf } from "../data.ts";
import type { Planner } from "./edit.ts";
import { edit } from "./edit.ts";

/**
 * The value of a leaf that exists, or a property (RepPro 1.2.1, 4.1.6.11). Without Format in the Meta the text is read in the format that
 * the node has.
 */
export const planReplace: Planner = async (item, ahead) => {
  const { at, property } = readAddress(item.target);
  if (property !== undefined) return { verb: "Property", at, name: property, value: dataText(item) };
  const format = formatOf(item.meta) ?? ahead.format(at) ?? "chr";
  if (format === "node") throw new DmError(Status.notAllowed, `${at}: an interior node has no value`);
  return { verb: "Replace", at, value: valueOf(item, format) };
};

export const replace = edit(planReplace);
