import type { Clock } from "../../tree/ports.ts";
import type { ServerAccount } from "./account.ts";
import type { Transport } from "./transport.ts";

type Open = (account: ServerAccount, clock: Clock) => Promise<Transport>;

const http: Open = async ({ tls }, clock) => (await import("./http.ts")).openHttp({ clock, tls });

/** How messages travel, by the scheme of the server's address. Their code, and TLS with it, loads with the first message. */
const transports: ReadonlyMap<string, Open> = new Map([
  ["http:", http],
  ["https:", http],
]);

/** undefined: no transport for this address. */
export function openTransport(account: ServerAccount, clock: Clock): Transport | undefined {
  const scheme = URL.canParse(account.url) ? new URL(account.url).protocol : "";
  const open = transports.get(scheme);
  if (open === undefined) return undefined;
  let opened: Promise<Transport> | undefined;
  return {
    async exchange(request, signal) {
      opened ??= open(account, clock);
      return (await opened).exchange(request, signal);
    },
    async close() {
      await (await opened?.catch(() => undefined))?.close();
    },
  };
}
