import type { Answer } from "dns-packet";
import { addressText } from "../discovery/text.ts";

const typeNumbers = new Map([
  ["A", 1],
  ["TXT", 16],
  ["AAAA", 28],
  ["SRV", 33],
]);

/**
 * Two hosts probe for one name at the same time: which of them has it is decided by what each wants to say of it (RFC 6762 8.2). Above 0: we have it;
 * below: they; 0: both say the same, so it is no conflict.
 */
export function tieBreak(ours: readonly Answer[], theirs: readonly Answer[]): number {
  const a = ours.map(comparable).sort(Buffer.compare);
  const b = theirs.map(comparable).sort(Buffer.compare);
  for (const [n, one] of a.entries()) {
    const other = b[n];
    if (other === undefined) return 1;
    const order = Buffer.compare(one, other);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** What is compared of a record, as octets: type, then data without compression. All are of one class. */
function comparable(answer: Answer): Buffer {
  const type = Buffer.alloc(2);
  // A type that we do not know has a name like "UNKNOWN_99"; others stand behind all that we announce.
  type.writeUInt16BE((typeNumbers.get(answer.type) ?? Number(answer.type.split("_")[1] ?? 0xffff)) & 0xffff);
  return Buffer.concat([type, dataOf(answer)]);
}

function dataOf(answer: Answer): Buffer {
  switch (answer.type) {
    case "A":
      return Buffer.from(answer.data.split(".").map(Number));
    case "AAAA":
      return ipv6Octets(answer.data);
    case "SRV": {
      const { priority = 0, weight = 0, port, target } = answer.data;
      const numbers = Buffer.alloc(6);
      for (const [n, value] of [priority, weight, port].entries()) numbers.writeUInt16BE(value & 0xffff, 2 * n);
      return Buffer.concat([numbers, ...target.split(".").map(withLength), Buffer.alloc(1)]);
    }
    case "TXT": {
      const parts = [answer.data].flat();
      return Buffer.concat(parts.length === 0 ? [Buffer.alloc(1)] : parts.map(withLength));
    }
    default:
      return Buffer.isBuffer(("data" in answer && answer.data) || undefined)
        ? (answer as { data: Buffer }).data
        : Buffer.alloc(0);
  }
}

function withLength(text: string | Buffer): Buffer {
  const octets = Buffer.from(text);
  return Buffer.concat([Buffer.of(octets.length & 0xff), octets]);
}

function ipv6Octets(address: string): Buffer {
  const [head = "", tail = ""] = addressText(address).split("::", 2);
  const groups = (text: string) =>
    text
      .split(":")
      .filter((group) => group !== "")
      .map((group) => parseInt(group, 16) & 0xffff);
  const octets = Buffer.alloc(16);
  for (const [n, group] of groups(head).slice(0, 8).entries()) octets.writeUInt16BE(group, 2 * n);
  const end = groups(tail).slice(0, 8);
  for (const [n, group] of end.entries()) octets.writeUInt16BE(group, 16 - 2 * (end.length - n));
  return octets;
}
