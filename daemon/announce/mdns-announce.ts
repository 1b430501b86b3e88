import { earOpener } from "../discovery/mdns-ears.ts";
import type { Ear, Ears } from "../discovery/mdns-ears.ts";
import type { Link, Source } from "../discovery/source.ts";
import type { LanInterface } from "../lan.ts";
import type { Announcer, AnnouncerIo, GatewayAnnounced } from "./announcer.ts";
import { openResponder } from "./mdns-responder.ts";
import type { Responder } from "./mdns-responder.ts";
import { gatewayZone, recordText } from "./mdns-zone.ts";
import type { Zone } from "./mdns-zone.ts";
import { announcedId, cut } from "./names.ts";
import { gatewayNaming } from "./naming.ts";

/** What was ever announced is remembered, to know it when it comes back: the oldest goes when there is more. */
const saidAtMost = 512;
/** How soon it is noticed that a link was made anew under its name and address (see MulticastSocket.renew): nobody says so. */
const renewMs = 120_000;
/** Of a string in a TXT record (RFC 6763 6.1). */
const textOctets = 255;
/** One responder for each socket; all of them announce the same names. */
interface Site {
  readonly lans: Set<LanInterface>;
  readonly responders: Map<Ear, Responder>;
}

/** Announces the gateway by mDNS on each link, by IPv4 and IPv6: `_dmgw._tcp` with its id (RFC 6762, RFC 6763). */
export function mdnsAnnouncer(gateway: GatewayAnnounced, io: AnnouncerIo): Announcer {
  const { clock, random } = io;
  const openEars = earOpener(io, { anyPort: true });
  /** By the name of the interface: its addresses are announced on all of its links alike. */
  const sites = new Map<string, Site>();
  const links = new Set<Ears>();
  const text = textOf(gateway);
  const said = new Set<string>();
  /** Of the names and addresses: another one whenever they change. */
  let edition = 0;

  const naming = gatewayNaming(gateway, io, (afterMs) => {
    edition++;
    for (const responder of allResponders()) responder.restart(afterMs);
  });

  const zoneOf = ({ lans }: Site): Zone => {
    const zone = gatewayZone(naming.labels, text, addressesOf(lans));
    for (const { answer } of zone.records) say(recordText(answer));
    return zone;
  };

  const say = (record: string) => {
    if (said.has(record)) return;
    const [oldest] = said;
    if (said.size >= saidAtMost && oldest !== undefined) said.delete(oldest);
    said.add(record);
  };

  const allResponders = () => [...sites.values()].flatMap(({ responders }) => [...responders.values()]);

  const siteOf = (name: string): Site => {
    const site = sites.get(name) ?? { lans: new Set(), responders: new Map() };
    sites.set(name, site);
    return site;
  };

  const source: Source = {
    ipv6Alone: true,
    async open(lan, failed) {
      const site = siteOf(lan.name);
      site.lans.add(lan);
      const own = new Set<Ear>();
      const zone = zoneCache(
        () => zoneOf(site),
        () => edition,
      );
      edition++;
      const leave = () => {
        for (const ear of own) {
          site.responders.get(ear)?.close();
          site.responders.delete(ear);
        }
        site.lans.delete(lan);
        edition++;
        if (site.lans.size === 0) sites.delete(lan.name);
        else for (const responder of site.responders.values()) responder.changed();
      };
      for (const responder of site.responders.values()) responder.changed();
      const ears = await openEars(lan, {
        query: (packet, from, ear) => site.responders.get(ear)?.query(packet, from),
        response: (packet, _, ear) => site.responders.get(ear)?.response(packet),
        opened(ear) {
          own.add(ear);
          const options = {
            clock,
            random,
            ear,
            zone,
            said: (record: string) => said.has(record),
            conflict: naming.conflict,
          };
          site.responders.set(ear, openResponder(options));
        },
        failed,
      }).catch((reason: unknown) => {
        leave();
        throw reason;
      });
      links.add(ears);
      const renew = () => {
        cancel = clock.after(renewMs, renew);
        for (const ear of own) ear.renew();
      };
      let cancel = clock.after(renewMs, renew);
      return {
        async close() {
          cancel();
          links.delete(ears);
          leave();
          await ears.close();
        },
      } satisfies Link;
    },
    detail() {
      const lacking = new Set([...links].flatMap((ears) => ears.lacking() ?? []));
      return [`as "${naming.labels.instance}"`, ...lacking].join("; ");
    },
    forget() {},
    async stop() {},
  };

  return {
    source,
    async farewell() {
      await Promise.all(allResponders().map((responder) => responder.goodbye()));
    },
  };
}

/** Made anew only for another edition: every packet that is heard asks for it. */
function zoneCache(make: () => Zone, edition: () => number): () => Zone {
  let madeFor = -1;
  let zone: Zone | undefined;
  return () => {
    if (zone === undefined || madeFor !== edition()) zone = make();
    madeFor = edition();
    return zone;
  };
}

/**
 * Link-local ones of IPv6 only where there are no others: whoever resolves the name gets an address without its zone, which is of use on a link that has
 * nothing else.
 */
function addressesOf(lans: Iterable<LanInterface>): readonly string[] {
  const ipv4 = new Set<string>();
  const ipv6 = new Set<string>();
  for (const lan of lans) {
    if (lan.address !== "") ipv4.add(lan.address);
    for (const { address } of lan.ipv6) ipv6.add(address);
  }
  const wide = [...ipv6].filter((address) => !address.startsWith("fe80:"));
  return [...ipv4, ...(wide.length > 0 ? wide : ipv6)];
}

/** RFC 6763 6. The id first: it is what one looks for. */
function textOf({ id, version, manufacturer, model }: GatewayAnnounced): readonly string[] {
  const pairs = [`id=${announcedId(id)}`, `ver=${version}`, `man=${manufacturer}`, `mod=${model}`];
  return pairs.map((pair) => cut(pair, textOctets));
}
