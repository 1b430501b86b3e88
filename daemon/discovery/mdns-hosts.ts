import type { StringAnswer } from "dns-packet";
import { addressText } from "./text.ts";

/** RFC 6762 10.2: addresses that came within this time belong to one announcement. */
const flushGraceMs = 1000;
/** On the link, and elsewhere. */
const addressesOfHost = 8;

/** The addresses of the hosts that services name, as A and AAAA records tell them. */
export interface MdnsHosts {
  /** Its addresses are kept from now on. */
  add(host: string): void;
  drop(host: string): void;
  /** @returns the host whose addresses it may have changed, when it is one of those kept. */
  take(record: StringAnswer, now: number): string | undefined;
  /** Is not one address known of it? */
  lacks(host: string): boolean;
  /**
   * Where it is on this link. Empty when its records say that it is elsewhere: whoever spoke for it then is no address of its own.
   * `speakers` have said what is known of it; the first of them stands first, where it is one of its addresses.
   */
  addresses(host: string, speakers: readonly string[]): readonly string[];
  /** Its addresses, when addresses() has none. */
  elsewhere(host: string, speakers: readonly string[]): readonly string[];
}

export function mdnsHosts(onLink: (address: string) => boolean): MdnsHosts {
  /** Host -> address -> when it was heard. */
  const hosts = new Map<string, Map<string, number>>();

  const addressesOf = (host: string, speakers: readonly string[]) => {
    const all = [...(hosts.get(host)?.keys() ?? [])];
    const here = all.filter(onLink);
    // A link-local address looks the same on every link: repeated from another one it proves nothing, unless it is the one that speaks.
    const proven = here.some((address) => !isLinkLocal(address) || speakers.includes(address));
    return proven || here.length === all.length ? here : [];
  };

  return {
    add(host) {
      if (!hosts.has(host)) hosts.set(host, new Map());
    },
    drop: (host) => void hosts.delete(host),
    take(record, now) {
      const host = record.name.toLowerCase();
      const known = hosts.get(host);
      if (known === undefined) return undefined;
      const data = addressText(record.data);
      const colon = record.type === "AAAA";
      if (record.flush === true)
        for (const [address, heardAt] of known)
          if (address.includes(":") === colon && now - heardAt > flushGraceMs) known.delete(address);
      if (record.ttl === 0) known.delete(data);
      else if (known.has(data) || roomFor(data, known)) known.set(data, now);
      return host;
    },
    lacks: (host) => hosts.get(host)?.size === 0,
    addresses(host, speakers) {
      const [first] = speakers;
      const rank = (address: string) => (address === first ? 0 : address.includes(":") ? 2 + +isLinkLocal(address) : 1);
      return addressesOf(host, speakers).sort((a, b) => rank(a) - rank(b));
    },
    elsewhere(host, speakers) {
      return addressesOf(host, speakers).length > 0 ? [] : [...(hosts.get(host)?.keys() ?? [])];
    },
  };

  function roomFor(address: string, known: ReadonlyMap<string, number>): boolean {
    const here = onLink(address);
    return [...known.keys()].filter((other) => onLink(other) === here).length < addressesOfHost;
  }
}

function isLinkLocal(address: string): boolean {
  return address.startsWith("fe80:");
}
