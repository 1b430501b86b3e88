import { readdirSync } from "node:fs";
import { BlockList, isIP } from "node:net";
import { networkInterfaces } from "node:os";
import type { NetworkInterfaceInfo } from "node:os";
import type { Clock } from "../tree/ports.ts";

/**
 * One IPv4 address of an interface towards the home. An interface with two of them stands twice: they are two links. One without any,
 * where only IPv6 is spoken, stands once.
 */
export interface LanInterface {
  readonly name: string;
  /** IPv4, dotted; "" when it has none. */
  readonly address: string;
  /** Dotted; "" when there is no IPv4 address. */
  readonly netmask: string;
  /** Of the same interface, without zone. */
  readonly ipv6: readonly { readonly address: string; readonly prefix: number }[];
  /** Lower case with colons. */
  readonly mac: string;
}

type ReadInterfaces = typeof networkInterfaces;

const pollMs = 5000;
const homeNets: readonly (readonly [net: string, prefix: number])[] = [
  ["10.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["169.254.0.0", 16],
];
const home = new BlockList();
for (const [net, prefix] of homeNets) home.addSubnet(net, prefix);
/** Addresses of IPv6 that are nowhere but in a home. */
const local = new BlockList();
local.addSubnet("fe80::", 10, "ipv6");
local.addSubnet("fc00::", 7, "ipv6");

/**
 * The interfaces towards the home, in the order of the system. `names`: these, whatever their addresses are; undefined: every
 * interface that is not a loopback and has a private (RFC 1918) or link-local (RFC 3927) address; if there is none, those with no address but
 * link-local and unique local ones of IPv6 (RFC 4291 2.5.6, RFC 4193). On a usual router the latter is the side of the modem, or a port of the
 * bridge: it is not taken while there is a better one. An interface without any address, or that does not exist (yet), is left out.
 */
export function lanInterfaces(
  names: readonly string[] | undefined,
  read: ReadInterfaces = networkInterfaces,
  carries: (name: string) => boolean = carriesAnother,
): LanInterface[] {
  const system = Object.entries(readAll(read));
  if (names !== undefined) return system.filter(([name]) => names.includes(name)).flatMap((one) => linksOf(...one));
  const outer = system.flatMap(([name, addresses]) =>
    linksOf(
      name,
      addresses?.filter((a) => !a.internal),
    ),
  );
  const withIpv4 = outer.filter(({ address }) => address !== "" && home.check(address));
  if (withIpv4.length > 0) return withIpv4;
  return outer.filter(
    ({ name, address, ipv6 }) =>
      address === "" && ipv6.every((own) => local.check(own.address, "ipv6")) && !carries(name),
  );
}

function linksOf(name: string, addresses: readonly NetworkInterfaceInfo[] = []): LanInterface[] {
  const ipv6 = addresses
    .filter((a) => a.family === "IPv6")
    .map((a) => ({ address: a.address, prefix: Number(a.cidr?.split("/")[1] ?? 128) }));
  const ipv4 = addresses.filter((a) => a.family === "IPv4");
  const [first] = addresses;
  if (first !== undefined && ipv4.length === 0)
    return [{ name, address: "", netmask: "", ipv6, mac: first.mac.toLowerCase() }];
  return ipv4.map(({ address, netmask, mac }) => ({ name, address, netmask, ipv6, mac: mac.toLowerCase() }));
}

/** Is it a port of a bridge, or the ground of VLANs? Whatever comes in belongs to the interface on top of it. */
function carriesAnother(name: string): boolean {
  try {
    return readdirSync(`/sys/class/net/${name}`).some((entry) => entry === "master" || entry.startsWith("upper_"));
  } catch {
    // A sandbox that does not show /sys: it is then listened on in vain, which harms nobody.
    return false;
  }
}

function readAll(read: ReadInterfaces): ReturnType<ReadInterfaces> {
  try {
    return read();
  } catch {
    // A sandbox without AF_NETLINK refuses the question. To know of no interface is a state that heals; a crash is not.
    return {};
  }
}

export interface LanWatch {
  /** Somebody says that something has changed: it is looked now. */
  look(): void;
  stop(): void;
}

/** Tells the LAN interfaces at once, and again whenever one comes, goes, or changes its addresses, within 5 s. */
export function watchLan(
  names: readonly string[] | undefined,
  clock: Clock,
  onChange: (interfaces: readonly LanInterface[]) => void,
  read: ReadInterfaces = networkInterfaces,
): LanWatch {
  let told: string | undefined;
  let cancel = () => {};
  let stopped = false;
  const look = () => {
    if (stopped) return;
    const interfaces = lanInterfaces(names, read);
    const text = JSON.stringify(interfaces);
    // Armed before it is told: whoever is told may end the watch.
    cancel();
    cancel = clock.after(pollMs, look);
    if (text === told) return;
    told = text;
    onChange(interfaces);
  };
  look();
  return {
    look,
    stop() {
      stopped = true;
      cancel();
    },
  };
}

/** Is this address (IPv4, or IPv6 with or without zone) a neighbour's on one of these links, as their netmasks and prefixes say? */
export function onLan(address: string, interfaces: readonly LanInterface[]): boolean {
  const bare = address.split("%", 1)[0] ?? "";
  const version = isIP(bare);
  if (version === 0) return false;
  return interfaces.some((lan) => neighbours(lan).check(bare, version === 4 ? "ipv4" : "ipv6"));
}

const lists = new WeakMap<LanInterface, BlockList>();

function neighbours(lan: LanInterface): BlockList {
  const known = lists.get(lan);
  if (known !== undefined) return known;
  const list = new BlockList();
  if (lan.address !== "") list.addSubnet(lan.address, prefixOf(lan.netmask));
  list.addSubnet("fe80::", 10, "ipv6");
  for (const { address, prefix } of lan.ipv6) list.addSubnet(address, prefix, "ipv6");
  lists.set(lan, list);
  return list;
}

function prefixOf(netmask: string): number {
  let bits = 0;
  for (const part of netmask.split(".")) for (let octet = Number(part); octet > 0; octet = (octet << 1) & 255) bits++;
  return bits;
}
