import { leafLine, valueText } from "./node-lines.ts";
import type { Node } from "./node-lines.ts";
import { printable } from "./print.ts";
import type { Verb } from "./verb.ts";

export const verb: Verb = {
  forms: ["find TEXT"],
  about:
    "Prints the nodes whose name or value holds TEXT, small and capital letters alike. Nothing found is not an error.",
  words: [1, 1],
  examples: ["find kitchen", "find battery"],
  async run(job) {
    const text = (job.words[0] ?? "").toLowerCase();
    const found = [...matches(await (await job.api()).get<Node>("/v1/tree/?deep"), text)];
    if (job.globals.json) job.json(found.map((node) => ({ ...node, children: undefined })));
    else for (const node of found) job.line(node.children === undefined ? leafLine(node) : `${printable(node.uri)}/`);
    if (found.length === 0 && !job.globals.json) job.note(`nothing holds "${printable(text)}"`);
    return 0;
  },
};

function* matches(node: Node, text: string): Generator<Node> {
  const name = node.uri.slice(node.uri.lastIndexOf("/") + 1);
  if ([name, decoded(name), valueText(node.value)].some((one) => one.toLowerCase().includes(text))) yield node;
  for (const child of node.children ?? []) if (typeof child !== "string") yield* matches(child, text);
}

/** The name that a segment stands for. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
