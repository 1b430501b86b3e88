import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseArpTable, parseRow } from "../../../daemon/discovery/neighbour-rows.ts";

const mac = "02:00:00:00:00:0a";

describe("a line of ip", () => {
  it.each([
    [
      "192.168.1.5 dev br-lan lladdr 02:00:00:00:00:0A ref 1 used 655/622/588 probes 1 STALE",
      { mac, state: "STALE", confirmedAgo: 622 },
    ],
    [
      "192.168.1.5 dev br-lan lladdr 02:00:00:00:00:0a  ref 1 used 4/64/0probes 4 REACHABLE ",
      { mac, state: "REACHABLE", confirmedAgo: 64 },
    ],
    ["192.168.1.5 dev br-lan  used 4/64/0probes 6 FAILED ", { state: "FAILED", confirmedAgo: 64 }],
    ["192.168.1.5 dev br-lan lladdr 02:00:00:00:00:0a DELAY", { mac, state: "DELAY" }],
    ["192.168.1.5 dev br-lan lladdr 02:00:00:00:00:0a router extern_learn STALE", { mac, state: "STALE" }],
    ["192.168.1.5 dev br-lan lladdr 10.0.0.1 NOARP", { state: "NOARP" }],
    ["192.168.1.5 dev br-lan INCOMPLETE", { state: "INCOMPLETE" }],
  ])("%s", (line, row) => {
    expect(parseRow(line, true)).toEqual({ address: "192.168.1.5", interface: "br-lan", ...row });
  });

  it("of IPv6 is one as well, without zone", () => {
    const row = { interface: "br-lan", mac, state: "STALE" };
    expect(parseRow(`fe80::5 dev br-lan lladdr ${mac} router STALE`, false)).toEqual({ address: "fe80::5", ...row });
    expect(parseRow(`fe80::5%br-lan dev br-lan lladdr ${mac} STALE`, false)).toEqual({ address: "fe80::5", ...row });
  });

  it("tells times only where they were asked for: busybox prints zeros", () => {
    const line = `192.168.1.5 dev br-lan lladdr ${mac} used 0/0/0 probes 1 STALE`;
    expect(parseRow(line, false)).not.toHaveProperty("confirmedAgo");
  });

  it.each([
    "",
    "2: eth0    inet 192.168.1.1/24 scope global eth0",
    `192.168.1.5 dev br-lan lladdr ${mac} proxy STALE`,
    `192.168.1.5 dev br-lan lladdr ${mac} UNHEARD`,
    `192.168.1.500 dev br-lan lladdr ${mac} STALE`,
    `192.168.1.5 dev br-lan lladdr ${mac} ${"x ".repeat(300)} STALE`,
    "BusyBox v1.35.0 multi-call binary.",
  ])("that is no row is none: %s", (line) => expect(parseRow(line, true)).toBeUndefined());

  it("of whatever octets throws nothing", () => {
    fc.assert(fc.property(fc.string(), (text) => void parseRow(`192.168.1.5 dev ${text} STALE`, true)));
  });
});

it("the table of /proc tells what is complete, permanent, or neither", () => {
  const text = `IP address       HW type     Flags       HW address            Mask     Device
192.168.1.5      0x1         0x2         02:00:00:00:00:0A     *        br-lan
192.168.1.6      0x1         0x0         00:00:00:00:00:00     *        br-lan
192.168.1.7      0x1         0x6         02:00:00:00:00:0b     *        br-lan
nonsense
`;
  expect(parseArpTable(text)).toEqual([
    { address: "192.168.1.5", interface: "br-lan", mac, state: "COMPLETE" },
    { address: "192.168.1.6", interface: "br-lan", mac: "00:00:00:00:00:00", state: "INCOMPLETE" },
    { address: "192.168.1.7", interface: "br-lan", mac: "02:00:00:00:00:0b", state: "PERMANENT" },
  ]);
});
