import { decode } from "dns-packet";
import type { Answer } from "dns-packet";
import { beforeEach, describe, expect, it } from "vitest";
import { mdnsRecords } from "../../../daemon/discovery/mdns-records.ts";
import type { MdnsRecords } from "../../../daemon/discovery/mdns-records.ts";
import { avahiAnnouncement, avahiGoodbye } from "../../fixtures/discovery.ts";
import { address, answer, full, ipp, key, onLan, location, pointer, printer, text, whole } from "./dns-records.ts";

let records: MdnsRecords;
let keys: Set<string>;
beforeEach(() => {
  keys = new Set();
  records = mdnsRecords({ ...onLan, admits: (name) => keys.size < 64 && keys.add(name) !== undefined });
});

const nothing = { seen: [], left: [], elsewhere: [] };
const take = (answers: Answer[], now = 0, sender = printer) => records.take({ answers }, sender, now);
const asked = (now: number) => records.due(now).map(({ type, name }) => `${type} ${name}`);
describe("an announcement", () => {
  it("of avahi is a sighting with everything in it, and leaves nothing to ask until it nears its end", () => {
    const { seen, left } = records.take(decode(avahiAnnouncement), printer, 1000);
    expect(left).toEqual([]);
    expect(seen).toEqual([
      {
        source: "mdns",
        key,
        name: "Kitchen Printer",
        addresses: [printer, "fd77::2"],
        port: 631,
        service: "_ipp._tcp",
        text: new Map([
          ["ty", "LaserThing 9"],
          ["rp", "ipp/print"],
          ["note", ""],
        ]),
        interface: "br-lan",
        expires: 1000 + 4_500_000,
        host: "kitchen",
      },
    ]);
    expect(records.types()).toEqual(["_ipp._tcp"]);
    expect(records.nextDue()).toBe(1000 + 0.8 * 4_500_000);
  });

  it("that leaves things out is a sighting at once, and what is missing is asked for at once and twice more", () => {
    expect(take([ipp(full)]).seen[0]).toMatchObject({ key, addresses: [] });
    expect(records.nextDue()).toBe(0);
    expect(asked(0)).toEqual([`SRV ${full}`, `TXT ${full}`]);
    expect(records.nextDue()).toBe(1000);
    take([location(full, "kitchen.local")], 500);
    expect(asked(1000)).toEqual([`TXT ${full}`, "A kitchen.local", "AAAA kitchen.local"]);
    expect(asked(4000)).toHaveLength(3);
    expect(records.nextDue()).toBe(5000);
    expect(records.unanswered(4999)).toEqual([]);
    expect(records.unanswered(5000)).toMatchObject([{ key, addresses: [printer] }]);
    expect(records.unanswered(5000)).toEqual([]);
    expect(records.nextDue()).toBe(0.8 * 4_500_000);
  });

  it("may come in any order and in parts", () => {
    take([address("kitchen.local", printer), text(full, "a=1"), location(full, "kitchen.local")]);
    expect(take([ipp(full)]).seen[0]).not.toHaveProperty("port");
    const { seen } = take([
      address("KITCHEN.local", "fd77::2"),
      text(full.toUpperCase(), "a=1"),
      location(full, "Kitchen.LOCAL"),
    ]);
    expect(seen[0]).toMatchObject({ port: 631, addresses: ["fd77::2"], text: new Map([["a", "1"]]) });
  });

  it("of a subtype, or in another case, is one of the same service", () => {
    take(whole());
    const { seen } = take([
      pointer("_color._sub._ipp._tcp.local", full),
      pointer("_IPP._TCP.local", full.toUpperCase()),
    ]);
    expect(seen.map((s) => s.key)).toEqual([key]);
  });

  it("of a name with a dot in it is asked for by its type: it cannot be named in a question", () => {
    expect(take([ipp("HP 4.0._ipp._tcp.local")]).seen[0]).toMatchObject({ name: "HP 4.0" });
    expect(asked(0)).toEqual(["PTR _ipp._tcp.local"]);
    expect(records.known("_ipp._tcp", 0)).toEqual([]);
  });

  it.each([
    ["an address turned round", pointer("2.0.77.10.in-addr.arpa", "kitchen.local")],
    ["a service under a type that is not its own", pointer("_http._tcp.local", full)],
    ["a name outside .local", pointer("_ipp._tcp.example.com", "x._ipp._tcp.example.com")],
    ["a name without an instance", ipp("_ipp._tcp.local")],
    ["another class", answer({ type: "PTR", name: "_ipp._tcp.local", data: full, class: "CH" })],
  ])("of %s is no sighting", (_, record) => {
    expect(take([record])).toEqual(nothing);
  });
});

describe("addresses", () => {
  it("are only those on the link, the sender's first, those of IPv4 before those of IPv6", () => {
    take(whole());
    const others = ["8.8.8.8", "172.17.0.1", "2001:db8::1", "fe80::2", "fd77::2", "10.77.0.9"].map((a) =>
      address("kitchen.local", a),
    );
    expect(take([...others, address("kitchen.local", printer)], 0, "fd77::2").seen[0]?.addresses).toEqual([
      printer,
      "10.77.0.9",
      "fd77::2",
      "fe80::2",
    ]);
  });

  it("are those it was spoken from when nobody tells one, asked three times", () => {
    take([ipp(full)]);
    expect(take([ipp(full)], 0, "fe80::2").seen[0]?.addresses).toEqual([]);
    for (const due of [0, 1000, 4000]) asked(due);
    expect(records.unanswered(5000)[0]?.addresses).toEqual([printer, "fe80::2"]);
    expect(take([location(full, "kitchen.local")], 5000).seen[0]?.addresses).toEqual([printer, "fe80::2"]);
    expect(take([address("kitchen.local", "10.77.0.3")], 5000).seen[0]?.addresses).toEqual(["10.77.0.3"]);
  });

  it("are those it was spoken from when there is nobody to ask: its host is none of mDNS", () => {
    expect(take([ipp(full), text(full, "a=1"), location(full, "kitchen.example.com")]).seen[0]?.addresses).toEqual([
      printer,
    ]);
  });

  it("never are the sender's who speaks for another (a sleep proxy)", () => {
    expect(take(whole(), 0, "10.77.0.50").seen[0]?.addresses).toEqual([printer]);
  });

  it("on a link with nothing but link-local ones are these, whoever speaks", () => {
    const { seen } = take([...whole().slice(0, 3), address("kitchen.local", "fe80:0:0:0:0:0:0:2")], 0, "fe80::2");
    expect(seen[0]?.addresses).toEqual(["fe80::2"]);
  });

  it("are replaced by an announcement that says it is complete (cache-flush), after a second's grace", () => {
    take(whole());
    take([address("kitchen.local", "10.77.0.8", { flush: true })], 500);
    expect(take([ipp(full)], 600).seen[0]?.addresses).toEqual([printer, "10.77.0.8"]);
    const moved = take([address("kitchen.local", "10.77.0.9", { flush: true })], 5000, "10.77.0.9");
    expect(moved.seen[0]?.addresses).toEqual(["10.77.0.9"]);
  });

  it("go one by one by a life of 0", () => {
    take([...whole(), address("kitchen.local", "fd77::2")]);
    expect(take([address("kitchen.local", "fd77::2", { ttl: 0 })]).seen[0]?.addresses).toEqual([printer]);
  });

  it("are at most eight", () => {
    take(whole());
    const many = Array.from({ length: 200 }, (_, n) => address("kitchen.local", `10.77.0.${n + 3}`));
    expect(take(many).seen[0]?.addresses).toHaveLength(8);
  });
});

describe("a goodbye", () => {
  it("of avahi is taken from whoever announced it", () => {
    records.take(decode(avahiAnnouncement), printer, 0);
    expect(records.take(decode(avahiGoodbye), printer, 1000)).toEqual({ ...nothing, left: [key] });
    expect(records.nextDue()).toBe(Infinity);
  });

  it("from elsewhere, or of what is not there, is nothing", () => {
    expect(take([ipp(full, 0)])).toEqual(nothing);
    take(whole());
    expect(take([ipp(full, 0)], 0, "10.77.0.66")).toEqual(nothing);
  });

  it("is not undone by questions that nobody answered", () => {
    take([ipp(full)]);
    for (const due of [0, 1000, 4000]) asked(due);
    take([ipp(full, 0)], 4500);
    expect(records.nextDue()).toBe(Infinity);
    expect(records.unanswered(10_000)).toEqual([]);
  });

  it("is called off by another announcement", () => {
    take(whole());
    take([ipp(full, 0)], 1000);
    expect(take([ipp(full)], 1500).seen[0]?.expires).toBe(1500 + 4_500_000);
  });
});

describe("what nears its end", () => {
  it("is asked for at 80, 90 and 95 hundredths of its life, then no more", () => {
    take(whole().map((record) => (record.type === "PTR" ? ipp(full, 120) : record)));
    for (const due of [96_000, 108_000, 114_000]) {
      expect(records.nextDue()).toBeCloseTo(due);
      expect(asked(due)).toEqual(["PTR _ipp._tcp.local"]);
    }
    expect(records.nextDue()).toBe(Infinity);
    take([ipp(full, 120)], 115_000);
    expect(records.nextDue()).toBeCloseTo(115_000 + 96_000);
  });

  it("after a life shorter than a minute is not asked for: one device must not keep us asking", () => {
    take([...whole().slice(1), ipp(full, 5)]);
    expect(
      take([text(full, "a=1"), location(full, "kitchen.local"), address("kitchen.local", printer)]).seen[0]?.expires,
    ).toBe(5000);
    expect(records.nextDue()).toBe(Infinity);
  });

  it("is not longer than 75 minutes away", () => {
    expect(take([ipp(full, 4_294_967_295)]).seen[0]?.expires).toBe(4_500_000);
  });

  it("is told as known while it has more than half its life", () => {
    take(whole());
    expect(records.known("_ipp._tcp", 1_000_000)).toEqual([
      { type: "PTR", name: "_ipp._tcp.local", ttl: 3500, data: full },
    ]);
    expect(records.known("_ipp._tcp", 2_300_000)).toEqual([]);
    expect(records.known("_http._tcp", 0)).toEqual([]);
  });
});

it("keeps nothing of what is forgotten", () => {
  take(whole());
  records.forget(key);
  records.forget("never there");
  expect(records.nextDue()).toBe(Infinity);
  expect(take([address("kitchen.local", printer)]).seen).toEqual([]);
});
