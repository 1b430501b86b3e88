import { isDeepStrictEqual } from "node:util";
import { keyBelow } from "./nodes.ts";
import type { Config } from "./schema.ts";

/**
 * The keys whose values differ, without the values: "log.level", "adapters.mqtt.password", "servers.com.example.dm.poll". Servers are
 * compared by id; one that came or went is one key: "servers.com.example.dm".
 */
export function changedKeys(before: Config, after: Config): string[] {
  const { servers: oldServers, ...oldRest } = before;
  const { servers: newServers, ...newRest } = after;
  const byId = (servers: Config["servers"]) => new Map(servers.map((server) => [server.id, server]));
  const [old, now] = [byId(oldServers), byId(newServers)];
  const ids = new Set([...old.keys(), ...now.keys()]);
  return [
    ...differences(oldRest, newRest, ""),
    ...[...ids].flatMap((id) => differences(old.get(id), now.get(id), `servers.${id}`)),
  ];
}

function differences(before: unknown, after: unknown, key: string): string[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (!isGroup(before) || !isGroup(after)) return [key];
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].flatMap((name) => differences(before[name], after[name], keyBelow(key, name)));
}

function isGroup(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}
