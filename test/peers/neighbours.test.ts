import { afterAll, beforeAll, expect, it } from "vitest";
import { bundle } from "./lib/bundle.ts";
import { startDiscovered } from "./lib/discovered.ts";
import type { Discovered } from "./lib/discovered.ts";
import { openHome } from "./lib/namespaces.ts";
import type { Device, Home } from "./lib/namespaces.ts";
import { until } from "./lib/process.ts";

let printer: Awaited<ReturnType<typeof bundle>>;
let home: Home;
let first: Device;
let second: Device;
let third: Device;
let silent: Device;
let gateway: Discovered;
const measured: string[] = [];

beforeAll(async () => {
  printer = await bundle("test/peers/lib/discovery-printer.ts");
  home = openHome(4);
  [first, second, third, silent] = home.devices as [Device, Device, Device, Device];
  // The kernel trusts an answer for 2 s instead of 30 s, and gives up on a neighbour after 2 s instead of 8 s.
  for (const cache of ["arp_cache", "ndisc_cache"]) {
    const times = ["base_reachable", "2000", "delay_probe", "1000", "retrans", "300"];
    home.run(home.gateway, "ip", "ntable", "change", "name", cache, "dev", "br-lan", ...times);
  }
  gateway = await startDiscovered(printer.file, home.gateway, { leases: [], probes: `${silent.address}%br-lan` });
});
afterAll(async () => {
  await gateway.stop();
  home.close();
  printer.remove();
  console.log(measured.join("\n"));
});

function macOf(device: Device): string {
  const link = JSON.parse(home.run(device.namespace, "ip", "-j", "link", "show", "eth0")) as [{ address: string }];
  return link[0].address;
}
const ownLinkLocal = () =>
  /inet6 (fe80:\S+)\//.exec(home.run(home.gateway, "ip", "-6", "addr", "show", "dev", "br-lan"))?.[1] ?? "";
const ping = (device: Device, to: string) => home.run(device.namespace, "ping", "-q", "-c", "1", "-W", "2", to);
const seenWith = (mac: string, address: string, since: number) =>
  gateway.find("seen", (s) => s.mac === mac && s.addresses.includes(address), { since });

function inTime(what: string, from: number, at: number): void {
  measured.push(`${what}: ${at - from} ms`);
  expect(at - from).toBeLessThan(2000);
}

it("who speaks to the gateway is seen at once, once for all addresses, and with nothing that the kernel's states would change", async () => {
  const from = Date.now();
  ping(first, "10.77.0.1");
  const mac = macOf(first);
  const seen = await seenWith(mac, first.address, from);
  inTime("first datagram -> seen", from, seen.at);
  expect(seen).toMatchObject({
    source: "neighbours",
    key: `${mac}%br-lan`,
    name: "",
    service: "",
    text: {},
    interface: "br-lan",
  });
  const later = Date.now();
  ping(first, "fd77::1");
  ping(first, `${ownLinkLocal()}%eth0`);
  const all = await gateway.find("seen", (s) => s.mac === mac && s.addresses.length === 3, { since: later });
  expect(all.addresses.slice(0, 2)).toEqual([first.address, "fd77::2"]);
  expect(all.addresses[2]).toMatch(/^fe80::/);
  ping(first, "10.77.0.1");
  ping(first, "fd77::1");
  await new Promise((resolve) => setTimeout(resolve, 5000));
  expect(gateway.events().filter((e) => e.event === "seen" && e.key === seen.key && e.at > all.at)).toEqual([]);
  expect(gateway.events().filter((e) => e.event === "seen" && e.mac === "02:00:00:00:77:01")).toEqual([]);
});

it("a host that has said nothing is found by a probe", async () => {
  const mac = macOf(silent);
  expect(gateway.events().some((e) => e.event === "seen" && e.addresses.includes(silent.address))).toBe(false);
  const from = Date.now();
  gateway.probe();
  inTime("probe -> seen", from, (await seenWith(mac, silent.address, from)).at);
});

it("a new address is seen at once, and the old one is dropped once it does not answer", async () => {
  ping(second, "10.77.0.1");
  const mac = macOf(second);
  await seenWith(mac, second.address, 0);
  home.run(second.namespace, "ip", "addr", "del", `${second.address}/24`, "dev", "eth0");
  home.run(second.namespace, "ip", "addr", "add", "10.77.0.102/24", "dev", "eth0");
  const from = Date.now();
  ping(second, "10.77.0.1");
  const seen = await seenWith(mac, "10.77.0.102", from);
  inTime("new address -> seen", from, seen.at);
  expect(seen.addresses[0]).toBe("10.77.0.102");
  const dropped = await gateway.find(
    "seen",
    (s) => s.mac === mac && s.addresses.includes("10.77.0.102") && !s.addresses.includes(second.address),
    { since: from },
  );
  measured.push(`new address -> the old one is dropped: ${dropped.at - from} ms`);
});

it("an address that another hardware address answers for has moved there, and the old one is gone", async () => {
  ping(third, "10.77.0.1");
  const old = macOf(third);
  await seenWith(old, third.address, 0);
  const news = "02:00:00:00:99:99";
  home.run(third.namespace, "ip", "link", "set", "eth0", "down");
  home.run(third.namespace, "ip", "link", "set", "eth0", "address", news);
  home.run(third.namespace, "ip", "link", "set", "eth0", "up");
  const from = Date.now();
  ping(third, "10.77.0.1");
  inTime("new hardware address -> seen", from, (await seenWith(news, third.address, from)).at);
  const after = await gateway.find("seen", (s) => s.mac === news, { since: from });
  expect(after.key).toBe(`${news}%br-lan`);
  await until("the old one to have lost the address", () => {
    const last = gateway
      .events()
      .findLast((e) => (e.event === "seen" || e.event === "gone") && e.key === `${old}%br-lan`);
    return last?.event === "gone" || (last?.event === "seen" && !last.addresses.includes(third.address)) || undefined;
  });
});

it("a host that is quiet is asked and stays; one that went away is gone after three questions without an answer", async () => {
  const { probes } = await gateway.status();
  const at = new Map(probes).get(`${macOf(first)}%br-lan`) ?? 0;
  expect(at).toBeGreaterThan(Date.now() - 1000);
  const from = Date.now();
  home.run(silent.namespace, "ip", "link", "set", "eth0", "down");
  const key = `${macOf(silent)}%br-lan`;
  const gone = await gateway.find("gone", (e) => e.key === key, { since: from, ms: 80_000 });
  measured.push(`went away -> gone (6 s until the first question, then one after the other): ${gone.at - from} ms`);
  expect(gone.why).toBe("unanswered");
  expect(gateway.events().filter((e) => e.event === "gone" && e.key === `${macOf(first)}%br-lan`)).toEqual([]);
  const back = Date.now();
  home.run(silent.namespace, "ip", "link", "set", "eth0", "up");
  ping(silent, "10.77.0.1");
  inTime("back -> seen", back, (await seenWith(macOf(silent), silent.address, back)).at);
}, 120_000);

it("a link that comes up is used at once, and a host that has moved to it is seen there, and leaves where it was", async () => {
  ping(first, "10.77.0.1");
  const mac = macOf(first);
  const from = Date.now();
  const guest = home.addLan("guest");
  await until("the new link on status", async () =>
    (await gateway.status()).neighbours.detail?.includes("guest") === true ? true : undefined,
  );
  inTime("new link -> used", from, Date.now());
  home.run(first.namespace, "ip", "link", "set", "eth0", "down");
  home.run(guest.namespace, "ip", "link", "set", "eth0", "down");
  home.run(guest.namespace, "ip", "link", "set", "eth0", "address", mac);
  home.run(guest.namespace, "ip", "link", "set", "eth0", "up");
  const moved = Date.now();
  ping(guest, "10.78.0.1");
  const seen = await gateway.find("seen", (s) => s.key === `${mac}%guest`, { since: moved });
  inTime("moved to another link -> seen there", moved, seen.at);
  const gone = await gateway.find("gone", (e) => e.key === `${mac}%br-lan`, { since: moved, ms: 60_000 });
  measured.push(`moved to another link -> gone from the first: ${gone.at - moved} ms`);
}, 90_000);

it("a home without any IPv4 address is one all the same", async () => {
  home.run(home.gateway, "ip", "link", "del", "guest");
  home.run(home.gateway, "ip", "addr", "del", "10.77.0.1/24", "dev", "br-lan");
  await until("the link without IPv4", async () => {
    const { neighbours } = await gateway.status();
    return neighbours.detail === "on br-lan" ? true : undefined;
  });
  const from = Date.now();
  ping(third, `${ownLinkLocal()}%eth0`);
  const seen = await gateway.find(
    "seen",
    (s) => s.mac === macOf(third) && s.addresses.some((a) => a.startsWith("fe80:")),
    {
      since: from,
    },
  );
  expect(seen.interface).toBe("br-lan");
});
