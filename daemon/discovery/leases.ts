import { isIPv4 } from "node:net";
import type { Sighting } from "../../adapters/adapter.ts";
import { reasonOf } from "../../tree/errors.ts";
import { onLan } from "../lan.ts";
import type { LanInterface } from "../lan.ts";
import { PartState } from "../parts.ts";
import { macInDuid } from "./dhcp-ids.ts";
import type { CpeIdentity } from "./dhcp-ids.ts";
import { leaseLimits } from "./lease-book.ts";
import type { Lease, LeaseBook } from "./lease-book.ts";
import { leasePlace, usualPlaces } from "./lease-files.ts";
import type { LanSource, SourceIo } from "./source.ts";

const lookMs = 10_000;
/** dnsmasq empties its file before it writes it anew: what is missing has to be missing again. */
const surelyGoneMs = 2000;
/** A lease that is still in its file is told anew, whatever happens there. */
const renewMs = 3_600_000;
/** What a lease is good for at most, once it was read. */
const longestMs = 24 * 3_600_000;
const mostAddresses = 8;

/** All that the leases say of one client. */
interface Client {
  readonly key: string;
  readonly leases: Lease[];
  device?: CpeIdentity;
}

/**
 * DHCP leases of dnsmasq, odhcpd and Kea. A lease says who once asked for an address on this network, by hardware address or DUID, under which name; it does
 * not say that it is there now. Nothing that a file holds keeps the gateway from starting.
 * @param files default: the usual places, those that exist.
 */
export function startLeases(io: SourceIo, files: readonly string[] = usualPlaces): LanSource {
  const { clock, log } = io;
  const state = new PartState(clock, "starting");
  /** What was told last, by key. */
  const told = new Map<string, Sighting>();
  const missingSince = new Map<string, number>();
  const books = new Map<string, LeaseBook>();
  let links: readonly LanInterface[] = [];
  let renewAt = -Infinity;
  let busy = Promise.resolve();
  let stopped = false;
  let cancel = () => {};

  const tellState = (errors: readonly string[]) => {
    const error = errors.length === 0 ? undefined : errors.join("; ");
    if (error !== undefined && state.report.error !== error) log.warn(`leases: ${error}`);
    if (books.size === 0 && error === undefined)
      return state.set("waiting", {
        detail: `no file of leases at ${files.join(", ")}: discovery.neighbours.leases names it`,
      });
    const all = [...books.values()];
    const sum = (count: (book: LeaseBook) => number) => all.reduce((total, book) => total + count(book), 0);
    const [skipped, refused] = [sum((book) => book.skipped), sum((book) => book.refused)];
    const detail = [
      `${sum((book) => book.leases.size)} leases in ${[...books.keys()].join(", ")}`,
      ...(skipped > 0 ? [`${skipped} lines are no leases`] : []),
      ...(refused > 0 ? [`${refused} not kept: more than ${leaseLimits.leases}`] : []),
    ].join("; ");
    state.set(books.size === 0 ? "error" : "listening", { error, ...(books.size > 0 && { detail }) });
  };

  const tell = (now: ReadonlyMap<string, Sighting>, renew: boolean) => {
    const at = clock.monotonic();
    for (const [key, sighting] of now) {
      missingSince.delete(key);
      const before = told.get(key);
      if (before !== undefined && !renew && isSame(before, sighting, at)) continue;
      told.set(key, sighting);
      io.seen(sighting, key);
    }
    for (const [key, { interface: onInterface }] of told) {
      if (now.has(key)) continue;
      const since = missingSince.get(key) ?? at;
      missingSince.set(key, since);
      if (at - since < surelyGoneMs) continue;
      missingSince.delete(key);
      told.delete(key);
      io.left(key, onInterface);
    }
  };

  const lookNow = async () => {
    if (stopped) return;
    cancel();
    const errors: string[] = [];
    for (const place of places) {
      place.watch();
      try {
        const book = await place.read();
        // What a file said while it was there holds until its leases end.
        if (book !== undefined) books.set(place.path, book);
      } catch (reason) {
        errors.push(reasonOf(reason));
      }
    }
    if (stopped) return;
    const renew = clock.monotonic() >= renewAt;
    if (renew) renewAt = clock.monotonic() + renewMs;
    const now = clock.now();
    tell(sightings(books.values(), links, { now, monotonic: clock.monotonic() }), renew);
    tellState(errors);
    cancel();
    cancel = clock.after(missingSince.size > 0 ? surelyGoneMs : lookMs, () => void look());
  };
  const look = (): Promise<void> => (busy = busy.then(lookNow));

  const places = files.map((path) => leasePlace(path, clock, () => void look()));

  return {
    update(interfaces) {
      links = interfaces;
      return look();
    },
    report: () => state.report,
    forget(key) {
      told.delete(key);
      missingSince.delete(key);
    },
    async stop() {
      stopped = true;
      for (const place of places) place.close();
      await busy;
      cancel();
    },
  };
}

function sightings(
  books: Iterable<LeaseBook>,
  links: readonly LanInterface[],
  at: { readonly now: number; readonly monotonic: number },
): Map<string, Sighting> {
  const found = new Map<string, Sighting>();
  for (const { key, leases, device } of clients(books, at.now)) {
    const onInterface = links.find((lan) => leases.some(({ address }) => onLan(address, [lan])))?.name;
    if (onInterface === undefined) continue;
    const first = <T>(of: (lease: Lease) => T | undefined): T | undefined =>
      leases.map(of).find((one) => one !== undefined);
    const [mac, host] = [first((lease) => lease.mac), first((lease) => lease.host)];
    const dhcpId =
      first((lease) => (isIPv4(lease.address) ? undefined : lease.dhcpId)) ?? first((lease) => lease.dhcpId);
    const duidMac = dhcpId === undefined ? undefined : macInDuid(dhcpId);
    const ends = Math.max(...leases.map((lease) => lease.ends));
    found.set(key, {
      source: "leases",
      key,
      name: host ?? "",
      addresses: addressesOf(leases),
      service: "",
      text: new Map([
        ["lease", "1"],
        ...(duidMac === undefined ? [] : [["duidMac", duidMac] as const]),
        ...textOf(device),
      ]),
      interface: onInterface,
      expires: at.monotonic + Math.min(ends - at.now, longestMs),
      ...(mac !== undefined && { mac }),
      ...(host !== undefined && { host }),
      ...(dhcpId !== undefined && { dhcpId }),
    });
  }
  return found;
}

function clients(books: Iterable<LeaseBook>, now: number): Iterable<Client> {
  const all = new Map<string, Client>();
  const devices = new Map<string, CpeIdentity>();
  for (const book of books) {
    for (const [mac, device] of book.devices) devices.set(mac, device);
    for (const lease of book.leases.values()) {
      if (lease.ends <= now) continue;
      const key = lease.mac ?? `duid:${lease.dhcpId ?? ""}`;
      const client = all.get(key) ?? { key, leases: [] };
      if (!all.has(key) && all.size >= leaseLimits.leases) continue;
      all.set(key, client);
      client.leases.push(lease);
      if (lease.device !== undefined) client.device = lease.device;
    }
  }
  for (const [mac, device] of devices) {
    const client = all.get(mac);
    if (client !== undefined) client.device ??= device;
  }
  return all.values();
}

/** IPv4 first, then as they stand in the file. */
function addressesOf(leases: readonly Lease[]): string[] {
  const all = new Set(leases.map(({ address }) => address));
  return [...all].sort((a, b) => Number(isIPv4(b)) - Number(isIPv4(a))).slice(0, mostAddresses);
}

function textOf(device: CpeIdentity | undefined): [string, string][] {
  return device === undefined ? [] : (Object.entries(device) as [string, string][]);
}

/** Need it not be told: does it say what was told, for as long as until the next round at least? */
function isSame(before: Sighting, now: Sighting, monotonic: number): boolean {
  const shape = ({ addresses, host, dhcpId, interface: on, text }: Sighting) =>
    JSON.stringify([addresses, host, dhcpId, on, [...text]]);
  const endsSooner = now.expires < before.expires - 60_000;
  const endsSoon = before.expires < monotonic + renewMs + 60_000 && now.expires > before.expires + 60_000;
  return !endsSooner && !endsSoon && shape(before) === shape(now);
}
