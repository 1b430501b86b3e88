import { describe, expect, it } from "vitest";
import { AddressBook } from "../../../daemon/identity/address-book.ts";
import { home } from "./home.ts";
import { lease, row, sighting } from "./sightings.ts";

const repeater = "00:1e:2a:00:00:01";
const [a, b] = ["00:1e:2a:00:00:02", "00:1e:2a:00:00:03"];
const [one, two, three] = ["192.168.1.1", "192.168.1.2", "192.168.1.3"];
const minute = 60_000;

/** The repeater is at `one`, and stands for a and b, who have leases. */
function behindRepeater(): AddressBook {
  const book = new AddressBook();
  book.take(lease(a, two));
  book.take(lease(b, three));
  book.take(row(repeater, one, two, three));
  return book;
}

describe("who is at an address", () => {
  it("is whom the lease names, before whom the neighbour table has there", () => {
    const book = new AddressBook();
    expect(book.take(row(a, one))).toEqual([one]);
    expect([book.macAt(one), book.isRow(one), book.isLease(one)]).toEqual([a, true, false]);
    expect(book.take(lease(b, one))).toEqual([one]);
    expect([book.macAt(one), book.isRow(one), book.isLease(one)]).toEqual([b, false, true]);
    expect(book.forget(lease(b, one))).toEqual([one]);
    expect(book.macAt(one)).toBe(a);
  });

  it("is not told by what things say of themselves", () => {
    const book = new AddressBook();
    expect(book.take(sighting("ssdp", "uuid:x", { mac: a, addresses: [one] }))).toEqual([]);
    expect([book.macAt(one), book.has(one), book.isSomewhere(a)]).toEqual([undefined, false, false]);
  });

  it("is news once: the same again changes nothing, another address changes both", () => {
    const book = new AddressBook();
    expect(book.take(row(a, one, "fe80::1"))).toEqual([one, "fe80::1%lan"]);
    expect(book.take(row(a, one, "fe80::1"))).toEqual([]);
    expect(book.take(row(a, two)).toSorted()).toEqual([one, two, "fe80::1%lan"]);
    expect([book.macAt(one), book.macAt(two)]).toEqual([undefined, a]);
  });

  it("is the newer one of two that the table had there, also when the older one ends", () => {
    const book = new AddressBook();
    book.take(row(a, one));
    book.take(row(b, one));
    expect(book.macAt(one)).toBe(b);
    book.forget(row(a, one));
    expect([book.macAt(one), book.isSomewhere(a)]).toEqual([b, false]);
  });

  it("is the newer one of two leases for it", () => {
    const book = new AddressBook();
    book.take(lease(a, one));
    book.take(lease(b, one));
    book.forget(lease(a, one));
    expect([book.macAt(one), book.isSomewhere(a), book.isSomewhere(b)]).toEqual([b, false, true]);
  });

  it("is nobody when everything that was said has ended, and nothing of it stays", () => {
    const book = behindRepeater();
    for (const said of [lease(a, two), lease(b, three), row(repeater, one, two, three)]) book.forget(said);
    for (const place of [one, two, three]) expect([book.has(place), book.macAt(place)]).toEqual([false, undefined]);
    for (const mac of [repeater, a, b]) expect(book.isSomewhere(mac)).toBe(false);
    expect([book.knows("lan"), book.forget(lease(a, two))]).toEqual([false, []]);
  });
});

describe("the neighbour table", () => {
  it("is there on an interface for as long as it has anybody, however often they lose and find an address", () => {
    const book = new AddressBook();
    expect(book.knows("lan")).toBe(false);
    for (const addresses of [[one], [], [two], [], [one]]) book.take(row(a, ...addresses));
    book.take(lease(b, two));
    expect([book.knows("lan"), book.knows("guest")]).toEqual([true, false]);
    book.forget(row(a));
    expect(book.knows("lan")).toBe(false);
  });
});

describe("a repeater", () => {
  it("is at its own address only; those behind it are whom their leases name", () => {
    const book = behindRepeater();
    expect([one, two, three].map((place) => book.macAt(place))).toEqual([repeater, a, b]);
    expect([book.carriesOthers(repeater), book.carriesOthers(a)]).toEqual([true, false]);
  });

  it("is nowhere for sure while more than one address could be its own", () => {
    const book = behindRepeater();
    book.take(row(repeater, one, two, three, "192.168.1.4"));
    expect([book.macAt(one), book.macAt("192.168.1.4")]).toEqual([undefined, undefined]);
    book.take(lease(repeater, one));
    expect([book.macAt(one), book.macAt("192.168.1.4")]).toEqual([repeater, undefined]);
  });

  it("is at home where its own lease is, else where nobody else has one; never at IPv6", () => {
    const book = behindRepeater();
    book.take(row(repeater, one, two, three, "192.168.1.4", "fe80::1"));
    expect(book.homesOf(repeater, "192.168.1.4")).toEqual([one]);
    expect(book.homesOf(repeater, two)).toEqual([one, "192.168.1.4"]);
    book.take(lease(repeater, one));
    expect(book.homesOf(repeater, two)).toEqual([one]);
    expect(book.homesOf("00:00:5e:00:53:01", one)).toEqual([]);
  });

  it("is called one after ten minutes; a row that is out of date looks the same for a while", () => {
    const book = behindRepeater();
    expect(book.review(0)).toEqual([]);
    expect(book.review(9 * minute)).toEqual([]);
    expect(book.isRepeater(repeater)).toBe(false);
    expect(book.review(10 * minute)).toEqual([repeater]);
    expect([book.isRepeater(repeater), book.review(20 * minute)]).toEqual([true, []]);
  });

  it("is not called one when it carried others only now and then", () => {
    const book = behindRepeater();
    book.review(0);
    book.take(row(repeater, one));
    expect(book.review(8 * minute)).toEqual([]);
    book.take(row(repeater, one, two));
    expect(book.review(11 * minute)).toEqual([]);
    expect(book.review(21 * minute)).toEqual([repeater]);
  });

  it("is known for one over a restart", async () => {
    const h = home();
    await h.lease(a, two, "a-host");
    await h.lease(repeater, one, "repeater-hall");
    await h.neighbour(repeater, one, two);
    await h.clock.advance(12 * minute);
    const device = [...h.bridge.registry.all()].find(({ profile }) => profile.macs.has(repeater));
    expect(device?.kept.repeaters).toEqual([repeater]);
    const again = [...h.again().bridge.registry.all()].find(({ id }) => id === device?.id);
    expect(again?.kept.repeaters).toEqual([repeater]);
  });
});
