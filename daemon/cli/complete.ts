import { openApi } from "./api.ts";
import { namesOf } from "./complete-names.ts";
import { readGlobals } from "./globals.ts";
import { socketOf } from "./socket.ts";
import type { Job, Verb } from "./verb.ts";

/** Ms: somebody waits with a finger on the key. */
const patience = 700;
const common = ["config", "set"];

export const verb: Verb = {
  forms: ["__complete -- WORD…"],
  about:
    "Answers the completion scripts: what the last word may become, one a line; nothing when the daemon is silent.",
  words: [0, Infinity],
  async run(job) {
    const word = job.words.at(-1) ?? "";
    const found = await candidates(job, job.words.slice(0, -1), word).catch(() => []);
    // A name that would break the line cannot be typed by completion.
    for (const one of found) if (one.startsWith(word) && !/\p{Cc}/u.test(one)) job.line(one);
    return 0;
  },
};

async function candidates(job: Job, before: readonly string[], word: string): Promise<readonly string[]> {
  const globals = readGlobals(before);
  const [name, ...rest] = globals.rest;
  const last = before.at(-1)?.replace(/^--/, "") ?? "";
  if (common.includes(last) && before.at(-1) !== last) return [];
  if (name === undefined && !word.startsWith("-"))
    return job.verbs.filter((row) => row.about !== "").map((row) => row.name);
  const called = (await job.verbs.find((row) => row.name === name)?.load())?.verb;
  const options = called?.options ?? [];
  if (word.startsWith("-"))
    return [...options.map((o) => o.name), ...common, "json", "debug", "help"].map((o) => `--${o}`);

  const valued = (text: string | undefined) => options.find((o) => o.value !== undefined && text === `--${o.name}`);
  const words = rest.filter((text, n) => !text.startsWith("-") && valued(rest[n - 1]) === undefined);
  const named = valued(before.at(-1))?.kind ?? called?.kinds?.[words.length];
  const kind = typeof named === "function" ? named(words) : named;
  if (kind === undefined || kind === "file") return [];
  if (typeof kind !== "string") return kind;
  const api = openApi(
    await socketOf(globals, job.io.env),
    AbortSignal.any([job.signal, AbortSignal.timeout(patience)]),
  );
  return namesOf(api, kind, word);
}
