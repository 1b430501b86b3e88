import { scripts } from "./completion-scripts.ts";
import { usage } from "./failure.ts";
import type { Verb } from "./verb.ts";

export const verb: Verb = {
  forms: ["completion bash|zsh|fish"],
  about: "Prints the completion script of a shell: verbs, options, and what the daemon has: nodes, devices, servers.",
  words: [1, 1],
  kinds: [[...scripts.keys()]],
  examples: ["completion bash > /etc/bash_completion.d/dmgw", "completion fish > ~/.config/fish/completions/dmgw.fish"],
  async run(job) {
    const script = scripts.get(job.words[0] ?? "");
    if (script === undefined) throw usage(`no completion for "${job.words[0]}"`, `dmgw ${verb.forms[0]}`);
    if (job.globals.json) job.json({ script });
    else job.line(script);
    return 0;
  },
};
