import type { AvailabilityRule } from "./availability.ts";
import type { DeviceBlock, EntityId } from "./config.ts";
import type { Part } from "./points.ts";

/** An entity, as far as it is kept. */
export interface Thing extends EntityId {
  readonly name: string;
  readonly about: string;
  readonly parts: readonly Part[];
  readonly availability: AvailabilityRule | undefined;
}

/** What one config topic has announced. */
export interface Announcement<Owner> {
  readonly topic: string;
  readonly owner: Owner;
  block: DeviceBlock | undefined;
  things: readonly Thing[];
  /** Of the payload. */
  digest: string;
  /** Characters of the payload. */
  text: number;
  /** The connection in which it came last. */
  connection: number;
  /** On the monotonic clock: since then the broker did not have it. */
  missedSince: number | undefined;
  /** The broker has handed it over as retained: when it does not any more, it was taken back. */
  retained: boolean;
  /** Another topic may take its entities over (`migrate_discovery`). */
  loose: boolean;
}

/** An announcement before its first payload was read. */
export const unread: Omit<Announcement<never>, "topic" | "owner"> = {
  block: undefined,
  things: [],
  digest: "",
  text: 0,
  connection: 0,
  missedSince: undefined,
  retained: false,
  loose: false,
};

/** Which topic has announced which entity: the first one keeps it. */
export class Claims<Owner> {
  readonly #announcements = new Map<string, Announcement<Owner>>();
  readonly #holders = new Map<string, Announcement<Owner>>();

  get size(): number {
    return this.#announcements.size;
  }

  get(topic: string): Announcement<Owner> | undefined {
    return this.#announcements.get(topic);
  }

  all(): Iterable<Announcement<Owner>> {
    return this.#announcements.values();
  }

  /** May `topic` announce this entity? */
  isFree(entity: EntityId, topic: string): boolean {
    return keysOf(entity).every((key) => {
      const holder = this.#holders.get(key);
      return holder === undefined || holder.topic === topic || holder.loose;
    });
  }

  /** Puts it in the place of what its topic has announced before. The answer: announcements that have lost an entity to it. */
  put(announcement: Announcement<Owner>, before: readonly Thing[]): ReadonlySet<Announcement<Owner>> {
    this.#release(announcement, before);
    this.#announcements.set(announcement.topic, announcement);
    const losers = new Set<Announcement<Owner>>();
    for (const thing of announcement.things) {
      for (const key of keysOf(thing)) {
        const holder = this.#holders.get(key);
        this.#holders.set(key, announcement);
        if (holder === undefined || holder === announcement) continue;
        const lost = holder.things.filter((one) => keysOf(one).includes(key));
        holder.things = holder.things.filter((one) => !lost.includes(one));
        this.#release(holder, lost);
        losers.add(holder);
      }
    }
    return losers;
  }

  remove(announcement: Announcement<Owner>): void {
    this.#announcements.delete(announcement.topic);
    this.#release(announcement, announcement.things);
  }

  #release(announcement: Announcement<Owner>, things: readonly Thing[]): void {
    for (const thing of things) {
      for (const key of keysOf(thing)) if (this.#holders.get(key) === announcement) this.#holders.delete(key);
    }
  }
}

/** The place that its topic names, and its unique id; both are the component's. */
function keysOf({ component, nodeId = "", objectId, uniqueId }: EntityId): string[] {
  const place = `${component}/${nodeId}/${objectId}`;
  return uniqueId === undefined ? [place] : [place, `${component}:${uniqueId}`];
}
