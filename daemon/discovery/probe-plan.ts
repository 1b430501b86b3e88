import type { Clock } from "../../tree/ports.ts";

/** All in ms. */
export interface ProbeTimes {
  /** After the last sign of life. */
  readonly firstGap: number;
  readonly lastGap: number;
  /** After the first and the second question without an answer. */
  readonly retryGaps: readonly number[];
  /** What a question has until it counts as unanswered. */
  readonly answer: number;
  /** After a question that could not be put. */
  readonly postponed: number;
}

/** The kernel waits 5 s for a sign of life, asks three times a second apart, and gives up: that is within `answer`. */
export const probeTimes: ProbeTimes = {
  firstGap: 5 * 60_000,
  lastGap: 10 * 60_000,
  retryGaps: [2 * 60_000, 4 * 60_000],
  answer: 10_000,
  postponed: 60_000,
};
const gapGrowth = 1.5;

/**
 * When to ask one neighbour whether it is still there: mostly it is heard anyway. Five minutes after its last sign of life, and in gaps that grow to ten
 * minutes while it only answers us. Who leaves three questions unanswered, minutes apart, is not there.
 */
export interface ProbePlan {
  /** It was there at this time, ms on the monotonic clock. */
  confirmed(at: number): void;
  /** Something speaks against it: ask now, unless it is being looked for already. */
  hurry(): void;
  /** The last question was not answered. */
  doubted(): boolean;
  /** No more questions until it is confirmed again. */
  giveUp(): void;
  /** The address to ask now, of these: the best first. It counts as asked. undefined: none that can be. */
  ask(addresses: readonly string[], possible: (address: string) => boolean): string | undefined;
  /** A question at this address has had its time and the answer is to be judged: when it was asked. */
  answeredBy(address: string): number | undefined;
  /** The address that was asked, and has not answered so far. */
  asked(): string | undefined;
  /** Judges the question that was asked, when its time is over; one that was not `put` says nothing. True: the neighbour has just been given up. */
  settle(put: boolean): boolean;
  nextAt(): number;
  settlesAt(): number;
}

export function probePlan(clock: Clock, times: ProbeTimes = probeTimes): ProbePlan {
  let next = clock.monotonic();
  let gap = times.firstGap;
  let misses = 0;
  let asked: { readonly at: number; readonly address: string } | undefined;
  const isOver = () => asked !== undefined && clock.monotonic() >= asked.at + times.answer;
  return {
    confirmed(at) {
      // Within whole seconds, as the kernel counts.
      const answered = asked !== undefined && at >= asked.at - 1000;
      gap = answered ? Math.min(gap * gapGrowth, times.lastGap) : times.firstGap;
      asked = undefined;
      misses = 0;
      next = at + gap;
    },
    hurry() {
      if (asked === undefined && misses === 0) next = Math.min(next, clock.monotonic());
    },
    doubted: () => misses > 0,
    giveUp() {
      asked = undefined;
      next = Infinity;
    },
    ask(addresses, possible) {
      const candidates = addresses.filter(possible);
      // Who does not answer at one address may at another.
      const address = candidates[misses % candidates.length];
      if (address === undefined) {
        next = clock.monotonic() + times.postponed;
        return undefined;
      }
      asked = { at: clock.monotonic(), address };
      next = Infinity;
      return address;
    },
    answeredBy: (address) => (isOver() && asked?.address === address ? asked.at : undefined),
    asked: () => asked?.address,
    settle(put) {
      if (!isOver()) return false;
      asked = undefined;
      if (!put) {
        next = clock.monotonic() + times.postponed;
        return false;
      }
      const retry = times.retryGaps[misses++];
      next = clock.monotonic() + (retry ?? Infinity);
      return retry === undefined;
    },
    nextAt: () => next,
    settlesAt: () => (asked === undefined ? Infinity : asked.at + times.answer),
  };
}
