import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { openAsker, openMulticast } from "../../../daemon/discovery/multicast.ts";
import type { LanInterface } from "../../../daemon/lan.ts";

const group = "239.255.255.250";
const port = 1900;
const server = "Linux/6.6 UPnP/1.0 LabMedia/2.1";

/** A root device, as its description says it (UDA 1.1 section 2.3). */
export interface UpnpModel {
  /** Without "uuid:". */
  readonly uuid: string;
  /** "urn:schemas-upnp-org:device:MediaServer:1" */
  readonly type: string;
  readonly name: string;
  readonly maker: string;
  readonly model: string;
  readonly serial?: string;
  /** "urn:schemas-upnp-org:service:ContentDirectory:1", … */
  readonly services: readonly string[];
}

/** Serves the description, announces it by SSDP, and answers who searches. `leave` says goodbye. */
export async function upnpServer(link: LanInterface, model: UpnpModel): Promise<{ leave(): Promise<void> }> {
  const web = createServer((_, response) => {
    response.setHeader("content-type", 'text/xml; charset="utf-8"');
    response.setHeader("connection", "close");
    response.end(descriptionOf(model));
  });
  web.listen(0, link.address);
  await once(web, "listening");
  const location = `http://${link.address}:${(web.address() as AddressInfo).port}/description.xml`;
  const { socket: ear } = await openMulticast(group, port, 2, link);
  const { socket: mouth } = await openAsker(2, link);

  const usn = (target: string) => (target.startsWith("uuid:") ? target : `uuid:${model.uuid}::${target}`);
  const targets = ["upnp:rootdevice", `uuid:${model.uuid}`, model.type, ...model.services];
  const about = [`CACHE-CONTROL: max-age=1800`, `LOCATION: ${location}`, `SERVER: ${server}`];
  const send = (lines: readonly string[], to: number, address: string) =>
    new Promise<void>((resolve) => mouth.send([...lines, "", ""].join("\r\n"), to, address, () => resolve()));
  const notify = async (kind: "alive" | "byebye", more: readonly string[]) => {
    for (const target of targets) {
      const own = [`NT: ${target}`, `NTS: ssdp:${kind}`, `USN: ${usn(target)}`];
      await send(["NOTIFY * HTTP/1.1", `HOST: ${group}:${port}`, ...more, ...own], port, group);
    }
  };
  ear.on("message", (bytes, from) => {
    const text = bytes.toString("latin1");
    if (!text.startsWith("M-SEARCH")) return;
    const wanted = /^ST:\s*(\S+)/im.exec(text)?.[1] ?? "";
    for (const target of targets.filter((one) => wanted === "ssdp:all" || wanted === one))
      void send(["HTTP/1.1 200 OK", "EXT:", ...about, `ST: ${target}`, `USN: ${usn(target)}`], from.port, from.address);
  });
  await notify("alive", about);
  return {
    async leave() {
      await notify("byebye", []);
      await Promise.all([ear, mouth].map((socket) => new Promise<void>((resolve) => socket.close(resolve))));
      web.close();
    },
  };
}

function descriptionOf({ uuid, type, name, maker, model, serial, services }: UpnpModel): string {
  const service = (of: string, n: number) =>
    `<service><serviceType>${of}</serviceType><serviceId>urn:upnp-org:serviceId:${of.split(":")[3] ?? n}</serviceId>` +
    `<controlURL>/control/${n}</controlURL><eventSubURL>/events/${n}</eventSubURL><SCPDURL>/service/${n}.xml</SCPDURL></service>`;
  return (
    `<?xml version="1.0"?>\n<root xmlns="urn:schemas-upnp-org:device-1-0"><specVersion><major>1</major><minor>0</minor></specVersion>` +
    `<device><deviceType>${type}</deviceType><friendlyName>${name}</friendlyName><manufacturer>${maker}</manufacturer>` +
    `<modelName>${model}</modelName>${serial === undefined ? "" : `<serialNumber>${serial}</serialNumber>`}` +
    `<UDN>uuid:${uuid}</UDN><serviceList>${services.map(service).join("")}</serviceList></device></root>`
  );
}
