import type { Sighting } from "../../adapters/adapter.ts";
import { reasonOf } from "../../tree/errors.ts";
import type { Clock, Log } from "../../tree/ports.ts";
import type { PartReport } from "../gateway.ts";
import { watchLan } from "../lan.ts";
import { hearKernel, ipProgram } from "./ip-command.ts";
import type { KernelNews } from "./ip-command.ts";
import { onLinks } from "./links.ts";
import type { Neighbours } from "./neighbours.ts";
import type { ProbeTimes } from "./probe-plan.ts";
import { sightingTable } from "./sightings.ts";
import type { SightingEvents } from "./sightings.ts";
import { sourceNames } from "./source.ts";
import type { LanSource, SourceIo, SourceName } from "./source.ts";

export interface DiscoveryOptions {
  readonly options: {
    readonly mdns: { readonly enabled: boolean };
    readonly ssdp: { readonly enabled: boolean };
    /** Both the neighbour table and the leases. `leases`: files; default: the usual places; none: no leases. */
    readonly neighbours?: { readonly enabled: boolean; readonly leases?: readonly string[] };
  };
  /** Names of the LAN interfaces; undefined: see lanInterfaces. */
  readonly lan: readonly string[] | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** In [0, 1). */
  readonly random: () => number;
  /** See SourceIo. */
  readonly gatewayId?: string;
  /** How patiently neighbours are asked whether they are still there; default: `probeTimes`. */
  readonly probeTimes?: ProbeTimes;
}

/** What the LAN says of itself, while it runs. */
export interface Discovery {
  /** state: off, starting, waiting (no LAN interface, or no leases file), listening, error (it is tried again). */
  status(): Readonly<Record<SourceName, PartReport & { readonly sightings: number }>>;
  /** What is there now. */
  sightings(): Iterable<Sighting>;
  /**
   * Finds out soon who has this address of a LAN link: the answer is a sighting of the neighbour table. Cheap, limited (one question in 2 s for
   * an address), and nothing happens for an address that is no neighbour's or when that source is off.
   */
  probe(address: string, onInterface: string): void;
  /** When this sighting of the neighbour table is asked next whether it is still there, on the wall clock, ms. */
  nextProbe(key: string): number | undefined;
  /** Resolves when every socket is closed; no event comes after the call. */
  stop(): Promise<void>;
}

/**
 * Listens on every LAN interface, those included that come later. Resolves when each source has been tried once; whatever goes wrong
 * is told by status() and tried again. Events come from the first packet on, possibly before it resolves.
 */
export async function startDiscovery(given: DiscoveryOptions, events: SightingEvents): Promise<Discovery> {
  const { options, clock, log, random } = given;
  const running = new Map<SourceName, LanSource>();
  const broken = new Map<SourceName, string>();
  const startedAt = new Date(clock.now()).toISOString();
  const program = ipProgram();
  let kernel: KernelNews | undefined;
  let neighbours: Neighbours | undefined;

  /** The sources there are. Their code, and the packages under it, load when they are enabled. */
  const begin: Readonly<Record<SourceName, (io: SourceIo) => Promise<LanSource>>> = {
    mdns: async (io) => onLinks((await import("./mdns.ts")).start(io), io),
    ssdp: async (io) => onLinks((await import("./ssdp.ts")).start(io), io),
    async neighbours(io) {
      const heard = () => kernel?.heard() === true;
      return (neighbours = (await import("./neighbours.ts")).startNeighbours(io, {
        program,
        heard,
        times: given.probeTimes,
      }));
    },
    leases: async (io) => (await import("./leases.ts")).startLeases(io, options.neighbours?.leases),
  };
  const enabled: Readonly<Record<SourceName, boolean>> = {
    mdns: options.mdns.enabled,
    ssdp: options.ssdp.enabled,
    neighbours: options.neighbours?.enabled === true,
    leases: options.neighbours?.enabled === true && options.neighbours.leases?.length !== 0,
  };

  const table = sightingTable(clock, {
    seen: (sighting) => events.seen(sighting),
    heard: (source, key) => events.heard(source, key),
    gone(source, key, why) {
      running.get(source)?.forget(key);
      events.gone(source, key, why);
    },
  });
  const ioOf = (name: SourceName): SourceIo => ({
    clock,
    log: log.part(name),
    random,
    gatewayId: given.gatewayId,
    admits: (key, sender) => table.admits(name, key, sender),
    seen: (sighting, sender) => table.seen(name, sighting, sender),
    left: (key, onInterface, why) => table.left(name, key, onInterface, why),
  });

  for (const name of sourceNames) {
    if (!enabled[name]) continue;
    try {
      running.set(name, await begin[name](ioOf(name)));
    } catch (reason) {
      // Without it the gateway still runs: what it manages already does not depend on being found again.
      broken.set(name, reasonOf(reason));
      log.part(name).error(`not started: ${reasonOf(reason)}`);
    }
  }

  let tried: Promise<unknown> = Promise.resolve();
  const watch = watchLan(given.lan, clock, (interfaces) => {
    tried = Promise.all([...running.values()].map((source) => source.update(interfaces)));
  });
  if (program !== undefined && running.size > 0)
    kernel = hearKernel(
      program,
      { clock, log, random },
      {
        line: (line) => (isOfLink(line) ? watch.look() : neighbours?.line(line)),
        began() {
          watch.look();
          neighbours?.missed();
        },
      },
    );
  await tried;

  const report = (name: SourceName): PartReport & { sightings: number } => {
    const sightings = table.count(name);
    const own = running.get(name)?.report();
    if (own === undefined) {
      const error = broken.get(name);
      const state = error === undefined ? "off" : "error";
      return { state, since: startedAt, ...(error !== undefined && { error }), sightings };
    }
    const refused = table.refused(name);
    const detail = [own.detail ?? [], refused > 0 ? `${refused} refused: too many` : []].flat().join("; ");
    return { ...own, ...(detail !== "" && { detail }), sightings };
  };

  return {
    status: () => ({
      mdns: report("mdns"),
      ssdp: report("ssdp"),
      neighbours: report("neighbours"),
      leases: report("leases"),
    }),
    sightings: () => table.live(),
    probe: (address, onInterface) => neighbours?.probe(address, onInterface),
    nextProbe: (key) => neighbours?.nextProbe(key),
    async stop() {
      watch.stop();
      table.stop();
      await Promise.all([kernel?.stop(), ...[...running.values()].map((source) => source.stop())]);
    },
  };
}

/** Of a link or an address ("2: eth0 …"), not of a neighbour. */
function isOfLink(line: string): boolean {
  return /^(Deleted )?\d{1,10}: /.test(line);
}
