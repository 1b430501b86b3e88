import { printable } from "./print.ts";
import type { Verb } from "./verb.ts";

export const verb: Verb = {
  forms: ["reload"],
  about: "Takes the config file anew, without a restart. A bad file changes nothing; every problem is printed.",
  words: [0, 0],
  async run(job) {
    const { body } = await (await job.api()).send<{ changes: readonly string[] }>("POST", "/v1/reload");
    if (job.globals.json) job.json(body);
    else if (body.changes.length === 0) job.line("nothing has changed");
    else for (const change of body.changes) job.line(printable(change));
    return 0;
  },
};
