import { BlockList, isIPv4 } from "node:net";
import { networkInterfaces } from "node:os";
import type { Sighting } from "../adapter.ts";

const longestUrl = 512;

/** A URL that may be fetched, and the address of ours to ask from. */
export interface Way {
  readonly url: URL;
  /** Of the device, IPv4. */
  readonly address: string;
  readonly from: string;
}

/** Why a description is not fetched: `elsewhere` is not where its device is, `here` is on this gateway, `no way` for now. */
export type Refusal = "elsewhere" | "here" | "no way";

type ReadInterfaces = typeof networkInterfaces;

/**
 * The way to the description of a sighting, by IPv4. A stranger must not make the gateway talk to anyone but that stranger: the URL is plain
 * http, without credentials, and names the very address that the sighting came from, which is a neighbour's on the sighting's interface. An
 * address of the gateway is one only on its loopback, where nobody else can speak.
 * @returns undefined when the sighting says of no description.
 */
export function wayTo(
  { addresses, interface: name, text }: Pick<Sighting, "addresses" | "interface" | "text">,
  read: ReadInterfaces = networkInterfaces,
): Way | Refusal | undefined {
  const location = text.get("LOCATION") ?? "";
  if (location === "") return undefined;
  if (location.length > longestUrl || !URL.canParse(location)) return "elsewhere";
  const url = new URL(location);
  const { hostname: address } = url;
  const plain = url.protocol === "http:" && url.username === "" && url.password === "" && url.port !== "0";
  if (!plain || !isIPv4(address) || !addresses.includes(address)) return "elsewhere";

  const ours = Object.entries(interfacesOf(read)).flatMap(([of, all = []]) =>
    all.filter(({ family }) => family === "IPv4").map((one) => ({ of, ...one })),
  );
  const link = ours.find(({ of, address: own, netmask }) => of === name && sameNet(address, own, netmask));
  if (link?.internal !== true && ours.some((one) => one.address === address)) return "here";
  if (link === undefined) return address.startsWith("127.") ? "here" : "no way";
  return { url, address, from: link.address };
}

function interfacesOf(read: ReadInterfaces): ReturnType<ReadInterfaces> {
  try {
    return read();
  } catch {
    // A sandbox that refuses the question. There is no way anywhere then, which is better than one that was not looked at.
    return {};
  }
}

function sameNet(address: string, own: string, netmask: string): boolean {
  const bits = netmask.split(".").reduce((sum, part) => sum + Number(part).toString(2).replaceAll("0", "").length, 0);
  const net = new BlockList();
  net.addSubnet(own, bits);
  return net.check(address);
}
