import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { ProtocolError } from "../errors.ts";
import type { AuthType, Chal, Cred } from "./message.ts";

/**
 * How the two sides of a conversation prove themselves (OMA-TS-DM_Security 1.2.1 section 5.1). Nonces are octets: base64 is only how
 * they travel.
 */
export interface Proof {
  /** AAuthName. */
  readonly name: string;
  /** AAuthSecret. */
  readonly secret: string;
}

/** The wire names of the types that an account may have (AAuthType); `transport` has none. */
export const authTypes = {
  basic: "syncml:auth-basic",
  digest: "syncml:auth-md5",
  hmac: "syncml:auth-MAC",
} as const satisfies Record<string, AuthType>;

/**
 * A fresh nonce: 144 random bits. Its octets are printable, because peers exist that stop reading a nonce at a zero octet.
 */
export function newNonce(): Uint8Array {
  return new Uint8Array(Buffer.from(randomBytes(18).toString("base64"), "latin1"));
}

/** The octets of a NextNonce. */
export function nonceOf(chal: Chal): Uint8Array | undefined {
  return chal.nextNonce === undefined ? undefined : new Uint8Array(Buffer.from(chal.nextNonce, "base64"));
}

/** A challenge: answer with credentials of this type, and for md5 and MAC with this nonce. */
export function makeChal(type: AuthType, nonce: Uint8Array): Chal {
  if (type === authTypes.basic) return { type, format: "b64" };
  return { type, format: "b64", nextNonce: base64(nonce) };
}

/**
 * The Cred of SyncHdr: B64(name:secret) for basic, B64(MD5(B64(MD5(name:secret)):nonce)) for md5. undefined for MAC, which travels in a
 * transport header ({@link makeMac}).
 */
export function makeCred(type: AuthType, proof: Proof, nonce: Uint8Array): Cred | undefined {
  if (type === authTypes.hmac) return undefined;
  return { type, format: "b64", data: credData(type, proof, nonce) };
}

function credData(type: AuthType, proof: Proof, nonce: Uint8Array): string {
  if (type === authTypes.basic) return base64(Buffer.from(`${proof.name}:${proof.secret}`));
  return md5(secretHash(proof), ":", nonce);
}

/**
 * Does the Cred prove this account, by this type? A Cred of another type does not, even when it is right: the responder must use the
 * type that was asked for. Takes equally long wherever the difference is.
 */
export function verifyCred(cred: Cred | undefined, type: AuthType, proof: Proof, nonce: Uint8Array): boolean {
  if (cred === undefined || type === authTypes.hmac || cred.type !== type) return false;
  const expected = credData(type, proof, nonce);
  return same(octetsOf(cred), Buffer.from(expected, "base64"));
}

// Basic credentials that are not base64 text are seen from clients that say so (Format chr).
function octetsOf(cred: Cred): Uint8Array {
  return cred.format === "chr" ? Buffer.from(cred.data) : Buffer.from(cred.data, "base64");
}

/** The value of the x-syncml-hmac header over a whole HTTP body, as sent (Security 1.2.1, 5.1.4). */
export function makeMac(proof: Proof, nonce: Uint8Array, body: Uint8Array): string {
  const quoted = proof.name.replace(/["\\]/g, "\\$&");
  return `algorithm=MD5, username="${quoted}", mac=${macOf(proof, nonce, body)}`;
}

export interface MacHeader {
  readonly algorithm: string;
  readonly username: string;
  /** Base64. */
  readonly mac: string;
}

const parameter = /\s*([A-Za-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^",\s]*))\s*(?:,|$)/y;

/** Reads an x-syncml-hmac header: parameters in any order; `algorithm` may be absent. @throws ProtocolError */
export function parseMac(header: string): MacHeader {
  const found = new Map<string, string>();
  parameter.lastIndex = 0;
  while (parameter.lastIndex < header.length) {
    const match = header.length > 4096 ? null : parameter.exec(header);
    if (match === null) throw new ProtocolError("malformed x-syncml-hmac header");
    found.set(String(match[1]).toLowerCase(), match[2]?.replace(/\\(.)/g, "$1") ?? match[3] ?? "");
  }
  const [username, mac] = [found.get("username"), found.get("mac")];
  if (username === undefined || mac === undefined)
    throw new ProtocolError("an x-syncml-hmac header needs username and mac");
  return { algorithm: found.get("algorithm") ?? "MD5", username, mac };
}

/** Does the header prove this account over this body? false too when it is absent or malformed. */
export function verifyMac(header: string | undefined, proof: Proof, nonce: Uint8Array, body: Uint8Array): boolean {
  if (header === undefined) return false;
  let given: MacHeader;
  try {
    given = parseMac(header);
  } catch {
    return false;
  }
  if (given.algorithm.toUpperCase() !== "MD5" || given.username !== proof.name) return false;
  return same(Buffer.from(given.mac, "base64"), Buffer.from(macOf(proof, nonce, body), "base64"));
}

function macOf(proof: Proof, nonce: Uint8Array, body: Uint8Array): string {
  return md5(secretHash(proof), ":", nonce, ":", md5(body));
}

function secretHash(proof: Proof): string {
  return md5(`${proof.name}:${proof.secret}`);
}

function md5(...parts: (string | Uint8Array)[]): string {
  const hash = createHash("md5");
  for (const part of parts) hash.update(part);
  return hash.digest("base64");
}

function base64(octets: Uint8Array): string {
  return Buffer.from(octets).toString("base64");
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  // Hashed first: timingSafeEqual wants equal lengths, and the length is not to be told either.
  const hash = (octets: Uint8Array) => createHash("sha256").update(octets).digest();
  return timingSafeEqual(hash(a), hash(b));
}
