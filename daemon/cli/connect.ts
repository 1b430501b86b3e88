import { Exit, Failure } from "./failure.ts";
import { printable } from "./print.ts";
import type { Verb } from "./verb.ts";

interface Line {
  readonly step?: string;
  readonly ok?: boolean;
  readonly error?: string;
}

/** Ms. */
const patience = 60_000;

export const verb: Verb = {
  forms: ["connect SERVER [--no-wait]"],
  about:
    "Starts a session with a DM server now, or joins the one that runs, and prints its course.\nReturns when it has ended: 0 good, 1 failed; after 60 s at the latest.",
  options: [{ name: "no-wait", about: "only start it" }],
  words: [1, 1],
  kinds: ["server"],
  examples: ["connect com.example.dm"],
  async run(job) {
    const server = job.words[0] ?? "";
    const path = `/v1/servers/${encodeURIComponent(server.toWellFormed())}/connect`;
    const api = await job.api();
    if (job.has("no-wait")) {
      const { body } = await api.send("POST", `${path}?wait=no`);
      if (job.globals.json) job.json(body);
      else job.line("queued");
      return Exit.done;
    }
    const steps: string[] = [];
    let end: Line = { ok: false, error: "the session has not ended after 60 s" };
    for await (const text of api.lines("POST", path, AbortSignal.timeout(patience))) {
      const line = JSON.parse(text) as Line;
      if (line.ok !== undefined) end = line;
      else steps.push(line.step ?? "");
      if (line.step !== undefined && !job.globals.json) job.line(printable(line.step));
    }
    if (job.signal.aborted) throw new Failure(Exit.interrupted, "interrupted");
    const error = end.error === undefined ? {} : { error: end.error };
    if (job.globals.json) job.json({ ok: end.ok === true, steps, ...error });
    else if (end.ok === true) job.line("the session ended well");
    if (end.ok === true) return Exit.done;
    throw new Failure(Exit.failed, `${server}: ${printable(end.error ?? "the session failed")}`, {
      next: "dmgw status",
    });
  },
};
