import type { NetworkInterfaceInfo } from "node:os";
import { describe, expect, test } from "vitest";
import { wayTo } from "../../../adapters/upnp/location.ts";

const sender = "10.77.0.2";
const link = (address: string, netmask: string, internal = false): NetworkInterfaceInfo => ({
  family: "IPv4",
  ...{ address, netmask, internal, mac: "02:00:00:00:00:01", cidr: null },
});
/** A gateway with two LANs, a WAN and its loopback. */
const read = () => ({
  lo: [link("127.0.0.1", "255.0.0.0", true)],
  "br-lan": [link("10.77.0.1", "255.255.255.0"), link("192.168.1.1", "255.255.255.0")],
  lan9: [link("10.78.0.1", "255.255.255.0")],
  wan: [link("203.0.113.1", "255.255.255.0")],
  gone: undefined,
});
const way = (location: string | undefined, from = sender, onInterface = "br-lan") =>
  wayTo(
    {
      addresses: from === "" ? [] : [from],
      interface: onInterface,
      text: new Map(location === undefined ? [] : [["LOCATION", location]]),
    },
    read,
  );

describe("a description is fetched", () => {
  test("from the device that announced it, with our own address on that link", () => {
    expect(way("http://10.77.0.2:8200/d.xml?x=1#y")).toEqual({
      url: new URL("http://10.77.0.2:8200/d.xml?x=1#y"),
      address: sender,
      from: "10.77.0.1",
    });
    expect(way("http://192.168.1.9/", "192.168.1.9")).toMatchObject({ from: "192.168.1.1" });
    expect(way("http://10.78.0.2/", "10.78.0.2", "lan9")).toMatchObject({ from: "10.78.0.1" });
  });

  test("from one that writes its address in another way", () => {
    expect(way("http://0x0a4d0002/d.xml")).toMatchObject({ address: sender, url: { host: sender } });
  });

  test("from the loopback for what was announced there", () => {
    expect(way("http://127.0.0.5:1/", "127.0.0.5", "lo")).toMatchObject({ address: "127.0.0.5", from: "127.0.0.1" });
    expect(way("http://127.0.0.1:1/", "127.0.0.1", "lo")).toMatchObject({ address: "127.0.0.1" });
  });
});

describe("a description is not fetched", () => {
  test.each([
    ["another host", "http://10.77.0.3/d.xml"],
    ["a name", "http://kitchen.local/d.xml"],
    ["the WAN", "http://203.0.113.9/d.xml"],
    ["https", "https://10.77.0.2/d.xml"],
    ["a file", "file:///etc/passwd"],
    ["a login", "http://10.77.0.2@203.0.113.9/d.xml"],
    ["a password", "http://a:b@10.77.0.2/d.xml"],
    ["a user", "http://a@10.77.0.2/d.xml"],
    ["port 0", "http://10.77.0.2:0/d.xml"],
    ["no URL", "rootDesc.xml"],
    ["a novel", `http://10.77.0.2/${"a".repeat(1000)}`],
    ["the loopback", "http://127.0.0.1/d.xml"],
    ["the loopback in IPv6", "http://[::1]/d.xml"],
    ["the loopback in disguise", "http://[::ffff:127.0.0.1]/d.xml"],
  ])("from %s", (_, location) => {
    expect(way(location)).toBe("elsewhere");
  });

  test("where nobody said that there is one", () => {
    expect(way(undefined)).toBeUndefined();
    expect(way("http://10.77.0.2/", "")).toBe("elsewhere");
  });

  test.each([
    ["127.0.0.1", "br-lan"],
    ["127.0.0.9", "br-lan"],
    ["10.77.0.1", "br-lan"],
    ["10.78.0.1", "br-lan"],
    ["203.0.113.1", "wan"],
    ["127.0.0.1", "nowhere"],
  ])("from the gateway itself: %s, heard on %s", (address, onInterface) => {
    expect(way(`http://${address}:1900/d.xml`, address, onInterface)).toBe("here");
  });

  test("from an address that is no neighbour's on its link", () => {
    expect(way("http://203.0.113.9/", "203.0.113.9")).toBe("no way");
    expect(way("http://10.78.0.2/", "10.78.0.2")).toBe("no way");
    expect(way("http://10.77.0.2/", sender, "gone")).toBe("no way");
  });

  test("when the machine does not say what its interfaces are", () => {
    const sighting = { addresses: [sender], interface: "br-lan", text: new Map([["LOCATION", "http://10.77.0.2/"]]) };
    const refuses = () => {
      throw new TypeError("uv_interface_addresses");
    };
    expect(wayTo(sighting, refuses)).toBe("no way");
  });
});
