import { gatewayServiceType } from "../../tree/project-names.ts";
import { escaped, printable } from "./text.ts";

/** Asks which service types there are (RFC 6763 9). */
export const typesName = "_services._dns-sd._udp.local";

/** Service types of a home. They are asked for without being learned first: many devices do not list their types. */
export const homeTypes: readonly string[] = [
  "_airplay._tcp",
  "_amzn-wplay._tcp",
  "_androidtvremote2._tcp",
  "_axis-video._tcp",
  "_coap._udp",
  "_daap._tcp",
  "_device-info._tcp",
  gatewayServiceType,
  "_esphomelib._tcp",
  "_googlecast._tcp",
  "_hap._tcp",
  "_hap._udp",
  "_home-assistant._tcp",
  "_homekit._tcp",
  "_http._tcp",
  "_https._tcp",
  "_hue._tcp",
  "_ipp._tcp",
  "_ipps._tcp",
  "_lwm2m._udp",
  "_matter._tcp",
  "_matterc._udp",
  "_meshcop._udp",
  "_miio._udp",
  "_mqtt._tcp",
  "_nvstream._tcp",
  "_pdl-datastream._tcp",
  "_printer._tcp",
  "_raop._tcp",
  "_rfb._tcp",
  "_rtsp._tcp",
  "_scanner._tcp",
  "_secure-mqtt._tcp",
  "_sftp-ssh._tcp",
  "_shelly._tcp",
  "_smb._tcp",
  "_sonos._tcp",
  "_spotify-connect._tcp",
  "_ssh._tcp",
  "_uscan._tcp",
  "_workstation._tcp",
];

export interface InstanceName {
  /** See nameKey. */
  readonly key: string;
  /** As it was heard. */
  readonly full: string;
  /** The instance's own label, for a person. */
  readonly label: string;
  /** "_ipp._tcp" */
  readonly service: string;
}

const instanceForm = /^([^]+)\.(_[a-z0-9_-]{1,62}\._(?:tcp|udp))\.local$/i;
const typeForm = /^(_[a-z0-9_-]{1,62}\._(?:tcp|udp))\.local$/i;

/** One text for a name however it is written: in lower case, since names are compared without regard to it, and fit to be shown to a person. */
export function nameKey(full: string): string {
  return escaped(Buffer.from(full.toLowerCase()), 1024);
}

/** "Kitchen Printer._ipp._tcp.local" taken apart (RFC 6763 4.1); undefined for any other name. */
export function instanceName(full: string): InstanceName | undefined {
  const [, label, service] = instanceForm.exec(full) ?? [];
  if (label === undefined || service === undefined) return undefined;
  return { key: nameKey(full), full, label: printable(label, 63), service: service.toLowerCase() };
}

/** "_ipp._tcp" of "_ipp._tcp.local"; undefined for any other name. */
export function serviceType(full: string): string | undefined {
  return typeForm.exec(full)?.[1]?.toLowerCase();
}

/** Does a PTR record of this name list instances of the service: the type itself, or a subtype of it (RFC 6763 7.1)? */
export function pointsTo(owner: string, service: string): boolean {
  const lower = owner.toLowerCase();
  return lower === `${service}.local` || lower.endsWith(`._sub.${service}.local`);
}

/** "kitchen" of "kitchen.local", the target of an SRV record in lower case; undefined for a host outside .local, which mDNS cannot vouch for. */
export function hostName(target: string): string | undefined {
  const name = /^([^]{1,253})\.local$/.exec(target)?.[1];
  return name === undefined ? undefined : printable(name, 63) || undefined;
}

const encodableLabel = /^[^\p{Cc}\ufffd]+$/u;

/**
 * Can the name be asked for? dns-packet joins labels with dots and parts them at dots, so an instance whose own label has one cannot
 * be named to it; and a label that is empty or too long would leave here as a broken packet.
 */
export function askable(name: string, instance?: InstanceName): boolean {
  const own = instance === undefined ? name : name.slice(0, -(instance.service.length + ".local".length + 1));
  if (instance !== undefined && own.includes(".")) return false;
  return (
    Buffer.byteLength(name) <= 250 && name.split(".").every((l) => encodableLabel.test(l) && Buffer.byteLength(l) <= 63)
  );
}
