import { gatewayIdHeader, gatewaySsdpTarget } from "../../tree/project-names.ts";
import type { GatewayAnnounced } from "./announcer.ts";
import { announcedId, cut, ssdpUuid } from "./names.ts";

/** How long others may believe an announcement (UDA 1.1 1.2.2: at least this). */
export const maxAgeS = 1800;
/** UDA 1.1 1.3.2: whoever lets us wait longer is answered within this. */
const longestMxS = 5;

/** What a search asks for (UDA 1.1 1.3.2). */
export interface Search {
  readonly target: string;
  /** In seconds, 1 to 5: answers are to be spread over so many. */
  readonly mx: number;
}

/** A search of the group; undefined for anything else. Without MX it is not to be answered (UDA 1.1 1.3.2). */
export function readSearch(message: Buffer): Search | undefined {
  const [first = "", ...lines] = message.toString("latin1").split(/\r?\n/, 32);
  if (!/^M-SEARCH \* HTTP\/1\.1\s{0,8}$/i.test(first)) return undefined;
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon > 0) headers.set(line.slice(0, colon).trim().toUpperCase(), line.slice(colon + 1).trim());
  }
  const mx = headers.get("MX") ?? "";
  const target = headers.get("ST");
  if (!/^"?ssdp:discover"?$/i.test(headers.get("MAN") ?? "") || !/^\d{1,9}$/.test(mx) || target === undefined)
    return undefined;
  return { target, mx: Math.min(longestMxS, Math.max(1, Number(mx))) };
}

/** The gateway's messages. It has no description, so it is no UPnP device: there is no LOCATION, and it is no upnp:rootdevice. */
export interface GatewayMessages {
  readonly alive: string;
  readonly byebye: string;
  /** The answer to a search for it; undefined when that is not the gateway. */
  answer(search: string): string | undefined;
}

export function gatewayMessages(gateway: GatewayAnnounced): GatewayMessages {
  const uuid = ssdpUuid(gateway.id);
  const usn = `${uuid}::${gatewaySsdpTarget}`;
  const server = `Linux UPnP/1.1 dmgw/${cut(gateway.version.replaceAll(/\s/g, ""), 40)}`;
  const life = `CACHE-CONTROL: max-age=${maxAgeS}`;
  // gssdp drops what has neither LOCATION nor AL (draft-cai-ssdp-v1 5.1: other URIs of the resource). This one names it and leads nowhere.
  const named = `AL: <urn:${uuid}>`;
  const more = [`SERVER: ${server}`, named, `${gatewayIdHeader}: ${announcedId(gateway.id)}`];
  const notify = (nts: string, lines: readonly string[]) =>
    message("NOTIFY * HTTP/1.1", [
      "HOST: 239.255.255.250:1900",
      `NT: ${gatewaySsdpTarget}`,
      `NTS: ${nts}`,
      `USN: ${usn}`,
      ...lines,
    ]);
  return {
    alive: notify("ssdp:alive", [life, ...more]),
    byebye: notify("ssdp:byebye", []),
    answer(search) {
      const asked = search.toLowerCase();
      const byUuid = asked === uuid;
      if (!byUuid && asked !== "ssdp:all" && asked !== gatewaySsdpTarget) return undefined;
      const target = byUuid ? [`ST: ${uuid}`, `USN: ${uuid}`] : [`ST: ${gatewaySsdpTarget}`, `USN: ${usn}`];
      return message("HTTP/1.1 200 OK", [life, "EXT:", ...target, ...more]);
    },
  };
}

function message(first: string, headers: readonly string[]): string {
  return [first, ...headers, "", ""].join("\r\n");
}
