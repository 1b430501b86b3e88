import type { Sighting } from "../../adapters/adapter.ts";
import { gatewayIdHeader } from "../../tree/project-names.ts";
import type { LanInterface } from "../lan.ts";
import { printable } from "./text.ts";

/**
 * How long a device counts as there after it was heard (OMA-RD-DM, discovery: "a 30 minute suggested timeout for when a device is
 * added or disappears"). A device may promise less in CACHE-CONTROL, and is held to it; a longer promise is cut to the 30 minutes:
 * our own searches come round more often, so whoever is there is heard again in time.
 */
const livesS = { shortest: 60, longest: 1800 } as const;
const limits = { types: 32, type: 128, header: 256, url: 512, id: 16 } as const;

/** Header names in upper case, as node-ssdp reads them. */
export type SsdpHeaders = Readonly<Record<string, unknown>>;

interface Device {
  readonly key: string;
  readonly types: Set<string>;
  sender: string;
  server: string;
  location: string;
  /** Change with each start of the device, and with its description (UDA 1.1 1.2.2); "" where it does not say. */
  boot: string;
  config: string;
  /** Of another gateway like this one. */
  gatewayId: string;
  until: number;
}

/** What the messages of one link say of UPnP devices: headers in, sightings out. Holds no timer and no socket. */
export interface SsdpDevices {
  /**
   * Takes an announcement (NOTIFY ssdp:alive) or an answer to a search from `sender`, at `now` ms on the monotonic clock.
   * undefined: it names no device, or wants us elsewhere.
   */
  alive(headers: SsdpHeaders, sender: string, now: number): Sighting | undefined;
  /** Takes an ssdp:byebye: the key that is leaving. Only the address that announced it can say so. */
  bye(headers: SsdpHeaders, sender: string): string | undefined;
  forget(key: string): void;
}

/** `admits`: is there room for this key of this sender? `ours`: the key that this gateway itself announces, which is nothing that it sees. */
export function ssdpDevices(
  lan: LanInterface,
  admits: (key: string, sender: string) => boolean,
  ours?: string,
): SsdpDevices {
  const devices = new Map<string, Device>();

  const sighting = (device: Device): Sighting => {
    const { key, sender, types, server, location, boot, config, gatewayId, until } = device;
    const url = location === "" ? undefined : new URL(location);
    const service = mostTelling(types);
    const text = new Map<string, string>();
    const tell = (name: string, value: string) => value !== "" && text.set(name, value);
    tell("SERVER", server);
    tell("LOCATION", location);
    tell("NT", [...types].join(" "));
    tell("BOOTID.UPNP.ORG", boot);
    tell("CONFIGID.UPNP.ORG", config);
    tell("id", gatewayId);
    return {
      source: "ssdp",
      key,
      name: nameFor(server, service, key),
      addresses: [sender],
      ...(url !== undefined && { port: Number(url.port || 80) }),
      service,
      text,
      interface: lan.name,
      expires: until,
    };
  };

  return {
    alive(headers, sender, now) {
      const usn = usnOf(headers);
      if (usn === undefined || usn.key === ours) return undefined;
      const given = header(headers, "LOCATION", Infinity);
      const location = locationOf(given, sender);
      // Elsewhere, or by another protocol: whoever says that is not a device but somebody who wants to send us there.
      if (given !== "" && location === "") return undefined;
      let device = devices.get(usn.key);
      if (device === undefined) {
        if (!admits(usn.key, sender)) return undefined;
        const fresh = { location: "", server: "", boot: "", config: "", gatewayId: "", until: 0 };
        device = { key: usn.key, sender, types: new Set(), ...fresh };
        devices.set(usn.key, device);
      }
      device.location = location || device.location;
      device.sender = sender;
      device.server = header(headers, "SERVER", limits.header) || device.server;
      device.boot = header(headers, "BOOTID.UPNP.ORG", limits.id) || device.boot;
      device.config = header(headers, "CONFIGID.UPNP.ORG", limits.id) || device.config;
      device.gatewayId = header(headers, gatewayIdHeader, limits.header) || device.gatewayId;
      device.until = now + lifeS(headers) * 1000;
      const type = printable(
        header(headers, "NT", limits.type) || header(headers, "ST", limits.type) || usn.type,
        limits.type,
      );
      if (type !== "" && !/^(uuid:|ssdp:)/i.test(type) && device.types.size < limits.types) device.types.add(type);
      return sighting(device);
    },
    bye(headers, sender) {
      const usn = usnOf(headers);
      return usn !== undefined && devices.get(usn.key)?.sender === sender ? usn.key : undefined;
    },
    forget: (key) => void devices.delete(key),
  };
}

function header(headers: SsdpHeaders, name: string, max: number): string {
  const value = headers[name];
  return typeof value === "string" ? printable(value, Math.min(max, value.length)) : "";
}

/**
 * Where its description is: `given` when it is a plain http URL that names `sender` (IPv4) as its host, else "". A stranger must not make
 * the gateway talk to anyone but that stranger.
 */
function locationOf(given: string, sender: string): string {
  if (given.length > limits.url || !URL.canParse(given)) return "";
  const { protocol, username, password, port, hostname, href } = new URL(given);
  const plain = protocol === "http:" && username === "" && password === "" && port !== "0";
  return plain && hostname === sender ? href : "";
}

/** "uuid:…::urn:…" or "uuid:…" (UDA 1.1 table 1-1). Many devices have a name that is no UUID; it is one word all the same. */
function usnOf(headers: SsdpHeaders): { readonly key: string; readonly type: string } | undefined {
  const [, uuid, type = ""] = /^(uuid:[!-9;-~]{1,68}?)(?:::(.*))?$/i.exec(header(headers, "USN", limits.header)) ?? [];
  return uuid === undefined ? undefined : { key: uuid.toLowerCase(), type };
}

function lifeS(headers: SsdpHeaders): number {
  const [, seconds] = /max-age\s{0,8}=\s{0,8}"?(\d{1,9})/i.exec(header(headers, "CACHE-CONTROL", limits.header)) ?? [];
  const asked = seconds === undefined ? livesS.longest : Number(seconds);
  return Math.min(livesS.longest, Math.max(livesS.shortest, asked));
}

/** Of the targets it announces: what device it is, else what it serves, else that it is there. */
function mostTelling(types: ReadonlySet<string>): string {
  const all = [...types];
  return (
    all.find((type) => /^urn:[^:]+:device:/i.test(type)) ??
    all.find((type) => type.startsWith("urn:")) ??
    all.find((type) => type !== "upnp:rootdevice") ??
    "upnp:rootdevice"
  );
}

/**
 * What it is called by what its packets say alone: the product of its SERVER header, which stands behind the version of UPnP
 * ("MiniDLNA 1.3.0" of "Debian DLNADOC/1.50 UPnP/1.0 MiniDLNA/1.3.0"), else its type ("MediaServer").
 */
function nameFor(server: string, service: string, key: string): string {
  const [, product = "", version = ""] = /UPnP\/[\d.]+,? ([^/,]{1,64})\/([^\s/,]{1,32})/i.exec(server) ?? [];
  if (product !== "") return `${product} ${version}`.trim();
  return /:(?:device|service):([^:]+)/i.exec(service)?.[1] ?? key;
}
