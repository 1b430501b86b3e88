import type { LoadedConfig } from "../config/load.ts";
import type { DeviceReport, PartReport, ServerReport, StatusReport } from "./gateway.ts";
import type { StoreUsage } from "./store.ts";
import type { ServerAccount } from "./upstream/account.ts";

export interface Memory {
  readonly rss: number;
  readonly private: number;
}

/** What `dmgw status` is made from. */
export interface StatusParts {
  readonly version: string;
  /** Seconds. */
  readonly uptime: number;
  readonly ready: boolean;
  readonly servers: readonly ServerReport[];
  readonly accounts: readonly ServerAccount[];
  readonly adapters: Readonly<Record<string, PartReport>>;
  readonly discovery: StatusReport["discovery"];
  readonly devices: readonly DeviceReport[];
  readonly refusedSightings: number;
  readonly memory: Memory;
  readonly flash: StoreUsage;
  readonly degraded: string | undefined;
  readonly loaded: LoadedConfig;
  readonly state: string;
}

/** The whole state of the daemon, for `dmgw status` and GET /v1/status. */
export function statusOf(parts: StatusParts): StatusReport {
  const { version, uptime, ready, servers, adapters, discovery, devices, memory, flash, loaded, state } = parts;
  return {
    version,
    uptime: Math.round(uptime),
    ready,
    servers,
    adapters,
    discovery,
    devices: {
      total: devices.length,
      managed: devices.filter((device) => device.managed).length,
      reachable: devices.filter((device) => device.reachable).length,
    },
    memory,
    flash: { written: flash.written, perDay: flash.perDay, syncs: flash.syncs },
    warnings: warnings(parts),
    config: loaded.source,
    state,
  };
}

function warnings(parts: StatusParts): string[] {
  const { accounts, degraded, loaded, refusedSightings } = parts;
  const all = loaded.warnings.map((warning) => `${warning.where}: ${warning.message}`);
  if (degraded !== undefined) all.unshift(degraded);
  for (const { id, refused } of accounts) if (refused !== undefined) all.push(`no session with ${id}: ${refused}`);
  for (const { id, insecure, owner } of accounts) {
    if (insecure && owner === "runtime") all.push(`the account of ${id} allows sessions without TLS (insecure)`);
  }
  for (const [name, part] of Object.entries(parts.adapters)) {
    if (part.error !== undefined) all.push(`adapter ${name}: ${part.error} (keys: adapters.${name})`);
  }
  for (const [name, part] of Object.entries(parts.discovery)) {
    const what = name === "announce" ? "announcement" : `discovery ${name}`;
    if (part.error !== undefined) all.push(`${what}: ${part.error} (keys: discovery.${name})`);
  }
  if (refusedSightings > 0)
    all.push(`${refusedSightings} sightings were not listed: too many things are seen on the LAN`);
  return all;
}
