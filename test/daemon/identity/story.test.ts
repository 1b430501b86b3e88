import { describe, expect, it } from "vitest";
import { whyOthers } from "../../../daemon/identity/story.ts";
import { face, home, uuid } from "./home.ts";
import { device } from "./questions-made.ts";

const tv = "00:1d:c9:01:02:03";
const repeater = "00:1e:2a:00:00:01";
const minute = 60_000;

describe("why a device is what it is", () => {
  it("is told of each thing that belongs to it, with the reason, since when, and whether it is there", async () => {
    const h = home();
    await h.neighbour(tv, "192.168.1.20");
    await h.ssdp(uuid(1), "192.168.1.20");
    h.host.attach(face("upnp:tv", { name: "UPnP", sightings: [{ source: "ssdp", key: `uuid:${uuid(1)}` }] }));
    await h.clock.advance(minute);
    h.gone("ssdp", `uuid:${uuid(1)}`);
    const { members, name, formerIds } = h.bridge.why("d1");
    expect([name, formerIds]).toEqual(["upnp:tv", []]);
    expect(members.map(({ what, live, because }) => [what, live, because.join("; ")])).toEqual([
      [`neighbour table: ${tv}`, true, "it was the first to be seen: nothing known had anything in common with it"],
      ["UPnP: MediaServer", false, `the network has it at the hardware address ${tv}, as this device`],
      ["UPnP: upnp:tv", true, "it was made from a sighting that belongs here"],
    ]);
    expect(members.every(({ since }) => /^2026-01-01T00:00/.test(since))).toBe(true);
  });

  it("weighs each clue: strong, weak, junk, or shared by those behind a repeater; the network's word first", async () => {
    const h = home();
    await h.lease(repeater, "192.168.1.1", "repeater-hall");
    await h.lease(tv, "192.168.1.2", "iphone");
    await h.neighbour(repeater, "192.168.1.1", "192.168.1.2");
    h.host.attach(
      face("mqtt:box", {
        clues: [
          { kind: "mac", value: repeater },
          { kind: "serial", value: "0123456789" },
          { kind: "serial", value: "SN-47110815" },
        ],
      }),
    );
    const clues = h.bridge.why("d1").clues.map(({ kind, value, said, weight }) => `${kind} ${value} ${said} ${weight}`);
    expect(clues.toSorted()).toEqual([
      "host-name repeater-hall network weak",
      `mac ${repeater} network shared`,
      "protocol-id mqtt:box device strong",
      "serial 0123456789 device junk",
      "serial sn-47110815 device weak",
    ]);
    expect(h.bridge.why("d2").clues).toContainEqual({
      kind: "host-name",
      value: "iphone",
      said: "network",
      weight: "junk",
    });
  });

  it("names a person where a person decided", async () => {
    const h = home();
    await h.neighbour(tv, "192.168.1.20");
    await h.ssdp(uuid(2), "192.168.1.30");
    await h.clock.advance(4000);
    await h.bridge.merge("d1", "d2");
    const { members, clues, formerIds, decisions } = h.bridge.why("d1");
    expect(members.map(({ because }) => because)).toEqual([["a person decided so"], ["a person decided so"]]);
    expect(new Set(clues.map(({ said }) => said))).toEqual(new Set(["person"]));
    expect([formerIds, decisions.map(({ what }) => what)]).toEqual([["d2"], ["d2 (MediaServer) is d1 (d1)"]]);
    await h.bridge.split("d1", []);
    expect(h.bridge.why("d2").others).toEqual([]);
  });

  it("lists sixteen others at most, and none that a person does not want to see", async () => {
    const h = home();
    for (let n = 0; n < 20; n++) {
      await h.neighbour(`00:1e:2a:00:00:${16 + n}`, `192.168.1.${n + 1}`);
      await h.lease(`00:1e:2a:00:00:${16 + n}`, `192.168.1.${n + 1}`, "cam-hall");
    }
    const { others } = h.bridge.why("d1");
    expect(others).toHaveLength(16);
    await h.bridge.ignore("d2", true);
    expect(h.bridge.why("d1").others.map(({ id }) => id)).not.toContain("d2");
  });

  it.each(["__proto__", "constructor", "\u001b[2J\u202egnp.exe\u0000", "x".repeat(10_000)])(
    "is told of things with hostile names as of others: %j",
    async (name) => {
      const h = home();
      await h.neighbour(tv, "192.168.1.20");
      await h.ssdp(name, "192.168.1.20", { friendlyName: name, serialNumber: name, __proto__: name });
      await h.mdns(name, "__proto__", "192.168.1.20", { uuid: name, mac: name }, name);
      h.host.attach(face(name, { facts: { name }, clues: [{ kind: "protocol-id", value: name }] }));
      await h.clock.advance(1);
      const stories = h.bridge.devices().map(({ id }) => h.bridge.why(id));
      expect(stories.flatMap(({ members }) => members)).toHaveLength(4);
      for (const { value } of stories.flatMap(({ clues }) => clues)) expect(value.length).toBeLessThanOrEqual(128);
      expect(h.again().listed()).toEqual(h.listed());
    },
  );
});

describe("why two are not one", () => {
  const shared = "serial SN-47110815";
  it.each([
    ["nothing, when they share nothing", [`mac! ${tv}`], [shared], {}, []],
    [
      "a person",
      [shared],
      [shared],
      { apart: ["d2"] },
      ["both have the serial number sn-47110815", "a person said that they are two"],
    ],
    [
      "a common hardware address",
      [`mac! ${tv}`],
      [`mac! ${tv}`],
      {},
      [`both have the hardware address ${tv}`, "other devices stand behind the same hardware address too"],
    ],
    [
      "two hardware addresses",
      [shared, `mac! ${tv}`],
      [shared, `mac! ${repeater}`],
      {},
      [
        "both have the serial number sn-47110815",
        `but the network has them at different hardware addresses (${tv} and ${repeater})`,
      ],
    ],
    [
      "too little",
      [shared],
      [shared],
      {},
      ["both have the serial number sn-47110815", "which is too little to call them one"],
    ],
    [
      "three things at most",
      [shared, "host-name a1", "uuid one-two-three", "uuid four-five-six"],
      [shared, "host-name a1", "uuid one-two-three", "uuid four-five-six"],
      {},
      [
        "both have the serial number sn-47110815, the host name a1, the id one-two-three",
        "which is too little to call them one",
      ],
    ],
  ])("is told in words: %s", (_, a, b, kept, why) => {
    expect(whyOthers(device("d1", a, kept), device("d2", b))).toEqual(why);
  });
});
