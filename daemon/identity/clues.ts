import { junkHostForms, junkHosts, junkMacs, junkSerials, junkUuids } from "./junk.ts";

export type ClueKind = "mac" | "uuid" | "serial" | "protocol-id" | "dhcp-id" | "host-name";

/** Something that tells a device from others. */
export interface Clue {
  readonly kind: ClueKind;
  /** In its normal form: two writings of one thing are equal. */
  readonly value: string;
  /** network: the neighbour table or the DHCP server says so. device: it says so itself, and may lie. */
  readonly said: "network" | "device";
}

/** Names a clue whoever said it: "mac 00:1d:c9:01:02:03". */
export type ClueKey = string;

export function keyOf({ kind, value }: Pick<Clue, "kind" | "value">): ClueKey {
  return `${kind} ${value}`;
}

export function clueOf(key: ClueKey): Pick<Clue, "kind" | "value"> {
  const space = key.indexOf(" ");
  return { kind: key.slice(0, space) as ClueKind, value: key.slice(space + 1) };
}

const longest = 128;

/** The clue in its normal form; undefined when it is none: empty, too long, or not of the form that its kind has. */
export function clue(kind: ClueKind, raw: string, said: Clue["said"]): Clue | undefined {
  if (raw.length > longest) return undefined;
  const value = normal[kind](raw.trim());
  return value === undefined || value === "" ? undefined : { kind, value, said };
}

const normal: Readonly<Record<ClueKind, (raw: string) => string | undefined>> = {
  mac: macOf,
  uuid: uuidOf,
  serial: (raw) => raw.toLowerCase().replace(/\s+/g, " "),
  "protocol-id": (raw) => raw,
  "dhcp-id": (raw) => raw.toLowerCase().replace(/[^0-9a-f]/g, ""),
  "host-name": hostOf,
};

/** "00:1d:c9:01:02:03" of any usual way to write it; undefined for anything else, and for group addresses. */
export function macOf(raw: string): string | undefined {
  const digits = raw.toLowerCase().replace(/[:.\s-]/g, "");
  if (!/^[0-9a-f]{12}$/.test(digits)) return undefined;
  const mac = digits.replace(/..(?=.)/g, "$&:");
  return isGroup(mac) && !junkMacs.has(mac) ? undefined : mac;
}

function isGroup(mac: string): boolean {
  return (Number.parseInt(mac.slice(0, 2), 16) & 1) === 1;
}

/** An address that the device made up itself, as phones do for each network, or anew each day (the local bit of IEEE 802). */
export function isMadeUp(mac: string): boolean {
  return (Number.parseInt(mac.slice(0, 2), 16) & 2) === 2;
}

/** Hardware addresses that IPv6 addresses were built from (EUI-64, RFC 4291 appendix A): whoever has such an address has, or had, that one. */
export function macsInside(addresses: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  for (const address of addresses) {
    const [, a, b, c, d] = /([0-9a-f]{1,4}):([0-9a-f]{0,2})ff:fe([0-9a-f]{2}):([0-9a-f]{1,4})$/i.exec(address) ?? [];
    if (a === undefined || b === undefined || c === undefined || d === undefined) continue;
    const digits = `${a.padStart(4, "0")}${b.padStart(2, "0")}${c}${d.padStart(4, "0")}`.toLowerCase();
    const first = (Number.parseInt(digits.slice(0, 2), 16) ^ 2).toString(16).padStart(2, "0");
    const mac = macOf(`${first}${digits.slice(2)}`);
    if (mac !== undefined) found.add(mac);
  }
  return found;
}

/** With hyphens where it has 32 digits; other one-word ids stay as they are: many devices call something else their UUID. */
function uuidOf(raw: string): string | undefined {
  const bare = raw.toLowerCase().replace(/^uuid:/, "");
  const digits = bare.replace(/-/g, "");
  if (/^[0-9a-f]{32}$/.test(digits)) return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  return /^\S{8,}$/.test(bare) ? bare : undefined;
}

/** Without domain: "Annas-iPhone.local" and "annas-iphone" are the same name. */
function hostOf(raw: string): string | undefined {
  const name = raw.toLowerCase().split(".", 1)[0] ?? "";
  return /^[^\s\p{Cc}]+$/u.test(name) ? name : undefined;
}

/** Does everybody's device say so? Then it counts for nothing. */
export function isJunk({ kind, value }: Pick<Clue, "kind" | "value">): boolean {
  if (kind === "mac") return junkMacs.has(value);
  if (kind === "uuid") return junkUuids.has(value) || /^(.)\1*$/.test(value.replace(/-/g, ""));
  if (kind === "serial") return value.length < 5 || junkSerials.has(value) || /^(.)\1*$/.test(value);
  if (kind === "host-name")
    return (
      junkHostForms.some((form) => form.test(value)) ||
      junkHosts.has(value) ||
      junkHosts.has(value.replace(/[-_ ]?(?:\d+|[0-9a-f]{4,12})$/, ""))
    );
  return false;
}

/** Decides alone. The others only support. */
export function isStrong(one: Pick<Clue, "kind" | "value">): boolean {
  return one.kind !== "host-name" && one.kind !== "serial" && !isJunk(one);
}

/** What a clue is called in a sentence. */
export function inWords({ kind, value }: Pick<Clue, "kind" | "value">): string {
  return `${words[kind]} ${value}`;
}

const words: Readonly<Record<ClueKind, string>> = {
  mac: "hardware address",
  uuid: "id",
  serial: "serial number",
  "protocol-id": "id",
  "dhcp-id": "DHCP client id",
  "host-name": "host name",
};
