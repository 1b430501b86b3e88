import { describe, expect, it } from "vitest";
import { areApart, decide, hasId, isDecided } from "../../../daemon/identity/decide.ts";
import type { Candidate, Question } from "../../../daemon/identity/decide.ts";
import { device, known, question, trace } from "./questions-made.ts";

const [macA, macB] = ["00:1d:c9:01:02:03", "00:11:32:00:00:02"];
const [id, other] = ["4d696e69-444c-164e-9d41-000000000001", "4d696e69-444c-164e-9d41-000000000002"];
const nowhere = device("d2", [`uuid ${id}`]);
const face = { facts: {}, faces: [{}] };

/** A thing that says the id of `b`, at the hardware address of `a`. */
function both(a: Candidate, b: Candidate, more: Partial<Question<Candidate>> = {}, source: "ssdp" | "face" = "face") {
  const { to, same } = decide(question(trace([`uuid ${id}`], { source }), { macs: [macA], sharing: [a, b], ...more }));
  return [to?.id, same.map((one) => one.id)];
}

const at = (mac: string, ...said: string[]) => [`mac! ${mac}`, ...said];
const one = ["d1", ["d2"]];
const two = ["d1", []];

describe("a trace that fits two devices makes them one", () => {
  it.each<[string, Candidate, Candidate, Partial<Question<Candidate>>?]>([
    ["when one of them was nowhere yet", device("d1", at(macA)), nowhere],
    [
      "when one had the id, and the other nothing of its own",
      device("d1", at(macA)),
      device("d2", at(macB, `uuid ${id}`)),
    ],
    [
      "when they are called by one name",
      device("d1", at(macA, "host-name tv-hall")),
      device("d2", at(macB, `uuid ${id}`, "host-name tv-hall")),
    ],
    [
      "when of other names nothing is left where one was",
      device("d1", at(macA, "host-name new")),
      device("d2", at(macB, `uuid ${id}`, "host-name old")),
      { absent: () => true },
    ],
    [
      "when the serial numbers are of two makers",
      device("d1", at(macA, "serial AAA-11111"), { facts: { maker: "Acme" } }),
      device("d2", [`uuid ${id}`, "serial BBB-22222"], { facts: { maker: "Best" } }),
    ],
    ["when a person knows one of them", device("d1", at(macA), { name: "TV" }), nowhere],
    ["when an ignored one has no face to lose", device("d1", at(macA), { ignored: true }), nowhere],
  ])("%s", (_, a, b, more) => expect(both(a, b, more)).toEqual(one));
});

describe("a trace that fits two devices leaves them two", () => {
  it.each<[string, Candidate, Candidate, Partial<Question<Candidate>>?]>([
    ["when a person has parted them", device("d1", at(macA), { apart: ["d2"] }), nowhere],
    [
      "when a person has parted them, said of the other",
      device("d1", at(macA)),
      device("d2", [`uuid ${id}`], { apart: ["d1"] }),
    ],
    [
      "when a person has said something of both",
      device("d1", at(macA), { name: "A" }),
      device("d2", [`uuid ${id}`], { approved: true }),
    ],
    [
      "when one is ignored, and the other has a face",
      device("d1", at(macA), { ignored: true }),
      device("d2", [`uuid ${id}`], face),
    ],
    [
      "when one has a face, and the other is ignored",
      device("d1", at(macA), face),
      device("d2", [`uuid ${id}`], { ignored: true }),
    ],
    [
      "when both have serial numbers, other ones",
      device("d1", at(macA, "serial AAA-11111")),
      device("d2", [`uuid ${id}`, "serial BBB-22222"]),
    ],
    [
      "when both are there under other names",
      device("d1", at(macA, "host-name a")),
      device("d2", at(macB, `uuid ${id}`, "host-name b")),
    ],
    [
      "when each has an id that the other has not",
      device("d1", at(macA, `uuid ${other}`)),
      device("d2", at(macB, `uuid ${id}`)),
    ],
    [
      "when it was never anchored where it was until now",
      device("d1", at(macA)),
      device("d2", at(macB)),
      known(device("d2", at(macB)), [], { anchored: false }),
    ],
  ])("%s", (_, a, b, more) => expect(both(a, b, more)).toEqual(two));

  it("when it only stands beside one of them", () => {
    const [a, b] = [device("d1", [`uuid ${id}`]), device("d2", ["host-name x"])];
    const asked = question(trace([`uuid ${id}`]), { sharing: [a], beside: [{ device: b, unplaced: true }] });
    expect(decide(asked)).toMatchObject({ to: a, same: [] });
  });

  it("when only its name says what it is, unless it is at both places under the name of both", () => {
    const [a, b] = [device("d1", at(macA, "host-name tv-hall")), device("d2", at(macB, "host-name tv-hall"))];
    const named = trace(["host-name tv-hall"], { source: "mdns" });
    const asked = { sharing: [a, b], sameHost: [b] };
    expect(decide(question(named, { ...asked, macs: [macA] }))).toMatchObject({ to: a, same: [] });
    expect(decide(question(named, { ...asked, macs: [macA, macB] })).same).toHaveLength(1);
  });
});

describe("what counts as", () => {
  it("a person's word is a name, an approval, a gift, an ignore or a decision", () => {
    for (const kept of [
      { name: "TV" },
      { approved: true },
      { ignored: true },
      { given: [] },
      { decisions: [] },
    ] as const)
      expect(isDecided(device("d1", [], kept))).toBe(true);
    expect(isDecided(device("d1", [`uuid ${id}`], { apart: ["d2"] }))).toBe(false);
  });

  it("parted holds both ways, and for nobody else", () => {
    const [a, b, c] = [device("d1", [], { apart: ["d2"] }), device("d2"), device("d3")];
    expect([areApart(a, b), areApart(b, a), areApart(a, c)]).toEqual([true, true, false]);
  });

  it("an id of its own is one that it says itself, that is no junk, and more than a name or serial number", () => {
    expect([hasId(trace([`uuid ${id}`])), hasId(trace([`mac ${macA}`]))]).toEqual([true, true]);
    for (const said of ["host-name tv-hall", "serial CAM-778899", `mac! ${macA}`, "uuid 0000-0000-0000"])
      expect(hasId(trace([said]))).toBe(false);
  });
});
