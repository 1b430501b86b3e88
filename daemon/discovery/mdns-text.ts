import { escaped, printable } from "./text.ts";

const limits = { pairs: 32, value: 255 } as const;

/** RFC 6763 6: names without regard to case, the first of each; a name without a value is "". */
export function textPairs(data: string | Buffer | (string | Buffer)[]): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  for (const part of Array.isArray(data) ? data : [data]) {
    if (pairs.size >= limits.pairs) break;
    const octets = typeof part === "string" ? Buffer.from(part) : part;
    const equals = octets.indexOf(0x3d);
    const name = printable(
      octets.toString("latin1", 0, equals < 0 ? octets.length : equals),
      limits.value,
    ).toLowerCase();
    if (name !== "" && !pairs.has(name))
      pairs.set(name, equals < 0 ? "" : escaped(octets.subarray(equals + 1), limits.value));
  }
  return pairs;
}
