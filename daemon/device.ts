import type { Face, Facts, Sighting } from "../adapters/adapter.ts";
import type { InventoryRecord } from "../tree/mos/inventory.ts";
import { timestamp } from "../tree/properties.ts";
import type { Mounted } from "../tree/shape.ts";
import type { DeviceReport } from "./gateway.ts";

/** A device as the store keeps it: what must survive a restart. */
export interface StoredDevice {
  /** Names under which it is known: of its faces, and of its sightings ("mdns kitchen printer._ipp._tcp.local"). */
  readonly identities: readonly string[];
  /** Its faces and the names of their mounts, given for good. */
  readonly faces: readonly { readonly identity: string; readonly mount: string; readonly protocol: string }[];
  /** The operator's name. Never touched by discovery. */
  readonly name?: string;
  readonly facts: Facts;
  readonly addresses: readonly string[];
  readonly mac: string;
  readonly sources: readonly string[];
  readonly protocols: readonly string[];
  /** Ms since 1970; 0: not known. */
  readonly lastSeen: number;
}

export interface LiveFace {
  readonly face: Face;
  /** Name of the adapter that attached it. */
  readonly adapter: string;
  reachable: boolean;
  mounted: Mounted | undefined;
}

/** One device of the home: what is kept, and what lives in memory only. */
export interface Device {
  /** "d7" */
  readonly id: string;
  kept: StoredDevice;
  /** Is its number on the disk? Until then nobody upstream hears of it; `failed`: it could not be written, which people should see. */
  written: "not yet" | "yes" | "failed";
  lastSeen: number;
  readonly sightings: Map<string, Sighting>;
  readonly faces: Map<string, LiveFace>;
  /** DevInfo, State and the places of faces that were not found again yet. */
  info: { readonly info: Mounted; readonly state: Mounted } | undefined;
  readonly absent: Map<string, Mounted>;
}

export const unknownDevice: StoredDevice = {
  identities: [],
  faces: [],
  facts: {},
  addresses: [],
  mac: "",
  sources: [],
  protocols: [],
  lastSeen: 0,
};

export function isManaged(device: Device): boolean {
  return device.kept.faces.length > 0;
}

/** It stands in the tree: its number is on the disk. */
export function isShown(device: Device): boolean {
  return isManaged(device) && device.info !== undefined;
}

export function isReachable(device: Device): boolean {
  return device.sightings.size > 0 || [...device.faces.values()].some((face) => face.reachable);
}

export function stateOf(device: Device): DeviceReport["state"] {
  if (!isReachable(device)) return "away";
  return isShown(device) ? "managed" : "seen";
}

export function displayName(device: Device): string {
  const { name, facts } = device.kept;
  return name ?? facts.name ?? facts.model ?? device.id;
}

/** What a sighting says of its device. Its own words: unproven, for showing only. */
export function factsOf(sighting: Sighting): Facts {
  const first = (...keys: string[]) =>
    keys.map((key) => sighting.text.get(key)).find((text) => text !== undefined && text !== "");
  const maker = first("manufacturer", "usb_mfg", "mf");
  const model = first("modelName", "md", "ty", "model", "am");
  const serial = first("serialNumber", "serial");
  return {
    name: first("friendlyName", "fn") ?? sighting.name,
    ...(maker === undefined ? {} : { maker }),
    ...(model === undefined ? {} : { model }),
    ...(serial === undefined ? {} : { serial }),
  };
}

/** What a sighted thing speaks, for people: "UPnP", or the service of mDNS without its punctuation ("ipp"). */
export function protocolOf(sighting: Sighting): string {
  return sighting.source === "ssdp" ? "UPnP" : sighting.service.replace(/^_/, "").replace(/\._(tcp|udp)$/, "");
}

export function reportOf(device: Device): DeviceReport {
  const { kept } = device;
  const seen = Math.max(device.lastSeen, kept.lastSeen);
  return {
    id: device.id,
    name: displayName(device),
    manufacturer: kept.facts.maker ?? "",
    model: kept.facts.model ?? "",
    firmware: kept.facts.firmware ?? "",
    addresses: kept.addresses,
    mac: kept.mac,
    identities: kept.identities,
    sources: kept.sources,
    protocols: kept.protocols,
    state: stateOf(device),
    managed: isShown(device),
    reachable: isReachable(device),
    lastSeen: seen === 0 ? "" : new Date(seen).toISOString(),
    uri: `./Devices/${device.id}`,
  };
}

export function recordOf(device: Device): InventoryRecord {
  const { kept } = device;
  const seen = Math.max(device.lastSeen, kept.lastSeen);
  return {
    deviceId: kept.faces[0]?.identity ?? kept.identities[0] ?? device.id,
    name: displayName(device),
    manufacturer: kept.facts.maker ?? "",
    model: kept.facts.model ?? "",
    firmware: kept.facts.firmware ?? "",
    hardware: kept.facts.hardware ?? "",
    protocol: kept.protocols.join(" "),
    state: stateOf(device),
    address: kept.addresses[0] ?? "",
    mac: kept.mac,
    lastSeen: seen === 0 ? "" : timestamp(seen),
    treeRef: isShown(device) ? `./Devices/${device.id}` : "",
  };
}

/** The list with these added, each once, bounded: devices choose how much they say. */
export function merged(list: readonly string[], more: readonly string[], limit = 16): readonly string[] {
  const all = [...new Set([...list, ...more])];
  return all.length === list.length ? list : all.slice(-limit);
}
