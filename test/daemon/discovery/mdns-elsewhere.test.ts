import type { Answer } from "dns-packet";
import { beforeEach, describe, expect, it } from "vitest";
import { mdnsRecords } from "../../../daemon/discovery/mdns-records.ts";
import type { MdnsRecords } from "../../../daemon/discovery/mdns-records.ts";
import { gatewayServiceType } from "../../../tree/project-names.ts";
import { address, full, ipp, location, onLan, pointer, printer, text, whole } from "./dns-records.ts";

const reflector = "10.77.0.1";
const away = "10.78.0.2";
let records: MdnsRecords;
beforeEach(() => {
  records = mdnsRecords({ ...onLan, admits: () => true, gatewayId: "urn:uuid:ours" });
});
const take = (answers: Answer[], now = 0, sender = printer) => records.take({ answers }, sender, now);
const of = (...addresses: string[]) => [...whole().slice(0, 3), ...addresses.map((a) => address("kitchen.local", a))];

describe("a host that is told of but is elsewhere", () => {
  it("has no address here, and where it is is told", () => {
    const { seen, elsewhere } = take(of(away, "fd78::2"), 0, reflector);
    expect(seen[0]).toMatchObject({ host: "kitchen", addresses: [] });
    expect(elsewhere).toEqual([away, "fd78::2"]);
  });

  it("has no link-local address here either, unless that is who speaks", () => {
    expect(take(of(away, "fe80::2"), 0, reflector)).toMatchObject({
      seen: [{ addresses: [] }],
      elsewhere: [away, "fe80::2"],
    });
    expect(take(of(away, "fe80::2"), 0, "fe80::2")).toMatchObject({
      seen: [{ addresses: ["fe80::2"] }],
      elsewhere: [],
    });
  });

  it("is here as soon as one record says so", () => {
    take(of(away), 0, reflector);
    expect(take([address("kitchen.local", printer)], 100)).toMatchObject({
      seen: [{ addresses: [printer] }],
      elsewhere: [],
    });
  });

  it("is not asked for: where it is is known", () => {
    take([ipp(full), text(full, "a=1"), location(full, "kitchen.local")], 0, reflector);
    expect(records.due(0).map(({ type }) => type)).toEqual(["A", "AAAA"]);
    take([address("kitchen.local", away)], 10, reflector);
    expect(records.nextDue()).toBe(0.8 * 4_500_000);
  });

  it("with hundreds of addresses leaves room for those that are here", () => {
    take(of(...Array.from({ length: 200 }, (_, n) => `10.99.0.${n}`)));
    expect(take([address("kitchen.local", printer)]).seen[0]?.addresses).toEqual([printer]);
  });
});

describe("a service that is spoken of by IPv4 and IPv6", () => {
  it("is one, and may say goodbye by either; a third may not", () => {
    take(whole());
    take(whole(), 10, "fe80::2");
    expect(take([ipp(full, 0)], 20, "fe80::66").left).toEqual([]);
    expect(take([ipp(full, 0)], 20, "10.77.0.66").left).toEqual([]);
    expect(take([ipp(full, 0)], 30).left).toHaveLength(1);
    take(whole(), 40);
    expect(take([ipp(full, 0)], 50, "fe80::2").left).toHaveLength(1);
  });
});

describe("a host name", () => {
  it.each([
    ["Kitchen.local", "kitchen"],
    ["a.b.local", "a.b"],
    ["\u202eevil\u0007.local", "\ufffdevil\ufffd"],
    ["kitchen.example.com", undefined],
    [".local", undefined],
  ])("%j is %j", (target, host) => {
    expect(take([ipp(full), location(full, target)]).seen[0]?.host).toBe(host);
  });

  it("of 10,000 octets is cut", () => {
    expect(take([ipp(full), location(full, `${"x".repeat(10_000)}.local`)]).seen[0]).not.toHaveProperty("host");
    expect(take([ipp(full), location(full, `${"x".repeat(200)}.local`)]).seen[0]?.host).toHaveLength(63);
  });
});

describe("a name that is not fit to be shown", () => {
  const odd = "\u202eevil\u0007\u200f._ipp._tcp.local";

  it("is shown with its odd characters replaced, and is named by a key that shows them escaped", () => {
    const { seen } = take([ipp(odd), location(odd, "kitchen.local"), text(odd, "a=1")]);
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({ name: "\ufffdevil\ufffd\ufffd", port: 631 });
    expect(seen[0]?.key).toBe("\\xe2\\x80\\xaeevil\\x07\\xe2\\x80\\x8f._ipp._tcp.local");
    records.forget(seen[0]?.key ?? "");
    expect(records.nextDue()).toBe(Infinity);
  });
});

describe("what gateways announce", () => {
  const gateway = (name: string) => `${name}.${gatewayServiceType}.local`;
  const announced = (name: string, ttl?: number) => pointer(`${gatewayServiceType}.local`, gateway(name), ttl);

  it("with another id is a sighting with that id", () => {
    const { seen } = take([announced("Other"), text(gateway("Other"), "id=urn:uuid:other", "ver=1")]);
    expect(seen[0]?.text.get("id")).toBe("urn:uuid:other");
  });

  it("with our own id is none, and nothing is kept of it", () => {
    expect(take([announced("Ours"), text(gateway("Ours"), "id=urn:uuid:ours")]).seen).toEqual([]);
    expect(records.nextDue()).toBe(Infinity);
  });

  it("is asked for its id before it is a sighting", () => {
    expect(take([announced("Unclear")]).seen).toEqual([]);
    expect(records.due(0)).toContainEqual({ name: gateway("Unclear"), type: "TXT" });
    expect(take([text(gateway("Unclear"), "id=urn:uuid:other")], 500).seen).toHaveLength(1);
  });

  it("without an id is kept of sixteen at most, until their end", () => {
    for (let n = 0; n < 100; n++) take([announced(`g${n}`, 10)]);
    const asked = records.due(0).filter(({ type }) => type === "TXT");
    expect(asked).toHaveLength(16);
    expect(take([announced("late")], 5000).seen).toEqual([]);
    take([announced("later")], 20_000);
    expect(take([announced("later"), text(gateway("later"), "id=urn:uuid:other")], 20_000).seen).toHaveLength(1);
  });
});
