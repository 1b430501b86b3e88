import type { Sighting } from "../../adapters/adapter.ts";
import type { Clock } from "../../tree/ports.ts";
import { placeOf } from "./traces.ts";

const atMost = 256;

/** New things whose hardware address is not known yet. */
export class Waiting {
  readonly #clock: Clock;
  readonly #over: (sighting: Sighting) => void;
  readonly #waiting = new Map<string, { sighting: Sighting; readonly cancel: () => void }>();

  /** `over` gets what has waited long enough. */
  constructor(clock: Clock, over: (sighting: Sighting) => void) {
    this.#clock = clock;
    this.#over = over;
  }

  /** Does it wait with an address of its own, which was asked for? */
  hasAsked(identity: string): boolean {
    return (this.#waiting.get(identity)?.sighting.addresses.length ?? 0) > 0;
  }

  /** false: there is no room. One that waits already goes on, with what it says now. `forMs`: so long from its first word on. */
  add(identity: string, sighting: Sighting, forMs: number): boolean {
    const before = this.#waiting.get(identity);
    if (before !== undefined) before.sighting = sighting;
    else if (this.#waiting.size >= atMost) return false;
    else this.#waiting.set(identity, { sighting, cancel: this.#clock.after(forMs, () => this.#end(identity)) });
    return true;
  }

  remove(identity: string): void {
    this.#waiting.get(identity)?.cancel();
    this.#waiting.delete(identity);
  }

  /** The network now says who is at this place: whoever waits for that need not wait any more. */
  placed(place: string): void {
    for (const [identity, { sighting }] of [...this.#waiting]) {
      if (sighting.addresses.some((address) => placeOf(address, sighting.interface) === place)) this.#end(identity);
    }
  }

  stop(): void {
    for (const { cancel } of this.#waiting.values()) cancel();
    this.#waiting.clear();
  }

  #end(identity: string): void {
    const waiting = this.#waiting.get(identity);
    this.remove(identity);
    if (waiting !== undefined) this.#over(waiting.sighting);
  }
}
