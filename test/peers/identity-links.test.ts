import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect, it } from "vitest";
import { startGateway } from "../demo/gateway.ts";
import type { RunningGateway } from "../demo/gateway.ts";
import { startAvahi } from "./lib/avahi.ts";
import type { Avahi } from "./lib/avahi.ts";
import { inventoryOf } from "./lib/inventory.ts";
import { openHome } from "./lib/namespaces.ts";
import type { Device, Home } from "./lib/namespaces.ts";
import { until } from "./lib/process.ts";
import { startMinidlna } from "./lib/upnp.ts";

// More than one gateway, more than one link, and links without the addresses that most homes have.

const macs = ["3c:2a:f4:5e:00:21", "3c:2a:f4:5e:00:22"] as const;
const measured: string[] = [];
const undo: (() => unknown)[] = [];
let home: Home;
let [first, second]: Device[] = [];
let folder: string;

beforeEach(() => {
  home = openHome(2, macs);
  undo.push(() => home.close());
  [first, second] = home.devices;
  folder = mkdtempSync(join(tmpdir(), "dmgw-links-"));
  undo.push(() => rmSync(folder, { recursive: true, force: true }));
});
afterEach(async () => {
  for (const one of undo.splice(0).reverse()) await one();
});
afterAll(() => console.log(measured.join("\n")));

async function start(namespace: string, name: string): Promise<RunningGateway> {
  const own = join(folder, name);
  mkdirSync(own);
  const gateway = await startGateway(own, { adapters: { mqtt: { enabled: false } } }, { namespace });
  undo.push(() => gateway.kill());
  return gateway;
}
async function avahiAt(device: Device | undefined, host: string): Promise<Avahi> {
  const avahi = await startAvahi(device?.namespace ?? "", host);
  undo.push(() => avahi.stop());
  return avahi;
}
async function publish(avahi: Avahi, name: string, type: string, port: number): Promise<number> {
  const peer = await avahi.publish(name, type, port);
  undo.push(() => peer.stop());
  return performance.now();
}
const ip = (namespace: string, ...args: string[]) => home.run(namespace, "ip", ...args);
/** Lines of avahi-browse about gateways. */
const browse = async (avahi: Avahi) =>
  (await avahi.run("avahi-browse", "--resolve", "--parsable", "--terminate", "_dmgw._tcp"))
    .split("\n")
    .filter((line) => line.startsWith("="));

it("two gateways on one LAN list each other as gateways, avahi finds both, and one that stops is away", async () => {
  const one = await start(home.gateway, "one");
  const from = performance.now();
  const other = await start(first?.namespace ?? "", "other");
  const [ours, theirs] = [inventoryOf(() => one), inventoryOf(() => other)];
  const seen = await ours.listed("the other", (d) => d.gateway === true && d.mac === macs[0]);
  measured.push(`another gateway: started -> listed in ${(performance.now() - from).toFixed(0)} ms`);
  expect(seen).toMatchObject({ reachable: true, managed: false });
  expect(seen.addresses).toContain(first?.address);
  await theirs.listed("the first", (d) => d.gateway === true && d.addresses.includes("10.77.0.1"));
  // Both ways of announcing, one device; and nobody lists himself.
  await until("both ways", async () => {
    const [device] = (await ours.devices()).filter(({ gateway }) => gateway === true);
    return (device?.sources.includes("mdns") === true && device.sources.includes("ssdp")) || undefined;
  });
  for (const inventory of [ours, theirs])
    expect((await inventory.devices()).filter(({ gateway }) => gateway === true)).toHaveLength(1);
  expect(await one.cli("device", seen.id)).toContain("another dmgw gateway");

  const avahi = await avahiAt(second, "laptop");
  const lines = await until("both in avahi-browse", async () => {
    const found = await browse(avahi);
    return ["10.77.0.1", first?.address ?? ""].every((at) => found.join().includes(`;${at};`)) ? found : undefined;
  });
  expect(new Set(lines.map((line) => /"id=([^"]+)"/.exec(line)?.[1])).size).toBe(2);
  expect(await other.stop()).toBe(0);
  await until("its end", async () => {
    const { members } = await ours.why(seen.id);
    return members.every(({ what, live }) => !live || what.startsWith("neighbour")) || undefined;
  });
  await until(
    "its end in avahi",
    async () => !(await browse(avahi)).join().includes(`;${first?.address};`) || undefined,
  );
});

it("a link without IPv4 is one all the same: what speaks IPv6 there is found with its hardware address", async () => {
  for (const [namespace, address, on] of [
    [home.gateway, "10.77.0.1", "br-lan"],
    [first?.namespace ?? "", first?.address ?? "", "eth0"],
  ] as const)
    ip(namespace, "addr", "del", `${address}/24`, "dev", on);
  const gateway = await start(home.gateway, "one");
  const { devices, listed } = inventoryOf(() => gateway);
  const avahi = await avahiAt(first, "kitchen");
  const from = await publish(avahi, "Kitchen Printer", "_ipp._tcp", 631);
  const printer = await listed("the printer", (d) => d.name === "Kitchen Printer" && d.addresses.length > 0);
  measured.push(`IPv6 only: announced -> listed in ${(performance.now() - from).toFixed(0)} ms`);
  expect(printer.addresses.every((address) => address.includes(":"))).toBe(true);
  const whole = await listed("its row", ({ mac }) => mac === macs[0]);
  expect([...whole.sources].sort()).toEqual(["mdns", "neighbours"]);
  expect(whole.id).toBe(printer.id);
  expect(await devices()).toHaveLength(1);
  await until("the gateway in avahi", async () => (await browse(avahi)).some((l) => l.includes(";IPv6;")) || undefined);
});

it("so is one where everybody has link-local addresses only, of IPv6", async () => {
  ip(home.gateway, "addr", "flush", "dev", "br-lan", "scope", "global");
  for (const device of [first, second]) ip(device?.namespace ?? "", "addr", "flush", "dev", "eth0", "scope", "global");
  const gateway = await start(home.gateway, "one");
  const { devices, listed } = inventoryOf(() => gateway);
  const avahi = await avahiAt(first, "kitchen");
  const from = await publish(avahi, "Kitchen Printer", "_ipp._tcp", 631);
  await publish(avahi, "Kitchen Page", "_http._tcp", 80);
  const printer = await listed("the printer", (d) => d.protocols.includes("ipp") && d.protocols.includes("http"));
  measured.push(`link-local only: announced -> listed in ${(performance.now() - from).toFixed(0)} ms`);
  const whole = await listed("its row", ({ mac }) => mac === macs[0]);
  expect(whole.id).toBe(printer.id);
  expect(whole.addresses.every((address) => address.startsWith("fe80:"))).toBe(true);
  expect(await devices()).toHaveLength(1);
});

it("so is one with link-local addresses of IPv4 beside the LAN: each thing is found once, and the gateway on both", async () => {
  const garage = home.addLan("garage");
  ip(home.gateway, "addr", "flush", "dev", "garage");
  ip(home.gateway, "addr", "add", "169.254.7.1/16", "brd", "+", "dev", "garage");
  ip(garage.namespace, "addr", "flush", "dev", "eth0");
  ip(garage.namespace, "addr", "add", "169.254.7.2/16", "brd", "+", "dev", "eth0");
  const gateway = await start(home.gateway, "one");
  const { devices, listed } = inventoryOf(() => gateway);
  const [kitchen, shed] = [await avahiAt(first, "kitchen"), await avahiAt(garage, "shed")];
  await publish(kitchen, "Kitchen Printer", "_ipp._tcp", 631);
  await publish(shed, "Shed Camera", "_rtsp._tcp", 554);
  const uuid = "4d696e69-444c-164e-9d41-0123456789ab";
  const media = await startMinidlna(garage.namespace, { name: "Shed Media", uuid, serial: "51-339912" });
  undo.push(() => media.stop());
  await listed("the printer", (d) => d.name === "Kitchen Printer" && d.mac === macs[0]);
  const shedBox = await listed("the shed", (d) => d.protocols.includes("rtsp") && d.protocols.includes("UPnP"));
  expect(shedBox.addresses).toContain("169.254.7.2");
  await listed("its description", (d) => d.id === shedBox.id && d.identities.includes(`upnp:${uuid}`));
  expect(await devices()).toHaveLength(2);
  for (const [avahi, address] of [
    [kitchen, "10.77.0.1"],
    [shed, "169.254.7.1"],
  ] as const)
    await until(`the gateway at ${address}`, async () => (await browse(avahi)).join().includes(address) || undefined);
});
