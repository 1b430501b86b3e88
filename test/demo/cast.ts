// Who plays in the story besides the devices of test/fakes: things on the LAN, each at an address of its own.
import type { AnnouncedModel } from "../fakes/mqtt/home-assistant-device.ts";
import type { HostModel } from "../fakes/lan/host.ts";

/** A box that speaks everything at once: mDNS, UPnP, and Home Assistant's discovery on the broker. */
export const mediaBox: HostModel & { readonly mac: string } = {
  address: "127.0.0.40",
  host: "living-room-media",
  mac: "3c:84:6a:17:5e:02",
  services: [
    { type: "_smb._tcp", name: "Living room media", port: 445 },
    { type: "_http._tcp", name: "Living room media", port: 80, text: { path: "/" } },
  ],
  upnp: {
    uuid: "6f2c1d7e-8a41-4c53-9d20-3c846a175e02",
    type: "urn:schemas-upnp-org:device:MediaServer:1",
    name: "Living room media",
    maker: "Lab Media",
    model: "LM-2",
    serial: "LM2-0031877",
    services: ["urn:schemas-upnp-org:service:ContentDirectory:1", "urn:schemas-upnp-org:service:ConnectionManager:1"],
  },
};

/** The same box on the broker. */
export const mediaBoxOnBroker: AnnouncedModel = {
  id: "media-3c846a",
  form: "device",
  device: { name: "Living room media", mf: "Lab Media", mdl: "LM-2", sw: "2.1.0", cns: [["mac", mediaBox.mac]] },
  entities: {
    recording: {
      component: "switch",
      config: { name: "Recording" },
      values: { state: { value: "OFF", topic: "stat_t", command: "cmd_t" } },
    },
    disk: {
      component: "sensor",
      config: { name: "Disk", unit_of_meas: "%" },
      values: { state: { value: "41", topic: "stat_t" } },
    },
  },
};

/** After the night: an update has given it another UUID, and the DHCP server another address. */
export const mediaBoxNextDay: typeof mediaBox = {
  ...mediaBox,
  address: "127.0.0.87",
  ...(mediaBox.upnp && { upnp: { ...mediaBox.upnp, uuid: "b1904e66-27d3-4f0a-8c1b-000000000007" } }),
};

const camera = (n: number, address: string, mac: string, name: string): typeof mediaBox => ({
  address,
  host: `camera-${name.toLowerCase()}`,
  mac,
  services: [],
  upnp: {
    uuid: `0e7a35c2-51d9-4b6f-a0f${n}-${mac.replaceAll(":", "")}`,
    type: "urn:schemas-upnp-org:device:DigitalSecurityCamera:1",
    name: `${name} camera`,
    maker: "Lab Optics",
    model: "LO-180",
    // The maker has burnt the same one into a whole batch.
    serial: "LO180-2023-0001",
    services: ["urn:schemas-upnp-org:service:DigitalSecurityCameraStillImage:1"],
  },
});

/** Two of one make, with one serial number. */
export const cameras = [
  camera(1, "127.0.0.51", "9c:8e:cd:20:11:a4", "Door"),
  camera(2, "127.0.0.52", "9c:8e:cd:20:11:b9", "Yard"),
] as const;

/** Only the DHCP server has heard of it; it makes up its hardware address, as phones do. */
export const phone = { address: "127.0.0.66", mac: "da:a1:19:4e:07:3c", host: "Annas-Phone" } as const;

/** The leases as dnsmasq writes them: end, hardware address, address, name, client id. */
export function leasesOf(hosts: readonly { readonly mac: string; readonly address: string; readonly host: string }[]) {
  const ends = Math.floor(Date.now() / 1000) + 12 * 3600;
  return hosts.map(({ mac, address, host }) => `${ends} ${mac} ${address} ${host} 01:${mac}\n`).join("");
}
