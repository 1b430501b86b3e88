import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clientIdOf, cpeIdentityOf, duidOf, macInDuid, macOf } from "../../../daemon/discovery/dhcp-ids.ts";

/** Option 125 of one vendor: sub-options by number. */
function option125(subOptions: readonly (readonly [code: number, text: string])[], vendor = 3561): string {
  const data = Buffer.concat(subOptions.map(([code, text]) => Buffer.from([code, text.length, ...Buffer.from(text)])));
  const head = Buffer.alloc(5);
  head.writeUInt32BE(vendor);
  head.writeUInt8(data.length, 4);
  return Buffer.concat([head, data]).toString("hex");
}
const cpe = [
  [1, "00d09e"],
  [2, "SN-123 456"],
  [3, "HomeBox"],
] as const;

describe("option 125", () => {
  it("tells OUI, serial number and product class of a TR-069 device", () => {
    const identity = { manufacturerOui: "00D09E", serialNumber: "SN-123 456", productClass: "HomeBox" };
    expect(cpeIdentityOf(option125(cpe))).toEqual(identity);
    expect(cpeIdentityOf(`0x${option125(cpe).toUpperCase()}`)).toEqual(identity);
    const other = option125([[1, "anything"]], 4491);
    expect(cpeIdentityOf(other + option125(cpe) + other)).toEqual(identity);
  });

  it("may leave out the product class, and have sub-options that nobody knows", () => {
    const more = [...cpe.slice(0, 2), [200, "x"]] as const;
    expect(cpeIdentityOf(option125(more))).toEqual({ manufacturerOui: "00D09E", serialNumber: "SN-123 456" });
  });

  it.each([
    ["without a serial number", option125([[1, "00d09e"]])],
    [
      "with an OUI that is none",
      option125([
        [1, "00d09"],
        [2, "1"],
      ]),
    ],
    [
      "with control characters",
      option125([
        [1, "00d09e"],
        [2, "a\nb"],
      ]),
    ],
    [
      "with a serial number of 65 characters",
      option125([
        [1, "00d09e"],
        [2, "1".repeat(65)],
      ]),
    ],
    ["of another vendor", option125(cpe, 4491)],
    ["that is no hex", "hello"],
    ["that is empty", ""],
    ["that is far too long", "00".repeat(2000)],
  ])("%s says nothing", (_, hex) => expect(cpeIdentityOf(hex)).toBeUndefined());

  it("that is cut anywhere says nothing, and whatever octets come nothing is thrown", () => {
    const whole = option125(cpe);
    for (let end = 0; end < whole.length; end++) expect(cpeIdentityOf(whole.slice(0, end))).toBeUndefined();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => {
        cpeIdentityOf(Buffer.from(octets).toString("hex"));
        cpeIdentityOf(`00000de9${Buffer.from(octets).toString("hex")}`);
      }),
    );
  });
});

describe("a client id", () => {
  const mac = "02:00:00:00:00:0a";

  it("that repeats the hardware address says nothing", () => {
    expect(clientIdOf("01:02:00:00:00:00:0A", mac)).toBeUndefined();
    expect(clientIdOf("*", mac)).toBeUndefined();
    expect(clientIdOf("01:02:00:00:00:00:0b", mac)).toBe("0102000000000b");
  });

  it("with a DUID in it is that DUID, which the client shows to DHCPv6 as well", () => {
    const duid = "00:02:00:00:ab:11:be:ef:99:01:02:03:04:05";
    expect(clientIdOf(`ff:12:34:56:78:${duid}`, mac)).toBe(duidOf(duid));
  });

  it("of its own kind is kept, of any length an option can have", () => {
    expect(clientIdOf("00:6d:79:68:6f:73:74", undefined)).toBe("006d79686f7374");
    expect(clientIdOf("ab".repeat(255), undefined)).toBe("ab".repeat(255));
    expect(clientIdOf("ab".repeat(256), undefined)).toBeUndefined();
  });
});

it("a DUID tells the hardware address it was made from, if it was", () => {
  expect(macInDuid("000100012a2b2c2d02000000000a")).toBe("02:00:00:00:00:0a");
  expect(macInDuid("0003000102000000000a")).toBe("02:00:00:00:00:0a");
  expect(macInDuid("00020000ab11beef")).toBeUndefined();
  expect(macInDuid("00030001ffffffffffff")).toBeUndefined();
});

it("a hardware address is one of Ethernet, and somebody's", () => {
  expect(["02:00:00:00:00:0A", "02000000000a"].map(macOf)).toEqual(["02:00:00:00:00:0a", "02:00:00:00:00:0a"]);
  const nobody = [
    "00:00:00:00:00:00",
    "ff:ff:ff:ff:ff:ff",
    "01:00:5e:00:00:01",
    "02:00:00:00:00",
    "0200:0000000a",
    "__proto__",
    "",
  ];
  expect(nobody.map(macOf)).toEqual(nobody.map(() => undefined));
});
