import { nodePath } from "./api.ts";
import type { Outcome } from "./outcome.ts";
import { tellOutcome } from "./outcome.ts";
import type { Verb } from "./verb.ts";

export const verb: Verb = {
  forms: ["exec URI [VALUE]"],
  about: "Executes a node, with an argument where it takes one.",
  words: [1, 2],
  kinds: ["uri"],
  examples: ["exec ./Devices/d1/Diag/Reboot"],
  async run(job) {
    const [uri = ".", value] = job.words;
    const reply = await (await job.api()).send<Outcome>("POST", `/v1/exec/${nodePath(uri)}`, { value });
    return tellOutcome(job, reply, `${reply.body.uri} executed`);
  },
};
