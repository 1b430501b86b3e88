import { nodePath } from "./api.ts";
import { valueText } from "./node-lines.ts";
import type { Outcome } from "./outcome.ts";
import { tellOutcome } from "./outcome.ts";
import type { Verb } from "./verb.ts";

const formats = ["chr", "int", "bool", "float", "date", "time", "xml", "bin", "b64", "null", "node"];

export const verb: Verb = {
  forms: ["add URI [VALUE] [--format F] [--type T]"],
  about: "Adds a node, and the interior nodes above it that are missing. Without VALUE it makes an interior node.",
  options: [
    {
      name: "format",
      value: "F",
      kind: formats,
      about: `${formats.join(", ")}; default chr, or what the place asks for`,
    },
    { name: "type", value: "T", about: "MIME type of a leaf, MO identifier of an interior node" },
  ],
  words: [1, 2],
  kinds: ["uri"],
  examples: ["add ./DevInfo/Ext/Room Kitchen", "add ./DevInfo/Ext/Floor 2 --format int", "add ./DevInfo/Ext/Notes"],
  async run(job) {
    const [uri = ".", value] = job.words;
    const body = { value, format: job.text("format"), type: job.text("type") };
    const reply = await (await job.api()).send<Outcome>("POST", `/v1/tree/${nodePath(uri)}`, body);
    const { uri: made } = reply.body;
    return tellOutcome(job, reply, value === undefined ? `${made} added` : `${made} => ${valueText(value)}`.trimEnd());
  },
};
