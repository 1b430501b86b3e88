import { emptyInterior } from "../../../tree/value.ts";
import { readNode } from "../address.ts";
import { formatOf, valueOf } from "../data.ts";
import type { Planner } from "./edit.ts";
import { edit } from "./edit.ts";

/** An interior node where the Format is `node`, else a leaf, chr unless the Meta says otherwise (RepPro 1.2.1, 4.1.6.1). */
export const planAdd: Planner = async (item) => {
  const at = readNode(item.target);
  const format = formatOf(item.meta) ?? "chr";
  if (format !== "node") return { verb: "Add", at, value: valueOf(item, format) };
  const { type } = item.meta;
  return { verb: "Add", at, value: emptyInterior, ...(type === undefined || type === "text/plain" ? {} : { type }) };
};

export const add = edit(planAdd);
