import { isIPv4 } from "node:net";
import { clientIdOf, cpeIdentityOf, duidOf, macOf } from "./dhcp-ids.ts";
import type { CpeIdentity } from "./dhcp-ids.ts";
import { addressOf, enter, hostOf, linesOf } from "./lease-book.ts";
import type { LeaseBook } from "./lease-book.ts";

/** A user context may be long. */
const longestLine = 8192;
const longestContext = 4096;
/** Assigned; the others are declined, reclaimed, released. */
const assigned = "0";
/** A lease for ever. */
const infinite = 0xffff_ffff;
/** hwaddr_source: taken from the DUID by the server, which proves nothing of the interface it is asked from. */
const fromDuid = 2;
/** lease_type of IPv6: a prefix that was handed on is the address of nobody. */
const prefix = "2";
/** Keys of a lease's user context that hold option 125 in hex. */
const optionKeys = ["vivso-suboptions", "option125"] as const;

/**
 * The files of Kea's memfile backend, for DHCPv4 and DHCPv6 (Kea ARM, "Leases Database Configuration"; the first line names the columns). Each line
 * takes the place of the ones before for the same address; one that is not assigned, or with no lifetime left, takes the lease away.
 */
export function readKea(text: string, book: LeaseBook): void {
  let columns: ReadonlyMap<string, number> | undefined;
  for (const line of linesOf(text)) {
    if (line === "") continue;
    if (line.length > longestLine) {
      book.skipped++;
      continue;
    }
    const fields = line.split(",");
    if (fields[0] === "address") columns = new Map(fields.map((name, index) => [name, index]));
    else if (columns === undefined || !readRow(fields, columns, book)) book.skipped++;
  }
}

function readRow(fields: readonly string[], columns: ReadonlyMap<string, number>, book: LeaseBook): boolean {
  const field = (name: string): string => fields[columns.get(name) ?? -1] ?? "";
  const address = addressOf(field("address"));
  const [expire, lifetime] = [field("expire"), field("valid_lifetime")];
  if (address === undefined || !/^\d{1,12}$/.test(expire) || !/^\d{1,10}$/.test(lifetime)) return false;
  if (field("lease_type") === prefix) return true;
  if ((field("state") || assigned) !== assigned || lifetime === "0") {
    book.leases.delete(address);
    return true;
  }
  const guessed = (Number(field("hwaddr_source") || "0") & fromDuid) !== 0;
  const mac = guessed ? undefined : macOf(field("hwaddr"));
  const dhcpId = isIPv4(address) ? clientIdOf(field("client_id"), mac) : duidOf(field("duid"));
  if (mac === undefined && dhcpId === undefined) return false;
  const host = hostOf(unescaped(field("hostname")));
  const device = deviceIn(unescaped(field("user_context")));
  enter(book, {
    address,
    ends: Number(lifetime) === infinite ? Infinity : Number(expire) * 1000,
    ...(mac && { mac }),
    ...(dhcpId && { dhcpId }),
    ...(host && { host }),
    ...(device && { device }),
  });
  return true;
}

/** Kea writes a comma inside a field as "&#x2c". */
function unescaped(text: string): string {
  return text.replace(/&#x([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}

/** Option 125 out of a user context: of its own keys, or of those that Kea keeps for itself below "ISC". */
function deviceIn(context: string): CpeIdentity | undefined {
  if (context === "" || context.length > longestContext) return undefined;
  const own = ownObject(parsed(context));
  const places = [own, ownObject(own?.get("ISC"))];
  const texts = places.flatMap((place) => optionKeys.map((key) => place?.get(key)));
  for (const text of texts) {
    const device = typeof text === "string" ? cpeIdentityOf(text) : undefined;
    if (device !== undefined) return device;
  }
  return undefined;
}

function ownObject(value: unknown): ReadonlyMap<string, unknown> | undefined {
  return typeof value === "object" && value !== null ? new Map(Object.entries(value)) : undefined;
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return undefined;
  }
}
