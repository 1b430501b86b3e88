import type { Verb } from "./verb.ts";

export const verb: Verb = {
  forms: ["version"],
  about: "Prints the version of dmgw. That of the daemon which runs is on `dmgw status`.",
  words: [0, 0],
  async run(job) {
    const version = job.io.version ?? "unknown";
    if (job.globals.json) job.json({ version });
    else job.line(version);
    return 0;
  },
};
