import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Sighting } from "../../../adapters/adapter.ts";

/** A device as its web server shows it: what it says, on an address of the loopback. */
export interface WebDevice {
  readonly address: string;
  readonly location: string;
  /** How often it was asked. */
  requests: number;
  answers: RequestListener;
  /** Gives this description from now on. */
  says(xml: string): void;
  /** Its announcement as SSDP tells of it. */
  sighting(key: string, more?: Partial<Sighting>, text?: Readonly<Record<string, string>>): Sighting;
  /** Its web server is not up, or up again under the same port. */
  down(): Promise<void>;
  up(): Promise<void>;
}

export async function webDevice(xml: string, address = "127.0.0.2"): Promise<WebDevice> {
  let port = 0;
  const respond = (request: IncomingMessage, response: ServerResponse) => {
    device.requests++;
    device.answers(request, response);
  };
  let server = createServer(respond);
  const up = async () => {
    server = createServer(respond).listen(port, address);
    await once(server, "listening");
    ({ port } = server.address() as AddressInfo);
  };
  await up();
  const location = `http://${address}:${port}/d.xml`;
  const device: WebDevice = {
    address,
    location,
    requests: 0,
    answers: () => undefined,
    says(text) {
      device.answers = (_, response) => response.setHeader("content-type", "text/xml").end(text);
    },
    sighting: (key, more = {}, text = {}) => ({
      source: "ssdp",
      key,
      name: "?",
      addresses: [address],
      service: "upnp:rootdevice",
      text: new Map(Object.entries({ LOCATION: location, ...text })),
      interface: "lo",
      expires: Infinity,
      ...more,
    }),
    async down() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
    up,
  };
  device.says(xml);
  return device;
}

/** A description with these elements in its root device; a name may stand with what is around it. */
export function description(inside: Readonly<Record<string, string>>, more = ""): string {
  const elements = Object.entries(inside).map(([name, text]) => `<${name}>${text}</${name}>`);
  return `<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0"><device>${elements.join("")}${more}</device></root>`;
}

/** An Internet gateway device, as they are in one another, with two services of one id. */
export const router = description(
  {
    deviceType: "urn:schemas-upnp-org:device:InternetGatewayDevice:1",
    friendlyName: "Router",
    UDN: "uuid:75802409-0000-0000-0000-000000000001",
  },
  `<serviceList>${service("Layer3Forwarding1")}</serviceList>
   <deviceList>${device("WANDevice", 2, device("WANConnectionDevice", 3), service("WANCommonIFC1"))}${device("WANDevice", 4)}</deviceList>`,
);

function device(type: string, n: number, inner = "", services = ""): string {
  const list = inner === "" ? "" : `<deviceList>${inner}</deviceList>`;
  return `<device><deviceType>urn:schemas-upnp-org:device:${type}:1</deviceType><UDN>uuid:75802409-0000-0000-0000-00000000000${n}</UDN>
    <serviceList>${services}</serviceList>${list}</device>`;
}

function service(id: string): string {
  return `<service><serviceType>urn:schemas-upnp-org:service:X:1</serviceType><serviceId>urn:upnp-org:serviceId:${id}</serviceId>
    <SCPDURL>/x.xml</SCPDURL><controlURL>/c</controlURL><eventSubURL/></service>`;
}
