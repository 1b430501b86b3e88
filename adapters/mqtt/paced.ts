import type { Clock } from "../../tree/ports.ts";

/** Does something for each of those that wait, one after another, with a pause before each. Whoever waits already is not put in line again. */
export class Paced<T> {
  readonly #clock: Clock;
  readonly #pause: number;
  readonly #does: (one: T) => void;
  readonly #waiting = new Set<T>();
  #cancel: (() => void) | undefined;

  /** `pause` in ms. */
  constructor(clock: Clock, pause: number, does: (one: T) => void) {
    this.#clock = clock;
    this.#pause = pause;
    this.#does = does;
  }

  add(one: T): void {
    this.#waiting.add(one);
    this.#cancel ??= this.#clock.after(this.#pause, () => this.#next());
  }

  delete(one: T): void {
    this.#waiting.delete(one);
  }

  stop(): void {
    this.#cancel?.();
    this.#waiting.clear();
  }

  #next(): void {
    this.#cancel = undefined;
    const [one] = this.#waiting;
    if (one === undefined) return;
    this.#waiting.delete(one);
    if (this.#waiting.size > 0) this.#cancel = this.#clock.after(this.#pause, () => this.#next());
    this.#does(one);
  }
}
