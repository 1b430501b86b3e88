import { unprintable } from "../../adapters/printable.ts";
/** Text of a stranger, for people's eyes: no control characters, nothing that turns the writing direction, at most `max` UTF-16 units. */
export function printable(text: string, max: number): string {
  return text.slice(0, max).toWellFormed().replace(unprintable, "\ufffd").trim();
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Octets of a stranger as text: as they are when they are printable UTF-8, else each odd octet as \xNN. At most `max` units. */
export function escaped(octets: Uint8Array, max: number): string {
  const text = decoded(octets);
  if (text !== undefined && text.search(unprintable) < 0) return text.slice(0, max).toWellFormed();
  let out = "";
  for (const octet of octets) {
    if (out.length + 4 > max) break;
    const plain = octet >= 0x20 && octet < 0x7f && octet !== 0x5c;
    out += plain ? String.fromCharCode(octet) : `\\x${octet.toString(16).padStart(2, "0")}`;
  }
  return out;
}

function decoded(octets: Uint8Array): string | undefined {
  try {
    return utf8.decode(octets);
  } catch {
    return undefined;
  }
}

/** An IP address in the one way to write it (RFC 5952), as the kernel does, so that two can be compared; anything else as it is. */
export function addressText(address: string): string {
  if (!address.includes(":")) return address;
  const url = `http://[${address}]/`;
  return URL.canParse(url) ? new URL(url).hostname.slice(1, -1) : address;
}
