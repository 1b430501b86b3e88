/** What identifies a client to its DHCP server, decoded. All hex is lower case without separators. */

/** RFC 8415 11: 130 octets at most. */
const longestDuid = 260;
/** RFC 2132 9.14: an option has 255 octets at most. */
const longestClientId = 510;
const longestOption = 1024;
/** Broadband Forum, as in TR-069 Annex F. */
const broadbandForum = 3561;

/** What a TR-069 device says of itself in DHCP (TR-069 Amendment 6, Annex F 2.5). */
export interface CpeIdentity {
  /** Six hex digits, upper case. */
  readonly manufacturerOui: string;
  readonly serialNumber: string;
  readonly productClass?: string;
}

/** Hex of octets, with or without colons and "0x"; undefined: it is none, or longer than `most` digits. */
export function hexOf(text: string, most: number): string | undefined {
  if (text.length > most * 2) return undefined;
  const hex = text.replace(/^0x/i, "").replaceAll(":", "").toLowerCase();
  return hex.length <= most && hex.length % 2 === 0 && /^[0-9a-f]+$/.test(hex) ? hex : undefined;
}

/** "00:11:22:33:44:55" of any case, or twelve digits; undefined: no address of Ethernet, or one that is nobody's (all zero, a group). */
export function macOf(text: string): string | undefined {
  const hex = /^([0-9a-f]{2}:){5}[0-9a-f]{2}$|^[0-9a-f]{12}$/i.test(text) ? hexOf(text, 12) : undefined;
  if (hex === undefined || hex === "000000000000" || (parseInt(hex.slice(0, 2), 16) & 1) === 1) return undefined;
  return withColons(hex);
}

/** A DUID; undefined: it is none. */
export function duidOf(text: string): string | undefined {
  const duid = hexOf(text, longestDuid);
  return duid === undefined || duid.length < 6 ? undefined : duid;
}

/**
 * The client identifier of DHCPv4 (RFC 2132 9.14), as far as it says more than the hardware address. Of one that carries a DUID (RFC 4361) the DUID:
 * the client shows the same to DHCPv6.
 */
export function clientIdOf(text: string, mac: string | undefined): string | undefined {
  const id = hexOf(text, longestClientId);
  if (id === undefined || (mac !== undefined && id === `01${mac.replaceAll(":", "")}`)) return undefined;
  const [, duid] = /^ff[0-9a-f]{8}((?:0001|0002|0003|0004)[0-9a-f]{4,})$/.exec(id) ?? [];
  return duid ?? id;
}

/** The hardware address that a DUID was made from (RFC 8415 11.2, 11.4). It may be of another interface of the device, or of one it had once. */
export function macInDuid(duid: string): string | undefined {
  const [, mac] = /^(?:00010001[0-9a-f]{8}|00030001)([0-9a-f]{12})$/.exec(duid) ?? [];
  return mac === undefined ? undefined : macOf(mac);
}

/**
 * The data of option 125, vendor-identifying vendor-specific information (RFC 3925 4), in hex. undefined: there is nothing of TR-069 in it, or it is
 * cut, or not what Annex F says.
 */
export function cpeIdentityOf(text: string): CpeIdentity | undefined {
  const hex = hexOf(text, longestOption * 2);
  if (hex === undefined) return undefined;
  const octets = Buffer.from(hex, "hex");
  let found: CpeIdentity | undefined;
  for (let at = 0; at < octets.length;) {
    if (at + 5 > octets.length) return undefined;
    const vendor = octets.readUInt32BE(at);
    const end = at + 5 + octets.readUInt8(at + 4);
    if (end > octets.length) return undefined;
    if (vendor === broadbandForum) {
      found = cpeIdentity(subOptions(octets.subarray(at + 5, end)));
      if (found === undefined) return undefined;
    }
    at = end;
  }
  return found;
}

/** From the three texts; undefined when they are not what Annex F says. */
export function cpeIdentity([oui = "", serial = "", productClass = ""]: readonly string[]): CpeIdentity | undefined {
  const isText = (text: string) => /^[\x20-\x7e]{1,64}$/.test(text);
  if (!/^[0-9a-f]{6}$/i.test(oui) || !isText(serial) || (productClass !== "" && !isText(productClass)))
    return undefined;
  return {
    manufacturerOui: oui.toUpperCase(),
    serialNumber: serial,
    ...(productClass !== "" && { productClass }),
  };
}

/** 1: OUI, 2: serial number, 3: product class; each once. Empty when they are cut. */
function subOptions(octets: Buffer): string[] {
  const texts: string[] = [];
  for (let at = 0; at < octets.length;) {
    const code = octets[at] ?? 0;
    const end = at + 2 + (octets[at + 1] ?? Infinity);
    if (end > octets.length) return [];
    if (code >= 1 && code <= 3) texts[code - 1] = octets.toString("latin1", at + 2, end);
    at = end;
  }
  return texts;
}

function withColons(hex: string): string {
  return hex.replace(/(..)(?=.)/g, "$1:");
}
