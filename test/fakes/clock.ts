import { systemClock } from "../../daemon/clock.ts";
import type { Clock } from "../../tree/ports.ts";

export interface FakeClock extends Clock {
  /**
   * Time passes, on both clocks: every timer that falls due runs, in order, each at its own time, and promises settle in between
   * (so a timer that a promise sets on the way runs too, when it is due). Real I/O is not waited for.
   */
  advance(ms: number): Promise<void>;
  /** Only the wall clock moves, forward or back, as when the time is set: timers do not notice. */
  jump(ms: number): void;
  /** Timers that are waiting: 0 after a clean stop. */
  readonly timers: number;
}

interface Timer {
  readonly due: number;
  readonly run: () => void;
}

/** A clock that stands still until it is told. `start`: wall clock in ms since 1970, default 2026-01-01T00:00:00Z. */
export function fakeClock(start: number = Date.UTC(2026, 0, 1)): FakeClock {
  let wall = start;
  let elapsed = 0;
  const timers = new Set<Timer>();

  const pass = (ms: number) => {
    wall += ms;
    elapsed += ms;
  };
  /** Of timers that are due at the same time, the one set first. */
  const nextDue = (until: number): Timer | undefined => {
    let next: Timer | undefined;
    for (const timer of timers) if (timer.due <= until && (next === undefined || timer.due < next.due)) next = timer;
    return next;
  };

  return {
    now: () => wall,
    monotonic: () => elapsed,
    after(ms, run) {
      const timer = { due: elapsed + Math.max(0, ms), run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    async advance(ms) {
      const until = elapsed + ms;
      await settled();
      for (let timer = nextDue(until); timer !== undefined; timer = nextDue(until)) {
        pass(timer.due - elapsed);
        timers.delete(timer);
        timer.run();
        await settled();
      }
      pass(until - elapsed);
    },
    jump(ms) {
      wall += ms;
    },
    get timers() {
      return timers.size;
    },
  };
}

/** Resolves after everything that hangs on promises alone, and on work of this turn of the event loop, has run. */
export async function settled(): Promise<void> {
  // Two turns: what the first turn's setImmediate callbacks set in motion is waited for as well.
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Real time, but intervals pass `speed` times faster: for real sockets, and waits that are long by design. The wall clock is the machine's. */
export function quickClock(speed: number): Clock {
  return {
    now: () => systemClock.now(),
    monotonic: () => systemClock.monotonic() * speed,
    after: (ms, run) => systemClock.after(ms / speed, run),
  };
}
