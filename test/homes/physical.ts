import type { Face, Sighting } from "../../adapters/adapter.ts";
import type { Random } from "./random.ts";

export type SourceName = Sighting["source"];
export const sourceNames = ["mdns", "ssdp", "neighbours", "leases"] as const;

/** One way a device is on the network: an interface of its own, with the address that the hardware or its owner gave it. */
export interface Leg {
  mac: string;
  /** The MAC was made up by the device, for this network or for this day. */
  readonly madeUp: boolean;
  /** The network that it is in. */
  interface: string;
  /** What it tells the DHCP server; undefined: it tells no name. */
  host: string | undefined;
  readonly dhcpId?: string;
  /** IPv6 only: it has no IPv4 address and no IPv4 lease. */
  readonly v6Only?: boolean;
  readonly v6: boolean;
}

/** One mDNS service. `tokens`: what it says that belongs to this device alone, in the words of the ledger. */
export interface Announcement {
  readonly label: string;
  readonly service: string;
  readonly text: Readonly<Record<string, string>>;
  readonly tokens: readonly string[];
}

export interface UpnpRoot {
  readonly uuid: string;
  readonly type: string;
  readonly server: string;
  readonly serial?: string;
  /** The adapter of UPnP makes a face of it. */
  readonly face: boolean;
}

/** A face of a broker's device: always there once it was, away or not. */
export interface BrokerFace {
  readonly identity: string;
  readonly clues: Face["clues"];
  readonly facts: Face["facts"];
  /** It says at which address it is, as far as it knows. */
  readonly tellsAddress?: boolean;
}

/** What a person would point at: one thing in the home. It changes over the days; `name` and `kind` do not. */
export interface Physical {
  readonly name: string;
  readonly kind: string;
  readonly random: Random;
  /** Everything it could use; `active` says which it uses now. */
  readonly legs: Leg[];
  active: readonly Leg[];
  /** Of mDNS, without ".local"; undefined: it speaks no mDNS. */
  host: string | undefined;
  /** As its owner left it: the name of the maker, which others of its kind have too. */
  defaultName: boolean;
  announcements: readonly Announcement[];
  upnp: readonly UpnpRoot[];
  readonly faces: readonly BrokerFace[];
  /** Makes up another MAC every day. */
  readonly rotates: boolean;
  /** Can take another UUID when its software is updated. */
  readonly updates: boolean;
  /** Goes out and comes back within a day. */
  readonly roams: boolean;
  /** Repeats what these say with its own MAC. */
  readonly hides: Physical[];
  /** Its repeater. */
  behind: Physical | undefined;
  /** Sources that never hear of it. */
  readonly unheard: ReadonlySet<SourceName>;
  /** Nights until it is back; 0: it is there. */
  away: number;
  /** It was there at least once. */
  known: boolean;
  /** The number that mDNS put behind its name because another one has it: 1 for none. */
  suffix: number;
  /** It has its mDNS names, and keeps them while it is on. */
  named: boolean;
}

export function isHere(device: Physical): boolean {
  return device.away === 0;
}
