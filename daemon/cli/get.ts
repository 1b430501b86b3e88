import { nodePath } from "./api.ts";
import { Failure } from "./failure.ts";
import { ageNote, decisionLine, flatLines, leafLine, treeLines, valueText } from "./node-lines.ts";
import type { Node } from "./node-lines.ts";
import { printable } from "./print.ts";
import type { Job, Verb } from "./verb.ts";

export const verb: Verb = {
  forms: ["get URI [--deep] [--as SERVER] [--live] [--prop P]"],
  about:
    "Reads a node: a leaf with its last known value, an interior node with the addresses below it.\nEvery address starts with ./ and the root is .",
  options: [
    { name: "deep", about: "everything below, with values" },
    { name: "as", value: "SERVER", kind: "server", about: "with the rights of that server, and which ACL decided" },
    { name: "live", about: "ask the device itself, not what is known of it" },
    {
      name: "prop",
      value: "P",
      kind: ["ACL", "Fingerprint", "Format", "Name", "Size", "Title", "TStamp", "Type", "VerNo"],
      about: "a property instead of the value",
    },
  ],
  words: [1, 1],
  kinds: ["uri"],
  examples: ["get ./DevInfo/DevId", "get ./Devices/d1 --deep", "get ./Devices --as com.example.dm", "get . --prop ACL"],
  async run(job) {
    const query = new URLSearchParams();
    if (job.has("deep")) query.set("deep", "yes");
    if (job.has("live")) query.set("live", "yes");
    for (const name of ["as", "prop"]) if (job.has(name)) query.set(name, job.text(name) ?? "");
    const api = await job.api();
    try {
      show(job, await api.get(`/v1/tree/${nodePath(job.words[0] ?? ".")}?${query.toString()}`));
      return 0;
    } catch (error) {
      // The decision is what was asked for: a no is an answer too.
      const decision = error instanceof Failure ? error.problem?.decision : undefined;
      if (decision !== undefined && !job.globals.json) job.line(decisionLine(decision));
      throw error;
    }
  },
};

function show(job: Job, node: Node & { prop?: string }): void {
  if (job.globals.json) return job.json(node);
  const { tty } = job.io;
  if (node.prop !== undefined)
    job.line(`${printable(node.uri)}?prop=${node.prop} => ${valueText(node.value)}`.trimEnd());
  else if (node.children === undefined) job.line(`${leafLine(node)}${tty ? ageNote(node) : ""}`);
  else for (const line of tty && job.has("deep") ? treeLines(node) : flatLines(node)) job.line(line);
  if (node.decision !== undefined) job.line(decisionLine(node.decision));
}
