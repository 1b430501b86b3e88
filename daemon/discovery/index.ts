import type { Sighting } from "../../adapters/adapter.ts";
import { reasonOf } from "../../tree/errors.ts";
import type { Clock, Log } from "../../tree/ports.ts";
import type { PartReport } from "../gateway.ts";
import { watchLan } from "../lan.ts";
import { keepLinks } from "./links.ts";
import type { Links } from "./links.ts";
import { sightingTable } from "./sightings.ts";
import type { SightingEvents, SightingTable } from "./sightings.ts";
import type { Source, SourceModule, SourceName } from "./source.ts";

/** The sources there are. Their code, and the packages under it, load when they are enabled. */
const sources: readonly { readonly name: SourceName; readonly load: () => Promise<SourceModule> }[] = [
  { name: "mdns", load: () => import("./mdns.ts") },
  { name: "ssdp", load: () => import("./ssdp.ts") },
];

export interface DiscoveryOptions {
  readonly options: Readonly<Record<SourceName, { readonly enabled: boolean }>>;
  /** Names of the LAN interfaces; undefined: see lanInterfaces. */
  readonly lan: readonly string[] | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** In [0, 1). */
  readonly random: () => number;
  /** See SourceIo. */
  readonly gatewayId?: string;
}

/** What the LAN says of itself, while it runs. */
export interface Discovery {
  /** state: off, starting, waiting (no LAN interface), listening, error (it is tried again). */
  status(): Readonly<Record<SourceName, PartReport & { readonly sightings: number }>>;
  /** What is there now. */
  sightings(): Iterable<Sighting>;
  /** Resolves when every socket is closed; no event comes after the call. */
  stop(): Promise<void>;
}

interface Running {
  readonly source: Source;
  readonly links: Links;
}

/**
 * Listens on every LAN interface, those included that come later. Resolves when each source has been tried once; whatever goes wrong
 * is told by status() and tried again. Events come from the first packet on, possibly before it resolves.
 */
export async function startDiscovery(given: DiscoveryOptions, events: SightingEvents): Promise<Discovery> {
  const { options, clock, log } = given;
  const running = new Map<SourceName, Running>();
  const broken = new Map<SourceName, string>();
  const startedAt = new Date(clock.now()).toISOString();
  const table = sightingTable(clock, {
    seen: (sighting) => events.seen(sighting),
    heard: (source, key) => events.heard(source, key),
    gone(source, key, why) {
      running.get(source)?.source.forget(key);
      events.gone(source, key, why);
    },
  });

  for (const { name, load } of sources) {
    if (!options[name].enabled) continue;
    try {
      running.set(name, begin(name, await load(), table, given));
    } catch (reason) {
      // Without it the gateway still runs: what it manages already does not depend on being found again.
      broken.set(name, reasonOf(reason));
      log.part(name).error(`not started: ${reasonOf(reason)}`);
    }
  }

  let tried: Promise<unknown> = Promise.resolve();
  const unwatch = watchLan(given.lan, clock, (interfaces) => {
    tried = Promise.all([...running.values()].map(({ links }) => links.update(interfaces)));
  });
  await tried;

  const report = (name: SourceName): PartReport & { sightings: number } => {
    const sightings = table.count(name);
    const links = running.get(name)?.links.state();
    if (links === undefined) {
      const error = broken.get(name);
      return {
        state: error === undefined ? "off" : "error",
        since: startedAt,
        ...(error !== undefined && { error }),
        sightings,
      };
    }
    const { state, since, error, open } = links;
    const refused = table.refused(name);
    const own = running.get(name)?.source.detail?.();
    const detail = [
      ...(open.length > 0 ? [`on ${[...new Set(open)].join(", ")}`] : []),
      ...(state === "waiting" ? ["no interface has a private address: name the home's in lan.interfaces"] : []),
      ...(refused > 0 ? [`${refused} refused: too many`] : []),
      ...(own === undefined ? [] : [own]),
    ].join("; ");
    return { state, since, ...(error !== undefined && { error }), ...(detail !== "" && { detail }), sightings };
  };

  return {
    status: () => ({ mdns: report("mdns"), ssdp: report("ssdp") }),
    sightings: () => table.live(),
    async stop() {
      unwatch();
      table.stop();
      await Promise.all(
        [...running.values()].map(async ({ source, links }) => {
          await links.stop();
          await source.stop();
        }),
      );
    },
  };
}

function begin(
  name: SourceName,
  module: SourceModule,
  table: SightingTable,
  { clock, log, random, gatewayId }: DiscoveryOptions,
): Running {
  const part = log.part(name);
  const source = module.start({
    clock,
    log: part,
    random,
    gatewayId,
    admits: (key, sender) => table.admits(name, key, sender),
    seen: (sighting, sender) => table.seen(name, sighting, sender),
    left: (key, onInterface) => table.left(name, key, onInterface),
  });
  return { source, links: keepLinks(source, { clock, log: part, random }) };
}
