import type { ClueKind } from "./clues.ts";

/**
 * Where mDNS services keep what tells one device from another: the key of the TXT record, and what kind of clue its value is. `space` makes one word of
 * ids that are unique among their own kind only. Data: a service more is a row here. Keys are in small letters.
 *
 * Left out on purpose: the Bluetooth address of _androidtvremote2 and of others (no address of this network), `id` of services that number
 * their rooms, and every key that a person types.
 */
export const serviceIds: Readonly<
  Record<string, readonly { readonly key: string; readonly kind: ClueKind; readonly space?: string }[]>
> = {
  "_airplay._tcp": [
    { key: "deviceid", kind: "mac" },
    { key: "pi", kind: "uuid" },
    { key: "serialnumber", kind: "serial" },
  ],
  "_amzn-wplay._tcp": [{ key: "u", kind: "protocol-id", space: "amazon" }],
  "_axis-video._tcp": [{ key: "macaddress", kind: "mac" }],
  "_bose-soundtouch._tcp": [{ key: "mac", kind: "mac" }],
  "_dmgw._tcp": [{ key: "id", kind: "protocol-id", space: "dmgw" }],
  "_elg._tcp": [{ key: "id", kind: "mac" }],
  "_esphomelib._tcp": [{ key: "mac", kind: "mac" }],
  "_googlecast._tcp": [{ key: "id", kind: "uuid" }],
  "_hap._tcp": [{ key: "id", kind: "protocol-id", space: "hap" }],
  "_hap._udp": [{ key: "id", kind: "protocol-id", space: "hap" }],
  "_home-assistant._tcp": [{ key: "uuid", kind: "uuid" }],
  "_hue._tcp": [{ key: "bridgeid", kind: "protocol-id", space: "hue" }],
  "_ipp._tcp": [{ key: "uuid", kind: "uuid" }],
  "_ipps._tcp": [{ key: "uuid", kind: "uuid" }],
  "_leap._tcp": [{ key: "macaddr", kind: "mac" }],
  "_miio._udp": [{ key: "mac", kind: "mac" }],
  "_mqtt._tcp": [{ key: "mac", kind: "mac" }],
  "_printer._tcp": [{ key: "uuid", kind: "uuid" }],
  "_pdl-datastream._tcp": [{ key: "uuid", kind: "uuid" }],
  "_scanner._tcp": [{ key: "uuid", kind: "uuid" }],
  "_sonos._tcp": [{ key: "uuid", kind: "uuid" }],
  "_spotify-connect._tcp": [],
  "_uscan._tcp": [{ key: "uuid", kind: "uuid" }],
  "_uscans._tcp": [{ key: "uuid", kind: "uuid" }],
  "_wled._tcp": [{ key: "mac", kind: "mac" }],
};

/** For services without a row of their own. */
export const anyServiceIds: (typeof serviceIds)[string] = [
  { key: "mac", kind: "mac" },
  { key: "uuid", kind: "uuid" },
  { key: "serial", kind: "serial" },
  { key: "serialnumber", kind: "serial" },
];

/** Where the name of the instance itself has a hardware address. */
export const serviceNames: Readonly<Record<string, RegExp>> = {
  "_raop._tcp": /^([0-9a-f]{12})@/i,
  "_workstation._tcp": /\[([0-9a-f:]{17})\]$/i,
  "_shelly._tcp": /-([0-9a-f]{12})$/i,
};
