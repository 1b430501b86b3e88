import { bare, macOf, madeUpMac, uuidOf } from "./ids.ts";
import type { Announcement, Leg, Physical, SourceName, UpnpRoot } from "./physical.ts";
import { sourceNames } from "./physical.ts";
import { random } from "./random.ts";
import type { Random } from "./random.ts";

type Given = Partial<Omit<Physical, "name" | "kind" | "random">> & { readonly legs: Leg[] };
type Kind = (name: string, chance: Random) => Given;

function leg(mac: string, more: Partial<Leg> = {}): Leg {
  return { mac, madeUp: /^.[26ae]/.test(mac), interface: "br-lan", host: undefined, v6: false, ...more };
}

function announcement(label: string, service: string, text: Record<string, string> = {}, ...tokens: string[]) {
  return { label, service, text, tokens } satisfies Announcement;
}

const rooms = ["Kitchen", "Living Room", "Bedroom", "Attic", "Hall", "Study"] as const;

/** Each makes a device of its kind. What a kind has in common with others (a default name, a shared serial) is what makes a home hard. */
export const kinds = {
  tv(name, chance) {
    const uuid = uuidOf(chance);
    const [wifi, wired] = [macOf(chance), macOf(chance)];
    const host = `${name}-${chance.hex(6)}`;
    const label = `${chance.pick(rooms)} TV ${name}`;
    const id = uuid.replaceAll("-", "");
    const face = { identity: `mqtt:ha:${name}`, facts: { name: label, maker: "Acme" } };
    return {
      legs: [leg(wifi, { host, v6: true }), leg(wired, { host, v6: true })],
      host,
      announcements: [
        announcement(`Chromecast-${id}`, "_googlecast._tcp", { id, md: "Chromecast", fn: label }, `uuid:${uuid}`),
        announcement(label, "_airplay._tcp", { deviceid: wifi.toUpperCase(), model: "TV1,1" }, `mac:${wifi}`),
      ],
      upnp: [root(uuid, "urn:schemas-upnp-org:device:MediaRenderer:1", chance.chance(0.5))],
      faces: chance.chance(0.5) ? [{ ...face, clues: [{ kind: "mac", value: wifi }] }] : [],
      updates: true,
    };
  },
  printer(name, chance) {
    const uuid = uuidOf(chance);
    const [wifi, wired] = [macOf(chance), macOf(chance)];
    const host = `BRN${bare(wired)}`;
    const label = `Brother ${name}`;
    const text = { UUID: uuid, ty: "Brother HL-L2350DW", usb_MFG: "Brother", usb_MDL: "HL-L2350DW" };
    return {
      legs: [leg(wifi, { host }), leg(wired, { host, v6: true })],
      host: host.toLowerCase(),
      announcements: [
        announcement(label, "_ipp._tcp", lowered(text), `uuid:${uuid}`),
        announcement(label, "_pdl-datastream._tcp", { ty: text.ty }),
        announcement(label, "_http._tcp"),
      ],
      upnp: chance.chance(0.5) ? [root(uuid, "urn:schemas-upnp-org:device:Printer:1", false)] : [],
    };
  },
  phone(name, chance) {
    const named = chance.chance(0.6);
    const host = named ? `${name}s-pixel` : "android";
    const talks = chance.chance(0.3);
    return {
      legs: [leg(madeUpMac(chance), { host, v6: true })],
      host: talks ? (named ? host : "android") : undefined,
      announcements: talks ? [announcement(named ? `${name}'s Pixel` : "Android", "_companion-link._tcp")] : [],
      defaultName: !named,
      roams: true,
    };
  },
  /** Another MAC every day; what is left is the name that its owner gave it. */
  "private phone"(name, chance) {
    const host = `${name}s-iphone`;
    const talks = chance.chance(0.4);
    return {
      legs: [leg(madeUpMac(chance), { host, v6: chance.chance(0.5) })],
      host: talks ? host : undefined,
      announcements: talks ? [announcement(`${name}'s iPhone`, "_companion-link._tcp", { rpba: chance.hex(12) })] : [],
      rotates: true,
      roams: true,
    };
  },
  /** The same, with the name that all of them have. */
  "nameless phone": (_name, chance) => ({
    legs: [leg(madeUpMac(chance), { host: chance.pick(["iPhone", "android", "Galaxy-S21"]) })],
    defaultName: true,
    rotates: true,
    roams: true,
  }),
  plug(name, chance) {
    const mac = macOf(chance);
    const id = bare(mac);
    const tasmota = chance.chance(0.5);
    const host = tasmota ? `tasmota-${id.slice(6)}-${chance.below(9999)}` : `ESP_${id.slice(6).toUpperCase()}`;
    const identity = tasmota ? `mqtt:tasmota:${id}` : `mqtt:homie:${id}`;
    const talks = chance.chance(0.5);
    const claims = [{ kind: "mac", value: mac.toUpperCase() }] as const;
    return {
      legs: [leg(mac, { host })],
      host: talks ? host.toLowerCase() : undefined,
      announcements: talks ? [announcement(host, "_http._tcp", {})] : [],
      faces: [
        {
          identity,
          clues: tasmota ? [...claims, { kind: "host-name", value: host }] : claims,
          facts: { name },
          tellsAddress: true,
        },
      ],
    };
  },
  /** Behind a radio bridge: nothing of it is on the network. Some are told by two conventions. */
  zigbee(name, chance) {
    const address = `0x00158d${chance.hex(10)}`;
    const clues = [{ kind: "protocol-id", value: `zigbee:${address}` }] as const;
    const faces = [{ identity: `mqtt:z2m:${address}`, clues, facts: { name, model: "Bulb" } }];
    const twice = { identity: `mqtt:ha:zigbee2mqtt_${address}`, clues, facts: { name } };
    return { legs: [], faces: chance.chance(0.5) ? [...faces, twice] : faces };
  },
  /** Several UPnP servers and containers on one host. */
  nas(name, chance) {
    const host = `${name}-nas`;
    const mac = macOf(chance);
    const server = "urn:schemas-upnp-org:device:MediaServer:1";
    return {
      legs: [leg(mac, { host, v6: true })],
      host,
      announcements: [
        announcement(host, "_smb._tcp"),
        announcement(host, "_http._tcp", { vendor: "Synology", mac_address: bare(mac) }, `mac:${mac}`),
        announcement(host, "_ssh._tcp"),
        announcement(`Jellyfin ${name}`, "_http._tcp"),
      ],
      upnp: [
        root(uuidOf(chance), server, true),
        root(uuidOf(chance), server, chance.chance(0.5)),
        root(uuidOf(chance), "upnp:rootdevice", false),
      ],
    };
  },
  /** Wi-Fi and a cable, at the same time or in turn. */
  laptop(name, chance) {
    const host = `${name}-laptop`;
    const legs = [
      leg(chance.chance(0.5) ? madeUpMac(chance) : macOf(chance), { host, v6: true }),
      leg(macOf(chance), { host }),
    ];
    const wifi = legs[0] as Leg;
    return {
      legs,
      active: legs,
      host,
      announcements: [
        announcement(host, "_smb._tcp"),
        announcement(`${host} [${wifi.mac}]`, "_workstation._tcp", {}, `mac:${wifi.mac}`),
      ],
      upnp: chance.chance(0.3) ? [root(uuidOf(chance), "urn:schemas-upnp-org:device:MediaServer:1", false)] : [],
      roams: true,
    };
  },
  repeater(name, chance) {
    const host = `repeater-${name}`;
    const talks = chance.chance(0.5);
    return {
      legs: [leg(macOf(chance), { host })],
      host: talks ? host : undefined,
      announcements: talks ? [announcement(host, "_http._tcp")] : [],
    };
  },
  /** The maker gave all of them one serial number, and some of them one UUID. */
  camera(_name, chance) {
    const cloned = chance.chance(0.15);
    const uuid = cloned ? "2f402f80-da50-11e1-9b23-001788255acc" : uuidOf(chance);
    const mac = macOf(chance);
    const host = `ipcam-${bare(mac).slice(6)}`;
    const talks = chance.chance(0.5);
    return {
      legs: [leg(mac, { host })],
      host: talks ? host : undefined,
      announcements: talks ? [announcement(host, "_rtsp._tcp", {})] : [],
      upnp: [{ ...root(uuid, "urn:schemas-upnp-org:device:DigitalSecurityCamera:1", true), serial: "CAM20200817" }],
    };
  },
  /** Software whose maker never filled in the form. */
  junk(name, chance) {
    const mac = macOf(chance);
    const claimed = chance.pick(["00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "FFFFFFFFFFFF", "00:11:22:33:44:55"]);
    const uuid = chance.pick(["00000000-0000-0000-0000-000000000000", uuidOf(chance)]);
    const clues = [
      { kind: "mac", value: claimed },
      { kind: "serial", value: chance.pick(["1234567890", "0", "N/A", "Default string", "00000000"]) },
      { kind: "host-name", value: chance.pick(["localhost", "ESP_", "android", "espressif"]) },
    ] as const;
    return {
      legs: [leg(mac, { host: chance.pick(["localhost", "ESP_", "android", "espressif", ""]) })],
      upnp: chance.chance(0.5) ? [{ ...root(uuid, "upnp:rootdevice", chance.chance(0.5)), serial: "1234567890" }] : [],
      faces: chance.chance(0.6)
        ? [{ identity: `mqtt:homie:${name}`, clues, facts: { name, serial: "1234567890" } }]
        : [],
      defaultName: true,
    };
  },
  "v6 only"(name, chance) {
    const mac = macOf(chance);
    const host = `${name}-thread`;
    return {
      legs: [leg(mac, { v6Only: true, v6: true, dhcpId: `000100012b${chance.hex(18)}` })],
      host,
      announcements: [announcement(host, "_meshcop._udp", { xa: chance.hex(16) }), announcement(host, "_ssh._tcp")],
    };
  },
  /** Bought twice: the same maker, model and names; mDNS puts a number behind the second one's. */
  twin(_name, chance) {
    const telling = chance.chance(0.6);
    const uuid = uuidOf(chance);
    const text: Record<string, string> = telling ? { uuid, ty: "HP LaserJet M15w" } : { ty: "HP LaserJet M15w" };
    return {
      legs: [leg(macOf(chance), { host: "hp-laserjet" })],
      host: "hp-laserjet",
      announcements: [announcement("HP LaserJet M15w", "_ipp._tcp", text, ...(telling ? [`uuid:${uuid}`] : []))],
      upnp: telling ? [root(uuid, "urn:schemas-upnp-org:device:Printer:1", true)] : [],
      defaultName: true,
    };
  },
  gateway(name, chance) {
    const uuid = uuidOf(chance);
    const text = { id: `urn:uuid:${uuid}`, model: "dmgw" };
    return {
      legs: [leg(macOf(chance), { host: `${name}-router`, v6: true })],
      host: `${name}-router`,
      announcements: [announcement(`dmgw ${name}`, "_dmgw._tcp", text, `uuid:${uuid}`)],
      upnp: [root(uuid, "urn:schemas-upnp-org:device:InternetGatewayDevice:1", true)],
    };
  },
  /** Somewhere behind the broker, with nothing but a name. */
  "name only"(name, chance) {
    const identity = chance.chance(0.5) ? `mqtt:homie:${name}` : `mqtt:sparkplug:home/${name}`;
    return {
      legs: [],
      faces: [{ identity, clues: [{ kind: "protocol-id", value: identity.slice(5) }], facts: { name } }],
    };
  },
  /** It speaks only to its maker's cloud. */
  silent: (name, chance) => ({
    legs: [leg(macOf(chance), { host: chance.chance(0.5) ? `${name}-vacuum` : undefined })],
  }),
} satisfies Record<string, Kind>;

export type KindName = keyof typeof kinds;
export const kindNames = Object.keys(kinds) as [KindName, ...KindName[]];

export interface DeviceSeed {
  readonly kind: KindName;
  readonly seed: number;
}

/** The same seed makes the same device, whatever else is in the home. */
export function physical({ kind, seed }: DeviceSeed): Physical {
  const chance = random("device", kind, seed);
  const name = `${kind.split(" ")[0]}${seed}`;
  const given: Given = kinds[kind](name, chance);
  const unheard = chance.chance(0.15) ? [chance.pick(sourceNames)] : [];
  return {
    name,
    kind,
    random: random("life", kind, seed),
    active: given.legs.slice(0, 1),
    host: undefined,
    defaultName: false,
    announcements: [],
    upnp: [],
    faces: [],
    rotates: false,
    updates: false,
    roams: false,
    hides: [],
    behind: undefined,
    unheard: new Set<SourceName>(unheard),
    away: 0,
    known: false,
    suffix: 1,
    named: false,
    ...given,
  };
}

function root(uuid: string, type: string, face: boolean): UpnpRoot {
  return { uuid, type, server: "Linux/5.10 UPnP/1.0 Portable/1.24", face };
}

function lowered(text: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(text).map(([key, value]) => [key.toLowerCase(), value]));
}
