import { createHash } from "node:crypto";

const uuidForm = /^(?:urn:)?uuid:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i;

/** "uuid:…" of a gateway, in lower case: the UUID that its id is, else one made from it (RFC 9562 version 8), the same at each start. */
export function ssdpUuid(id: string): string {
  const own = uuidForm.exec(id)?.[1];
  if (own !== undefined) return `uuid:${own.toLowerCase()}`;
  const octets = createHash("sha256").update(id).digest().subarray(0, 16);
  octets[6] = ((octets[6] ?? 0) & 0x0f) | 0x80;
  octets[8] = ((octets[8] ?? 0) & 0x3f) | 0x80;
  return `uuid:${octets.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-")}`;
}

/** The id as it is announced: one word of bounded length. */
export function announcedId(id: string): string {
  return cut(id, 200);
}

/** Its host name of mDNS, without ".local". One of its own: the machine's belongs to the responder that may run beside it (avahi). */
export function hostLabel(id: string): string {
  return `dmgw-${createHash("sha256").update(id).digest("hex").slice(0, 8)}`;
}

/**
 * What it calls itself (an instance name, RFC 6763 4.1.1): its model where the config has one, else "dmgw on <machine>". At most 63 octets. Dots become
 * dashes, since the packet writer cannot tell one in a label from one between labels.
 */
export function instanceLabel(model: string, machine: string): string {
  const [short = ""] = machine.split(".", 1);
  return cut((model === "dmgw" ? `dmgw on ${short}` : model).replaceAll(".", "-"), 63);
}

/** The name after its n-th conflict: "dmgw on router (2)", "dmgw-12345678-2" (RFC 6763 appendix D, RFC 6762 9). */
export function renamed(label: string, conflicts: number, kind: "instance" | "host"): string {
  if (conflicts === 0) return label;
  const end = kind === "instance" ? ` (${conflicts + 1})` : `-${conflicts + 1}`;
  return cut(label, 63 - end.length) + end;
}

/** At most so many octets of UTF-8, no character in part, and no control characters; "dmgw" where nothing is left. */
export function cut(text: string, octets: number): string {
  const clean = text
    .toWellFormed()
    .replace(/\p{Cc}/gu, " ")
    .trim();
  let out = "";
  let left = octets;
  for (const character of clean) {
    left -= Buffer.byteLength(character);
    if (left < 0) break;
    out += character;
  }
  return out.trim() || "dmgw";
}
