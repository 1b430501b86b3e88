import type { Item } from "../../../tree/wire/message.ts";
import { sizeOfCommand } from "../../../tree/wire/syncml-write.ts";
import type { Ask } from "./asks.ts";

/**
 * A command whose one item is too large for a message, as several of them (Protocol 1.2.1, 2.2): MoreData in all but the last, Size in
 * the first alone. undefined when there is nothing that could be cut.
 * @param room octets that each of them may have
 */
export function chunksOf(ask: Ask, room: number): Ask[] | undefined {
  if (!("items" in ask) || ask.items.length !== 1) return undefined;
  const [item] = ask.items;
  if (item?.data === undefined) return undefined;
  const bytes = typeof item.data === "object";
  const text = typeof item.data === "string" ? item.data : Buffer.from(item.data).toString("base64");
  const meta = bytes ? { ...item.meta, format: "b64" } : item.meta;
  const sized = { ...meta, size: Buffer.byteLength(text) };
  const chunks: Ask[] = [];
  for (let at = 0; at < text.length;) {
    const part = (length: number): Item => {
      const end = endOf(text, at + length);
      const first = at === 0 ? sized : meta;
      return { ...item, meta: first, data: text.slice(at, end), moreData: end < text.length };
    };
    let length = text.length - at;
    const size = (of: number) => sizeOfCommand({ ...ask, cmdId: "00000", items: [part(of)] });
    while (length > 1 && size(length) > room) length = Math.floor(length * 0.8);
    if (size(length) > room) return undefined;
    const chunk = part(length);
    chunks.push({ ...ask, items: [chunk] });
    at += String(chunk.data).length;
  }
  return chunks;
}

/** Never between the halves of a surrogate pair. */
function endOf(text: string, end: number): number {
  const code = text.charCodeAt(end - 1);
  return end < text.length && code >= 0xd800 && code <= 0xdbff ? end + 1 : end;
}
