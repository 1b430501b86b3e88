import { Exit, Failure } from "./failure.ts";
import type { Verb } from "./verb.ts";

export const verb: Verb = {
  forms: ["run"],
  about:
    "Runs the daemon in the foreground until it is interrupted. Without a config it starts on built-in defaults:\ndiscovery on, no DM server. Log lines go to standard error; SIGHUP takes the config file anew.",
  words: [0, 0],
  examples: ["run", "run --config ./dmgw.yaml --set log.level=debug"],
  async run() {
    // The process starts the daemon before it ever comes here.
    throw new Failure(Exit.failed, "the daemon runs as a process of its own only: dmgw run");
  },
};
