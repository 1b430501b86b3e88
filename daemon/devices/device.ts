import type { Face, Facts, Sighting } from "../../adapters/adapter.ts";
import type { InventoryRecord } from "../../tree/mos/inventory.ts";
import { timestamp } from "../../tree/properties.ts";
import type { Mounted } from "../../tree/shape.ts";
import type { DeviceReport } from "../gateway.ts";
import type { Clue } from "../identity/clues.ts";
import { isMadeUp } from "../identity/clues.ts";
import { profileOf } from "../identity/profile.ts";
import type { Profile } from "../identity/profile.ts";
import type { Trace } from "../identity/traces.ts";

/** A trace that belongs to a device, as the store keeps it. */
export interface Member {
  readonly identity: string;
  readonly what: string;
  /** What it said of itself last, and the hardware addresses at which the network has seen it. */
  readonly clues: readonly Clue[];
  /** Ms since 1970. */
  readonly since: number;
  /** Sentences for a person. */
  readonly because: readonly string[];
  /** It belongs here only because of where it was: by hardware address, or only beside others at one address. */
  readonly by?: "place" | "beside";
}

/** What a person decided about a device's identity. */
export interface Decision {
  /** Ms since 1970. */
  readonly at: number;
  readonly what: string;
  /** Of a merge: what came from the other device, so that it can be taken back. */
  readonly merged?: { readonly id: string; readonly identities: readonly string[]; readonly name?: string };
}

export interface KeptFace {
  readonly identity: string;
  readonly mount: string;
  readonly protocol: string;
  /** Anyone could have said it: it makes nothing managed. */
  readonly access?: "approve";
}

/** A device as the store keeps it: what must survive a restart. */
export interface StoredDevice {
  readonly members: readonly Member[];
  /** Its faces and the names of their mounts, given for good. */
  readonly faces: readonly KeptFace[];
  /** The operator's name. Never touched by discovery. */
  readonly name?: string;
  /** A person took it under management. */
  readonly approved?: true;
  readonly ignored?: true;
  /** Identities and clues that a person gave to this device. */
  readonly given?: readonly string[];
  /** Devices that a person parted from it. */
  readonly apart?: readonly string[];
  /** Hardware addresses of its that the neighbour table shows for others too: it is a repeater or a bridge. */
  readonly repeaters?: readonly string[];
  /** Numbers of devices that were merged into it. */
  readonly formerIds?: readonly string[];
  readonly decisions?: readonly Decision[];
  readonly facts: Facts;
  /** Identities of the members that said them. */
  readonly factsBy?: { readonly [Fact in keyof Facts]?: string };
  readonly addresses: readonly string[];
  readonly mac: string;
  readonly sources: readonly string[];
  readonly protocols: readonly string[];
  /** Ms since 1970; 0: not known. */
  readonly lastSeen: number;
}

/** A trace that is there now. */
export interface LiveTrace {
  trace: Trace;
  /** On the monotonic clock, ms. */
  heardAt: number;
  /** Hardware addresses that the network had there when it was placed last. */
  macs: readonly string[];
  /** For traces of sightings. */
  sighting?: Sighting;
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
  /** Made from the members when it is asked for. */
  profile: Profile;
  /** Is its number on the disk? Until then nobody upstream hears of it; `failed`: it could not be written, which people should see. */
  written: "not yet" | "yes" | "failed";
  lastSeen: number;
  /** Why it is in the state it is in, and since when (ms since 1970; 0: not known). */
  reason: string;
  since: number;
  /** What happened to it last, in a few words: the reason of the next change. */
  cause: string;
  state: DeviceReport["state"];
  /** On the monotonic clock, ms: when it was probed last, and how long until the next time. */
  probedAt: number;
  probeGap: number;
  readonly live: Map<string, LiveTrace>;
  readonly faces: Map<string, LiveFace>;
  /** DevInfo, State and the places of faces that were not found again yet. */
  info: { readonly info: Mounted; readonly state: Mounted } | undefined;
  readonly absent: Map<string, Mounted>;
}

export const unknownDevice: StoredDevice = {
  members: [],
  faces: [],
  facts: {},
  addresses: [],
  mac: "",
  sources: [],
  protocols: [],
  lastSeen: 0,
};

export function newDevice(id: string, kept: StoredDevice, written: Device["written"]): Device {
  return {
    id,
    kept,
    profile: profileOf(kept.members),
    written,
    lastSeen: 0,
    reason: "not heard of since the gateway started",
    since: 0,
    cause: "found again",
    state: kept.ignored === true ? "ignored" : "away",
    probedAt: -Infinity,
    probeGap: 0,
    live: new Map(),
    faces: new Map(),
    info: undefined,
    absent: new Map(),
  };
}

/** Does it have a face of which its adapter is sure, or did a person take it under management? Without a face nobody can manage it. */
export function isManaged(device: Device): boolean {
  const { faces, approved, ignored } = device.kept;
  if (faces.length === 0 || ignored === true) return false;
  return approved === true || faces.some(({ access }) => access !== "approve");
}

/** It stands in the tree: its number is on the disk. */
export function isShown(device: Device): boolean {
  return isManaged(device) && device.info !== undefined;
}

export function displayName(device: Device): string {
  const { name, facts } = device.kept;
  return name ?? facts.name ?? facts.model ?? device.id;
}

const factNames = ["name", "maker", "model", "serial", "firmware", "hardware"] as const;
const trust: Readonly<Record<Trace["source"], number>> = { face: 0, ssdp: 1, mdns: 2, leases: 3, neighbours: 4 };

/**
 * What its traces say of it, and who said it: of each fact the word of the one that knows most. Of two that know as much the one counts that has belonged to it
 * for longer, so that a device is not called otherwise because another part of it spoke last, nor because a person has merged an older one into it. Where
 * nobody says anything now, or only somebody who knows less than who said it before, as in the first seconds after a start, it stays what it was.
 */
export function factsOf(device: Device): Required<Pick<StoredDevice, "facts" | "factsBy">> {
  const { kept } = device;
  const since = new Map(kept.members.map((member) => [member.identity, member.since]));
  const age = ({ identity }: Trace) => since.get(identity) ?? Infinity;
  const faces = new Map(kept.faces.map(({ identity }, n) => [identity, n]));
  const place = ({ identity }: Trace) => faces.get(identity) ?? Infinity;
  const order = (a: Trace, b: Trace) =>
    compare(place(a), place(b)) || compare(age(a), age(b)) || compare(a.identity, b.identity);
  const live = [...device.live.values()]
    .map(({ trace }) => trace)
    .sort((a, b) => trust[a.source] - trust[b.source] || order(a, b));
  const facts: { -readonly [Key in keyof Facts]: Facts[Key] } = { ...kept.facts };
  const factsBy: { -readonly [Key in keyof Facts]: string } = { ...kept.factsBy };
  for (const name of factNames) {
    const best = live.find((trace) => trace.facts[name] !== undefined);
    const said = best?.facts[name];
    if (best === undefined || said === undefined) continue;
    const by = kept.factsBy?.[name] ?? "";
    if (facts[name] !== undefined && since.has(by) && trust[sourceOf(by)] < trust[best.source]) continue;
    facts[name] = said;
    factsBy[name] = best.identity;
  }
  return { facts, factsBy };
}

function sourceOf(identity: string): Trace["source"] {
  const [, source] = /^(mdns|ssdp|neighbours|leases) /.exec(identity) ?? [];
  return (source as Sighting["source"] | undefined) ?? "face";
}

function compare<T extends number | string>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Where it is now, else where it was last. IPv4 first, link-local last. What an unreachable face said of it is where it was. */
export function addressesOf(device: Device): readonly string[] {
  const all = new Set<string>();
  const isPast = (identity: string) => device.faces.get(identity)?.reachable === false;
  for (const source of ["neighbours", "ssdp", "mdns", "leases", "face"] as const)
    for (const { trace } of device.live.values())
      if (trace.source === source && !isPast(trace.identity)) for (const address of trace.addresses) all.add(address);
  if (all.size === 0) return device.kept.addresses;
  return [...all].sort((a, b) => reachOf(a) - reachOf(b)).slice(0, 8);
}

function reachOf(address: string): number {
  return (/^(fe[89ab]|169\.254\.)/i.test(address) ? 2 : 0) + (address.includes(":") ? 1 : 0);
}

/** The hardware address to show: one that the network sees now and that was built in, if there is one. */
export function macOf(device: Device): string {
  const now = [...device.live.values()].flatMap(({ macs }) => macs);
  const seen = [...now, ...device.profile.macs, ...device.profile.claimedMacs];
  return seen.find((mac) => !isMadeUp(mac)) ?? seen[0] ?? device.kept.mac;
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
    identities: kept.members
      .map(({ identity }) => identity)
      .filter((identity) => !/^(neighbours|leases) /.test(identity)),
    sources: kept.sources,
    protocols: kept.protocols,
    state: device.state,
    since: device.since === 0 ? "" : new Date(device.since).toISOString(),
    reason: device.reason,
    managed: isShown(device),
    reachable: isHere(device.state),
    lastSeen: seen === 0 ? "" : new Date(seen).toISOString(),
    uri: `./Devices/${device.id}`,
    groups: [],
    ...([...device.live.values()].some(({ trace }) => trace.gateway) ? { gateway: true as const } : {}),
  };
}

export function isHere(state: DeviceReport["state"]): boolean {
  return state === "seen" || state === "managed";
}

export function recordOf(device: Device): InventoryRecord {
  const { kept } = device;
  const seen = Math.max(device.lastSeen, kept.lastSeen);
  return {
    deviceId: kept.faces[0]?.identity ?? kept.members[0]?.identity ?? device.id,
    name: displayName(device),
    manufacturer: kept.facts.maker ?? "",
    model: kept.facts.model ?? "",
    firmware: kept.facts.firmware ?? "",
    hardware: kept.facts.hardware ?? "",
    protocol: kept.protocols.join(" "),
    state: device.state,
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
