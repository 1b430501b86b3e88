import type { NeighbourRow } from "../../../daemon/discovery/neighbour-rows.ts";
import type { LanInterface } from "../../../daemon/lan.ts";

export const lan = (name: string, net = 1): LanInterface => ({
  name,
  address: `192.168.${net}.1`,
  netmask: "255.255.255.0",
  ipv6: [{ address: "fe80::1", prefix: 64 }],
  mac: "02:00:00:00:ff:01",
});
export const mac = (n: number) => `02:00:00:00:00:${n.toString(16).padStart(2, "0")}`;
export const row = (n: number, more: Partial<NeighbourRow> = {}): NeighbourRow => ({
  address: `192.168.1.${n}`,
  interface: "br-lan",
  mac: mac(n),
  state: "STALE",
  confirmedAgo: 0,
  ...more,
});
/** As `ip monitor` tells it: without times. */
export const news = (n: number, state: string, more: Partial<NeighbourRow> = {}): NeighbourRow => ({
  address: `192.168.1.${n}`,
  interface: "br-lan",
  mac: mac(n),
  state,
  ...more,
});
