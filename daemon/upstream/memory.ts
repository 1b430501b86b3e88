import type { RunEnd } from "./run-session.ts";

/** What is kept of a server between sessions. Nonces in base64. */
export interface ServerMemory {
  readonly client?: string;
  readonly server?: string;
  /** Ms since 1970: the end of the last good session. */
  readonly at?: number;
}

export function noncesOf({ client, server }: ServerMemory): { client?: Uint8Array; server?: Uint8Array } {
  return {
    ...(client === undefined ? {} : { client: octets(client) }),
    ...(server === undefined ? {} : { server: octets(server) }),
  };
}

/** What is to be kept after a session. */
export function remember(before: ServerMemory, { ok, nonces }: RunEnd, now: number): ServerMemory {
  return {
    ...before,
    ...(nonces.client === undefined ? {} : { client: base64(nonces.client) }),
    ...(nonces.server === undefined ? {} : { server: base64(nonces.server) }),
    ...(ok ? { at: now } : {}),
  };
}

function octets(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "base64"));
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}
