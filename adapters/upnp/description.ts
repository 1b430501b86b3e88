import { DmError, ProtocolError, Status, reasonOf } from "../../tree/errors.ts";
import { childOf, elementsOf, readXml, textOf } from "../../tree/wire/xml.ts";
import type { Element } from "../../tree/wire/xml.ts";
import { printable } from "../printable.ts";

export const limits = {
  bytes: 65_536,
  /** Of XML. Five generations of devices take thirteen; vendors put things of their own into the rest. */
  depth: 24,
  elements: 2000,
  /** UTF-16 units of a text. */
  field: 256,
  /** In all of a description, its root included. */
  devices: 12,
  services: 32,
  /** Devices in one another: the root is the first. */
  generations: 5,
} as const;

/** Texts of a device that it may give (UDA 1.1 2.3), under the names of the standard. */
export const deviceFields = [
  "UDN",
  "deviceType",
  "friendlyName",
  "manufacturer",
  "manufacturerURL",
  "modelName",
  "modelNumber",
  "modelDescription",
  "modelURL",
  "serialNumber",
  "UPC",
  "presentationURL",
] as const;
/** Of a service of a device. */
export const serviceFields = ["serviceType", "serviceId", "SCPDURL", "controlURL", "eventSubURL"] as const;
/** No fields of the standard, but given by many: the first one that is there. */
const versionFields = { firmware: ["firmwareVersion", "softwareVersion"], hardware: ["hardwareVersion"] } as const;

type Texts<Field extends string> = Readonly<Partial<Record<Field, string>>>;
export type ServiceTexts = Texts<(typeof serviceFields)[number]>;

/** A device of a description. Every text is printable, bounded, and the device's own word; absent where it gives none. */
export interface Described {
  /** The UDN without "uuid:", in lower case: one word, and often enough no UUID. */
  readonly id: string;
  readonly texts: Texts<(typeof deviceFields)[number]>;
  readonly firmware?: string;
  readonly hardware?: string;
  readonly services: readonly ServiceTexts[];
  readonly devices: readonly Described[];
}

/**
 * Reads a device description (UDA 1.1 section 2), with or without its namespace: the root device, and those in it. Of more devices or
 * services than the limits, and of an embedded device without a UDN, nothing is said.
 * @throws DmError 502 when it is none, or its root device has no UDN.
 */
export function readDescription(bytes: Uint8Array): Described {
  const element = rootDevice(bytes);
  const device = readDevice(element, { devices: limits.devices, services: limits.services }, limits.generations);
  if (device === undefined) throw new DmError(Status.badAnswer, "not a description: its device has no usable UDN");
  return device;
}

/** All devices of a description, the root first. */
export function everyDevice(root: Described): readonly Described[] {
  return [root, ...root.devices.flatMap(everyDevice)];
}

function rootDevice(bytes: Uint8Array): Element {
  let document: Element;
  try {
    document = readXml(bytes, { bytes: limits.bytes, elements: limits.elements, depth: limits.depth, attributes: 16 });
  } catch (cause) {
    if (!(cause instanceof ProtocolError)) throw cause;
    throw new DmError(Status.badAnswer, `not a description: ${reasonOf(cause)}`, { cause });
  }
  const device = document.name === "root" ? childOf(document, "device") : undefined;
  if (device === undefined) throw new DmError(Status.badAnswer, "not a description: there is no device in it");
  return device;
}

/** What may still be taken of one description. */
interface Room {
  devices: number;
  services: number;
}

function readDevice(element: Element, room: Room, generations: number): Described | undefined {
  const id = idOf(textOfChild(element, "UDN"));
  if (id === undefined || generations === 0 || room.devices === 0) return undefined;
  room.devices--;
  const services = childrenOf(element, "serviceList", "service").slice(0, room.services);
  room.services -= services.length;
  return {
    id,
    texts: textsOf(element, deviceFields),
    ...versionsOf(element),
    services: services.map((service) => textsOf(service, serviceFields)),
    devices: childrenOf(element, "deviceList", "device").flatMap(
      (device) => readDevice(device, room, generations - 1) ?? [],
    ),
  };
}

/** SSDP carries the UDN as one word (UDA 1.1 1.1.4); what is none could not have announced itself. */
function idOf(udn: string): string | undefined {
  const id = udn.replace(/^uuid:/i, "").toLowerCase();
  return /^[!-~]{1,68}$/.test(id) ? id : undefined;
}

function textsOf<const Field extends string>(element: Element, fields: readonly Field[]): Texts<Field> {
  const texts: Partial<Record<Field, string>> = {};
  for (const field of fields) {
    const text = textOfChild(element, field);
    if (text !== "") texts[field] = text;
  }
  return texts;
}

function versionsOf(element: Element): Pick<Described, "firmware" | "hardware"> {
  const first = (names: readonly string[]) =>
    names.map((name) => textOfChild(element, name)).find((text) => text !== "");
  const [firmware, hardware] = [first(versionFields.firmware), first(versionFields.hardware)];
  return { ...(firmware !== undefined && { firmware }), ...(hardware !== undefined && { hardware }) };
}

function textOfChild(element: Element, name: string): string {
  const child = childOf(element, name);
  return child === undefined ? "" : printable(textOf(child), limits.field);
}

function childrenOf(element: Element, list: string, name: string): readonly Element[] {
  const parent = childOf(element, list);
  return parent === undefined ? [] : elementsOf(parent).filter((child) => child.name === name);
}
