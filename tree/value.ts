import { DmError, Status } from "./errors.ts";

/** The leaf formats of DM TND 1.2.1 (Format property), and `node` for interior nodes. */
export const leafFormats = ["b64", "bin", "bool", "chr", "int", "float", "date", "time", "xml", "null"] as const;
export type LeafFormat = (typeof leafFormats)[number];
export type Format = LeafFormat | "node";

/** What a leaf holds. `type` is the MIME type where it is not text/plain. */
export type Value =
  | { readonly format: "bool"; readonly data: boolean }
  | { readonly format: "int" | "float"; readonly data: number }
  | { readonly format: "chr" | "xml" | "date" | "time"; readonly data: string; readonly type?: string }
  | { readonly format: "bin" | "b64"; readonly data: Uint8Array; readonly type?: string }
  | { readonly format: "null" };

/** `undefined` as a child means: it is there, but was not read (depth "one", or its value is not to be had). */
export interface Interior {
  readonly format: "node";
  readonly children: ReadonlyMap<string, Snapshot | undefined>;
}
export type Snapshot = Value | Interior;

export const chr = (data: string): Value => ({ format: "chr", data });
export const bool = (data: boolean): Value => ({ format: "bool", data });
export const nul: Value = { format: "null" };
export const emptyInterior: Interior = { format: "node", children: new Map() };
/** A whole number; outside 32 bits it becomes `chr`, since a DM int has 32 (DM TND 1.2.1, Format). */
export const int = (data: number): Value =>
  Number.isInteger(data) && data >= -2147483648 && data <= 2147483647 ? { format: "int", data } : chr(String(data));
export const float = (data: number): Value => ({ format: "float", data });
export const bin = (data: Uint8Array, type?: string): Value =>
  type === undefined ? { format: "bin", data } : { format: "bin", data, type };

export function isInterior(snapshot: Snapshot): snapshot is Interior {
  return snapshot.format === "node";
}

const intText = /^\s*[+-]?\d{1,10}\s*$/;
const floatText = /^\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*$/;
const dateText = /^(\d{4})-?(\d{2})-?(\d{2})$/;
const timeText = /^(\d{4}-?\d{2}-?\d{2}T)?\d{2}(:?\d{2}(:?\d{2}([.,]\d+)?)?)?(Z|[+-]\d{2}(:?\d{2})?)?$/;
const base64Text = /^[A-Za-z0-9+/\s]*={0,2}\s*$/;

/**
 * Reads a value from its text form (XML element data, CLI argument, file). `bin` and `b64` texts are base64.
 * @throws DmError 415 when the text is not of that format.
 */
export function parseValue(format: LeafFormat, text: string, type?: string): Value {
  const wrong = () => new DmError(Status.unsupportedFormat, `"${text.slice(0, 40)}" is not of format ${format}`);
  const typed = type === undefined ? {} : { type };
  switch (format) {
    case "bool": {
      const word = text.trim().toLowerCase();
      if (word !== "true" && word !== "false") throw wrong();
      return bool(word === "true");
    }
    case "int": {
      const data = Number(text);
      if (!intText.test(text) || data < -2147483648 || data > 2147483647) throw wrong();
      return { format, data };
    }
    case "float": {
      const data = Number(text);
      if (!floatText.test(text) || !Number.isFinite(data)) throw wrong();
      return { format, data };
    }
    case "date": {
      const data = text.trim();
      if (!isDate(data)) throw wrong();
      return { format, data, ...typed };
    }
    case "time":
      if (!timeText.test(text.trim())) throw wrong();
      return { format, data: text.trim(), ...typed };
    case "chr":
    case "xml":
      return { format, data: text, ...typed };
    case "bin":
    case "b64":
      if (!base64Text.test(text)) throw wrong();
      return { format, data: new Uint8Array(Buffer.from(text, "base64")), ...typed };
    case "null":
      return nul;
  }
}

function isDate(text: string): boolean {
  const parts = dateText.exec(text);
  if (!parts) return false;
  const [year, month, day] = [Number(parts[1]), Number(parts[2]), Number(parts[3])];
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

/** The text form that {@link parseValue} reads back; "" for null. Canonical: equal values give equal texts (C-CANON). */
export function textOf(value: Value): string {
  switch (value.format) {
    case "bool":
      return value.data ? "true" : "false";
    case "int":
      return String(value.data);
    case "float":
      return Object.is(value.data, -0) ? "0" : String(value.data);
    case "bin":
    case "b64":
      return Buffer.from(value.data.buffer, value.data.byteOffset, value.data.byteLength).toString("base64");
    case "null":
      return "";
    default:
      return value.data;
  }
}

/** Size property (DM TND 1.2.1): octets of the unencoded value. */
export function sizeOf(value: Value): number {
  switch (value.format) {
    case "bin":
    case "b64":
      return value.data.byteLength;
    default:
      return Buffer.byteLength(textOf(value));
  }
}

/** Type property of a leaf: its MIME type. */
export function mimeOf(value: Value): string {
  return "type" in value && value.type !== undefined ? value.type : "text/plain";
}

export function sameValue(a: Value, b: Value): boolean {
  return a.format === b.format && mimeOf(a) === mimeOf(b) && textOf(a) === textOf(b);
}

/** A value as the store keeps it: JSON-able. */
export interface StoredValue {
  readonly f: LeafFormat;
  readonly v?: string;
  readonly t?: string;
}
export function toStored(value: Value): StoredValue {
  const type = "type" in value ? value.type : undefined;
  return {
    f: value.format,
    ...(value.format === "null" ? {} : { v: textOf(value) }),
    ...(type === undefined ? {} : { t: type }),
  };
}
export function fromStored(stored: StoredValue): Value {
  return parseValue(stored.f, stored.v ?? "", stored.t);
}
