import type { Address, Chal, Cred, Item, Meta } from "./message.ts";
import { textOf } from "./xml.ts";
import type { Element } from "./xml.ts";
import { writeXml } from "./xml-write.ts";

// One family: SYNCML:SYNCML1.0 … 1.2, syncml:metinf. Peers leave them out, mix them up, and differ in case.
export function isSyncml(namespace: string): boolean {
  return namespace === "" || namespace.slice(0, 7).toLowerCase() === "syncml:";
}

export function* syncmlElements(element: Element): Iterable<Element> {
  for (const child of element.children) if (typeof child !== "string" && isSyncml(child.namespace)) yield child;
}

export function trimmed(element: Element): string {
  return textOf(element).trim();
}

const whole = /^\d{1,15}$/;

function numberOf(element: Element): number | undefined {
  const text = trimmed(element);
  return whole.test(text) ? Number(text) : undefined;
}

export function readSizes(meta: Element): { maxMsgSize?: number; maxObjSize?: number } {
  const found: { maxMsgSize?: number; maxObjSize?: number } = {};
  for (const child of metaElements(meta)) {
    const size = child.name === "MaxMsgSize" || child.name === "MaxObjSize" ? numberOf(child) : undefined;
    if (size === undefined) continue;
    if (child.name === "MaxMsgSize") found.maxMsgSize = size;
    else found.maxObjSize = size;
  }
  return found;
}

export function readAddress(element: Element): Address {
  let uri = "";
  let name: string | undefined;
  for (const child of syncmlElements(element)) {
    if (child.name === "LocURI") uri = trimmed(child);
    else if (child.name === "LocName") name = trimmed(child);
  }
  return name === undefined ? { uri } : { uri, name };
}

/** What stands in a Meta, with or without a MetInf around it. */
function* metaElements(meta: Element): Iterable<Element> {
  for (const child of syncmlElements(meta)) {
    if (child.name === "MetInf") yield* syncmlElements(child);
    else yield child;
  }
}

export function readMeta(element: Element): Meta {
  const meta: { format?: string; type?: string; mark?: string; size?: number } = {};
  for (const child of metaElements(element)) {
    switch (child.name) {
      case "Format":
        meta.format = trimmed(child);
        break;
      case "Type":
        meta.type = trimmed(child);
        break;
      case "Mark":
        meta.mark = trimmed(child);
        break;
      case "Size": {
        const size = numberOf(child);
        if (size !== undefined) meta.size = size;
        break;
      }
    }
  }
  return meta;
}

export function readCred(element: Element): Cred {
  let meta: Meta = {};
  let data = "";
  for (const child of syncmlElements(element)) {
    if (child.name === "Meta") meta = readMeta(child);
    else if (child.name === "Data") data = trimmed(child);
  }
  return {
    type: meta.type ?? "syncml:auth-basic",
    ...(meta.format === undefined ? {} : { format: meta.format }),
    data,
  };
}

export function readChal(element: Element): Chal {
  let meta: Meta = {};
  let nextNonce: string | undefined;
  for (const child of syncmlElements(element)) {
    if (child.name !== "Meta") continue;
    meta = readMeta(child);
    for (const one of metaElements(child)) if (one.name === "NextNonce") nextNonce = trimmed(one);
  }
  return {
    type: meta.type ?? "syncml:auth-basic",
    ...(meta.format === undefined ? {} : { format: meta.format }),
    ...(nextNonce === undefined ? {} : { nextNonce }),
  };
}

/** `common`: the Meta of the command, which the item's own completes and overrides. */
export function readItem(element: Element, common: Meta): Item {
  let meta = common;
  let moreData = false;
  const parts: { target?: Address; source?: Address; data?: string } = {};
  for (const child of syncmlElements(element)) {
    switch (child.name) {
      case "Target":
        parts.target = readAddress(child);
        break;
      case "Source":
        parts.source = readAddress(child);
        break;
      case "Meta":
        meta = { ...common, ...readMeta(child) };
        break;
      case "Data":
        parts.data = readData(child);
        break;
      case "MoreData":
        moreData = true;
        break;
    }
  }
  return { ...parts, meta, moreData };
}

/** The text as it is; where a document was written as elements, the document as text. */
function readData(element: Element): string {
  const root = element.children.find((child) => typeof child !== "string");
  if (root === undefined) return textOf(element);
  return element.children
    .map((child) => writeXml(child))
    .join("")
    .trim();
}
