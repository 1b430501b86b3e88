import type { Clock } from "../tree/ports.ts";

/** What a Node timer can hold: 24.8 days. Longer ones would fire at once. */
const longestTimer = 2 ** 31 - 1;

/** The time of the machine. Timers run on its monotonic clock, so setting the wall clock moves none of them. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, run) {
    const due = performance.now() + ms;
    let timer: NodeJS.Timeout;
    const wait = () => {
      // Rounded up: Node cuts off what is below a millisecond, and a timer is never early.
      const left = Math.ceil(due - performance.now());
      timer = left > longestTimer ? setTimeout(wait, longestTimer) : setTimeout(run, Math.max(0, left));
      timer.unref();
    };
    wait();
    return () => clearTimeout(timer);
  },
};
