import { nodePath } from "./api.ts";
import { childNames } from "./node-lines.ts";
import type { Node } from "./node-lines.ts";
import { printable } from "./print.ts";
import type { Verb } from "./verb.ts";

export const verb: Verb = {
  forms: ["ls [URI]"],
  about: "Prints the names below a node, one a line; of a leaf its own address.",
  words: [0, 1],
  kinds: ["uri"],
  examples: ["ls .", "ls ./Devices/d1"],
  async run(job) {
    const node = await (await job.api()).get<Node>(`/v1/tree/${nodePath(job.words[0] ?? ".")}`);
    if (job.globals.json) job.json(node);
    else for (const name of node.children === undefined ? [node.uri] : childNames(node)) job.line(printable(name));
    return 0;
  },
};
