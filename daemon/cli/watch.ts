import { Exit, Failure } from "./failure.ts";
import { valueText } from "./node-lines.ts";
import type { Node } from "./node-lines.ts";
import { printable } from "./print.ts";
import { eventsOf } from "./sse.ts";
import type { Job, Verb } from "./verb.ts";

interface Change {
  readonly uri: string;
  readonly verb: string;
  readonly by: string;
  readonly time: string;
  readonly value?: Node["value"];
}

export const verb: Verb = {
  forms: ["watch [URI]"],
  about: "Prints changes of the tree at URI and below as they happen, one a line, until it is interrupted.",
  words: [0, 1],
  kinds: ["uri"],
  examples: ["watch", "watch ./Devices/d1 --json"],
  async run(job) {
    const uri = encodeURIComponent((job.words[0] ?? ".").toWellFormed());
    const lines = (await job.api()).lines("GET", `/v1/events?uri=${uri}`, job.signal);
    for await (const { event, id, data } of eventsOf(lines)) {
      if (job.globals.json) job.json({ event, id, ...(data as object) }, true);
      else if (event === "gap") job.line("changes were missed: what stands above is not complete");
      else tell(job, data as Change);
    }
    if (job.signal.aborted) return Exit.done;
    throw new Failure(Exit.noDaemon, "the daemon went away", { next: "start it, then watch again" });
  },
};

function tell(job: Job, { time, uri, verb, by, value }: Change): void {
  const clock = new Date(time).toTimeString().slice(0, 8);
  const what = value === undefined ? verb.toLowerCase() : `=> ${valueText(value)}`;
  job.line(`${clock} ${printable(uri)} ${what}  (${verb} by ${printable(by)})`);
}
