import { isIP } from "node:net";
import type { CpeIdentity } from "./dhcp-ids.ts";
import { addressText, printable } from "./text.ts";

export const leaseLimits = { leases: 2048, line: 1024, host: 63 } as const;

/** One address that a DHCP server has given away. */
export interface Lease {
  readonly address: string;
  /** As the server saw it. */
  readonly mac?: string;
  /** A DUID, or a client id that says more than the hardware address; hex. */
  readonly dhcpId?: string;
  readonly host?: string;
  /** Wall clock, ms; Infinity: it does not end, or the server does not say when. */
  readonly ends: number;
  readonly device?: CpeIdentity;
}

/** What the files of one DHCP server say together. */
export interface LeaseBook {
  /** By address: what stands last in the file counts. */
  readonly leases: Map<string, Lease>;
  /** By hardware address: of lines that say it alone. */
  readonly devices: Map<string, CpeIdentity>;
  /** Lines that could not be read, and leases that had no room. */
  skipped: number;
  refused: number;
}

export function emptyBook(): LeaseBook {
  return { leases: new Map(), devices: new Map(), skipped: 0, refused: 0 };
}

/** Into the book, unless that is full. */
export function enter(book: LeaseBook, lease: Lease): void {
  const isNew = !book.leases.has(lease.address);
  if (isNew && book.leases.size >= leaseLimits.leases) book.refused++;
  else book.leases.set(lease.address, lease);
}

export function* linesOf(text: string): Iterable<string> {
  for (let at = 0; at < text.length;) {
    const end = text.indexOf("\n", at);
    yield text.slice(at, end < 0 ? undefined : end).replace(/\r$/, "");
    at = end < 0 ? text.length : end + 1;
  }
}

/** The name of a host as its DHCP server writes it, without domain; undefined: it has none. */
export function hostOf(text: string): string | undefined {
  const host = printable(text.split(".", 1)[0] ?? "", leaseLimits.host);
  return host === "" || host === "*" || host === "-" ? undefined : host;
}

/** undefined: no address of a host. */
export function addressOf(text: string): string | undefined {
  return isIP(text) === 0 || text.includes("%") ? undefined : addressText(text);
}
