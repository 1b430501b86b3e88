import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ClueKind } from "../../../daemon/identity/clues.ts";
import { clue, clueOf, isJunk, isMadeUp, isStrong, keyOf, macOf, macsInside } from "../../../daemon/identity/clues.ts";
import { junkHosts, junkMacs, junkSerials, junkUuids } from "../../../daemon/identity/junk.ts";

const kinds: readonly ClueKind[] = ["mac", "uuid", "serial", "protocol-id", "dhcp-id", "host-name"];
const valueOf = (kind: ClueKind, raw: string) => clue(kind, raw, "device")?.value;

describe("a hardware address", () => {
  it.each(["00:1D:C9:01:02:03", "00-1d-c9-01-02-03", "001d.c901.0203", "001DC9010203", " 00:1d:c9:01:02:03 "])(
    "is the same however it is written: %j",
    (raw) => expect(valueOf("mac", raw)).toBe("00:1d:c9:01:02:03"),
  );

  it.each([
    "",
    "00:1d:c9:01:02",
    "00:1d:c9:01:02:03:04",
    "00:1d:c9:01:02:0g",
    "01:00:5e:00:00:fb",
    "33:33:00:00:00:01",
  ])("is none that is too short, too long, no hex or a group's: %j", (raw) =>
    expect(valueOf("mac", raw)).toBeUndefined(),
  );

  it("is made up where its local bit is set, as phones and containers do", () => {
    expect([isMadeUp("da:a1:19:00:00:01"), isMadeUp("02:42:ac:11:00:02")]).toEqual([true, true]);
    expect(isMadeUp("00:1d:c9:01:02:03")).toBe(false);
  });

  it.each([
    ["fe80::21d:c9ff:fe01:203", "00:1d:c9:01:02:03"],
    ["2001:db8:1:2:21d:c9ff:fe01:203", "00:1d:c9:01:02:03"],
    ["fe80::21d:9ff:fe01:203", "00:1d:09:01:02:03"],
    ["fe80::21d:ff:fe01:203", "00:1d:00:01:02:03"],
    ["fe80::21D:C9FF:FE01:0", "00:1d:c9:01:00:00"],
    ["fe80::d8a1:19ff:fe00:1", "da:a1:19:00:00:01"],
  ])("is read out of the IPv6 address that was built from it: %s", (address, mac) => {
    expect([...macsInside([address])]).toEqual([mac]);
  });

  it.each(["192.168.1.20", "fe80::1", "2001:db8::1234:5678:9abc:def0", "fe80::21d:c9ff:fe01:203:4", ""])(
    "is in no other address: %j",
    (address) => expect(macsInside([address]).size).toBe(0),
  );

  it("comes back out of the IPv6 address that RFC 4291 builds from it, whichever it is", () => {
    const byte = fc.integer({ min: 0, max: 255 });
    const group = (high: number, low: number) => ((high << 8) | low).toString(16);
    fc.assert(
      fc.property(fc.tuple(byte, byte, byte, byte, byte, byte), ([a, b, c, d, e, f]) => {
        const first = a & 0xfe;
        const iid = [group(first ^ 2, b), group(c, 0xff), group(0xfe, d), group(e, f)].join(":");
        const mac = [first, b, c, d, e, f].map((one) => one.toString(16).padStart(2, "0")).join(":");
        expect([...macsInside([`2001:db8:0:1:${iid}`])]).toEqual([mac]);
      }),
    );
  });
});

describe("other ids", () => {
  it.each([
    ["uuid", "uuid:4D696E69-444C-164E-9D41-000000000001", "4d696e69-444c-164e-9d41-000000000001"],
    ["uuid", "4d696e69444c164e9d41000000000001", "4d696e69-444c-164e-9d41-000000000001"],
    ["uuid", "RINCON_000E58A0123401400", "rincon_000e58a0123401400"],
    ["uuid", "short", undefined],
    ["uuid", "two words here", undefined],
    ["serial", "  AB 12\t\t34 ", "ab 12 34"],
    ["serial", "   ", undefined],
    ["dhcp-id", "FF:56:50:4D:98", "ff56504d98"],
    ["dhcp-id", "no digits: xyz", "d"],
    ["host-name", "Annas-iPhone.local", "annas-iphone"],
    ["host-name", "annas-iphone.lan.example.org.", "annas-iphone"],
    ["host-name", "two words", undefined],
    ["host-name", ".local", undefined],
    ["host-name", "a\u0007b", undefined],
    ["protocol-id", "zigbee:0x00158d0001A2b3c4", "zigbee:0x00158d0001A2b3c4"],
  ] as const)("of kind %s: %j is %j", (kind, raw, value) => expect(valueOf(kind, raw)).toBe(value));

  it("have a normal form that is its own normal form, 128 characters at most, whatever comes", () => {
    const raw = fc.oneof(fc.string({ unit: "binary", maxLength: 300 }), fc.constantFrom("__proto__", "constructor"));
    fc.assert(
      fc.property(fc.constantFrom(...kinds), raw, (kind, text) => {
        const one = clue(kind, text, "device");
        if (one === undefined) return;
        expect(text.length).toBeLessThanOrEqual(128);
        expect(one.value).not.toBe("");
        expect(clue(kind, one.value, "device")?.value).toBe(one.value);
        expect(clueOf(keyOf(one))).toEqual({ kind, value: one.value });
        isJunk(one);
      }),
    );
  });

  it("of a million characters are none, at once", () => {
    for (const kind of kinds) expect(clue(kind, "a".repeat(1_000_000), "device")).toBeUndefined();
    expect(macOf("0".repeat(12))).toBe("00:00:00:00:00:00");
  });
});

describe("junk", () => {
  it.each([
    ["mac", junkMacs],
    ["uuid", junkUuids],
    ["serial", junkSerials],
    ["host-name", junkHosts],
  ] as const)("of kind %s is data in the normal form, and each row counts for nothing", (kind, rows) => {
    for (const value of rows) {
      expect(isJunk({ kind, value })).toBe(true);
      expect(isStrong({ kind, value })).toBe(false);
      if (kind !== "host-name") expect(valueOf(kind, value)).toBe(value);
    }
  });

  it.each([
    ["uuid", "77777777-7777-7777-7777-777777777777"],
    ["serial", "0000000"],
    ["serial", "1234"],
    ["host-name", "raspberrypi-2"],
    ["host-name", "esp_a1b2c3"],
    ["host-name", "esp32-0a1b2c"],
    ["host-name", "desktop-4f9k2lq"],
    ["host-name", "galaxy-s21"],
    ["host-name", "hp-laserjet"],
  ] as const)("is also what only looks like it: %s %s", (kind, value) => expect(isJunk({ kind, value })).toBe(true));

  it.each([
    ["mac", "00:1d:c9:01:02:03"],
    ["uuid", "4d696e69-444c-164e-9d41-000000000001"],
    ["serial", "cam-778899"],
    ["host-name", "annas-phone"],
    ["host-name", "tv-bedroom"],
    ["host-name", "constructor"],
    ["protocol-id", "zigbee:0x00158d0001a2b3c4"],
  ] as const)("is not what only one has: %s %s", (kind, value) => expect(isJunk({ kind, value })).toBe(false));

  it("aside, ids and hardware addresses decide alone, serial numbers and host names only support", () => {
    const strong = kinds.filter((kind) => isStrong({ kind, value: "ab:cd:ef-unlikely" }));
    expect(strong).toEqual(["mac", "uuid", "protocol-id", "dhcp-id"]);
  });
});
