import { isIP, isIPv4, isIPv6 } from "node:net";
import { clientIdOf, cpeIdentity, cpeIdentityOf, duidOf, macOf } from "./dhcp-ids.ts";
import { readKea } from "./kea-leases.ts";
import { addressOf, enter, hostOf, leaseLimits, linesOf } from "./lease-book.ts";
import type { LeaseBook } from "./lease-book.ts";

/**
 * Reads a file of leases of dnsmasq, odhcpd or Kea, whichever it is, into the book; and lines of a script (see the README: option 125). A last line
 * without its end is still being written: it is left for the next time.
 */
export function readLeases(text: string, book: LeaseBook): void {
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  if (/^address,[^\n]{0,1000}\bexpire,/.test(whole)) return readKea(whole, book);
  for (const line of linesOf(whole)) {
    if (line.length > leaseLimits.line || !readLine(line.trim(), book)) book.skipped++;
  }
}

/** @returns whether it could be read. */
function readLine(line: string, book: LeaseBook): boolean {
  if (line === "") return true;
  if (line.startsWith("#")) return readOdhcpd(line.split(" "), book);
  const words = line.split(" ");
  const [first = ""] = words;
  if (/^125\s/.test(line)) return readOption(line, book) || readDnsmasq(words, book);
  if (/^\d{1,12}$/.test(first)) return readDnsmasq(words, book);
  // dnsmasq: the DUID of the server itself. odhcpd: a line for /etc/hosts, which repeats a lease.
  return (first === "duid" && words.length === 2) || isIP(line.split(/\s/, 1)[0] ?? "") !== 0;
}

/** "125 MAC HEX", or with tabs "125 MAC OUI SERIAL [CLASS]". */
function readOption(line: string, book: LeaseBook): boolean {
  const words = line.includes("\t") ? line.split("\t") : line.split(" ");
  const [, macText = "", ...values] = words;
  const mac = macOf(macText);
  const device = values.length === 1 ? cpeIdentityOf(values[0] ?? "") : cpeIdentity(values);
  if (mac === undefined || device === undefined || values.length > 3) return false;
  if (!book.devices.has(mac) && book.devices.size >= leaseLimits.leases) book.refused++;
  else book.devices.set(mac, device);
  return true;
}

/** Earlier than this it is no time but a duration: dnsmasq for machines without a clock writes those. */
const earliestEnd = 1_000_000_000;

/** dnsmasq(8), --dhcp-leasefile: "EXPIRY MAC IPv4 HOST CLIENT-ID" and "EXPIRY IAID IPv6 HOST DUID". */
function readDnsmasq([expiry = "", id = "", address = "", name = "", client = ""]: readonly string[], book: LeaseBook) {
  const host = hostOf(name);
  const at = addressOf(address);
  const seconds = Number(expiry);
  if (!/^\d{1,12}$/.test(expiry) || at === undefined || client === "") return false;
  const known = { address: at, ends: seconds < earliestEnd ? Infinity : seconds * 1000, ...(host && { host }) };
  if (isIPv6(at)) {
    const duid = duidOf(client);
    if (duid !== undefined) enter(book, { ...known, dhcpId: duid });
    return duid !== undefined;
  }
  // "06-…": of another kind of network than Ethernet, whose number is 01.
  const mac = macOf(id.replace(/^01-/, ""));
  const dhcpId = clientIdOf(client, mac);
  if (mac === undefined && dhcpId === undefined) return false;
  enter(book, { ...known, ...(mac !== undefined && { mac }), ...(dhcpId !== undefined && { dhcpId }) });
  return true;
}

/** odhcpd's state file: "# INTERFACE DUID IAID HOST VALID-UNTIL ASSIGNED LENGTH ADDRESS/LENGTH …"; for IPv4 "MAC ipv4" stands for "DUID IAID". */
function readOdhcpd(words: readonly string[], book: LeaseBook): boolean {
  const [, , id = "", iaid = "", name = "", until = "", , , ...places] = words;
  // A comment.
  if (words.length < 8) return true;
  if (!/^-?\d{1,12}$/.test(until)) return false;
  const v4 = iaid === "ipv4";
  const mac = v4 ? macOf(id) : undefined;
  const dhcpId = v4 ? undefined : duidOf(id);
  if (mac === undefined && dhcpId === undefined) return false;
  // A name that odhcpd found unfit is written with an escaped space in it.
  const host = name.includes("\\") ? undefined : hostOf(name);
  if (until === "0") return true;
  const ends = until.startsWith("-") ? Infinity : Number(until) * 1000;
  for (const place of places.slice(0, 16)) {
    const [text = "", length] = place.split("/");
    const address = addressOf(text);
    // A shorter length is a prefix that was handed on: the address of nobody.
    if (address === undefined || isIPv4(address) !== v4 || (!v4 && length !== "128")) continue;
    enter(book, { address, ends, ...(mac && { mac }), ...(dhcpId && { dhcpId }), ...(host && { host }) });
  }
  return true;
}
