import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { announcedId, hostLabel, instanceLabel, renamed, ssdpUuid } from "../../../daemon/announce/names.ts";
import { gatewayNaming } from "../../../daemon/announce/naming.ts";
import { tieBreak } from "../../../daemon/announce/tie-break.ts";
import { fakeClock } from "../../fakes/clock.ts";
import { fakeLog } from "../../fakes/log.ts";

describe("the names of a gateway", () => {
  it("are its own UUID by SSDP, or one made of its id, the same at each start", () => {
    const uuid = "5a3e9f0c-6a0b-4b8e-9a53-0c1d2e3f4a5b";
    expect(ssdpUuid(`urn:uuid:${uuid.toUpperCase()}`)).toBe(`uuid:${uuid}`);
    expect(ssdpUuid(`uuid:${uuid}`)).toBe(`uuid:${uuid}`);
    const made = ssdpUuid("IMEI:493005100592800");
    expect(made).toMatch(/^uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(ssdpUuid("IMEI:493005100592800")).toBe(made);
  });

  it("are its machine's, or its model", () => {
    expect(instanceLabel("dmgw", "router.lan")).toBe("dmgw on router");
    expect(instanceLabel("HG-1.2", "router")).toBe("HG-1-2");
    expect(instanceLabel("", "")).toBe("dmgw");
    expect(hostLabel("urn:uuid:1")).toMatch(/^dmgw-[0-9a-f]{8}$/);
  });

  it("fit into 63 octets whatever they are made of, with a number behind them too", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("a", ".", " ", "é", "\u0007", "\ud800", "😀", "日"), maxLength: 200 }),
        fc.nat(1000),
        (text, n) => {
          for (const label of [
            instanceLabel(text, "x"),
            renamed(instanceLabel("dmgw", text), n, "instance"),
            renamed(text.slice(0, 63), n + 1, "host"),
          ]) {
            expect(Buffer.byteLength(label)).toBeLessThanOrEqual(63);
            expect(label.isWellFormed()).toBe(true);
            expect(label).not.toMatch(/\p{Cc}/u);
          }
          expect(Buffer.byteLength(announcedId(text))).toBeLessThanOrEqual(200);
        },
      ),
    );
  });
});

describe("a name that another has", () => {
  it("gets a number, once for each conflict however many links hear of it", () => {
    const clock = fakeClock();
    const changed: (number | undefined)[] = [];
    const naming = gatewayNaming({ id: "1", model: "dmgw", machine: "r" }, { clock, log: fakeLog() }, (ms) =>
      changed.push(ms),
    );
    naming.conflict("instance", "dmgw on r._dmgw._tcp.local");
    naming.conflict("instance", "dmgw on r._dmgw._tcp.local");
    expect(naming.labels.instance).toBe("dmgw on r (2)");
    naming.conflict("host", `${naming.labels.host}.local`);
    expect(naming.labels.host).toBe(`${hostLabel("1")}-2`);
    expect(changed).toEqual([undefined, undefined]);
  });

  it("for the fifteenth time in ten seconds waits five before the next is tried", async () => {
    const clock = fakeClock();
    const log = fakeLog();
    const changed: (number | undefined)[] = [];
    const naming = gatewayNaming({ id: "1", model: "dmgw", machine: "r" }, { clock, log }, (ms) => changed.push(ms));
    const lose = () => naming.conflict("instance", `${naming.labels.instance}._dmgw._tcp.local`);
    for (let n = 0; n < 16; n++) lose();
    expect(changed.slice(-3)).toEqual([undefined, 5000, 5000]);
    await clock.advance(10_000);
    lose();
    expect(changed.at(-1)).toBeUndefined();
    expect(log.lines.filter((line) => line.startsWith("info"))).toHaveLength(5);
  });
});

describe("of two that want a name at once", () => {
  const a = (data: string) => ({ type: "A", name: "x.local", data }) as const;
  const aaaa = (data: string) => ({ type: "AAAA", name: "x.local", data }) as const;
  const txt = (data: string) => ({ type: "TXT", name: "x.local", data }) as const;

  it.each([
    ["the later address (RFC 6762 8.2's own example)", [a("169.254.200.50")], [a("169.254.99.200")]],
    ["the later type", [aaaa("::")], [a("255.255.255.255")]],
    ["the one with more to say", [a("10.0.0.1"), aaaa("fd77::1")], [a("10.0.0.1")]],
    ["the later text", [txt("id=b")], [txt("id=a")]],
    ["the higher address of IPv6", [aaaa("fd77:0:0:1::")], [aaaa("fd77::ffff")]],
  ])("%s wins", (_, winner, loser) => {
    expect(tieBreak(winner, loser)).toBeGreaterThan(0);
    expect(tieBreak(loser, winner)).toBeLessThan(0);
    expect(tieBreak(winner, winner)).toBe(0);
  });
});
