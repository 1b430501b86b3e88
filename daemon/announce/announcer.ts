import type { Clock, Log } from "../../tree/ports.ts";
import type { Source } from "../discovery/source.ts";

/** What the gateway says of itself to its LAN. */
export interface GatewayAnnounced {
  /** Its globally unique id. */
  readonly id: string;
  readonly version: string;
  readonly manufacturer: string;
  readonly model: string;
  /** Name of the machine it runs on. */
  readonly machine: string;
}

export interface AnnouncerIo {
  readonly clock: Clock;
  readonly log: Log;
  /** In [0, 1). */
  readonly random: () => number;
}

/** One way to announce the gateway on every link. */
export interface Announcer {
  /** Kept open on the links as a source of discovery is; it has no sightings. */
  readonly source: Source;
  /** Takes everything back, on every link. Resolves when that has left. */
  farewell(): Promise<void>;
}
