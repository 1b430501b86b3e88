import type { Sighting } from "../../../adapters/adapter.ts";
import type { SourceName } from "../../../daemon/discovery/source.ts";
import { startPeer, until } from "./process.ts";

/** An event of discovery-printer.ts. */
export type Printed = { readonly at: number } & (
  | ({ readonly event: "seen" } & Omit<Sighting, "text"> & { readonly text: Readonly<Record<string, string>> })
  | { readonly event: "heard"; readonly source: string; readonly key: string }
  | { readonly event: "gone"; readonly source: string; readonly key: string; readonly why: string }
  | { readonly event: "ready"; readonly ms: number; readonly rss: number }
  | ({ readonly event: "status"; readonly probes: readonly (readonly [key: string, at: number])[] } & Readonly<
      Record<SourceName, PrintedStatus>
    >)
  | { readonly event: "log"; readonly message: string }
  | { readonly event: "stopped" }
);
type PrintedStatus = {
  readonly state: string;
  readonly error?: string;
  readonly detail?: string;
  readonly sightings: number;
};

/** Discovery, running in a namespace. */
export interface Discovered {
  events(): Printed[];
  /** The first event of that kind that passes, of those yet to come included; from `since` (wall clock, ms) on. */
  find<E extends Printed["event"]>(
    event: E,
    passes: (event: Extract<Printed, { event: E }>) => boolean,
    options?: { readonly since?: number; readonly ms?: number },
  ): Promise<Extract<Printed, { event: E }>>;
  status(): Promise<Extract<Printed, { event: "status" }>>;
  /** Probes what `probes` named. */
  probe(): void;
  /** @throws Error when it did not end by itself, and cleanly. */
  stop(): Promise<void>;
}

export interface DiscoveredOptions {
  /** Default: as the daemon chooses. */
  readonly interfaces?: readonly string[];
  /** How much faster than the world its clock runs. */
  readonly speed?: number;
  /** Given: the neighbour table and these files of leases, and neither mDNS nor SSDP. */
  readonly leases?: readonly string[];
  /** "address%interface", for `probe`. */
  readonly probes?: string;
  /** The id that the gateway announces. */
  readonly id?: string;
}

/** `file`: the bundle of discovery-printer.ts. */
export async function startDiscovered(
  file: string,
  namespace: string,
  { interfaces = [], speed = 1, leases, probes = "", id }: DiscoveredOptions = {},
): Promise<Discovered> {
  const env = {
    DMGW_TEST_SPEED: String(speed),
    ...(id !== undefined && { DMGW_TEST_ID: id }),
    ...(leases && { DMGW_TEST_LEASES: leases.join(":"), DMGW_TEST_ANNOUNCED: "no", DMGW_TEST_PROBE: probes }),
  };
  const peer = await startPeer(process.execPath, [file, ...interfaces], { namespace, env, ready: /"event":"ready"/ });
  const events = (): Printed[] =>
    peer
      .output()
      .split("\n")
      .filter((line) => line.startsWith("{") && line.endsWith("}"))
      .map((line) => JSON.parse(line) as Printed);
  const find: Discovered["find"] = (event, passes, { since = 0, ms = 15_000 } = {}) =>
    until(
      `an event "${event}"; there were: ${peer.output()}`,
      () =>
        events().find(
          (e): e is Extract<Printed, { event: typeof event }> =>
            e.event === event && e.at >= since && passes(e as Extract<Printed, { event: typeof event }>),
        ),
      ms,
    );
  return {
    events,
    find,
    status() {
      const since = Date.now();
      peer.process.kill("SIGUSR2");
      return find("status", () => true, { since });
    },
    probe: () => void peer.process.kill("SIGUSR1"),
    async stop() {
      await peer.stop();
      if (peer.process.exitCode !== 0)
        throw new Error(`ended with ${peer.process.exitCode ?? peer.process.signalCode}:\n${peer.output()}`);
    },
  };
}
