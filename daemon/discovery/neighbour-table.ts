import { isIPv4 } from "node:net";
import type { Sighting } from "../../adapters/adapter.ts";
import type { Clock } from "../../tree/ports.ts";
import { onLan } from "../lan.ts";
import type { LanInterface } from "../lan.ts";
import type { NeighbourRow } from "./neighbour-rows.ts";
import { probePlan } from "./probe-plan.ts";
import type { ProbePlan, ProbeTimes } from "./probe-plan.ts";

/** Rows that are kept at most, one for each hardware address on a link. What is there already is never pushed out. */
export const neighbourLimits = { neighbours: 1024, addresses: 16, shown: 8 } as const;

/** How long an answer proves that a neighbour is there. */
const presenceMs = 30 * 60_000;
/** The kernel counts in whole seconds: less than this is no news. */
const roundingMs = 1500;
/** Old addresses of a neighbour that has a new one: asked about at once, so many at a time. */
const mostDoubts = 64;
const noText: ReadonlyMap<string, string> = new Map();
/** Rows of these states name a hardware address that was learned from the neighbour itself. */
const learned: ReadonlySet<string> = new Set(["REACHABLE", "STALE", "DELAY", "PROBE", "COMPLETE"]);

export interface NeighbourEvents {
  /** It is there, or was confirmed anew, or has other addresses. */
  seen(sighting: Sighting): void;
  /** It does not answer any more, or another one has its address. */
  left(key: string, onInterface: string): void;
}

export interface Probe {
  readonly address: string;
  readonly interface: string;
}

/** Who is on the links, as the kernel's rows prove it over time. */
export interface NeighbourTable {
  /** The links towards the home, now. */
  links(interfaces: readonly LanInterface[]): void;
  /** Every row there is. */
  takeAll(rows: readonly NeighbourRow[]): void;
  /** One row that has just changed. */
  take(row: NeighbourRow): void;
  /** Whom to ask now, at most so many; they count as asked. */
  due(most: number): readonly Probe[];
  /** Judges the questions that were not answered, after a whole table. `refused`: it never left this machine. */
  settle(refused: (address: string, onInterface: string) => boolean): void;
  /** When `due` or `settle` has something to do, ms on the monotonic clock; Infinity: never. */
  nextAt(): number;
  /** Of one sighting; undefined when it is not asked. */
  nextProbe(key: string): number | undefined;
  /** Is this an address of a neighbour who could be asked, and who has not just answered? */
  askable(address: string, onInterface: string): boolean;
  /** The sighting has ended. */
  forget(key: string): void;
  /** Neighbours of the last whole table that had no room. */
  refused(): number;
}

interface Neighbour {
  readonly key: string;
  readonly mac: string;
  readonly interface: string;
  /** By address, the latest last: when it was confirmed. */
  readonly addresses: Map<string, number>;
  readonly plan: ProbePlan;
  /** When any address was confirmed last. */
  confirmed: number;
  told: boolean;
}

export function neighbourTable(clock: Clock, events: NeighbourEvents, times?: ProbeTimes): NeighbourTable {
  const neighbours = new Map<string, Neighbour>();
  /** Who has an address: keys by place. */
  const owners = new Map<string, string>();
  let links = new Map<string, LanInterface[]>();
  let own: ReadonlySet<string> = new Set();
  const doubts: Probe[] = [];
  let refused = 0;
  /** Where the kernel has not given up, by the last whole table. */
  let standing: ReadonlySet<string> = new Set();
  const changed = new Set<Neighbour>();

  const hasPlace = (address: string, onInterface: string): boolean => {
    const link = links.get(onInterface);
    return link !== undefined && onLan(address, link) && !own.has(address);
  };

  const tellChanges = () => {
    const now = clock.monotonic();
    for (const neighbour of changed) {
      if (neighbour.confirmed <= now - presenceMs || neighbour.addresses.size === 0) continue;
      neighbour.told = true;
      events.seen(sightingOf(neighbour));
    }
    changed.clear();
  };

  const drop = (neighbour: Neighbour, address: string) => {
    neighbour.addresses.delete(address);
    owners.delete(placeOf(address, neighbour.interface));
    changed.add(neighbour);
    if (neighbour.addresses.size > 0) return;
    neighbour.plan.giveUp();
    if (neighbour.told) events.left(neighbour.key, neighbour.interface);
  };

  const remove = (neighbour: Neighbour) => {
    for (const address of neighbour.addresses.keys()) owners.delete(placeOf(address, neighbour.interface));
    neighbours.delete(neighbour.key);
  };

  const add = (mac: string, onInterface: string): Neighbour | undefined => {
    if (neighbours.size >= neighbourLimits.neighbours) {
      refused++;
      return undefined;
    }
    const key = `${mac}%${onInterface}`;
    const fresh = { key, mac, interface: onInterface, addresses: new Map(), confirmed: -Infinity, told: false };
    const neighbour: Neighbour = { ...fresh, plan: probePlan(clock, times) };
    neighbours.set(key, neighbour);
    return neighbour;
  };

  const give = (neighbour: Neighbour, address: string, confirmed: number) => {
    const place = placeOf(address, neighbour.interface);
    const before = neighbours.get(owners.get(place) ?? "");
    if (before !== undefined) drop(before, address);
    const mostOf = neighbour.addresses;
    if (mostOf.size >= neighbourLimits.addresses) drop(neighbour, oldest(mostOf));
    // Whoever has got a new IPv4 address may have lost the one it had.
    if (isIPv4(address) && neighbour.told)
      for (const other of mostOf.keys())
        if (isIPv4(other) && doubts.length < mostDoubts)
          doubts.push({ address: other, interface: neighbour.interface });
    mostOf.set(address, confirmed);
    owners.set(place, neighbour.key);
    changed.add(neighbour);
  };

  const onOther = ({ mac, interface: own }: Neighbour, link: string): Neighbour | undefined => {
    const other = link === own ? undefined : neighbours.get(`${mac}%${link}`);
    return other?.told === true ? other : undefined;
  };

  const confirm = (neighbour: Neighbour, address: string, at: number) => {
    if (at > (neighbour.addresses.get(address) ?? -Infinity) + roundingMs) neighbour.addresses.set(address, at);
    if (at <= neighbour.confirmed + roundingMs) return;
    // It may have moved here from another link, where it would be looked for only much later.
    if (!neighbour.told) for (const name of links.keys()) onOther(neighbour, name)?.plan.hurry();
    neighbour.confirmed = at;
    neighbour.plan.confirmed(at);
    changed.add(neighbour);
  };

  /** Somebody looked for this address in vain. */
  const failed = (row: NeighbourRow) => {
    const neighbour = neighbours.get(owners.get(placeOf(row.address, row.interface)) ?? "");
    const at = neighbour?.addresses.get(row.address);
    if (neighbour === undefined || at === undefined) return;
    if ([...neighbour.addresses.values()].some((other) => other > at)) drop(neighbour, row.address);
    else neighbour.plan.hurry();
  };

  const confirmedAt = (row: NeighbourRow, neighbour: Neighbour | undefined): number => {
    const now = clock.monotonic();
    if (row.confirmedAgo !== undefined) return now - row.confirmedAgo * 1000;
    if (row.state === "REACHABLE") return now;
    // A row that says nothing of times, but still stands after our question had its time, was confirmed by it.
    return row.state === "COMPLETE" ? (neighbour?.plan.answeredBy(row.address) ?? -Infinity) : -Infinity;
  };

  /** The neighbour whom a row speaks of, and who was there at that time; undefined: none that counts. */
  const enter = (row: NeighbourRow, there?: number): Neighbour | undefined => {
    if (!hasPlace(row.address, row.interface)) return undefined;
    if (row.state === "FAILED") return void failed(row);
    const { mac } = row;
    if (mac === undefined || !learned.has(row.state) || isNobody(mac) || own.has(mac)) return undefined;
    const neighbour = neighbours.get(`${mac}%${row.interface}`) ?? add(mac, row.interface);
    if (neighbour === undefined) return undefined;
    const at = there ?? confirmedAt(row, neighbour);
    if (!neighbour.addresses.has(row.address)) give(neighbour, row.address, at);
    confirm(neighbour, row.address, at);
    return neighbour;
  };

  const forgetOldAddresses = (neighbour: Neighbour) => {
    const before = clock.monotonic() - presenceMs;
    for (const [address, at] of [...neighbour.addresses])
      if (at < before && neighbour.addresses.size > 1) drop(neighbour, address);
  };

  return {
    links(interfaces) {
      links = new Map();
      for (const lan of interfaces) links.set(lan.name, [...(links.get(lan.name) ?? []), lan]);
      own = new Set(interfaces.flatMap(({ mac, address, ipv6 }) => [mac, address, ...ipv6.map((one) => one.address)]));
    },
    takeAll(rows) {
      refused = 0;
      const there = new Set<Neighbour | undefined>();
      standing = new Set(rows.filter(isStanding).map((row) => placeOf(row.address, row.interface)));
      // The latest last, as they would have come.
      const inTime = [...rows].sort((a, b) => (b.confirmedAgo ?? 0) - (a.confirmedAgo ?? 0));
      for (const row of inTime) there.add(enter(row));
      for (const neighbour of [...neighbours.values()]) {
        if (neighbour.told) forgetOldAddresses(neighbour);
        else if (!there.has(neighbour)) remove(neighbour);
      }
      tellChanges();
    },
    take(row) {
      const owner = neighbours.get(owners.get(placeOf(row.address, row.interface)) ?? "");
      // A row grows stale by itself. One that is so at once, or after nobody had answered, was written because the neighbour spoke.
      const spoke = row.state === "STALE" && (owner?.mac !== row.mac || !owner?.told || owner.plan.doubted());
      if (spoke || row.state === "REACHABLE") enter(row, clock.monotonic());
      else if (row.state === "FAILED") enter(row);
      tellChanges();
    },
    due(most) {
      const asked = doubts.splice(0, most);
      const now = clock.monotonic();
      for (const neighbour of neighbours.values()) {
        if (asked.length >= most) break;
        if (neighbour.plan.nextAt() > now) continue;
        const address = neighbour.plan.ask(byTrust(neighbour.addresses), (one) => hasPlace(one, neighbour.interface));
        if (address !== undefined) asked.push({ address, interface: neighbour.interface });
      }
      return asked;
    },
    settle(isRefused) {
      for (const { key, interface: onInterface, plan, told } of neighbours.values()) {
        const address = plan.asked() ?? "";
        // Where the row still stands the kernel has not asked: it trusts what it knows.
        const put = !isRefused(address, onInterface) && !standing.has(placeOf(address, onInterface));
        if (plan.settle(put) && told) events.left(key, onInterface);
      }
    },
    nextAt() {
      let next = doubts.length > 0 ? clock.monotonic() : Infinity;
      for (const { plan } of neighbours.values()) next = Math.min(next, plan.nextAt(), plan.settlesAt());
      return next;
    },
    nextProbe(key) {
      const at = neighbours.get(key)?.plan.nextAt() ?? Infinity;
      return at === Infinity ? undefined : at;
    },
    askable(address, onInterface) {
      if (!hasPlace(address, onInterface)) return false;
      const known = neighbours.get(owners.get(placeOf(address, onInterface)) ?? "")?.addresses.get(address);
      return known === undefined || known < clock.monotonic() - 30_000;
    },
    forget(key) {
      const neighbour = neighbours.get(key);
      if (neighbour !== undefined) neighbour.told = false;
    },
    refused: () => refused,
  };
}

function sightingOf({ key, mac, interface: onInterface, addresses, confirmed }: Neighbour): Sighting {
  const newestFirst = [...addresses.keys()].reverse();
  const inOrder = [...newestFirst].sort((a, b) => rank(a) - rank(b)).slice(0, neighbourLimits.shown);
  return {
    source: "neighbours",
    key,
    name: "",
    addresses: inOrder,
    service: "",
    text: noText,
    interface: onInterface,
    expires: confirmed + presenceMs,
    mac,
  };
}

function rank(address: string): number {
  if (isIPv4(address)) return 0;
  return address.startsWith("fe80:") ? 2 : 1;
}

function byTrust(addresses: ReadonlyMap<string, number>): string[] {
  return [...addresses].sort(([a, at], [b, bt]) => bt - at || rank(a) - rank(b)).map(([address]) => address);
}

function oldest(addresses: ReadonlyMap<string, number>): string {
  return byTrust(addresses).at(-1) ?? "";
}

function isStanding({ state }: NeighbourRow): boolean {
  return state !== "COMPLETE" && learned.has(state);
}

function placeOf(address: string, onInterface: string): string {
  return `${address}%${onInterface}`;
}

/** All zero, or a group: its first octet is odd. */
function isNobody(mac: string): boolean {
  return mac === "00:00:00:00:00:00" || (parseInt(mac.slice(0, 2), 16) & 1) === 1;
}
