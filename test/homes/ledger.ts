import type { Physical } from "./physical.ts";
import type { Trace } from "./traces.ts";

interface Entry {
  readonly owners: Set<Physical>;
  readonly tokens: Set<string>;
  /** What it was made from. */
  readonly follows: string | undefined;
  /** Traces of the same owner that were at the same address at the same time. */
  readonly together: Set<string>;
}

/**
 * What the gateway was told, and who said it in truth. It says which traces of a device belong together by anything that the gateway could
 * have known: what is connected so must be listed once; what is not cannot be decided by anybody.
 */
export class Ledger {
  readonly #entries = new Map<string, Entry>();
  readonly #tokenOwners = new Map<string, Set<Physical>>();
  /** The evenings on which the network knew a hardware address of it. */
  readonly #evenings = new Map<Physical, Set<number>>();
  #evening = 0;

  said(trace: Trace): void {
    const { identity, owner, tokens, follows } = trace;
    const entry = this.#entries.get(identity) ?? { owners: new Set(), tokens: new Set(), follows, together: new Set() };
    this.#entries.set(identity, entry);
    entry.owners.add(owner);
    for (const token of [...tokens, identity]) {
      entry.tokens.add(token);
      const owners = this.#tokenOwners.get(token) ?? new Set();
      this.#tokenOwners.set(token, owners.add(owner));
    }
  }

  /** These are there at the same time, and what they say is right. */
  settled(live: readonly Trace[]): void {
    const at = new Map<string, string>();
    this.#evening++;
    for (const trace of live) {
      if ("sighting" in trace && trace.sighting.mac !== undefined && trace.owner.away === 0)
        this.#evenings.set(trace.owner, (this.#evenings.get(trace.owner) ?? new Set()).add(this.#evening));
      if (isAmbiguous(trace, live)) continue;
      const { identity, owner, addresses } = trace;
      for (const address of addresses) {
        const place = `${owner.name} ${address}`;
        const other = at.get(place);
        if (other !== undefined) this.#entries.get(identity)?.together.add(other);
        at.set(place, identity);
      }
    }
  }

  /** Whose trace it is; undefined: nobody's, or more than one called itself so. */
  ownerOf(identity: string): Physical | undefined {
    const entry = this.#entries.get(identity);
    if (entry?.follows !== undefined && this.ownerOf(entry.follows) === undefined) return undefined;
    return entry?.owners.size === 1 ? [...entry.owners][0] : undefined;
  }

  /** Were some of these there at the same time, each with a hardware address of its own? */
  wereAtOnce(devices: readonly Physical[]): boolean {
    const evenings = devices.flatMap((device) => [...(this.#evenings.get(device) ?? [])]);
    return new Set(evenings).size < evenings.length;
  }

  /** Every trace that has one owner, with the name of the part of its owner that it is connected with. */
  parts(): ReadonlyMap<string, string> {
    const parent = new Map<string, string>();
    const top = (name: string): string => {
      let at = name;
      for (let next = parent.get(at); next !== undefined; next = parent.get(at)) at = next;
      if (at !== name) parent.set(name, at);
      return at;
    };
    const connect = (one: string, other: string) => {
      const [a, b] = [top(one), top(other)];
      if (a !== b) parent.set(a, b);
    };
    const own = [...this.#entries].filter(([identity]) => this.ownerOf(identity) !== undefined);
    for (const [identity, { tokens, together }] of own) {
      // What several devices say of themselves connects nothing.
      for (const token of tokens) if (this.#tokenOwners.get(token)?.size === 1) connect(`token ${token}`, identity);
      for (const other of together) if (this.ownerOf(other) !== undefined) connect(other, identity);
    }
    return new Map(own.map(([identity]) => [identity, top(identity)]));
  }
}

/** A row of a repeater for several addresses, of which nothing says which one is its own: no lease of it, and not one for each of the others. */
function isAmbiguous(trace: Trace, live: readonly Trace[]): boolean {
  if (!("sighting" in trace) || trace.sighting.source !== "neighbours" || trace.owner.hides.length === 0) return false;
  const places = trace.addresses.filter((address) => !address.includes(":"));
  const leases = live.filter((one) => "sighting" in one && one.sighting.source === "leases");
  if (places.length < 2 || leases.some(({ owner }) => owner === trace.owner)) return false;
  return places.filter((place) => leases.some(({ addresses }) => addresses.includes(place))).length < places.length - 1;
}
