import { nodePath } from "./api.ts";
import type { Outcome } from "./outcome.ts";
import { tellOutcome } from "./outcome.ts";
import type { Verb } from "./verb.ts";

export const verb: Verb = {
  forms: ["rm URI"],
  about: "Deletes a node and everything below it.",
  words: [1, 1],
  kinds: ["uri"],
  examples: ["rm ./DevInfo/Ext/Room"],
  async run(job) {
    const reply = await (await job.api()).send<Outcome>("DELETE", `/v1/tree/${nodePath(job.words[0] ?? ".")}`);
    return tellOutcome(job, reply, `${reply.body.uri} deleted`);
  },
};
