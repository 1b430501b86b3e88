import type { Clock } from "../../../tree/ports.ts";

const times = {
  /** Between two requests to one edge node: at least this, and twice as long each time. */
  first: 10_000,
  most: 3_600_000,
  /** A birth that was good for so long lets the next wait begin anew. */
  stable: 600_000,
} as const;

/** Asks one edge node to say again what it has. However often it is needed: never more often than the back-off lets it. */
export class Rebirth {
  readonly #clock: Clock;
  readonly #send: () => void;
  #wait: number = times.first;
  #notBefore = -Infinity;
  #born = Infinity;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, send: () => void) {
    this.#clock = clock;
    this.#send = send;
  }

  /** What the edge node says is not understood without a new birth. */
  ask(): void {
    if (this.#cancel !== undefined) return;
    const now = this.#clock.monotonic();
    if (now - this.#born >= times.stable) this.#wait = times.first;
    if (now >= this.#notBefore) this.#now();
    else this.#cancel = this.#clock.after(this.#notBefore - now, () => this.#now());
  }

  born(): void {
    this.#born = this.#clock.monotonic();
    this.stop();
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #now(): void {
    this.#cancel = undefined;
    this.#born = Infinity;
    this.#notBefore = this.#clock.monotonic() + this.#wait;
    this.#wait = Math.min(times.most, this.#wait * 2);
    this.#send();
  }
}
