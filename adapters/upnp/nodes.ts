import type { AclVerb } from "../../tree/acl.ts";
import { chr } from "../../tree/value.ts";
import { DeviceNodes, relOf } from "../device-nodes.ts";
import { deviceFields, serviceFields } from "./description.ts";
import type { Described } from "./description.ts";

/** One text of a description. */
export interface Leaf {
  readonly text: string;
  readonly about: string;
  /** Where the device is found now; it says nothing about the device. */
  readonly volatile?: true;
}

const about: Readonly<Record<(typeof deviceFields)[number] | (typeof serviceFields)[number], string>> = {
  UDN: "unique device name",
  deviceType: "what kind of device it is",
  friendlyName: "its name, for people",
  manufacturer: "who made it",
  manufacturerURL: "home page of the maker",
  modelName: "its model",
  modelNumber: "number or version of its model",
  modelDescription: "what its model is, for people",
  modelURL: "home page of its model",
  serialNumber: "serial number of the maker",
  UPC: "universal product code",
  presentationURL: "its own page, from Location on",
  serviceType: "what kind of service it is",
  serviceId: "id of the service in its device",
  SCPDURL: "where the service is described, from Location on",
  controlURL: "where its actions are called, from Location on; this gateway does not",
  eventSubURL: "where its events are subscribed to, from Location on; this gateway does not",
};
const read: ReadonlySet<AclVerb> = new Set(["Get"]);
const longestName = 64;

/** The nodes of a description: Device, Services, and Devices with the same below each of them. `location`: where it was fetched. */
export function nodesOf(description: Described, location: string): DeviceNodes<Leaf> {
  const nodes = new DeviceNodes<Leaf>({
    schema: (leaf) => ({
      format: "chr",
      access: read,
      permanent: true,
      volatile: leaf.volatile === true,
      description: leaf.about,
    }),
    value: (leaf) => chr(leaf.text),
  });
  const where = {
    text: location,
    about: "where its description is; its other URLs start from there",
    volatile: true,
  } as const;
  put(nodes, ["Device", "Location"], where);
  addDevice(nodes, [], description);
  return nodes;
}

function put(nodes: DeviceNodes<Leaf>, names: readonly string[], leaf: Leaf): void {
  const rel = relOf(names);
  if (rel !== undefined) nodes.put(rel, leaf);
}

function addDevice(nodes: DeviceNodes<Leaf>, at: readonly string[], device: Described): void {
  const add = <Field extends keyof typeof about>(
    parent: readonly string[],
    fields: readonly Field[],
    texts: Readonly<Partial<Record<Field, string>>>,
  ) => {
    for (const field of fields) {
      const text = texts[field];
      if (text !== undefined) put(nodes, [...parent, nodeName(field)], { text, about: about[field] });
    }
  };
  add([...at, "Device"], deviceFields, device.texts);
  const serviceName = distinctNames();
  for (const texts of device.services) {
    const name = serviceName(idWord(texts.serviceId) ?? typeWord(texts.serviceType) ?? "Service");
    add([...at, "Services", name], serviceFields, texts);
  }
  const deviceName = distinctNames();
  for (const inner of device.devices) {
    addDevice(nodes, [...at, "Devices", deviceName(typeWord(inner.texts.deviceType) ?? "Device")], inner);
  }
}

/** "DeviceType" of "deviceType". */
function nodeName(field: string): string {
  return field.slice(0, 1).toUpperCase() + field.slice(1);
}

/** "ContentDirectory" of "urn:upnp-org:serviceId:ContentDirectory"; some have a number behind it: "urn:upnp-org:serviceId:Dimming:1". */
function idWord(urn: string | undefined): string | undefined {
  return nonEmpty(/:serviceId:([^:]+)/i.exec(urn ?? "")?.[1]) ?? lastWord(urn);
}

/** "WANDevice" of "urn:schemas-upnp-org:device:WANDevice:1": its version is no part of the name, since it grows with updates. */
function typeWord(urn: string | undefined): string | undefined {
  return nonEmpty(/:(?:device|service):([^:]+)/i.exec(urn ?? "")?.[1]) ?? lastWord(urn);
}

function lastWord(urn: string | undefined): string | undefined {
  return nonEmpty(urn?.split(":").at(-1));
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text === "" ? undefined : text.slice(0, longestName);
}

/** "Dimming", and for the second one "Dimming2". */
function distinctNames(): (name: string) => string {
  const taken = new Set<string>();
  return (name) => {
    let free = name;
    for (let n = 2; taken.has(free); n++) free = `${name}${n}`;
    taken.add(free);
    return free;
  };
}
