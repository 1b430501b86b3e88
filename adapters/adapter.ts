import type { Mo } from "../tree/mo.ts";
import type { Rel } from "../tree/path.ts";
import type { Bucket, Clock, Log } from "../tree/ports.ts";
import type { Value } from "../tree/value.ts";

/** Something was seen on the LAN. Unproven: anyone on the LAN can say anything. */
export interface Sighting {
  readonly source: "ssdp" | "mdns" | "neighbours" | "leases";
  /**
   * Names the thing for this source, for as long as it calls itself so: "uuid:4d696e…", "kitchen printer._ipp._tcp.local"; of the neighbour table
   * "00:11:22:33:44:55%br-lan", of the leases "00:11:22:33:44:55" or "duid:…".
   */
  readonly key: string;
  /** For a person; as the thing calls itself. */
  readonly name: string;
  /** IP addresses without port and zone where the thing itself is; empty where only somebody else spoke for it. */
  readonly addresses: readonly string[];
  readonly port?: number;
  /** "_ipp._tcp", "urn:schemas-upnp-org:device:MediaServer:1". */
  readonly service: string;
  /** What it says of itself: TXT records, headers, description. Bounded, hostile. */
  readonly text: ReadonlyMap<string, string>;
  readonly interface: string;
  /** On the monotonic clock, ms. */
  readonly expires: number;
  /** The hardware address as the network knows it (neighbour table, DHCP server): lower case with colons. Never what the thing says of itself. */
  readonly mac?: string;
  /** The name of the host it runs on, without ".local" or domain, as mDNS (SRV) or the lease has it. */
  readonly host?: string;
  /** DHCP client id or DUID, hex in lower case; not one that only repeats the hardware address. */
  readonly dhcpId?: string;
}

/** Names one sighting, over its life. */
export type SightingKey = Pick<Sighting, "source" | "key">;

export interface Facts {
  readonly name?: string;
  readonly maker?: string;
  readonly model?: string;
  readonly serial?: string;
  readonly firmware?: string;
  readonly hardware?: string;
}

/** One protocol's view of a device. One physical device may show several faces; daemon/devices/ joins them. */
export interface Face {
  /** Stable over restarts and addresses, proven by the adapter: "mqtt:z2m:0x00158d0001a2b3c4". */
  readonly identity: string;
  /** For the join: what the device says of itself. */
  readonly clues: readonly {
    /**
     * mac: any common way to write it. uuid: with or without "uuid:". serial: the maker's own. protocol-id: one word with the name of its space before a
     * colon, the same in every convention that knows the thing ("zigbee:0x00158d0001a2b3c4").
     */
    readonly kind: "mac" | "serial" | "uuid" | "dhcp-id" | "host-name" | "protocol-id";
    readonly value: string;
  }[];
  readonly addresses: readonly string[];
  readonly name: "TR069" | "LwM2M" | "CoAP" | "MQTT" | "UPnP" | "OMADM";
  readonly facts: Facts;
  readonly mo: Mo;
  /** false until the device is heard of. */
  readonly reachable: boolean;
  /**
   * open (the default): who stands behind it was proven, or was named in the config, so its device is managed. approve: anyone on the LAN could have said
   * it; it comes into the tree when its device is managed for another reason, or a person approves it.
   */
  readonly access?: "open" | "approve";
  /** The sightings that this face was made from: what is known of them counts as its clues. */
  readonly sightings?: readonly SightingKey[];
}

export interface Attached {
  /** These nodes have changed, as the device says. */
  changed(rels: readonly Rel[]): void;
  /** The device answered, or speaks: last seen is now. */
  seen(): void;
  reachable(now: boolean): void;
  update(face: Partial<Pick<Face, "facts" | "addresses" | "clues">>): void;
  /** The end of a call that was answered `accepted`. */
  finished(correlator: string, status: number, result?: Value): void;
  /** The face is gone for good (the device was removed from its network): not the same as unreachable. */
  detach(): void;
}

/** All that an adapter gets from the daemon. Nothing protocol-specific is ever added here. */
export interface Host {
  readonly clock: Clock;
  readonly log: Log;
  /** Durable, for the adapter alone. Not for what devices report. */
  readonly state: Bucket<unknown>;
  attach(face: Face): Attached;
  /** Shows on `dmgw status`: what the adapter is doing, and since when. */
  status(state: "starting" | "connected" | "waiting" | "error", detail?: string): void;
}

export interface Adapter {
  /** A sighting that may be a device of this protocol: a new one, or one that says something else now. */
  consider?(sighting: Sighting): void;
  /** It has ended: it said goodbye, or was not heard for its time. */
  ended?(sighting: SightingKey): void;
  stop(): Promise<void>;
}

/** What an adapter's folder exports; its options are light, its code is loaded when it is enabled. */
export interface AdapterModule<Options> {
  start(options: Options, host: Host): Promise<Adapter>;
}
