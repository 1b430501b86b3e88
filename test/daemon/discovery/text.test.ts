import fc from "fast-check";
import { expect, it } from "vitest";
import { escaped, printable } from "../../../daemon/discovery/text.ts";

it("keeps names as people wrote them", () => {
  for (const name of ["Kitchen Printer", "Küche 厨房", "Büro 👩‍💻"]) expect(printable(name, 63)).toBe(name);
});

it("takes out what would play with a terminal or with the direction of the text", () => {
  expect(printable("a\u001b[31mred\u0007\u202egnp.exe\n", 63)).toBe("a\ufffd[31mred\ufffd\ufffdgnp.exe\ufffd");
});

it("is bounded, well-formed and free of control characters for any text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.nat(80), (text, max) => {
      const shown = printable(text, max);
      expect(shown.length).toBeLessThanOrEqual(max);
      expect(shown.isWellFormed()).toBe(true);
      expect(shown).not.toMatch(/\p{Cc}/u);
    }),
  );
});

it("shows text as text and other octets escaped, bounded", () => {
  expect(escaped(Buffer.from("Küche"), 255)).toBe("Küche");
  expect(escaped(Buffer.from([0x00, 0x41, 0xff, 0x5c]), 255)).toBe("\\x00A\\xff\\x5c");
  fc.assert(
    fc.property(fc.uint8Array(), fc.nat(300), (octets, max) => {
      const shown = escaped(octets, max);
      expect(shown.length).toBeLessThanOrEqual(max);
      expect(shown).not.toMatch(/\p{Cc}/u);
    }),
  );
});
