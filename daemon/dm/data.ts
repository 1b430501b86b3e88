import { DmError, Status } from "../../tree/errors.ts";
import { leafFormats, mimeOf, parseValue, textOf } from "../../tree/value.ts";
import type { LeafFormat, Snapshot, Value } from "../../tree/value.ts";
import { isInterior } from "../../tree/value.ts";
import type { Item, Meta } from "../../tree/wire/message.ts";
import { fitsXml } from "../../tree/wire/xml-write.ts";

/** A whole tree in one item (DM TNDS 1.2.1), which this client does not read. */
const serializedTree = /^application\/vnd\.syncml\.dmtnds\+(xml|wbxml)$/i;

/** The leaf format that an item names. @throws DmError 415 for one that DM does not have. */
export function formatOf(meta: Meta): LeafFormat | "node" | undefined {
  const { format } = meta;
  if (meta.type !== undefined && serializedTree.test(meta.type))
    throw new DmError(Status.unsupportedFormat, "a serialized tree (TNDS) is not supported");
  if (format === undefined) return undefined;
  if (format === "node") return "node";
  const known = leafFormats.find((one) => one === format);
  if (known === undefined) throw new DmError(Status.unsupportedFormat, `"${format.slice(0, 40)}" is not a format`);
  return known;
}

/**
 * The value that an item carries, read as `format`; base64 is read where the node is `bin` and the item says `b64`, and the other way round.
 * @throws DmError 412 without Data (RepPro 1.2.1, Item), 415 when the text is not of the format.
 */
export function valueOf(item: Item, format: LeafFormat): Value {
  const type = item.meta.type === "text/plain" ? undefined : item.meta.type;
  if (format === "null") return parseValue("null", "");
  if (item.data === undefined) throw new DmError(Status.incomplete, "the item has no Data");
  if (typeof item.data === "string") return parseValue(format, item.data, type);
  if (format === "bin" || format === "b64") return { format, data: item.data, ...(type === undefined ? {} : { type }) };
  return parseValue(format, textOfBytes(item.data), type);
}

/** The Data of an item as text, for property values. @throws DmError 412 */
export function dataText(item: Item): string {
  if (item.data === undefined) throw new DmError(Status.incomplete, "the item has no Data");
  return typeof item.data === "string" ? item.data : textOfBytes(item.data);
}

function textOfBytes(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new DmError(Status.unsupportedFormat, "the data is not UTF-8 text", { cause });
  }
}

/** Meta and Data for a node as it is read; Format and Type are left out where they are the default ones, chr and text/plain. */
export function dataOf(snapshot: Snapshot, mo?: string): Pick<Item, "meta" | "data"> {
  if (isInterior(snapshot)) {
    const names = [...snapshot.children.keys()].join("/");
    return { meta: { format: "node", ...(mo === undefined || mo === "" ? {} : { type: mo }) }, data: names };
  }
  const type = mimeOf(snapshot);
  const meta: Meta = {
    ...(snapshot.format === "chr" ? {} : { format: snapshot.format }),
    ...(type === "text/plain" ? {} : { type }),
  };
  if (snapshot.format === "bin" || snapshot.format === "b64") return { meta, data: snapshot.data };
  return { meta, data: textData(textOf(snapshot)) };
}

/** Text as Data. Control characters that XML cannot hold travel as base64. */
export function textData(text: string): string | Uint8Array {
  return fitsXml(text) ? text : Buffer.from(text);
}
