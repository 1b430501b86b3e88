import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Device, Home } from "./namespaces.ts";
import { startPeer } from "./process.ts";
import type { Peer } from "./process.ts";

/** dnsmasq on the bridge of the home, as a DHCP server only. */
export interface Dnsmasq {
  /** Its file of leases. */
  readonly leases: string;
  /**
   * udhcpc on `eth0` of the device, which loses its other IPv4 addresses to the one that it gets. Stopping it gives the lease back. `wanted`: an address
   * to ask for.
   */
  lease(device: Device, host: string, wanted?: string): Promise<Lease>;
  stop(): Promise<void>;
}

export interface Lease {
  readonly address: string;
  readonly client: Peer;
}

/** Gives out 10.77.0.100 to .150. `folder`: for its files. */
export async function startDnsmasq(home: Home, folder: string): Promise<Dnsmasq> {
  const leases = join(folder, "dnsmasq.leases");
  const script = join(folder, "bound");
  const bound =
    '[ "$1" != bound ] || { ip -4 addr flush dev "$interface"; ip addr add "$ip/24" brd + dev "$interface"; }';
  writeFileSync(script, `#!/bin/sh\n${bound}\n`);
  chmodSync(script, 0o755);
  const args = ["--no-daemon", "--conf-file=/dev/null", "--port=0", "--pid-file=", "--user=root", "--no-ping"];
  const range = ["--interface=br-lan", "--bind-interfaces", "--dhcp-range=10.77.0.100,10.77.0.150,1h"];
  const options = { namespace: home.gateway, ready: /DHCP, IP range/ };
  const server = await startPeer("dnsmasq", [...args, ...range, `--dhcp-leasefile=${leases}`], options);
  return {
    leases,
    async lease({ namespace }, host, wanted) {
      const wish = wanted === undefined ? [] : ["-r", wanted];
      const asking = ["-i", "eth0", "-f", "-R", "-s", script, "-x", `hostname:${host}`, ...wish];
      const client = await startPeer("udhcpc", asking, { namespace, ready: /lease of \S+ obtained/ });
      return { client, address: /lease of (\S+) obtained/.exec(client.output())?.[1] ?? "" };
    },
    stop: () => server.stop(),
  };
}
