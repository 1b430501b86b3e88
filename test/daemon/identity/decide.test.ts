import { describe, expect, it } from "vitest";
import { decide } from "../../../daemon/identity/decide.ts";
import type { Candidate, Question, Verdict } from "../../../daemon/identity/decide.ts";
import { device, known, question, trace } from "./questions-made.ts";

const [macA, macB] = ["00:1d:c9:01:02:03", "00:11:32:00:00:02"];
const [phoneA, phoneB] = ["da:a1:19:00:00:01", "da:a1:19:00:00:02"];
const id = "4d696e69-444c-164e-9d41-000000000001";
const acme = { maker: "Acme", model: "Eye" };
const summary = ({ to, by, because }: Verdict<Candidate>) => [to?.id, by, because.join("; ")];

interface Row {
  readonly what: string;
  readonly asked: Question<Candidate>;
  readonly to: string | undefined;
  readonly by?: Verdict<Candidate>["by"];
  readonly why: string;
}

const first = "it was the first to be seen: nothing known had anything in common with it";
const at = (mac: string) => `the network has it at the hardware address ${mac}, as this device`;
const says = (...said: string[]) => trace(said);
const announces = (...said: string[]) => trace(said, { source: "mdns" });
const d1 = device("d1", [`mac! ${macA}`, `uuid ${id}`, "serial CAM-778899", "host-name cam-hall"]);
const phone = device("d1", [`mac! ${phoneA}`, "host-name annas-phone"]);

const rows: readonly Row[] = [
  {
    what: "what nothing has in common with anything",
    asked: question(says("uuid another-one")),
    to: undefined,
    why: first,
  },
  {
    what: "what a person gave, whatever else speaks against it",
    asked: question(says(`uuid ${id}`), { given: device("d9", [`mac! ${macB}`]), macs: [macA], sharing: [d1] }),
    to: "d9",
    why: "a person decided so",
  },
  {
    what: "what was made from a sighting of a device",
    asked: question(says("protocol-id upnp:x"), { followed: [d1] }),
    to: "d1",
    why: "it was made from a sighting that belongs here",
  },
  {
    what: "what the network has at its hardware address",
    asked: question(announces(), { macs: [macA], sharing: [d1] }),
    to: "d1",
    by: "place",
    why: at(macA),
  },
  {
    what: "what says its id",
    asked: question(says(`uuid ${id}`), { sharing: [d1] }),
    to: "d1",
    why: `it has the same id ${id}`,
  },
  {
    what: "an adapter's face that says its hardware address",
    asked: question(says(`mac ${macA}`), { sharing: [d1] }),
    to: "d1",
    why: `it says that its hardware address is ${macA}, which is this device's`,
  },
  {
    what: "an announcement that says its hardware address, until the network knows better",
    asked: question(announces(`mac ${macA}`), { sharing: [d1] }),
    to: "d1",
    by: "beside",
    why: `it says that its hardware address is ${macA}, which is this device's`,
  },
  {
    what: "what says its hardware address, but is at another one that was built in",
    asked: question(says(`mac ${macA}`), { macs: [macB], sharing: [d1] }),
    to: undefined,
    why: first,
  },
  {
    what: "what the network has at an address that the device claimed",
    asked: question(announces(), { macs: [macB], sharing: [device("d1", [`mac ${macB}`])] }),
    to: "d1",
    by: "beside",
    why: `it says that its hardware address is ${macB}, which is this device's`,
  },
  {
    what: "what has only its serial number",
    asked: question(says("serial CAM-778899"), { sharing: [d1] }),
    to: undefined,
    why: first,
  },
  {
    what: "what has its serial number, and is of the same make",
    asked: question(trace(["serial CAM-778899"], { facts: acme }), {
      sharing: [device("d1", ["serial CAM-778899"], { facts: acme })],
    }),
    to: "d1",
    why: "it has the same serial number cam-778899; it is of the same maker and model",
  },
  {
    what: "what has its serial number and its host name",
    asked: question(says("serial CAM-778899", "host-name cam-hall"), { sharing: [d1] }),
    to: "d1",
    why: "it has the same serial number cam-778899; it has the same host name cam-hall",
  },
  {
    what: "what has the same serial number at another built-in hardware address",
    asked: question(trace(["serial CAM-778899", "host-name cam-hall"], { facts: acme }), {
      macs: [macB],
      sharing: [device("d1", [`mac! ${macA}`, "serial CAM-778899", "host-name cam-hall"], { facts: acme })],
    }),
    to: undefined,
    why: first,
  },
  {
    what: "what has its serial number, but another maker",
    asked: question(trace(["serial CAM-778899", "host-name cam-hall"], { facts: { maker: "Other" } }), {
      sharing: [device("d1", ["serial CAM-778899", "host-name cam-hall"], { facts: acme })],
    }),
    to: undefined,
    why: first,
  },
  {
    what: "what says its id, but another serial number",
    asked: question(says(`uuid ${id}`, "serial CAM-000001"), { sharing: [d1] }),
    to: undefined,
    why: first,
  },
  {
    what: "what says another serial number at the same hardware address: two servers on one host",
    asked: question(announces("serial CAM-000001"), { macs: [macA], sharing: [d1] }),
    to: "d1",
    by: "place",
    why: at(macA),
  },
  {
    what: "what has only its host name",
    asked: question(says("host-name cam-hall"), { sharing: [d1] }),
    to: undefined,
    why: first,
  },
  {
    what: "what says its host name on the same link now",
    asked: question(announces("host-name cam-hall"), { sharing: [d1], sameHost: [d1] }),
    to: "d1",
    why: "it has the same host name cam-hall on the same network now",
  },
  {
    what: "a phone with a new made-up hardware address and its own host name, when the last one is quiet",
    asked: question(announces("host-name annas-phone"), { macs: [phoneB], sharing: [phone], quiet: () => true }),
    to: "d1",
    why: "it has the same host name annas-phone, and makes up its hardware addresses; the last one is quiet",
  },
  {
    what: "a phone with a new made-up hardware address, while the other is still there",
    asked: question(announces("host-name annas-phone"), { macs: [phoneB], sharing: [phone] }),
    to: undefined,
    why: first,
  },
  {
    what: "a phone whose host name many have",
    asked: question(announces("host-name iphone"), {
      macs: [phoneB],
      sharing: [device("d1", [`mac! ${phoneA}`, "host-name iphone"])],
      quiet: () => true,
    }),
    to: undefined,
    why: first,
  },
  {
    what: "what is heard beside it, where the network knows no hardware address",
    asked: question(announces(), { beside: [{ device: d1, unplaced: false }] }),
    to: "d1",
    by: "beside",
    why: "it is heard at the same address",
  },
  {
    what: "what is heard beside it, but is placed while the other is not yet",
    asked: question(announces(), { macs: [macB], beside: [{ device: device("d1"), unplaced: true }] }),
    to: "d1",
    by: "beside",
    why: "it is heard at the same address",
  },
  {
    what: "what was heard beside it once, but the network now has it elsewhere",
    asked: question(announces(), { macs: [macB], beside: [{ device: d1, unplaced: false }] }),
    to: undefined,
    why: first,
  },
  {
    what: "what was this device for its own sake",
    asked: question(says("protocol-id mqtt:x"), known(d1)),
    to: "d1",
    by: "before",
    why: "it was this device before",
  },
  {
    what: "what was this device, and nothing says why",
    asked: question(announces(), known(d1, [], { firmly: false })),
    to: "d1",
    by: "before",
    why: "",
  },
  {
    what: "what was a phone that makes up its addresses, and the last one is quiet",
    asked: question(announces("host-name annas-phone"), {
      macs: [phoneB],
      ...known(phone, [`mac! ${phoneA}`]),
      quiet: () => true,
    }),
    to: "d1",
    why: "it makes up its hardware addresses, and the last one is quiet; it was this device before",
  },
  {
    what: "what says junk that a device says too",
    asked: question(says("uuid 00000000-0000-0000-0000-000000000000", "serial 1234567890", "mac 00:11:22:33:44:55"), {
      sharing: [
        device("d1", ["uuid 00000000-0000-0000-0000-000000000000", "serial 1234567890", "mac! 00:11:22:33:44:55"]),
      ],
    }),
    to: undefined,
    why: first,
  },
];

describe("which device a trace belongs to", () => {
  it.each(rows)("$what", ({ asked, to, by, why }) => {
    expect(summary(decide(asked))).toEqual([to, by, why]);
    expect(decide(asked)).toEqual(decide(asked));
  });
});

describe("of several devices that fit", () => {
  const made = device("d7", ["protocol-id upnp:x"]);
  const placed = device("d6", [`mac! ${macA}`]);
  const before = device("d5");
  const named = device("d4", [`uuid ${id}`]);
  const claims = device("d3", [`mac! ${macB}`]);
  const looks = device("d2", ["serial CAM-778899", "host-name cam-hall"]);
  const next = device("d1");
  const all = says(`uuid ${id}`, `mac ${macB}`, "serial CAM-778899", "host-name cam-hall");
  const everything = { ...known(before), sharing: [placed, named, claims, looks], followed: [made] };

  it("it is the one whose evidence ranks first, whatever the numbers", () => {
    const beside = [{ device: next, unplaced: true }];
    const steps: Partial<Question<Candidate>>[] = [
      { ...everything, macs: [macA], beside },
      { ...everything, macs: [macA], beside, followed: [] },
      { ...everything, beside, followed: [] },
      { ...everything, beside, followed: [], now: undefined },
      { beside, sharing: [claims, looks] },
      { beside, sharing: [looks] },
      { beside },
    ];
    expect(steps.map((more) => decide(question(all, more)).to?.id)).toEqual(["d7", "d6", "d5", "d4", "d3", "d2", "d1"]);
  });

  it("of the same rank it is the one with more points, then the older number, in whatever order they come", () => {
    const more = device("d12", [`uuid ${id}`, "host-name cam-hall"]);
    const [ten, nine] = [device("d10", [`uuid ${id}`]), device("d9", [`uuid ${id}`])];
    for (const sharing of [
      [ten, nine, more],
      [more, nine, ten],
    ]) {
      expect(decide(question(all, { sharing })).to?.id).toBe("d12");
      expect(decide(question(all, { sharing: sharing.filter((one) => one !== more) })).to?.id).toBe("d9");
    }
  });
});
