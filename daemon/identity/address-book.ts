import type { Sighting } from "../../adapters/adapter.ts";
import { placeOf } from "./traces.ts";

/** Ms. */
const suspectFor = 10 * 60_000;

interface Entry {
  lease?: string;
  neighbour?: string;
}

/**
 * Which hardware address is behind which network address, as the neighbour table and the DHCP server say. The lease goes first: behind a
 * repeater the neighbour table has the repeater's address for everybody, and a row that is out of date outlives the device.
 */
export class AddressBook {
  readonly #entries = new Map<string, Entry>();
  /** The places that a source's key stands for now. */
  readonly #said = new Map<string, readonly string[]>();
  /** Hardware address -> places where the neighbour table has it. */
  readonly #rows = new Map<string, Set<string>>();
  /** Hardware address -> places that it has a lease for. */
  readonly #leases = new Map<string, Set<string>>();
  readonly #repeaters = new Set<string>();
  /** Hardware address -> since when it carries others. */
  readonly #suspects = new Map<string, number>();
  readonly #interfaces = new Map<string, number>();

  /** Has the neighbour table anything on this interface? If not, waiting for it is no use. */
  knows(onInterface: string): boolean {
    return (this.#interfaces.get(onInterface) ?? 0) > 0;
  }

  /** Is anything known of this place? */
  has(place: string): boolean {
    return this.#entries.has(place);
  }

  /** What the neighbour table has there, whoever's it is. */
  rowAt(place: string): string | undefined {
    return this.#entries.get(place)?.neighbour;
  }

  /** Does only the neighbour table say who is there? */
  isRow(place: string): boolean {
    const entry = this.#entries.get(place);
    return entry?.neighbour !== undefined && entry.lease === undefined;
  }

  /** It was seen to be a repeater's before: where it has no lease, it may be anybody's. */
  knowRepeater(mac: string): void {
    this.#repeaters.add(mac);
  }

  isRepeater(mac: string): boolean {
    return this.#repeaters.has(mac);
  }

  /**
   * Hardware addresses that have carried others for long enough to be called repeaters: a row that is out of date looks the same for a while. At `now`
   * (monotonic ms); @returns those that are new.
   */
  review(now: number): readonly string[] {
    const found: string[] = [];
    for (const mac of this.#rows.keys()) {
      if (this.#repeaters.has(mac)) continue;
      if (!this.carriesOthers(mac)) this.#suspects.delete(mac);
      else if (!this.#suspects.has(mac)) this.#suspects.set(mac, now);
      else if (now - (this.#suspects.get(mac) ?? now) >= suspectFor) {
        this.#suspects.delete(mac);
        this.#repeaters.add(mac);
        found.push(mac);
      }
    }
    return found;
  }

  /** Is this hardware address known at any place now? */
  isSomewhere(mac: string): boolean {
    return this.#rows.has(mac) || this.#leases.has(mac);
  }

  /** Takes a sighting of one of the two sources. @returns the places that have another hardware address now. */
  take(sighting: Sighting): readonly string[] {
    const { source, mac } = sighting;
    if (mac === undefined || (source !== "neighbours" && source !== "leases")) return [];
    const name = `${source} ${sighting.key}`;
    const places = sighting.addresses.map((address) => placeOf(address, sighting.interface));
    if (!this.#said.has(name) && source === "neighbours") this.#count(sighting.interface, 1);
    const before = this.#said.get(name) ?? [];
    const left = before.filter((place) => !places.includes(place));
    this.#drop(source, mac, left);
    this.#said.set(name, places);
    const changed = places.filter((place) => this.#put(source, mac, place));
    // With one place less or more, another of its places may be told from those behind it.
    return changed.length + left.length === 0 ? [] : [...new Set([...changed, ...left, ...places])];
  }

  /** The sighting has ended. @returns the places that it stood for. */
  forget(sighting: Sighting): readonly string[] {
    const { source, mac } = sighting;
    if (mac === undefined || (source !== "neighbours" && source !== "leases")) return [];
    const name = `${source} ${sighting.key}`;
    const places = this.#said.get(name);
    if (places === undefined) return [];
    this.#said.delete(name);
    if (source === "neighbours") this.#count(sighting.interface, -1);
    this.#drop(source, mac, places);
    return places;
  }

  /** The hardware address of whoever is there; undefined when it is not known, or is only that of the repeater in between. */
  macAt(place: string): string | undefined {
    const entry = this.#entries.get(place);
    if (entry?.lease !== undefined) return entry.lease;
    const row = entry?.neighbour;
    if (row === undefined || !this.carriesOthers(row)) return row;
    const homes = this.#homes(row);
    return homes.length === 1 && homes[0] === place ? row : undefined;
  }

  isLease(place: string): boolean {
    return this.#entries.get(place)?.lease !== undefined;
  }

  /** The other places (IPv4) where this hardware address may be at home: that of its own lease, if it has one, else all that nobody else has a lease for. */
  homesOf(mac: string, place: string): readonly string[] {
    const others = this.#homes(mac).filter((other) => other !== place);
    const leased = others.filter((other) => this.#entries.get(other)?.lease === mac);
    return leased.length > 0 ? leased : others;
  }

  #homes(mac: string): readonly string[] {
    const places = new Set([...(this.#rows.get(mac) ?? []), ...(this.#leases.get(mac) ?? [])]);
    return [...places].filter((place) => {
      const lease = this.#entries.get(place)?.lease;
      return !place.includes(":") && (lease === undefined || lease === mac);
    });
  }

  /** Does the neighbour table show this hardware address for somebody who, by a lease, has another one? A repeater or bridge does that. */
  carriesOthers(mac: string): boolean {
    for (const place of this.#rows.get(mac) ?? []) {
      const lease = this.#entries.get(place)?.lease;
      if (lease !== undefined && lease !== mac) return true;
    }
    return false;
  }

  #put(source: "neighbours" | "leases", mac: string, place: string): boolean {
    const entry = this.#entries.get(place) ?? {};
    this.#entries.set(place, entry);
    if (source === "leases") {
      if (entry.lease === mac) return false;
      if (entry.lease !== undefined) this.#endLease(entry.lease, place);
      this.#leases.set(mac, (this.#leases.get(mac) ?? new Set()).add(place));
      entry.lease = mac;
      return true;
    }
    this.#rowsOf(mac).add(place);
    if (entry.neighbour === mac) return false;
    if (entry.neighbour !== undefined) this.#endRow(entry.neighbour, place);
    entry.neighbour = mac;
    return true;
  }

  #drop(source: "neighbours" | "leases", mac: string, places: readonly string[]): void {
    for (const place of places) {
      const entry = this.#entries.get(place);
      if (entry === undefined) continue;
      if (source === "leases" && entry.lease === mac) {
        this.#endLease(mac, place);
        delete entry.lease;
      }
      if (source === "neighbours") {
        this.#endRow(mac, place);
        if (entry.neighbour === mac) delete entry.neighbour;
      }
      if (entry.lease === undefined && entry.neighbour === undefined) this.#entries.delete(place);
    }
  }

  #endRow(mac: string, place: string): void {
    const rows = this.#rows.get(mac);
    rows?.delete(place);
    if (rows?.size === 0) this.#rows.delete(mac);
  }

  #endLease(mac: string, place: string): void {
    const places = this.#leases.get(mac);
    places?.delete(place);
    if (places?.size === 0) this.#leases.delete(mac);
  }

  #rowsOf(mac: string): Set<string> {
    const rows = this.#rows.get(mac) ?? new Set();
    this.#rows.set(mac, rows);
    return rows;
  }

  #count(onInterface: string, by: number): void {
    this.#interfaces.set(onInterface, (this.#interfaces.get(onInterface) ?? 0) + by);
  }
}
