import { loadConfig, problemLine } from "../../config/load.ts";
import { ConfigError } from "../../tree/errors.ts";
import { Exit } from "./failure.ts";
import { printable } from "./print.ts";
import type { Verb } from "./verb.ts";

export const verb: Verb = {
  forms: ["check [--config F]"],
  about: "Checks a config as the daemon would read it: every problem with its line. No daemon is needed.",
  words: [0, 0],
  examples: ["check", "check --config ./dmgw.yaml", "check --set log.level=loud"],
  async run(job) {
    const { config: file, set, json } = job.globals;
    try {
      const { source, warnings } = await loadConfig({ file, set, env: job.io.env });
      if (json) job.json({ ok: true, source, problems: [], warnings });
      else job.line(`${printable(source)} is good`);
      if (!json) for (const warning of warnings) job.note(`warning: ${printable(problemLine(warning))}`);
      return Exit.done;
    } catch (error) {
      if (!json || !(error instanceof ConfigError)) throw error;
      job.json({ ok: false, problems: error.problems, warnings: [] });
      return Exit.config;
    }
  },
};
