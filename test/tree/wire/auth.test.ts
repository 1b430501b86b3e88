import { describe, expect, it } from "vitest";
import { ProtocolError } from "../../../tree/errors.ts";
import {
  authTypes,
  makeChal,
  makeCred,
  makeMac,
  newNonce,
  nonceOf,
  parseMac,
  verifyCred,
  verifyMac,
} from "../../../tree/wire/auth.ts";
import { fixture } from "./messages.ts";

interface Vector {
  readonly scheme: "md5" | "MAC";
  readonly name: string;
  readonly secret: string;
  readonly nonce: string;
  readonly cred?: string;
  readonly body?: string;
  readonly header?: string;
}
const vectors = JSON.parse(Buffer.from(fixture("auth-vectors.json")).toString()) as Vector[];
const bruce = { name: "Bruce2", secret: "OhBehave" };
const nonce = Buffer.from("Nonce");
const none = new Uint8Array();

describe("credentials", () => {
  it.each(vectors.filter((v) => v.scheme === "md5"))("md5 of $name is the known answer", (vector) => {
    const cred = makeCred(authTypes.digest, vector, Buffer.from(vector.nonce, "base64"));
    expect(cred).toEqual({ type: "syncml:auth-md5", format: "b64", data: vector.cred });
    expect(verifyCred(cred, authTypes.digest, vector, Buffer.from(vector.nonce, "base64"))).toBe(true);
  });

  it("basic is name and secret in base64", () => {
    const cred = makeCred(authTypes.basic, bruce, none);
    expect(cred?.data).toBe("QnJ1Y2UyOk9oQmVoYXZl");
    expect(verifyCred(cred, authTypes.basic, bruce, none)).toBe(true);
    expect(
      verifyCred({ type: authTypes.basic, format: "chr", data: "Bruce2:OhBehave" }, authTypes.basic, bruce, none),
    ).toBe(true);
  });

  it("of a wrong name, secret, nonce or type prove nothing, nor does their absence", () => {
    const cred = makeCred(authTypes.digest, bruce, nonce);
    expect(verifyCred(cred, authTypes.digest, { ...bruce, name: "Bruce" }, nonce)).toBe(false);
    expect(verifyCred(cred, authTypes.digest, { ...bruce, secret: "ohbehave" }, nonce)).toBe(false);
    expect(verifyCred(cred, authTypes.digest, bruce, Buffer.from("Nonce2"))).toBe(false);
    expect(verifyCred(cred, authTypes.basic, bruce, nonce)).toBe(false);
    expect(verifyCred(makeCred(authTypes.basic, bruce, nonce), authTypes.digest, bruce, nonce)).toBe(false);
    expect(verifyCred({ type: authTypes.digest, data: "" }, authTypes.digest, bruce, nonce)).toBe(false);
    expect(verifyCred(undefined, authTypes.digest, bruce, nonce)).toBe(false);
  });

  it("of MAC never stand in a Cred", () => {
    expect(makeCred(authTypes.hmac, bruce, nonce)).toBeUndefined();
    expect(verifyCred({ type: authTypes.hmac, data: "x" }, authTypes.hmac, bruce, nonce)).toBe(false);
  });

  it("a nonce is new each time, long enough, and survives the wire", () => {
    const [a, b] = [newNonce(), newNonce()];
    expect(a.byteLength).toBeGreaterThanOrEqual(16);
    expect(Buffer.from(a).equals(b)).toBe(false);
    expect(nonceOf(makeChal(authTypes.digest, a))).toEqual(new Uint8Array(a));
    expect(nonceOf(makeChal(authTypes.basic, a))).toBeUndefined();
  });
});

describe("x-syncml-hmac", () => {
  it.each(vectors.filter((v) => v.scheme === "MAC"))("of $name is the known answer", (vector) => {
    const octets = Buffer.from(vector.nonce, "base64");
    const body = Buffer.from(vector.body ?? "");
    expect(makeMac(vector, octets, body)).toBe(vector.header);
    expect(verifyMac(vector.header, vector, octets, body)).toBe(true);
    expect(verifyMac(vector.header, vector, octets, Buffer.from("another body"))).toBe(false);
    expect(verifyMac(vector.header, { ...vector, name: "other" }, octets, body)).toBe(false);
    expect(verifyMac(undefined, vector, octets, body)).toBe(false);
  });

  it("is read in any order, without algorithm, with the mac in quotes, with quotes in the name", () => {
    expect(parseMac(`mac="AA==" , username="Robert \\"Bob\\" Jordan"`)).toEqual({
      algorithm: "MD5",
      username: 'Robert "Bob" Jordan',
      mac: "AA==",
    });
    const bob = { name: 'Robert "Bob\\" Jordan', secret: "x" };
    expect(verifyMac(makeMac(bob, nonce, none), bob, nonce, none)).toBe(true);
  });

  it("is refused when malformed, of another algorithm, or endless", () => {
    for (const bad of [
      "",
      "mac=AA==",
      'username="x"',
      "username=x; mac=y z",
      `username="x", mac="${"A".repeat(5000)}"`,
    ]) {
      expect(() => parseMac(bad)).toThrow(ProtocolError);
      expect(verifyMac(bad, bruce, nonce, none)).toBe(false);
    }
    expect(verifyMac(makeMac(bruce, nonce, none).replace("MD5", "SHA1"), bruce, nonce, none)).toBe(false);
  });
});
