import { ProtocolError } from "../errors.ts";
import type { Element } from "./xml.ts";

/** Where elements are written to, in document order. `leaf` with the text "" writes an empty element. */
export interface ElementSink {
  /** `namespace` becomes the default one of the element; it must be given wherever it differs from the parent's. */
  open(name: string, namespace?: string): void;
  close(name: string): void;
  leaf(name: string, text: string, namespace?: string): void;
}

export interface XmlWriter extends ElementSink {
  /** What was written so far. */
  text(): string;
}

/** Writes XML 1.0 without white space of its own and without a declaration. Names are the caller's: they are not checked. */
export function xmlWriter(): XmlWriter {
  let out = "";
  const declared = (namespace: string | undefined) =>
    namespace === undefined ? "" : ` xmlns="${escapeAttribute(namespace)}"`;
  return {
    open(name, namespace) {
      out += `<${name}${declared(namespace)}>`;
    },
    close(name) {
      out += `</${name}>`;
    },
    leaf(name, text, namespace) {
      const start = `<${name}${declared(namespace)}`;
      out += text === "" ? `${start}/>` : `${start}>${escapeText(text)}</${name}>`;
    },
    text: () => out,
  };
}

// Everything that cannot stand as it is: markup, a CR (a reader would make it LF), what XML 1.0 has no way to write, and
// surrogates, of which only pairs are characters.
const special = /[&<>\r\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff\ud800-\udfff]/;
const impossible = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;

/** Can XML 1.0 hold this text at all? Values for which it cannot are sent as base64. */
export function fitsXml(text: string): boolean {
  return !special.test(text) || (!impossible.test(text) && text.isWellFormed());
}

/**
 * Text as element content; an XML reader gives exactly `text` back.
 * @throws ProtocolError when the text holds what XML 1.0 cannot: control characters, U+FFFE, U+FFFF, half a surrogate pair.
 */
export function escapeText(text: string): string {
  if (!special.test(text)) return text;
  if (!fitsXml(text)) throw new ProtocolError("the text holds characters that XML 1.0 cannot; send it as base64");
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll("\r", "&#13;");
}

/** Like {@link escapeText}, for an attribute value between double quotes. */
export function escapeAttribute(text: string): string {
  return escapeText(text).replaceAll('"', "&quot;").replaceAll("\n", "&#10;").replaceAll("\t", "&#9;");
}

/**
 * An element, or a part of its content, as XML text that stands on its own: each namespace is declared as the default one where it
 * changes. Prefixes of the original are not kept; attributes are written without their namespaces.
 */
export function writeXml(content: Element | string, around = ""): string {
  if (typeof content === "string") return escapeText(content);
  const { name, namespace } = content;
  let start = `<${name}${namespace === around ? "" : ` xmlns="${escapeAttribute(namespace)}"`}`;
  for (const [key, value] of content.attributes) start += ` ${key}="${escapeAttribute(value)}"`;
  if (content.children.length === 0) return `${start}/>`;
  return `${start}>${content.children.map((child) => writeXml(child, namespace)).join("")}</${name}>`;
}
