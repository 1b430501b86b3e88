import type { LiveTrace } from "../devices/device.ts";

/** Live traces by where they are. */
export class LivePlaces {
  readonly #at = new Map<string, Map<string, LiveTrace>>();

  add(live: LiveTrace): void {
    for (const place of live.trace.places) {
      const here = this.#at.get(place) ?? new Map<string, LiveTrace>();
      this.#at.set(place, here.set(live.trace.identity, live));
    }
  }

  remove(live: LiveTrace): void {
    for (const place of live.trace.places) {
      const here = this.#at.get(place);
      here?.delete(live.trace.identity);
      if (here?.size === 0) this.#at.delete(place);
    }
  }

  at(place: string): readonly LiveTrace[] {
    return [...(this.#at.get(place)?.values() ?? [])];
  }
}
