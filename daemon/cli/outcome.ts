import type { Reply } from "./api.ts";
import { valueText } from "./node-lines.ts";
import { printable } from "./print.ts";
import type { Job } from "./verb.ts";

/** What the local API answers to a write. */
export interface Outcome {
  readonly state: "done" | "queued";
  readonly uri: string;
  readonly result?: string | number | boolean | null;
  readonly correlator?: string;
}

/** Says how a write ended: `queued` when the device sleeps and will be told later, else what was done. */
export function tellOutcome(job: Job, { body }: Reply<Outcome>, done: string): number {
  if (job.globals.json) job.json(body);
  else if (body.state === "queued") job.line("queued");
  else job.line(body.result === undefined ? done : `${printable(body.uri)} => ${valueText(body.result)}`);
  return 0;
}
