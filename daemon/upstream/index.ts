import type { Clock } from "../../tree/ports.ts";
import type { ServerAccount } from "./account.ts";
import { openHttp } from "./http.ts";
import type { Transport } from "./transport.ts";

/** How messages travel, by the scheme of the server's address. */
const transports: ReadonlyMap<string, (account: ServerAccount, clock: Clock) => Transport> = new Map([
  ["http:", (account, clock) => openHttp({ clock, tls: account.tls })],
  ["https:", (account, clock) => openHttp({ clock, tls: account.tls })],
]);

/** undefined: no transport for this address. */
export function openTransport(account: ServerAccount, clock: Clock): Transport | undefined {
  const scheme = URL.canParse(account.url) ? new URL(account.url).protocol : "";
  return transports.get(scheme)?.(account, clock);
}
