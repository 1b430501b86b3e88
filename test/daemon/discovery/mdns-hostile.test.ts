import type { Answer } from "dns-packet";
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { mdnsRecords } from "../../../daemon/discovery/mdns-records.ts";
import type { MdnsRecords } from "../../../daemon/discovery/mdns-records.ts";
import { avahiAnnouncement, avahiGoodbye } from "../../fixtures/discovery.ts";
import { decoded, full, ipp, onLan, location, pointer, printer, text } from "./dns-records.ts";

let records: MdnsRecords;
let keys: Set<string>;
beforeEach(() => {
  keys = new Set();
  records = mdnsRecords({ ...onLan, admits: (name) => keys.size < 64 && keys.add(name) !== undefined });
});

const take = (answers: Answer[], now = 0, sender = printer) => records.take({ answers }, sender, now);
const asked = (now: number) => records.due(now).map(({ type, name }) => `${type} ${name}`);
describe("hostile packets", () => {
  it("are cut to 32 pairs of 255 characters; names are compared without case, the first counts; odd octets are escaped", () => {
    const many = Array.from({ length: 500 }, (_, n) => `k${n}=${"v".repeat(250)}`);
    const pairs = take([
      ipp(full),
      text(full, "A=1", "a=2", "flag", "=x", Buffer.from([0x62, 0x3d, 0x00, 0xff]), ...many),
    ]).seen[0]?.text;
    expect(pairs?.size).toBe(32);
    expect(pairs?.get("a")).toBe("1");
    expect(pairs?.get("flag")).toBe("");
    expect(pairs?.get("b")).toBe("\\x00\\xff");
    for (const [name, value] of pairs ?? []) expect(name.length + value.length).toBeLessThan(512);
  });

  it("that name 10,000 services cost bounded room and time", () => {
    const before = performance.now();
    for (let packet = 0; packet < 100; packet++)
      take(Array.from({ length: 100 }, (_, n) => ipp(`flood ${packet} ${n}._ipp._tcp.local`)));
    expect(performance.now() - before).toBeLessThan(5000);
    expect(keys.size).toBe(64);
    expect(records.known("_ipp._tcp", 0)).toHaveLength(64);
    expect(asked(0)).toHaveLength(128);
  });

  it("that name 10,000 types are cut at a share for each sender and at a whole", () => {
    const types = (sender: string) =>
      take(
        Array.from({ length: 10_000 }, (_, n) =>
          pointer("_services._dns-sd._udp.local", `_t${sender.at(-1)}${n}._tcp.local`),
        ),
        0,
        sender,
      );
    types("10.77.0.3");
    expect(records.types()).toHaveLength(16);
    for (const n of [4, 5, 6, 7, 8, 9]) types(`10.77.0.${n}`);
    expect(records.types()).toHaveLength(64);
  });

  it("never make us send what cannot be sent", () => {
    const names = ["a..b", ".", "", "x".repeat(80), "\u0000", "\ufffd", "-".repeat(300)];
    for (const [n, odd] of names.entries())
      take([
        ipp(`${odd}._ipp._tcp.local`),
        ipp(`ok${n}._ipp._tcp.local`),
        location(`ok${n}._ipp._tcp.local`, `${odd}.local`),
      ]);
    for (const { name } of records.due(0)) {
      expect(name.split(".").every((label) => label !== "" && Buffer.byteLength(label) <= 63)).toBe(true);
      expect(name).not.toMatch(/[\p{Cc}\ufffd]/u);
    }
  });

  it("cut off at every octet never do more than not decode", () => {
    for (const packet of [avahiAnnouncement, avahiGoodbye])
      for (let length = 0; length < packet.length; length++) {
        const cut = decoded(packet.subarray(0, length));
        if (cut !== undefined) records.take(cut, printer, length);
      }
  });

  it("with any octets changed never do more than not decode", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(avahiAnnouncement.length - 1), fc.nat(255)), { maxLength: 8 }),
        (changes) => {
          const packet = Buffer.from(avahiAnnouncement);
          for (const [at, octet] of changes) packet[at] = octet;
          const changed = decoded(packet);
          if (changed !== undefined) records.take(changed, printer, 0);
          records.due(0);
        },
      ),
    );
  });
});
