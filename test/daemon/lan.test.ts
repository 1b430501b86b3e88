import type { NetworkInterfaceInfo } from "node:os";
import { describe, expect, it } from "vitest";
import { lanInterfaces, onLan, watchLan } from "../../daemon/lan.ts";
import type { LanInterface } from "../../daemon/lan.ts";
import { fakeClock } from "../fakes/clock.ts";

const v4 = (address: string, prefix = 24, internal = false): NetworkInterfaceInfo => ({
  address,
  netmask: prefix === 24 ? "255.255.255.0" : "255.240.0.0",
  family: "IPv4",
  mac: "02:00:5E:00:00:01",
  internal,
  cidr: `${address}/${prefix}`,
});
const v6 = (address: string): NetworkInterfaceInfo => ({
  address,
  netmask: "ffff:ffff:ffff:ffff::",
  family: "IPv6",
  mac: "02:00:5e:00:00:01",
  internal: false,
  cidr: `${address}/64`,
  scopeid: 0,
});
const router = {
  lo: [v4("127.0.0.1", 24, true)],
  wan0: [v4("203.0.113.7")],
  "br-lan": [v4("192.168.1.1"), v4("10.0.0.1"), v6("fe80::1"), v6("2001:db8:1::1")],
  zeroconf: [v4("169.254.10.20")],
  guest: [v4("172.16.5.1", 12)],
  outside: [v4("172.32.0.1")],
  carrier: [v4("100.64.0.1")],
  six: [v6("2001:db8:2::1")],
};
const names = (interfaces: readonly LanInterface[]) => interfaces.map((lan) => `${lan.name} ${lan.address}`);

it("takes every private and link-local address by default, and neither the loopback nor the WAN", () => {
  expect(names(lanInterfaces(undefined, () => router))).toEqual([
    "br-lan 192.168.1.1",
    "br-lan 10.0.0.1",
    "zeroconf 169.254.10.20",
    "guest 172.16.5.1",
  ]);
});

it("takes exactly the interfaces that are named, whatever their addresses, and leaves out those that are not there", () => {
  expect(names(lanInterfaces(["wan0", "lo", "later"], () => router))).toEqual(["lo 127.0.0.1", "wan0 203.0.113.7"]);
});

it("takes an interface that has IPv6 only when it is named, as one link", () => {
  expect(lanInterfaces(["six"], () => router)).toEqual([
    {
      name: "six",
      address: "",
      netmask: "",
      mac: "02:00:5e:00:00:01",
      ipv6: [{ address: "2001:db8:2::1", prefix: 64 }],
    },
  ]);
});

describe("a home that only has addresses of IPv6 that are nobody else's", () => {
  const bare = {
    wan0: [v4("203.0.113.7"), v6("fe80::7")],
    lan1: [v6("fe80::1")],
    lan2: [v6("fe80::2"), v6("fd00::1")],
  };

  it("is taken by default, without what is on the way to the Internet or below a bridge", () => {
    const system = { ...bare, six: [v6("fe80::3"), v6("2001:db8:2::1")], port: [v6("fe80::4")] };
    expect(
      lanInterfaces(
        undefined,
        () => system,
        (name) => name === "port",
      ).map(({ name }) => name),
    ).toEqual(["lan1", "lan2"]);
  });

  it("is not looked for where there is a private IPv4 address", () => {
    expect(names(lanInterfaces(undefined, () => ({ ...bare, guest: [v4("10.0.0.1")] })))).toEqual(["guest 10.0.0.1"]);
  });

  it("has neighbours", () => {
    const lan = lanInterfaces(["lan2"], () => bare);
    expect(["fe80::99", "fd00::99"].filter((address) => onLan(address, lan))).toHaveLength(2);
    expect(["192.168.1.1", "0.0.0.0", "2001:db8::1"].filter((address) => onLan(address, lan))).toEqual([]);
  });
});

it("tells mac, netmask and IPv6 prefixes", () => {
  expect(lanInterfaces(["br-lan"], () => router)[0]).toEqual({
    name: "br-lan",
    address: "192.168.1.1",
    netmask: "255.255.255.0",
    mac: "02:00:5e:00:00:01",
    ipv6: [
      { address: "fe80::1", prefix: 64 },
      { address: "2001:db8:1::1", prefix: 64 },
    ],
  });
});

it("knows of no interface when the system does not tell", () => {
  const refuse = () => {
    throw Object.assign(new Error("uv_interface_addresses"), { code: "EPERM" });
  };
  expect(lanInterfaces(undefined, refuse)).toEqual([]);
});

it("tells which addresses are neighbours of a link", () => {
  const lan = lanInterfaces(["br-lan"], () => router).slice(0, 1);
  const here = ["192.168.1.1", "192.168.1.200", "fe80::1234", "fe80::1234%br-lan", "2001:db8:1::99"];
  const elsewhere = ["192.168.2.1", "10.0.0.2", "8.8.8.8", "2001:db8:2::99", "", "kitchen.local", "192.168.1", "::1"];
  expect(here.filter((address) => onLan(address, lan))).toEqual(here);
  expect(elsewhere.filter((address) => onLan(address, lan))).toEqual([]);
  expect(onLan("192.168.1.2", [])).toBe(false);
});

it("tells the interfaces at once, then only when they have changed, and no more after its end", async () => {
  const clock = fakeClock();
  let system: Record<string, NetworkInterfaceInfo[]> = {};
  const told: string[][] = [];
  const watch = watchLan(
    undefined,
    clock,
    (interfaces) => told.push(names(interfaces)),
    () => system,
  );
  expect(told).toEqual([[]]);
  await clock.advance(60_000);
  system = { eth1: [v4("192.168.7.1")] };
  await clock.advance(5000);
  await clock.advance(60_000);
  system = { eth1: [v4("192.168.8.1")] };
  await clock.advance(5000);
  expect(told).toEqual([[], ["eth1 192.168.7.1"], ["eth1 192.168.8.1"]]);
  system = { eth1: [v4("192.168.9.1")] };
  watch.look();
  expect(told.at(-1)).toEqual(["eth1 192.168.9.1"]);
  expect(clock.timers).toBe(1);
  watch.stop();
  system = {};
  watch.look();
  await clock.advance(60_000);
  expect(told).toHaveLength(4);
  expect(clock.timers).toBe(0);
});
