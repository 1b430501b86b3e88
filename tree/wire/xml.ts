import { SaxesParser } from "saxes";
import type { SaxesAttributeNS } from "saxes";
import { ProtocolError } from "../errors.ts";

/** An XML element with its namespace resolved. Texts (CDATA included) and elements stand in document order. */
export interface Element {
  /** The local name: without prefix. */
  readonly name: string;
  /** The namespace name; "" for none. */
  readonly namespace: string;
  /** By local name; where two namespaces share one, the attribute without a prefix wins. No xmlns declarations. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly (Element | string)[];
}

export interface XmlLimits {
  /** Of the document. Texts cannot grow beyond it: no entity is ever expanded but the five of XML. */
  readonly bytes: number;
  readonly elements: number;
  readonly depth: number;
  /** Of one element. */
  readonly attributes: number;
}

export const xmlLimits: XmlLimits = { bytes: 1_000_000, elements: 200_000, depth: 64, attributes: 256 };

const none: ReadonlyMap<string, string> = new Map();
const utf8Names = /^(utf-?8|us-ascii)$/i;

interface Open {
  name: string;
  namespace: string;
  attributes: ReadonlyMap<string, string>;
  children: (Element | string)[];
}

/**
 * Reads one XML 1.0 document in UTF-8. A DOCTYPE is skipped, and refused when it has an internal subset.
 * Comments and processing instructions are dropped.
 * @throws ProtocolError not well-formed, not UTF-8, or over a limit.
 */
export function readXml(bytes: Uint8Array, limits: Partial<XmlLimits> = {}): Element {
  const limit = { ...xmlLimits, ...limits };
  if (bytes.byteLength > limit.bytes)
    throw new ProtocolError(`XML of ${bytes.byteLength} octets; at most ${limit.bytes}`);
  return parse(decode(bytes), limit);
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ProtocolError("the XML is not valid UTF-8", { cause });
  }
}

function parse(text: string, limit: XmlLimits): Element {
  // Forced to 1.0: a declaration of 1.1 would let control characters in.
  const parser = new SaxesParser({ xmlns: true, defaultXMLVersion: "1.0", forceXMLVersion: true });
  const open: Open[] = [];
  let current: Open | undefined;
  let root: Element | undefined;
  let elements = 0;
  let attributes = 0;

  const refuse = (why: string): never => {
    throw new ProtocolError(`XML line ${parser.line}, column ${parser.column}: ${why}`);
  };
  const addText = (part: string) => current?.children.push(part);

  // Six handlers and no more: with the seventh, V8 turns the parser into a dictionary, and it is four times slower.
  parser.on("error", (error) => refuse(error.message.replace(/^\d+:\d+: /, "")));
  parser.on("attribute", () => {
    if (++attributes > limit.attributes) refuse(`more than ${limit.attributes} attributes on an element`);
  });
  parser.on("opentag", (tag) => {
    if (root === undefined) checkProlog(text.slice(0, parser.position), parser.xmlDecl.encoding);
    if (open.length >= limit.depth) refuse(`deeper than ${limit.depth} elements`);
    if (++elements > limit.elements) refuse(`more than ${limit.elements} elements`);
    const element: Open = {
      name: tag.local,
      namespace: tag.uri,
      attributes: attributes === 0 ? none : attributesOf(tag.attributes),
      children: [],
    };
    attributes = 0;
    if (current === undefined) root = element;
    else current.children.push(element);
    open.push(element);
    current = element;
  });
  parser.on("closetag", () => {
    open.pop();
    current = open[open.length - 1];
  });
  parser.on("text", addText);
  parser.on("cdata", addText);

  parser.write(text).close();
  return root ?? refuse("there is no element");
}

/** What stands before the content of the root. A "[" in it that is no internal subset is refused too: nobody writes that. */
function checkProlog(prolog: string, encoding: string | undefined): void {
  if (encoding !== undefined && !utf8Names.test(encoding)) {
    throw new ProtocolError(`XML in the encoding "${encoding}"; only UTF-8 is read`);
  }
  const doctype = prolog.indexOf("<!DOCTYPE");
  if (doctype >= 0 && prolog.includes("[", doctype)) throw new ProtocolError("a DOCTYPE with an internal subset");
}

function attributesOf(given: Record<string, SaxesAttributeNS>): ReadonlyMap<string, string> {
  let map: Map<string, string> | undefined;
  for (const key in given) {
    const attribute = given[key];
    if (attribute === undefined || key === "xmlns" || attribute.prefix === "xmlns") continue;
    map ??= new Map();
    if (attribute.prefix === "" || !map.has(attribute.local)) map.set(attribute.local, attribute.value);
  }
  return map ?? none;
}

/** The child elements, without the texts between them. */
export function elementsOf(element: Element): Element[] {
  return element.children.filter((child) => typeof child !== "string");
}

/** The first child element of that local name. */
export function childOf(element: Element, name: string): Element | undefined {
  for (const child of element.children) if (typeof child !== "string" && child.name === name) return child;
  return undefined;
}

/** The element's own text, without that of child elements; as written, white space included. */
export function textOf(element: Element): string {
  const { children } = element;
  if (children.length === 1 && typeof children[0] === "string") return children[0];
  let text = "";
  for (const child of children) if (typeof child === "string") text += child;
  return text;
}
