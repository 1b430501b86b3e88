import { DmError, Status, reasonOf } from "../../tree/errors.ts";

/** What the socket says when nobody is there; anything else that goes wrong is nonsense of the device. */
const statuses: ReadonlyMap<string, number> = new Map([
  ["ECONNREFUSED", Status.unavailable],
  ["EHOSTUNREACH", Status.unavailable],
  ["EHOSTDOWN", Status.unavailable],
  ["ENETUNREACH", Status.unavailable],
  ["ENETDOWN", Status.unavailable],
  // Our own address on that interface has gone.
  ["EADDRNOTAVAIL", Status.unavailable],
  ["ETIMEDOUT", Status.gatewayTimeout],
]);

/** A description could not be had from `host`: 503 nobody is there, 504 silence, 502 nonsense. */
export function faultOf(cause: Error & { readonly code?: unknown }, host: string): DmError {
  const status = (typeof cause.code === "string" ? statuses.get(cause.code) : undefined) ?? Status.badAnswer;
  return new DmError(status, `${host}: ${reasonOf(cause)}`, { cause });
}
