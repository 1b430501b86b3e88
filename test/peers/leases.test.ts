import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundle } from "./lib/bundle.ts";
import { startDiscovered } from "./lib/discovered.ts";
import type { Discovered } from "./lib/discovered.ts";
import { openHome } from "./lib/namespaces.ts";
import type { Device, Home } from "./lib/namespaces.ts";
import { startPeer } from "./lib/process.ts";
import type { Peer } from "./lib/process.ts";

/** OUI 00D09E, serial number 1, product class x (TR-069 Annex F). */
const option125 = "00000de90e0106303044303945020131030178";

let printer: Awaited<ReturnType<typeof bundle>>;
let folder: string;
let home: Home;
let first: Device;
let second: Device;
let gateway: Discovered;
const path = (name: string) => join(folder, name);
function program(name: string, body: string): void {
  writeFileSync(path(name), `#!/bin/sh\n${body}\n`);
  chmodSync(path(name), 0o755);
}

beforeAll(async () => {
  printer = await bundle("test/peers/lib/discovery-printer.ts");
  folder = mkdtempSync(join(tmpdir(), "dmgw-dhcp-"));
  program("client", '[ "$1" != bound ] || ip addr add "$ip/24" dev "$interface"');
  home = openHome(2);
  [first, second] = home.devices as [Device, Device];
  const leases = [path("dnsmasq.leases"), path("options"), path("kea-leases4.csv")];
  gateway = await startDiscovered(printer.file, home.gateway, { leases });
});
afterAll(async () => {
  await gateway.stop();
  home.close();
  printer.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** Asks for an address, and gives it back when it is stopped. */
function askForAddress(device: Device, ...options: string[]): Promise<Peer> {
  const args = ["-i", "eth0", "-f", "-R", "-s", path("client"), ...options.flatMap((one) => ["-x", one])];
  return startPeer("udhcpc", args, { namespace: device.namespace, ready: /lease of \S+ obtained/ });
}
function macOf(device: Device): string {
  return (JSON.parse(home.run(device.namespace, "ip", "-j", "link", "show", "eth0")) as [{ address: string }])[0]
    .address;
}
const leaseOf = (mac: string) => gateway.find("seen", (s) => s.source === "leases" && s.key === mac);

it("while there is no file of leases it says where it looks", async () => {
  const { leases } = await gateway.status();
  expect(leases).toMatchObject({ state: "waiting", detail: expect.stringContaining(path("dnsmasq.leases")) as string });
});

describe("dnsmasq", () => {
  let dnsmasq: Peer;
  beforeAll(async () => {
    program(
      "script",
      `[ -z "$DNSMASQ_CPEWAN_OUI" ] || printf '125\\t%s\\t%s\\t%s\\t%s\\n' \\
  "$2" "$DNSMASQ_CPEWAN_OUI" "$DNSMASQ_CPEWAN_SERIAL" "$DNSMASQ_CPEWAN_CLASS" >> ${path("options")}`,
    );
    const args = ["--no-daemon", "--conf-file=/dev/null", "--port=0", "--pid-file=", "--user=root", "--no-ping"];
    const range = ["--interface=br-lan", "--bind-interfaces", "--dhcp-range=10.77.0.100,10.77.0.150,2m"];
    const files = [`--dhcp-leasefile=${path("dnsmasq.leases")}`, `--dhcp-script=${path("script")}`];
    const options = { namespace: home.gateway, ready: /DHCP, IP range/ };
    dnsmasq = await startPeer("dnsmasq", [...args, ...range, ...files, "--dhcp-scriptuser=root"], options);
  });
  afterAll(() => dnsmasq.stop());

  it("a lease is seen with its host name and option 125, and its end when it was given back", async () => {
    const mac = macOf(first);
    const from = Date.now();
    const client = await askForAddress(first, "hostname:tv", `0x7d:${option125}`, "0x3d:0061626364");
    const seen = await gateway.find("seen", (s) => s.key === mac && s.text["serialNumber"] === "1", { since: from });
    expect(seen).toMatchObject({
      source: "leases",
      name: "tv",
      host: "tv",
      mac,
      dhcpId: "0061626364",
      interface: "br-lan",
      text: { lease: "1", manufacturerOui: "00D09E", serialNumber: "1", productClass: "x" },
    });
    expect(seen.addresses[0]).toMatch(/^10\.77\.0\.1[0-5]\d$/);
    console.log(`dnsmasq: asked for -> seen: ${seen.at - from} ms`);
    const { leases } = await gateway.status();
    expect(leases.state).toBe("listening");
    const back = Date.now();
    await client.stop();
    const gone = await gateway.find("gone", (e) => e.source === "leases" && e.key === mac, { since: back });
    expect(gone.why).toBe("goodbye");
  });
});

describe("Kea", () => {
  let kea: Peer;
  beforeAll(async () => {
    const config = {
      Dhcp4: {
        "interfaces-config": { interfaces: ["br-lan"] },
        "lease-database": { type: "memfile", name: path("kea-leases4.csv"), "lfc-interval": 2 },
        subnet4: [{ subnet: "10.77.0.0/24", pools: [{ pool: "10.77.0.160-10.77.0.200" }] }],
        "valid-lifetime": 120,
        loggers: [{ name: "kea-dhcp4", severity: "INFO", output_options: [{ output: "stderr" }] }],
      },
    };
    writeFileSync(path("kea.json"), JSON.stringify(config));
    const env = { KEA_LOCKFILE_DIR: folder, KEA_PIDFILE_DIR: folder };
    const options = { namespace: home.gateway, env, ready: /DHCP4_STARTED/ };
    kea = await startPeer("kea-dhcp4", ["-c", path("kea.json")], options);
  });
  afterAll(() => kea.stop());

  it("a lease is seen, stays while Kea cleans up its file, and ends when it was given back", async () => {
    const mac = macOf(second);
    const from = Date.now();
    const client = await askForAddress(second, "hostname:radio");
    const seen = await leaseOf(mac);
    expect(seen).toMatchObject({ name: "radio", mac, interface: "br-lan" });
    console.log(`Kea: asked for -> seen: ${seen.at - from} ms`);
    // Its clean-up comes every 2 s, and every look of ours after 10 s at the latest.
    await new Promise((resolve) => setTimeout(resolve, 14_000));
    expect(gateway.events().filter((e) => e.event === "gone" && e.key === mac)).toEqual([]);
    expect((await gateway.status()).leases.error).toBeUndefined();
    const back = Date.now();
    await client.stop();
    await gateway.find("gone", (e) => e.source === "leases" && e.key === mac, { since: back });
  });
});
