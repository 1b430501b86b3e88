import { describe, expect, it } from "vitest";
import type { Sighting } from "../../../adapters/adapter.ts";
import type { LiveTrace } from "../../../daemon/devices/device.ts";
import { traceOfSighting } from "../../../daemon/identity/traces.ts";
import { Whereabouts } from "../../../daemon/identity/whereabouts.ts";
import { lease, row, sighting } from "./sightings.ts";

const tv = "00:1d:c9:01:02:03";
const box = "00:1e:2a:00:00:01";
const [one, two] = ["192.168.1.1", "192.168.1.2"];

const heard = (where: Whereabouts, said: Sighting): LiveTrace => {
  const live = { trace: traceOfSighting(said), heardAt: 0, macs: [], sighting: said };
  where.live.add(live);
  return live;
};
const service = (label: string, address: string, host?: string) =>
  sighting("mdns", `${label}._ipp._tcp.local`, {
    service: "_ipp._tcp",
    addresses: [address],
    ...(host === undefined ? {} : { host }),
  });
const macsOf = (where: Whereabouts, said: Sighting) => where.macsOf(traceOfSighting(said));

describe("where the network has a trace", () => {
  it("is what the tables say of its address; of a row or a lease what it says itself", () => {
    const where = new Whereabouts();
    where.book.take(row(tv, one));
    expect(macsOf(where, service("a", one))).toEqual([tv]);
    expect(macsOf(where, service("a", two))).toEqual([]);
    expect(macsOf(where, lease(box, one))).toEqual([box]);
    // What it claims is not where it is.
    expect(macsOf(where, { ...service("a", two), text: new Map([["mac", tv]]) })).toEqual([]);
  });

  it("is all of its addresses, each hardware address once", () => {
    const where = new Whereabouts();
    where.book.take(row(tv, one, "fe80::1"));
    where.book.take(row(box, two));
    expect(macsOf(where, { ...service("a", one), addresses: [one, "fe80::1", two] })).toEqual([tv, box]);
  });

  it("is not the hardware address that it stands behind: its IPv6 address was built from another one", () => {
    const where = new Whereabouts();
    where.book.take(row(box, one));
    const behind = { ...service("a", one), addresses: [one, "fe80::21d:c9ff:fe01:203"] };
    expect(macsOf(where, behind)).toEqual([]);
    const itself = { ...service("b", one), addresses: [one, "fe80::21e:2aff:fe00:1"] };
    expect(macsOf(where, itself)).toEqual([box]);
    where.book.take(lease(box, one));
    expect(macsOf(where, behind)).toEqual([box]);
  });

  it("is not that of a box which says another name at its home", () => {
    const where = new Whereabouts();
    where.book.take(row(box, one, two));
    heard(where, service("box", one, "repeater-hall"));
    expect(macsOf(where, service("plug", two, "plug-kitchen"))).toEqual([]);
    expect(macsOf(where, service("plug", two, "repeater-hall"))).toEqual([box]);
  });

  it("is that of a host that is at both of its addresses", () => {
    const where = new Whereabouts();
    where.book.take(row(box, one, two));
    const both = { ...service("box", one, "nas-hall"), addresses: [one, two] };
    heard(where, both);
    expect(macsOf(where, both)).toEqual([box]);
    expect(macsOf(where, service("files", two, "files"))).toEqual([box]);
  });

  it("is nothing at the row of a known repeater that has only this address now", () => {
    const where = new Whereabouts();
    where.book.take(row(box, one));
    expect(macsOf(where, service("plug", one))).toEqual([box]);
    where.book.knowRepeater(box);
    expect(macsOf(where, service("plug", one))).toEqual([]);
  });
});

describe("beside a trace", () => {
  it("stand those that were heard at its places, and not itself, nor rows", () => {
    const where = new Whereabouts();
    const [a, b] = [heard(where, service("a", one)), heard(where, service("b", one))];
    heard(where, service("c", two));
    heard(where, row(tv, one));
    expect(where.beside(a.trace)).toEqual([b]);
    where.live.remove(b);
    expect(where.beside(a.trace)).toEqual([]);
  });

  it("that is a lease with a hardware address stands nobody; it knows where it is", () => {
    const where = new Whereabouts();
    const a = heard(where, service("a", one));
    expect(where.beside(traceOfSighting(lease(tv, one)))).toEqual([]);
    expect(where.beside(traceOfSighting(sighting("leases", "duid:1", { addresses: [one] })))).toEqual([a]);
  });

  it("that is a row of several IPv4 addresses stands nobody: they may be several things", () => {
    const where = new Whereabouts();
    const a = heard(where, service("a", one));
    expect(where.beside(traceOfSighting(row(box, one, "fe80::1")))).toEqual([a]);
    expect(where.beside(traceOfSighting(row(box, one, two)))).toEqual([]);
  });

  it("at a link-local address stands nobody of another link", () => {
    const where = new Whereabouts();
    heard(where, service("a", "fe80::1"));
    expect(where.beside(traceOfSighting({ ...service("b", "fe80::1"), interface: "guest" }))).toEqual([]);
  });
});
