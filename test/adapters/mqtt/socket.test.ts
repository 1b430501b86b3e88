import { expect, test } from "vitest";
import fc from "fast-check";
import { PacketFilter } from "../../../adapters/mqtt/socket.ts";

const limit = 300;

/** A packet as it travels: type, remaining length, body. */
function packet(length: number, fill: number): Buffer {
  const head = [0x30];
  let rest = length;
  do {
    head.push((rest % 128) + (rest >= 128 ? 128 : 0));
    rest = Math.floor(rest / 128);
  } while (rest > 0);
  return Buffer.concat([Buffer.from(head), Buffer.alloc(length, fill)]);
}

test("packets above the limit are left out, and all others pass whole, however the stream is cut", () => {
  const lengths = fc.array(fc.oneof(fc.nat(20), fc.integer({ min: 100, max: 700 })), { maxLength: 12 });
  fc.assert(
    fc.property(lengths, fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1 }), (sizes, cuts) => {
      const packets = sizes.map((size, i) => packet(size, i));
      const stream = Buffer.concat(packets);
      const dropped: number[] = [];
      const filter = new PacketFilter(limit, (octets) => dropped.push(octets));
      const passed: Buffer[] = [];
      for (let at = 0, i = 0; at < stream.length; i++) {
        const end = at + (cuts[i % cuts.length] ?? 1);
        passed.push(...filter.pass(stream.subarray(at, end)));
        at = end;
      }
      const small = packets.filter((_, i) => (sizes[i] ?? 0) <= limit);
      expect(Buffer.concat(passed).equals(Buffer.concat(small))).toBe(true);
      expect(dropped).toEqual(sizes.filter((size) => size > limit));
    }),
    { numRuns: 500 },
  );
});

test("a chunk of many small packets passes as one piece", () => {
  const chunk = Buffer.concat(Array.from({ length: 100 }, (_, i) => packet(5, i)));
  expect(new PacketFilter(limit, () => undefined).pass(chunk)).toHaveLength(1);
});
