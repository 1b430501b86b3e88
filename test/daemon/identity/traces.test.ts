import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keyOf } from "../../../daemon/identity/clues.ts";
import { serviceIds } from "../../../daemon/identity/service-ids.ts";
import { isNameless, placeOf, traceOfFace, traceOfSighting } from "../../../daemon/identity/traces.ts";
import { face } from "./home.ts";
import { sighting } from "./sightings.ts";

const mac = "00:1d:c9:01:02:03";
const id = "4d696e69-444c-164e-9d41-000000000001";
const keysOf = (one: ReturnType<typeof sighting>) => traceOfSighting(one).clues.map(keyOf);
const service = (name: string, text: Record<string, string> = {}, label = "Kitchen") =>
  sighting("mdns", `${label}.${name}.local`, { name: label, service: name, text });

const samples = { mac, uuid: id, serial: "cam-778899", "protocol-id": "AB12", "dhcp-id": "ff01", "host-name": "anna" };
const rows = Object.entries(serviceIds).flatMap(([name, ids]) => ids.map((one) => ({ name, ...one })));

describe("an mDNS service", () => {
  it.each(rows)("$name says who it is in $key", ({ name, key, kind, space }) => {
    const value = samples[kind];
    const expected = space === undefined ? value : `${space}:${value.toLowerCase()}`;
    expect(keysOf(service(name, { [key]: value }))).toEqual([`${kind} ${expected}`]);
    expect(keysOf(service(name, { [key]: "" }))).toEqual([]);
  });

  it.each([
    ["_raop._tcp", "001DC9010203@Living Room"],
    ["_workstation._tcp", "annas-pc [00:1d:c9:01:02:03]"],
    ["_shelly._tcp", "shellyplus1-001dc9010203"],
  ])("%s says its hardware address in its name", (name, label) => {
    expect(keysOf(service(name, {}, label))).toEqual([`mac ${mac}`]);
    expect(keysOf(service(name, {}, "001dc90102"))).toEqual([]);
  });

  it("that has no row of its own may say it under the usual keys, and under no others", () => {
    expect(keysOf(service("_brand-new._tcp", { mac, uuid: id, id: "room 1" }))).toEqual([`mac ${mac}`, `uuid ${id}`]);
    expect(keysOf(service("_spotify-connect._tcp", { mac, uuid: id }))).toEqual([]);
  });

  it.each(["__proto__", "constructor", "toString", "hasOwnProperty"])("called %s is like any other", (name) => {
    const text = new Map([
      ["__proto__", "x".repeat(9)],
      ["constructor", "y"],
      ["mac", mac],
    ]);
    const trace = traceOfSighting({ ...service(name), text, name });
    expect(trace.clues).toEqual([{ kind: "mac", value: mac, said: "device" }]);
    expect(Object.keys(trace.facts)).toEqual(["name"]);
    expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
  });

  it("claims what it says of itself; only neighbour table and lease speak for the network", () => {
    const both = { ...service("_wled._tcp", { mac: "00:1d:c9:01:02:04" }), mac, host: "wled-kitchen" };
    expect(traceOfSighting(both).clues).toEqual([
      { kind: "mac", value: mac, said: "network" },
      { kind: "mac", value: "00:1d:c9:01:02:04", said: "device" },
      { kind: "host-name", value: "wled-kitchen", said: "device" },
    ]);
  });

  it("of another gateway is known as one", () => {
    expect(traceOfSighting(service("_dmgw._tcp", { id: "urn:x" }))).toMatchObject({ gateway: true });
    expect(traceOfSighting(service("_ipp._tcp"))).toMatchObject({ gateway: false, protocol: "ipp" });
  });
});

describe("a lease", () => {
  const option = { manufacturerOui: "001dc9", productClass: "Box", serialNumber: "SN-4711" };

  it("with the ids of TR-069 Annex F (option 125) is a CPE's, by the network's word", () => {
    const trace = traceOfSighting(sighting("leases", mac, { mac, host: "cpe-hall", dhcpId: "FF:01", text: option }));
    expect(trace.clues.map((one) => `${keyOf(one)} (${one.said})`)).toEqual([
      `mac ${mac} (network)`,
      "dhcp-id ff01 (network)",
      "protocol-id cwmp:001DC9-Box-SN-4711 (network)",
      "serial sn-4711 (network)",
      "host-name cpe-hall (network)",
    ]);
    expect(trace).toMatchObject({ presence: false, facts: { serial: "SN-4711" } });
  });

  it("with half of them has none", () => {
    const half = sighting("leases", mac, { text: { manufacturerOui: "001dc9" } });
    expect(traceOfSighting(half).clues).toEqual([]);
    expect(isNameless(traceOfSighting(half))).toBe(true);
    const long = sighting("leases", mac, { text: { ...option, serialNumber: "9".repeat(500) } });
    expect(traceOfSighting(long).clues).toEqual([]);
  });
});

describe("a face", () => {
  it("has its identity as an id, and is where the sightings are that it was made from", () => {
    const sightings = [{ source: "ssdp", key: `uuid:${id}` }] as const;
    const trace = traceOfFace(face("upnp:tv", { name: "UPnP", addresses: ["192.168.1.20"], sightings }));
    expect(trace).toMatchObject({ places: [], follows: [`ssdp uuid:${id}`], what: "UPnP: upnp:tv", protocol: "UPnP" });
    expect(trace.clues).toEqual([{ kind: "protocol-id", value: "upnp:tv", said: "device" }]);
  });

  it("with a thousand clues has eight, its identity among them", () => {
    const clues = Array.from({ length: 1000 }, (_, n) => ({ kind: "serial", value: `serial-${n}` }) as const);
    const trace = traceOfFace(face("mqtt:many", { clues }));
    expect(trace.clues).toHaveLength(8);
    expect(trace.clues[0]?.value).toBe("mqtt:many");
  });

  it("that says the same twice says it once", () => {
    const clues = [
      { kind: "mac", value: "001DC9010203" },
      { kind: "mac", value: mac },
    ] as const;
    expect(traceOfFace(face("mqtt:a", { clues })).clues.map(keyOf)).toEqual(["protocol-id mqtt:a", `mac ${mac}`]);
  });
});

describe("what a trace says", () => {
  it("is bounded, and holds for nothing but text, whatever comes", () => {
    const text = fc.dictionary(fc.string({ maxLength: 12 }), fc.string({ unit: "binary", maxLength: 200 }));
    const source = fc.constantFrom("mdns", "ssdp", "leases", "neighbours");
    fc.assert(
      fc.property(source, fc.string(), fc.string({ unit: "binary" }), text, (from, key, name, said) => {
        const all = { ...said, mac: name, uuid: name, serialNumber: name, manufacturerOui: key };
        const trace = traceOfSighting(sighting(from, key, { name, service: key, text: all, host: name, mac: key }));
        expect(trace.identity).toBe(`${from} ${key}`);
        expect(trace.clues.length).toBeLessThanOrEqual(8);
        for (const { value } of trace.clues) expect(value.length).toBeLessThanOrEqual(128 + 16);
      }),
    );
  });

  it("is at its address; at a link-local one only together with its interface", () => {
    expect(placeOf("192.168.1.20", "lan")).toBe("192.168.1.20");
    expect(placeOf("169.254.7.7", "lan")).toBe("169.254.7.7%lan");
    expect([placeOf("fe80::1", "lan"), placeOf("FEBF::1", "guest")]).toEqual(["fe80::1%lan", "FEBF::1%guest"]);
    expect(placeOf("fd00::1", "lan")).toBe("fd00::1");
  });

  it("of the neighbour table is no name; of the others it is", () => {
    expect(traceOfSighting(sighting("neighbours", `${mac}%lan`, { mac })).facts).toEqual({});
    const described = sighting("ssdp", id, { name: "MediaServer", text: { friendlyName: "TV", manufacturer: "Acme" } });
    expect(traceOfSighting(described).facts).toEqual({ name: "TV", maker: "Acme" });
  });
});
