import type { Sighting } from "../../adapters/adapter.ts";
import type { Clock } from "../../tree/ports.ts";
import { sourceNames } from "./source.ts";
import type { SourceName } from "./source.ts";

/** Live sightings at most: a flood is refused and evicts nobody. One network that is flooded leaves room for the others. */
export const sightingLimits = { perSource: 1024, perInterface: 768, perSender: 64 } as const;

/** RFC 6762 10.1: a goodbye counts after a second, so that a restart or a rescue is no coming and going. */
const goodbyeMs = 1000;
/** A thing that cannot make up its mind is told on no more often than this. */
const changeGapMs = 500;
const heardGapMs = 1000;
/**
 * A thing with two legs is heard on two links in turn; it stays with the first while that one speaks (it answers our questions on
 * both at the same time), and moves when it has been silent there for longer than the usual life of a host's records (120 s).
 */
const linkHoldMs = 150_000;
/** A sweep looks at every entry: expiries that lie close together share one. */
const sweepGapMs = 50;

export interface SightingEvents {
  /** A new one, or one that says something else of itself than before. */
  seen(sighting: Sighting): void;
  /** It was heard again and nothing has changed: last seen is now. At most once a second for each. */
  heard(source: SourceName, key: string): void;
  /** unanswered: it was asked whether it is there, and said nothing. */
  gone(source: SourceName, key: string, why: "goodbye" | "unanswered" | "expired"): void;
}

/** What is on the LAN now, as far as it says so: repeats are absorbed, ends are noticed, the number is bounded. */
export interface SightingTable {
  /** Is there room for this key of this sender, and on this interface? It is counted when there is not. True for a key that is there already. */
  admits(source: SourceName, key: string, sender: string, onInterface?: string): boolean;
  seen(source: SourceName, sighting: Sighting, sender: string): void;
  left(source: SourceName, key: string, onInterface: string, why?: "goodbye" | "unanswered"): void;
  live(): Iterable<Sighting>;
  count(source: SourceName): number;
  /** How many new ones were refused since the start. */
  refused(source: SourceName): number;
  /** No event after it, no timer left. */
  stop(): void;
}

interface Entry {
  sighting: Sighting;
  /** As it was told last. */
  told: Sighting;
  toldAt: number;
  heardAt: number;
  heardToldAt: number;
  /** Why, when it is about to be gone. */
  leaving: "goodbye" | "unanswered" | undefined;
  expires: number;
  /** Who made it count, and where. */
  readonly sender: string;
  readonly countedOn: string;
}

interface Shelf {
  readonly entries: Map<string, Entry>;
  readonly bySender: Map<string, number>;
  readonly byInterface: Map<string, number>;
  refused: number;
}

export function sightingTable(clock: Clock, events: SightingEvents): SightingTable {
  const shelves: Record<SourceName, Shelf> = {
    mdns: emptyShelf(),
    ssdp: emptyShelf(),
    neighbours: emptyShelf(),
    leases: emptyShelf(),
  };
  let stopped = false;
  let armedFor = Infinity;
  let cancel = () => {};

  const arm = (at: number) => {
    if (stopped || at >= armedFor) return;
    cancel();
    const now = clock.monotonic();
    armedFor = Math.max(at, now + sweepGapMs);
    cancel = clock.after(armedFor - now, sweep);
  };

  const tell = (entry: Entry, now: number) => {
    entry.told = entry.sighting;
    entry.toldAt = entry.heardToldAt = now;
    events.seen(entry.sighting);
  };

  /** When this entry wants the timer next. */
  const dueAt = (entry: Entry): number =>
    sameSighting(entry.told, entry.sighting) ? entry.expires : Math.min(entry.expires, entry.toldAt + changeGapMs);

  const sweep = () => {
    armedFor = Infinity;
    const now = clock.monotonic();
    let next = Infinity;
    for (const source of sourceNames) {
      for (const [key, entry] of shelves[source].entries) {
        if (entry.expires <= now) {
          remove(shelves[source], key, entry);
          events.gone(source, key, entry.leaving ?? "expired");
          continue;
        }
        if (dueAt(entry) <= now) tell(entry, now);
        next = Math.min(next, dueAt(entry));
      }
    }
    arm(next);
  };

  const again = (source: SourceName, entry: Entry, sighting: Sighting) => {
    const now = clock.monotonic();
    if (entry.sighting.interface !== sighting.interface && !moves(entry.sighting, sighting, now - entry.heardAt))
      return;
    entry.sighting = sighting;
    entry.expires = sighting.expires;
    entry.heardAt = now;
    entry.leaving = undefined;
    const same = sameSighting(entry.told, sighting);
    if (!same && now - entry.toldAt >= changeGapMs) tell(entry, now);
    else if (same && now - entry.heardToldAt >= heardGapMs) {
      entry.heardToldAt = now;
      events.heard(source, sighting.key);
    }
    arm(dueAt(entry));
  };

  const room = (shelf: Shelf, sender: string, onInterface: string | undefined): boolean =>
    shelf.entries.size < sightingLimits.perSource &&
    (shelf.bySender.get(sender) ?? 0) < sightingLimits.perSender &&
    (onInterface === undefined || (shelf.byInterface.get(onInterface) ?? 0) < sightingLimits.perInterface);

  const admits = (source: SourceName, key: string, sender: string, onInterface?: string): boolean => {
    const shelf = shelves[source];
    if (shelf.entries.has(key) || room(shelf, sender, onInterface)) return true;
    shelf.refused++;
    return false;
  };

  return {
    admits,
    seen(source, sighting, sender) {
      if (stopped) return;
      const shelf = shelves[source];
      const entry = shelf.entries.get(sighting.key);
      if (entry !== undefined) return again(source, entry, sighting);
      if (!admits(source, sighting.key, sender, sighting.interface)) return;
      const now = clock.monotonic();
      const fresh: Entry = {
        sighting,
        told: sighting,
        toldAt: now,
        heardAt: now,
        heardToldAt: now,
        leaving: undefined,
        expires: sighting.expires,
        sender,
        countedOn: sighting.interface,
      };
      shelf.entries.set(sighting.key, fresh);
      count(shelf.bySender, sender, 1);
      count(shelf.byInterface, sighting.interface, 1);
      arm(fresh.expires);
      tell(fresh, now);
    },
    left(source, key, onInterface, why = "goodbye") {
      const entry = shelves[source].entries.get(key);
      if (entry === undefined || entry.sighting.interface !== onInterface || entry.leaving !== undefined) return;
      entry.leaving = why;
      entry.expires = Math.min(entry.expires, clock.monotonic() + goodbyeMs);
      arm(entry.expires);
    },
    *live() {
      for (const shelf of Object.values(shelves)) for (const { sighting } of shelf.entries.values()) yield sighting;
    },
    count: (source) => shelves[source].entries.size,
    refused: (source) => shelves[source].refused,
    stop() {
      stopped = true;
      cancel();
    },
  };
}

function emptyShelf(): Shelf {
  return { entries: new Map(), bySender: new Map(), byInterface: new Map(), refused: 0 };
}

function remove(shelf: Shelf, key: string, entry: Entry): void {
  shelf.entries.delete(key);
  count(shelf.bySender, entry.sender, -1);
  count(shelf.byInterface, entry.countedOn, -1);
}

function count(counts: Map<string, number>, name: string, step: 1 | -1): void {
  const now = (counts.get(name) ?? 0) + step;
  if (now <= 0) counts.delete(name);
  else counts.set(name, now);
}

/** Does a thing that was heard on one link, and now on another, count as on the other from now on? */
function moves(before: Sighting, now: Sighting, silentMs: number): boolean {
  // Where it has no address somebody else speaks for it (a reflector): that is never where it is, as long as it is known better.
  const spokenFor = (sighting: Sighting) => sighting.addresses.length === 0;
  return spokenFor(before) === spokenFor(now) ? silentMs >= linkHoldMs : spokenFor(before);
}

/** Do both say the same? Their expiry, and the order of their addresses, say nothing. */
function sameSighting(a: Sighting, b: Sighting): boolean {
  if (a === b) return true;
  return (
    a.name === b.name &&
    a.port === b.port &&
    a.service === b.service &&
    a.interface === b.interface &&
    a.mac === b.mac &&
    a.host === b.host &&
    a.dhcpId === b.dhcpId &&
    a.addresses.length === b.addresses.length &&
    a.addresses.every((address) => b.addresses.includes(address)) &&
    a.text.size === b.text.size &&
    [...a.text].every(([name, value]) => b.text.get(name) === value)
  );
}
