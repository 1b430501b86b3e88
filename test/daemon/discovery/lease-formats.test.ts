import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { emptyBook, leaseLimits } from "../../../daemon/discovery/lease-book.ts";
import type { Lease, LeaseBook } from "../../../daemon/discovery/lease-book.ts";
import { readLeases } from "../../../daemon/discovery/lease-formats.ts";

/** OUI 00D09E, serial number 1, product class x. */
const option125 = "00000de90e0106303044303945020131030178";

function read(...files: string[]): LeaseBook {
  const book = emptyBook();
  for (const file of files) readLeases(file, book);
  return book;
}
const leases = (text: string): Lease[] => [...read(text).leases.values()];

describe("dnsmasq", () => {
  it("its leases of IPv4 and IPv6 are read", () => {
    const text = [
      "1893456000 02:00:00:00:00:0a 192.168.1.50 tv 01:02:00:00:00:00:0a",
      "1893456001 02:00:00:00:00:0B 192.168.1.51 * ff:12:34:56:78:00:02:00:00:ab:11:01:02",
      "0 02:00:00:00:00:0c 192.168.1.52 printer.lan *",
      "43200 02:00:00:00:00:0d 192.168.1.53 * *",
      "duid 00:01:00:01:2a:2b:2c:2d:02:00:00:00:00:01",
      "1893456002 305419896 fd00:0:0::50 tv 00:01:00:01:2a:2b:2c:2d:02:00:00:00:00:0a",
      "1893456003 T305419896 2001:db8::50 tv 00:03:00:01:02:00:00:00:00:0a",
      "",
    ].join("\n");
    expect(leases(text)).toEqual([
      { address: "192.168.1.50", mac: "02:00:00:00:00:0a", host: "tv", ends: 1893456000_000 },
      { address: "192.168.1.51", mac: "02:00:00:00:00:0b", dhcpId: "00020000ab110102", ends: 1893456001_000 },
      { address: "192.168.1.52", mac: "02:00:00:00:00:0c", host: "printer", ends: Infinity },
      { address: "192.168.1.53", mac: "02:00:00:00:00:0d", ends: Infinity },
      { address: "fd00::50", dhcpId: "000100012a2b2c2d02000000000a", host: "tv", ends: 1893456002_000 },
      { address: "2001:db8::50", dhcpId: "0003000102000000000a", host: "tv", ends: 1893456003_000 },
    ]);
    expect(read(text).skipped).toBe(0);
  });

  it("a client that is not of Ethernet is known by its client id, or not at all", () => {
    const text =
      "1893456000 06-02:00:00:00:00:0a 192.168.1.50 x 00:61:62:63\n1893456000 06-02:00:00:00:00:0a 192.168.1.51 x *\n";
    expect(leases(text)).toEqual([{ address: "192.168.1.50", dhcpId: "00616263", host: "x", ends: 1893456000_000 }]);
    expect(read(text).skipped).toBe(1);
  });

  it("what its script writes of option 125 belongs to the hardware address", () => {
    const text = `125 02:00:00:00:00:0a ${option125}\n125\t02:00:00:00:00:0b\t00d09e\tSN 1\tHome Box\n125\t02:00:00:00:00:0c\t00d09e\tSN 2\t\n125 x y\n`;
    const { devices, skipped } = read(text);
    expect([...devices]).toEqual([
      ["02:00:00:00:00:0a", { manufacturerOui: "00D09E", serialNumber: "1", productClass: "x" }],
      ["02:00:00:00:00:0b", { manufacturerOui: "00D09E", serialNumber: "SN 1", productClass: "Home Box" }],
      ["02:00:00:00:00:0c", { manufacturerOui: "00D09E", serialNumber: "SN 2" }],
    ]);
    expect(skipped).toBe(1);
  });
});

it("odhcpd: its state file is read, without what was handed on as a prefix, has ended, or is a line for /etc/hosts", () => {
  const text = [
    "# br-lan 000100012a2b2c2d02000000000a 12345678 tv 1893456000 50 128 fd00::50/128 2001:db8::50/128 ",
    "fd00::50\ttv.lan\ttv",
    "# br-lan 02000000000a ipv4 tv 1893456001 32 32 192.168.1.50/32",
    "# br-lan 02:00:00:00:00:0b ipv4 - -1 33 32 192.168.1.51/24",
    "# br-lan 02000000000c ipv4 broken\\x20na<me 1893456001 34 32 192.168.1.52/32",
    "# br-lan 00020000ab110102 1 router 1893456002 8 60 2001:db8:0:8::/60",
    "# br-lan 02000000000d ipv4 old 0 35 32 192.168.1.53/32",
    "# a comment",
    "",
  ].join("\n");
  expect(leases(text)).toEqual([
    { address: "fd00::50", dhcpId: "000100012a2b2c2d02000000000a", host: "tv", ends: 1893456000_000 },
    { address: "2001:db8::50", dhcpId: "000100012a2b2c2d02000000000a", host: "tv", ends: 1893456000_000 },
    { address: "192.168.1.50", mac: "02:00:00:00:00:0a", host: "tv", ends: 1893456001_000 },
    { address: "192.168.1.51", mac: "02:00:00:00:00:0b", ends: Infinity },
    { address: "192.168.1.52", mac: "02:00:00:00:00:0c", ends: 1893456001_000 },
  ]);
  expect(read(text).skipped).toBe(0);
});

describe("Kea", () => {
  const v4 = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context\n";
  const v6 =
    "address,duid,valid_lifetime,expire,subnet_id,pref_lifetime,lease_type,iaid,prefix_len,fqdn_fwd,fqdn_rev,hostname,hwaddr,state,user_context,hwtype,hwaddr_source\n";

  it("the last line of an address counts, in the order of the files, and only an assigned one", () => {
    const older = `${v4}192.168.1.50,02:00:00:00:00:0a,,3600,1893456000,1,0,0,old,0,\n192.168.1.51,02:00:00:00:00:0b,,3600,1893456000,1,0,0,,0,\n`;
    const text = `${v4}192.168.1.50,02:00:00:00:00:0a,01:02:00:00:00:00:0a,3600,1893457000,1,0,0,tv.home.arpa.,0,\n192.168.1.51,02:00:00:00:00:0b,,0,1893456100,1,0,0,,0,\n192.168.1.52,02:00:00:00:00:0c,,3600,1893456000,1,0,0,,1,\n192.168.1.53,02:00:00:00:00:0d,,4294967295,1893456000,1,0,0,,0,\n`;
    expect([...read(older, text).leases.values()]).toEqual([
      { address: "192.168.1.50", mac: "02:00:00:00:00:0a", host: "tv", ends: 1893457000_000 },
      { address: "192.168.1.53", mac: "02:00:00:00:00:0d", ends: Infinity },
    ]);
  });

  it("its leases of IPv6 are read; a hardware address that it took from the DUID is none that it saw", () => {
    const duid = "00:01:00:01:2a:2b:2c:2d:02:00:00:00:00:0a";
    const text = `${v6}fd00::50,${duid},3600,1893456000,1,1800,0,7,128,0,0,tv,02:00:00:00:00:1a,0,,1,4\nfd00::51,${duid},3600,1893456000,1,1800,0,7,128,0,0,tv,02:00:00:00:00:0a,0,,1,2\n2001:db8:1::,${duid},3600,1893456000,1,1800,2,7,56,0,0,,,0,,,\n`;
    const dhcpId = "000100012a2b2c2d02000000000a";
    expect(leases(text)).toEqual([
      { address: "fd00::50", mac: "02:00:00:00:00:1a", dhcpId, host: "tv", ends: 1893456000_000 },
      { address: "fd00::51", dhcpId, host: "tv", ends: 1893456000_000 },
    ]);
    expect(read(text).skipped).toBe(0);
  });

  it("option 125 is found in the user context", () => {
    const context = (json: object) => JSON.stringify(json).replaceAll(",", "&#x2c");
    const row = (n: number, json: object) =>
      `192.168.1.${n},02:00:00:00:00:${n},,3600,1893456000,1,0,0,,0,${context(json)}\n`;
    const text = `${v4}${row(50, { a: 1, option125 })}${row(51, { ISC: { "vivso-suboptions": option125 } })}${row(52, { option125: [option125] })}${row(53, JSON.parse(`{"__proto__":{"option125":"${option125}"}}`) as object)}`;
    expect(leases(text).map(({ device }) => device?.serialNumber)).toEqual(["1", "1", undefined, undefined]);
  });
});

describe("bad input", () => {
  const good = "1893456000 02:00:00:00:00:0a 192.168.1.50 tv *\n";

  it("a line that is still being written is left for the next time", () => {
    for (let end = 0; end < good.length; end++) {
      const { leases, skipped } = read(good + good.replace(".50", ".51").slice(0, end));
      expect([...leases.keys()]).toEqual(["192.168.1.50"]);
      expect(skipped).toBe(0);
    }
  });

  it("lines of nonsense are counted, and hide no other", () => {
    const nonsense = [
      "hello",
      "1 2 3",
      "1893456000 02:00:00:00:00:0a 192.168.1.500 tv *",
      `125 02:00:00:00:00:0a zz`,
      `${"x".repeat(5000)}`,
      "\u0000\u0001",
    ];
    const { leases, skipped } = read(`${nonsense.join("\n")}\n${good}`);
    expect([...leases.keys()]).toEqual(["192.168.1.50"]);
    expect(skipped).toBe(nonsense.length);
  });

  it("names with control characters, of any length, or of an object's property are names at most", () => {
    const name = (host: string) => leases(`1893456000 02:00:00:00:00:0a 192.168.1.50 ${host} *\n`)[0]?.host;
    expect(name("a\u001b[31mb")).toBe("a\ufffd[31mb");
    expect(name("\u202egnp")).toBe("\ufffdgnp");
    expect(name("__proto__")).toBe("__proto__");
    expect(name("n".repeat(300))).toHaveLength(63);
  });

  it("of a hundred thousand lines the first leases are kept, in no time", () => {
    const lines = Array.from({ length: 100_000 }, (_, n) => {
      const hex = n
        .toString(16)
        .padStart(8, "0")
        .replace(/(..)(?=.)/g, "$1:");
      return `1893456000 02:00:${hex} 10.${n >> 16}.${(n >> 8) & 255}.${n & 255} h${n} *\n`;
    });
    const from = performance.now();
    const { leases, refused } = read(lines.join(""));
    expect(performance.now() - from).toBeLessThan(5000);
    expect(leases.size).toBe(leaseLimits.leases);
    expect(refused).toBe(100_000 - leaseLimits.leases);
  });

  it("nothing is thrown, whatever it is", () => {
    const word = fc.constantFrom(
      "1893456000",
      "02:00:00:00:00:0a",
      "192.168.1.50",
      "fd00::1",
      "125",
      "#",
      "duid",
      "address,",
      "expire,",
      "*",
      "\t",
      "ipv4",
      "-1",
      "__proto__",
    );
    const line = fc.array(fc.oneof(word, fc.string()), { maxLength: 10 }).map((words) => words.join(" "));
    fc.assert(fc.property(fc.array(line, { maxLength: 10 }), (lines) => void read(`${lines.join("\n")}\n`)));
    const header = "address,hwaddr,client_id,valid_lifetime,expire,hostname,state,user_context\n";
    fc.assert(
      fc.property(
        fc.array(fc.array(fc.oneof(word, fc.string()))),
        (rows) => void read(`${header}${rows.map((row) => row.join(",")).join("\n")}\n`),
      ),
    );
  });
});
