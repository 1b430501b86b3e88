import { readNode } from "../address.ts";
import type { Planner } from "./edit.ts";
import { edit } from "./edit.ts";

/** The node and everything below it (RepPro 1.2.1, 4.1.6.5). */
export const planDelete: Planner = async (item) => ({ verb: "Delete", at: readNode(item.target) });

export const remove = edit(planDelete);
