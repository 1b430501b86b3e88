import type { Clock } from "../../tree/ports.ts";
import type { Sighting } from "../adapter.ts";
import type { UpnpDevice } from "./device.ts";

/** As many as SSDP tells of; of a host only so many: it names as many as it likes. */
const limits = { all: 512, ofOneHost: 16 } as const;
/** A device often announces itself before its web server is up. In the end it is left alone: it says when it has started anew. */
const gapsMs = [2000, 10_000, 60_000, 600_000, 3_600_000] as const;
/** However often it says that it has started anew. */
const leastGapMs = 2000;

/** A root device that is known, and the place where it was described last. */
export interface Known {
  readonly device: UpnpDevice;
  /** Under which SSDP announces it. */
  readonly rootKey: string;
  place: Place;
  /** On the monotonic clock; only of one that is not reachable. */
  awaySince: number;
}

/** Where the description of a device is said to be: one URL, announced under the keys of all devices in it. */
export interface Place {
  readonly href: string;
  /** IPv4. */
  readonly address: string;
  /** Of SSDP, that announce it now. */
  readonly keys: Set<string>;
  /** The last announcement. */
  sighting: Sighting;
  /** Which start and which description it announces, and of which the description was fetched. */
  version: string;
  fetched: string | undefined;
  /** Keys of the devices in the description. */
  described: ReadonlySet<string>;
  /** The device that is described here. */
  known: Known | undefined;
  /** The identity that it says it has, and that another host has and answers for. */
  doubleOf: string | undefined;
  asking: boolean;
  askedAt: number;
  /** Failures since the last answer. */
  failures: number;
  /** Ends the timer of the next asking. */
  cancel: () => void;
}

/** The places that are asked, and when each is asked next. Holds a timer for each at most. */
export class Places {
  readonly #clock: Clock;
  readonly #ask: (place: Place) => void;
  readonly #byHref = new Map<string, Place>();

  constructor(clock: Clock, ask: (place: Place) => void) {
    this.#clock = clock;
    this.#ask = ask;
  }

  all(): Iterable<Place> {
    return this.#byHref.values();
  }

  has(place: Place): boolean {
    return this.#byHref.get(place.href) === place;
  }

  /** undefined when there is no room for a new one. */
  at(href: string, address: string, sighting: Sighting): Place | undefined {
    const there = this.#byHref.get(href);
    if (there !== undefined) return there;
    let ofHost = 0;
    for (const place of this.#byHref.values()) if (place.address === address) ofHost++;
    if (this.#byHref.size >= limits.all || ofHost >= limits.ofOneHost) return undefined;
    const place: Place = {
      href,
      address,
      keys: new Set(),
      sighting,
      version: "",
      fetched: undefined,
      described: new Set(),
      known: undefined,
      doubleOf: undefined,
      asking: false,
      askedAt: -Infinity,
      failures: 0,
      cancel: () => undefined,
    };
    this.#byHref.set(href, place);
    return place;
  }

  remove(place: Place): void {
    place.cancel();
    if (this.has(place)) this.#byHref.delete(place.href);
  }

  /** Now, or as soon as it was not asked just now. */
  askSoon(place: Place): void {
    const wait = place.askedAt + leastGapMs - this.#clock.monotonic();
    if (wait > 0) return this.askIn(place, wait);
    place.cancel();
    this.#ask(place);
  }

  /** Instead of any time that was set before. */
  askIn(place: Place, ms: number): void {
    place.cancel();
    place.cancel = this.#clock.after(ms, () => this.#ask(place));
  }

  askAfterFailure(place: Place): void {
    this.askIn(place, gapsMs[Math.min(place.failures, gapsMs.length) - 1] ?? gapsMs[0]);
  }

  stop(): void {
    for (const { cancel } of this.#byHref.values()) cancel();
  }
}
