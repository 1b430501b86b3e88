/** When a server is talked to next. Ms throughout; `random` as Math.random. */

const firstContact = 30_000;
const backOff = { first: 5_000, cap: 1_800_000, least: 1_000 };
/** Of the time between two polls: how much chance may take off, so that a fleet does not come at once. */
const spread = 0.2;
/** Timers of the platform count in 32 bits. */
export const longestWait = 2 ** 31 - 1;

/**
 * Until the next session that nothing but time asks for; undefined: never.
 * @param at wall clock of the end of the last good session. A clock that was set back since (gateways boot in 1970) counts as no time passed.
 */
export function untilPoll(poll: number, at: number | undefined, now: number, random: () => number): number | undefined {
  if (poll <= 0) return undefined;
  const soon = random() * Math.min(poll, firstContact);
  if (at === undefined) return soon;
  const left = poll * (1 - spread * random()) - Math.max(0, now - at);
  return left > 0 ? left : soon;
}

/** Until the next try after so many failures in a row: full jitter under a doubling roof, and never before the server said. */
export function untilRetry(failures: number, retryAfter: number | undefined, random: () => number): number {
  const roof = Math.min(backOff.cap, backOff.first * 2 ** Math.min(failures - 1, 16));
  const jitter = backOff.least + random() * (roof - backOff.least);
  return retryAfter === undefined ? jitter : retryAfter + random() * backOff.least;
}
