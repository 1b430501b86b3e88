import { mkdir, unlink, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { initConfig } from "../../config/init.ts";
import { loadConfig } from "../../config/load.ts";
import { reasonOf } from "../../tree/errors.ts";
import { Exit, Failure } from "./failure.ts";
import { askAll } from "./init-questions.ts";
import { printable } from "./print.ts";
import type { Verb } from "./verb.ts";

export const verb: Verb = {
  forms: ["init [--config F]"],
  about:
    "Asks a few questions and writes a commented config to F (default $DMGW_CONFIG, /etc/dmgw/dmgw.yaml).\nAn empty answer is the default. A file that is there already is left alone.",
  words: [0, 0],
  examples: ["init", "init --config ./dmgw.yaml", "init --config ./dmgw.yaml < /dev/null"],
  async run(job) {
    const { config, json } = job.globals;
    const file = resolve(config ?? (job.io.env["DMGW_CONFIG"] || "/etc/dmgw/dmgw.yaml"));
    // Whoever cannot write it should know before the first question.
    await write(file, "");
    try {
      await write(file, initConfig(await askAll(job)), "r+");
    } catch (error) {
      await unlink(file);
      throw error;
    }
    // What was typed is checked like any config; its problems name the lines that were just written.
    const { warnings } = await loadConfig({ file, env: job.io.env });
    if (json) job.json({ file, warnings });
    else job.line(`${printable(file)} is written; start the daemon: dmgw run --config ${printable(file)}`);
    for (const { where, message } of json ? [] : warnings) job.note(`warning: ${printable(`${where}: ${message}`)}`);
    return Exit.done;
  },
};

/** Secrets stand in it: others may not read it. */
async function write(file: string, text: string, flag = "wx"): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text, { flag, mode: 0o640 });
  } catch (error) {
    // A folder's name may be taken as well; that is another fault.
    const { code, syscall } = error as NodeJS.ErrnoException;
    const exists = code === "EEXIST" && syscall === "open";
    const message = exists ? `${printable(file)} is there already` : `cannot write the config: ${reasonOf(error)}`;
    throw new Failure(Exit.failed, message, { next: "edit it, or name another file with --config", cause: error });
  }
}
