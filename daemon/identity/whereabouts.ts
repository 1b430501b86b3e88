import type { LiveTrace } from "../devices/device.ts";
import { AddressBook } from "./address-book.ts";
import { isJunk, macsInside } from "./clues.ts";
import type { Clue } from "./clues.ts";
import { LivePlaces } from "./live-places.ts";
import { isAnnounced, isNameless } from "./traces.ts";
import type { Trace } from "./traces.ts";

/** Who is where now: what the network says of addresses, and what is heard at them. */
export class Whereabouts {
  readonly book = new AddressBook();
  readonly live = new LivePlaces();

  /** The hardware addresses at which the network has this trace. */
  macsOf(trace: Trace): readonly string[] {
    const { clues, places } = trace;
    const own = clues.filter(({ kind, said }) => kind === "mac" && said === "network").map(({ value }) => value);
    if (own.length > 0) return own;
    // An IPv6 address that was built from another hardware address than any that the network has here: whoever has it is behind these.
    const built = macsInside(trace.addresses);
    const isOther = built.size > 0 && !places.some((place) => built.has(this.book.macAt(place) ?? ""));
    const found = new Map<string, boolean>();
    for (const place of places) {
      const mac = this.book.macAt(place);
      if (mac === undefined) continue;
      const isBehind = this.book.isRow(place) && !built.has(mac) && (isOther || this.#isBehind(mac, place, trace));
      found.set(mac, (found.get(mac) ?? false) || isBehind);
    }
    return [...found].filter(([, isBehind]) => !isBehind).map(([mac]) => mac);
  }

  /**
   * Is it behind this hardware address, and not at it? The address is also somewhere else, where its host has a lease or says its name, and here
   * something of another name speaks: a repeater or a bridge does that.
   */
  #isBehind(mac: string, place: string, trace: Trace): boolean {
    const homes = this.book.homesOf(mac, place);
    // All its other places are others' by their leases: then this one is its own.
    if (homes.length === 0) return this.book.isRepeater(mac) && !this.book.carriesOthers(mac);
    const isAtBoth = (one: Trace) => isAnnounced(one) && homes.some((home) => one.places.includes(home));
    if (isAtBoth(trace) || this.live.at(place).some((live) => isAtBoth(live.trace))) return false;
    const at = (here: string) => this.live.at(here).flatMap(({ trace }) => hostsOf(trace.clues));
    const [mine, its] = [new Set([...hostsOf(trace.clues), ...at(place)]), homes.flatMap(at)];
    return !its.some((host) => mine.has(host));
  }

  /** Other traces at the places of this one that can say whose place it is. */
  beside(trace: Trace): readonly LiveTrace[] {
    const isRow = trace.source === "neighbours";
    if (!isAnnounced(trace) && !isNameless(trace) && !isRow) return [];
    // Several addresses of one hardware address may be several things behind it.
    if (isRow && trace.places.filter((place) => !place.includes(":")).length > 1) return [];
    const others = trace.places.flatMap((place) => this.live.at(place));
    return others.filter(
      (other) => other.trace.identity !== trace.identity && (isAnnounced(other.trace) || isNameless(other.trace)),
    );
  }
}

function hostsOf(clues: readonly Clue[]): readonly string[] {
  return clues.filter((clue) => clue.kind === "host-name" && !isJunk(clue)).map(({ value }) => value);
}
