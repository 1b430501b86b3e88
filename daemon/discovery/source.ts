import type { Sighting } from "../../adapters/adapter.ts";
import type { Clock, Log } from "../../tree/ports.ts";
import type { PartReport } from "../gateway.ts";
import type { LanInterface } from "../lan.ts";

export const sourceNames = ["mdns", "ssdp", "neighbours", "leases"] as const;
export type SourceName = (typeof sourceNames)[number];

/** What a source of sightings gets from discovery. */
export interface SourceIo {
  readonly clock: Clock;
  readonly log: Log;
  /** In [0, 1). */
  readonly random: () => number;
  /** The id that this gateway announces: what carries it is no sighting. undefined: it announces nothing. */
  readonly gatewayId?: string | undefined;
  /** Is there room for this key of this sender? It is counted when there is not. True for a key that is there already. */
  readonly admits: (key: string, sender: string) => boolean;
  /** Said again without anything new it only lives longer. `sender` is the address it came from. */
  seen(sighting: Sighting, sender: string): void;
  /** It said goodbye on this interface, or does not answer there; it is gone in a second, unless it is seen again. */
  left(key: string, onInterface: string, why?: "goodbye" | "unanswered"): void;
}

/** One source that listens on each link on its own, while discovery runs. `onLinks` keeps its links open. */
export interface Source {
  /** It can open a link that has no IPv4 address (`lan.address` is ""); otherwise it is not asked to. */
  readonly ipv6Alone?: true;
  /**
   * Opens it on one link. `failed`: it broke later; the link is then closed and opened again after a while.
   * @throws whatever kept it from opening; it is tried again.
   */
  open(lan: LanInterface, failed: (reason: unknown) => void): Promise<Link>;
  /** What there is to say of it on `dmgw status`, beside where it listens and what was refused. */
  detail?(): string | undefined;
  /** The key is no longer a sighting: nothing need be kept of it. */
  forget(key: string): void;
  /** After the last link was closed. */
  stop(): Promise<void>;
}

export interface Link {
  close(): Promise<void>;
}

/** One source that looks at all links at once. */
export interface LanSource {
  /** These are the links now. Resolves when it has had a first look. */
  update(interfaces: readonly LanInterface[]): Promise<void>;
  report(): PartReport;
  /** The key is no longer a sighting: nothing need be kept of it. */
  forget(key: string): void;
  /** Resolves when nothing of it runs any more. */
  stop(): Promise<void>;
}

/** What the file of a source that listens on links exports. */
export interface SourceModule {
  start(io: SourceIo): Source;
}
