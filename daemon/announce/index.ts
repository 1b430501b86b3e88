import { hostname } from "node:os";
import type { Clock, Log } from "../../tree/ports.ts";
import { onLinks } from "../discovery/links.ts";
import type { PartReport } from "../gateway.ts";
import { watchLan } from "../lan.ts";
import type { GatewayAnnounced } from "./announcer.ts";
import { mdnsAnnouncer } from "./mdns-announce.ts";
import { ssdpAnnouncer } from "./ssdp-announce.ts";

const farewellMs = 1000;

export interface AnnounceOptions extends Omit<GatewayAnnounced, "machine"> {
  /** Names of the LAN interfaces; undefined: see lanInterfaces. Nothing is said or answered anywhere else. */
  readonly lan: readonly string[] | undefined;
  readonly clock: Clock;
  readonly log: Log;
  /** In [0, 1). */
  readonly random: () => number;
  /** Name of the machine; default: what the system says. */
  readonly machine?: string;
}

/** The gateway says on its LAN that it is there, while this runs. */
export interface Announcing {
  /** state: starting, waiting (no LAN interface), announcing, error (it is tried again). */
  status(): PartReport;
  /** Says goodbye, within a second, and resolves when every socket is closed. */
  stop(): Promise<void>;
}

/**
 * Announces the gateway on every LAN interface, those included that come later: by mDNS as `_dmgw._tcp`, and by SSDP as urn:dmgw:service:gateway:1. Resolves when
 * each has been tried once; whatever goes wrong is told by status() and tried again.
 */
export async function startAnnouncing(given: AnnounceOptions): Promise<Announcing> {
  const { clock, log, random } = given;
  const gateway = { ...given, machine: given.machine ?? hostname() };
  const way = (name: string, make: typeof mdnsAnnouncer) => {
    const io = { clock, log: log.part(name.toLowerCase()), random };
    const { source, farewell } = make(gateway, io);
    return { name, farewell, links: onLinks(source, io) };
  };
  const ways = [way("mDNS", mdnsAnnouncer), way("SSDP", ssdpAnnouncer)] as const;

  let tried: Promise<unknown> = Promise.resolve();
  const watch = watchLan(given.lan, clock, (interfaces) => {
    tried = Promise.all(ways.map(({ links }) => links.update(interfaces)));
  });
  await tried;

  return {
    status() {
      const report = ({ name, links }: (typeof ways)[number]) => ({ name, ...links.report() });
      const reports = [report(ways[0]), report(ways[1])] as const;
      const told = (which: "error" | "detail") =>
        reports.flatMap(({ name, [which]: text }) => (text === undefined ? [] : [`${name}: ${text}`])).join("; ");
      const { state, since } = reports.find((one) => one.state === "listening") ?? reports[0];
      const error = told("error");
      const detail = told("detail");
      return {
        state: state === "listening" ? "announcing" : state,
        since,
        ...(error !== "" && { error }),
        ...(detail !== "" && { detail }),
      };
    },
    async stop() {
      watch.stop();
      const said = Promise.all(ways.map(({ farewell }) => farewell()));
      await new Promise<void>((resolve) => {
        const cancel = clock.after(farewellMs, resolve);
        void said.finally(() => {
          cancel();
          resolve();
        });
      });
      await Promise.all(ways.map(({ links }) => links.stop()));
    },
  };
}
