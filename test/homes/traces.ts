import type { Face, Sighting } from "../../adapters/adapter.ts";
import { Lamp } from "../tree/small-home.ts";
import type { Network, Row } from "./network.ts";
import { isHere } from "./physical.ts";
import type { Physical, SourceName } from "./physical.ts";

/** Something that the gateway can hear now, and who is truly behind it. */
export type Trace = {
  /** As the gateway lists it. */
  readonly identity: string;
  readonly owner: Physical;
  /** What it says that belongs to its owner alone: "mac:…", "uuid:…", "name:…". */
  readonly tokens: readonly string[];
  /** The trace that it was made of. */
  readonly follows?: string;
  /** Of its owner; empty for those who speak through a broker. */
  readonly addresses: readonly string[];
} & ({ readonly sighting: Sighting } | { readonly face: Face; readonly adapter: "mqtt" | "upnp" });

/** One will do: no test here writes to a device. */
const mo = new Lamp();
const day = 86_400_000;

/** Everything that can be heard in a home now. `deaf`: sources that do not work. */
export function tracesOf(
  devices: readonly Physical[],
  network: Network,
  deaf: ReadonlySet<SourceName>,
): readonly Trace[] {
  const heard = (device: Physical, source: SourceName) => !device.unheard.has(source) && !deaf.has(source);
  return [
    ...devices
      .filter((device) => isHere(device) && heard(device, "mdns"))
      .flatMap((device) => announced(device, network)),
    ...devices.filter((device) => isHere(device) && heard(device, "ssdp")).flatMap((device) => upnp(device, network)),
    ...neighbours(network).filter(({ owner }) => heard(owner, "neighbours")),
    ...leased(network).filter(({ owner }) => heard(owner, "leases")),
    ...devices.filter(({ known }) => known).flatMap((device) => atBroker(device, network)),
  ];
}

/** The first word that is heard of it: a packet that has the name, and nothing else yet. */
export function partOf(trace: Trace): Trace {
  if (!("sighting" in trace) || trace.sighting.source !== "mdns") return trace;
  const { source, key, name, addresses, service, interface: onto } = trace.sighting;
  return { ...trace, tokens: [], sighting: sightingOf(source, key, name, addresses.slice(0, 1), service, onto, {}) };
}

function announced(device: Physical, network: Network): readonly Trace[] {
  const { host, suffix, active, defaultName } = device;
  const addresses = active.flatMap((leg) => network.addressesOf(leg)).slice(0, 9);
  const first = active[0];
  if (host === undefined || first === undefined || addresses.length === 0) return [];
  const own = suffix === 1 ? host : `${host}-${suffix}`;
  return device.announcements.map(({ label, service, text, tokens }) => {
    const name = suffix === 1 ? label : `${label} (${suffix})`;
    const key = `${name}.${service}.local`.toLowerCase();
    const sighting = sightingOf("mdns", key, name, addresses, service, first.interface, text);
    const all = defaultName ? tokens : [...tokens, `name:${own}`];
    return {
      identity: `mdns ${key}`,
      owner: device,
      tokens: all,
      addresses,
      sighting: { ...sighting, host: own, port: 80 },
    };
  });
}

function upnp(device: Physical, network: Network): readonly Trace[] {
  const first = device.active.find((leg) => leg.v6Only !== true);
  const address = first === undefined ? undefined : network.addressesOf(first)[0];
  if (first === undefined || address === undefined) return [];
  return device.upnp.flatMap(({ uuid, type, server, serial, face }, n): Trace[] => {
    const key = `uuid:${uuid}`;
    const location = `http://${address}:${49152 + n}/description.xml`;
    const text = { SERVER: server, LOCATION: location, NT: `upnp:rootdevice ${type}` };
    const sighting = {
      ...sightingOf("ssdp", key, "Portable 1.24", [address], type, first.interface, text),
      port: 49152 + n,
    };
    const at = { owner: device, addresses: [address] };
    const tokens = [`uuid:${uuid}`, ...(serial === undefined ? [] : [`serial:${serial}`])];
    const seen: Trace = { ...at, identity: `ssdp ${key}`, tokens: tokens.slice(0, 1), sighting };
    if (!face) return [seen];
    const serialClue = serial === undefined ? [] : [{ kind: "serial", value: serial } as const];
    const view: Face = {
      identity: `upnp:${key}`,
      clues: [{ kind: "uuid", value: uuid }, ...serialClue],
      addresses: [address],
      name: "UPnP",
      facts: { name: device.name, ...(serial === undefined ? {} : { serial }) },
      mo,
      reachable: true,
      access: "approve",
      sightings: [{ source: "ssdp", key }],
    };
    return [
      seen,
      {
        ...at,
        follows: seen.identity,
        identity: view.identity,
        tokens: [...tokens, `ssdp ${key}`],
        face: view,
        adapter: "upnp",
      },
    ];
  });
}

function neighbours(network: Network): readonly Trace[] {
  const rows = [...network.rows.values()];
  const byKey = grouped(rows);
  return [...byKey].map(([key, [first, ...more]]): Trace => {
    if (first === undefined) throw new RangeError("a group of none");
    const addresses = [first, ...more].map(({ address }) => address).slice(0, 8);
    const { owner, mac } = first;
    const sighting = { ...sightingOf("neighbours", key, mac, addresses, "", first.interface, {}), mac };
    return { identity: `neighbours ${key}`, owner, tokens: [`mac:${mac}`], addresses, sighting };
  });
}

function leased(network: Network): readonly Trace[] {
  return [...network.leases.values()].map(({ owner, leg, mac, address, host }): Trace => {
    const v6 = leg.v6Only === true;
    const key = v6 ? `duid:${leg.dhcpId ?? ""}` : mac;
    const said = sightingOf("leases", key, host === "" ? key : host, [address], "", leg.interface, { lease: "1" });
    const ids = leg.dhcpId === undefined ? [] : [`dhcp-id:${leg.dhcpId}`];
    // A name alone brings a made-up MAC home, and no other.
    const names = owner.defaultName || host === "" || !leg.madeUp ? [] : [`lease-name:${host}`];
    const sighting: Sighting = {
      ...said,
      ...(v6 ? {} : { mac }),
      ...(host === "" ? {} : { host }),
      ...(leg.dhcpId === undefined ? {} : { dhcpId: leg.dhcpId }),
    };
    const tokens = [...(v6 ? [] : [`mac:${mac}`]), ...ids, ...names];
    return { identity: `leases ${key}`, owner, tokens, addresses: [address], sighting };
  });
}

function atBroker(device: Physical, network: Network): readonly Trace[] {
  const [leg] = device.active;
  const here = leg === undefined || !isHere(device) ? [] : network.addressesOf(leg).slice(0, 1);
  return device.faces.map(({ identity, clues, facts, tellsAddress }): Trace => {
    const tokens = clues.flatMap(({ kind, value }) => {
      if (kind === "host-name" || device.kind === "junk") return [];
      return [`${kind}:${kind === "mac" ? value.toLowerCase() : value}`];
    });
    const face: Face = {
      identity,
      clues,
      addresses: tellsAddress === true ? here : [],
      name: "MQTT",
      facts,
      mo,
      reachable: isHere(device),
    };
    return { identity, owner: device, tokens, addresses: [], face, adapter: "mqtt" };
  });
}

function sightingOf(
  source: SourceName,
  key: string,
  name: string,
  addresses: readonly string[],
  service: string,
  onto: string,
  text: Readonly<Record<string, string>>,
): Sighting {
  return { source, key, name, addresses, service, text: new Map(Object.entries(text)), interface: onto, expires: day };
}

function grouped(rows: readonly Row[]): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = `${row.mac}%${row.interface}`;
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  return groups;
}
