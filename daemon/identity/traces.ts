import type { Face, Facts, Sighting, SightingKey } from "../../adapters/adapter.ts";
import { clue } from "./clues.ts";
import type { Clue } from "./clues.ts";
import { anyServiceIds, serviceIds, serviceNames } from "./service-ids.ts";

/** One thing that shows a device: a sighting, or a face. What it says, in the form in which devices are compared. */
export interface Trace {
  /** Its name over its life and over restarts: "mdns kitchen printer._ipp._tcp.local", "mqtt:z2m:0x00158d0001a2b3c4". */
  readonly identity: string;
  readonly source: Sighting["source"] | "face";
  /** For a person. */
  readonly what: string;
  readonly clues: readonly Clue[];
  readonly addresses: readonly string[];
  /** Where it is: an address as a key, with its interface where the address alone names nobody. */
  readonly places: readonly string[];
  /** "" for a face. */
  readonly interface: string;
  /** Identities of other traces that it was made from: it is where they are. */
  readonly follows: readonly string[];
  readonly facts: Facts;
  /** For people: "UPnP", "ipp". */
  readonly protocol: string | undefined;
  /** It shows that the device is there now. A lease only says who has which address. */
  readonly presence: boolean;
  /** Another gateway of this kind. */
  readonly gateway: boolean;
}

/** Clues of one trace at most. */
const most = 8;

export function sightingIdentity({ source, key }: SightingKey): string {
  return `${source} ${key}`;
}

/** Its own words, and what the network adds; nothing in it is proven. */
export function traceOfSighting(sighting: Sighting): Trace {
  const { source, name, service, mac, host, dhcpId, addresses } = sighting;
  const clues = [
    mac === undefined ? undefined : clue("mac", mac, "network"),
    dhcpId === undefined ? undefined : clue("dhcp-id", dhcpId, "network"),
    ...(source === "ssdp" ? [clue("uuid", sighting.key, "device")] : []),
    ...(source === "leases" ? leaseIds(sighting.text) : []),
    ...(source === "mdns" ? serviceClues(sighting) : []),
    host === undefined ? undefined : clue("host-name", host, source === "leases" ? "network" : "device"),
  ];
  const maker = first(sighting.text, "manufacturer", "usb_mfg", "mf");
  return {
    identity: sightingIdentity(sighting),
    source,
    what: whatOf(sighting),
    clues: distinct(clues),
    addresses,
    places: addresses.map((address) => placeOf(address, sighting.interface)),
    interface: sighting.interface,
    follows: [],
    facts: {
      ...(source === "neighbours" ? {} : fact("name", first(sighting.text, "friendlyName", "fn") ?? name)),
      ...fact("maker", maker),
      ...fact("model", first(sighting.text, "modelName", "md", "ty", "model", "am")),
      ...fact("serial", first(sighting.text, "serialNumber", "serial")),
    },
    protocol: protocolOf(source, service),
    presence: source !== "leases",
    gateway: service === gatewayService || (sighting.text.get("NT") ?? "").includes(gatewayTarget),
  };
}

/** As other gateways of this kind announce themselves. */
const gatewayService = "_dmgw._tcp";
const gatewayTarget = "urn:dmgw:service:gateway:1";

export function traceOfFace(face: Face): Trace {
  const clues = face.clues.map(({ kind, value }) => clue(kind, value, "device"));
  return {
    identity: face.identity,
    source: "face",
    what: `${face.name}: ${face.facts.name ?? face.identity}`,
    clues: distinct([clue("protocol-id", face.identity, "device"), ...clues]),
    addresses: face.addresses,
    // Where a face says that it is, anyone could say; where its sightings are has been seen.
    places: [],
    interface: "",
    follows: (face.sightings ?? []).map(sightingIdentity),
    facts: face.facts,
    protocol: face.name,
    presence: true,
    gateway: false,
  };
}

/** Link-local addresses are the same on every link. */
export function placeOf(address: string, onInterface: string): string {
  const isLinkLocal = address.startsWith("169.254.") || /^fe[89ab]/i.test(address);
  return isLinkLocal ? `${address}%${onInterface}` : address;
}

function serviceClues({ service, text, name }: Sighting): (Clue | undefined)[] {
  const rows = Object.hasOwn(serviceIds, service) ? (serviceIds[service] ?? []) : anyServiceIds;
  const clues = rows.map(({ key, kind, space }) => {
    const value = text.get(key) ?? "";
    if (value === "") return undefined;
    return clue(kind, space === undefined ? value : `${space}:${value.toLowerCase()}`, "device");
  });
  const inName = Object.hasOwn(serviceNames, service) ? serviceNames[service]?.exec(name)?.[1] : undefined;
  return [...clues, inName === undefined ? undefined : clue("mac", inName, "device")];
}

/** TR-069 Annex F: what a CPE tells the DHCP server of itself. */
function leaseIds(text: ReadonlyMap<string, string>): (Clue | undefined)[] {
  const [oui, serial] = [text.get("manufacturerOui") ?? "", text.get("serialNumber") ?? ""];
  if (oui === "" || serial === "") return [];
  const productClass = text.get("productClass") ?? "";
  return [
    clue("protocol-id", `cwmp:${oui.toUpperCase()}-${productClass}-${serial}`, "network"),
    clue("serial", serial, "network"),
  ];
}

function distinct(clues: readonly (Clue | undefined)[]): readonly Clue[] {
  const found = new Map<string, Clue>();
  for (const one of clues) {
    if (one === undefined) continue;
    const key = `${one.kind} ${one.value} ${one.said}`;
    if (!found.has(key) && found.size < most) found.set(key, one);
  }
  return [...found.values()];
}

function first(text: ReadonlyMap<string, string>, ...keys: readonly string[]): string | undefined {
  return keys.map((key) => text.get(key)).find((value) => value !== undefined && value !== "");
}

function fact(key: keyof Facts, value: string | undefined): Facts {
  return value === undefined || value === "" ? {} : { [key]: value };
}

/** What a sighted thing speaks, for people: "UPnP", or the service of mDNS without its punctuation ("ipp"). */
function protocolOf(source: Sighting["source"], service: string): string | undefined {
  if (source === "ssdp") return "UPnP";
  if (source === "mdns") return service.replace(/^_/, "").replace(/\._(tcp|udp)$/, "");
  return undefined;
}

function whatOf({ source, name, service, mac, host, key }: Sighting): string {
  if (source === "mdns") return `mDNS: ${name} (${service})`;
  if (source === "ssdp") return `UPnP: ${name}`;
  if (source === "leases") return `DHCP lease: ${host ?? mac ?? key}`;
  return `neighbour table: ${mac ?? key}`;
}

/** The thing said it itself, where it is. */
export function isAnnounced({ source }: Trace): boolean {
  return source === "mdns" || source === "ssdp";
}

/** A lease that says no hardware address (DHCPv6): only where it is says whose it is. */
export function isNameless({ source, clues }: Trace): boolean {
  return source === "leases" && !clues.some(({ kind }) => kind === "mac");
}
