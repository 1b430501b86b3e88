import { beforeEach, describe, expect, it } from "vitest";
import { watchReflections } from "../../../daemon/discovery/reflections.ts";
import type { Reflections } from "../../../daemon/discovery/reflections.ts";
import { fakeClock } from "../../fakes/clock.ts";
import type { FakeClock } from "../../fakes/clock.ts";
import { fakeLog } from "../../fakes/log.ts";

let clock: FakeClock;
let log: ReturnType<typeof fakeLog>;
let reflections: Reflections;
beforeEach(() => {
  clock = fakeClock();
  log = fakeLog();
  reflections = watchReflections({ clock, log });
});
const packet = (on: string, sender: string, text: string) =>
  reflections.packet(on, sender, Buffer.from(`\0\0\x84\0${text}`, "latin1"));
const question = (on: string, sender: string, text: string) =>
  reflections.packet(on, sender, Buffer.from(`\0\0\0\0${text}`, "latin1"));

describe("the same octets on two links from two senders", () => {
  it("are a reflector's when it repeats two that speak", () => {
    packet("br-iot", "10.78.0.2", "one");
    packet("br-lan", "10.77.0.9", "one");
    expect(reflections.detail()).toBeUndefined();
    packet("br-iot", "10.78.0.3", "two");
    packet("br-lan", "10.77.0.9", "two");
    expect(reflections.detail()).toBe("a reflector repeats mDNS between br-iot and br-lan (2 packets)");
    packet("br-iot", "10.78.0.3", "three");
    packet("br-lan", "10.77.0.9", "three");
    expect(reflections.detail()).toContain("(3 packets)");
    expect(log.lines.filter((line) => line.startsWith("warn"))).toHaveLength(1);
  });

  it("are one when it runs on this very machine", () => {
    packet("br-iot", "10.78.0.2", "theirs");
    packet("br-lan", "", "theirs");
    packet("br-iot", "10.78.0.3", "more of theirs");
    packet("br-lan", "", "more of theirs");
    expect(reflections.detail()).toBeDefined();
  });

  it("are one when our own question comes back, and what a device says", () => {
    question("br-iot", "", "ours");
    question("br-lan", "10.77.0.9", "ours");
    packet("br-iot", "10.78.0.3", "theirs");
    packet("br-lan", "10.77.0.9", "theirs");
    expect(reflections.detail()).toBeDefined();
  });

  it("are none of questions that others ask: there are few, and everybody asks the same", () => {
    for (const n of [2, 3, 4, 5]) {
      question("br-iot", `10.78.0.${n}`, `q${n}`);
      question("br-lan", "10.77.0.9", `q${n}`);
    }
    expect(reflections.detail()).toBeUndefined();
  });

  it("are none of a machine with two legs, nor our own on each link", () => {
    for (let n = 0; n < 10; n++) {
      packet("br-iot", "10.78.0.2", `nas ${n}`);
      packet("br-lan", "10.77.0.2", `nas ${n}`);
      packet("br-iot", "", `ours ${n}`);
      packet("br-lan", "", `ours ${n}`);
    }
    expect(reflections.detail()).toBeUndefined();
  });

  it("are none after more than a second, on one link, or from one sender", async () => {
    for (const sender of ["10.78.0.2", "10.78.0.3"]) {
      packet("br-iot", sender, `late ${sender}`);
      await clock.advance(1001);
      packet("br-lan", "10.77.0.9", `late ${sender}`);
      packet("br-lan", "10.77.0.8", `late ${sender}`);
      packet("br-iot", "10.77.0.9", `late ${sender}`);
    }
    expect(reflections.detail()).toBeUndefined();
  });
});

it("a host that is told of where it is not is a reflector's doing at once, each pair named once", () => {
  reflections.stranger("br-lan", "br-iot");
  expect(reflections.detail()).toBe("a reflector repeats mDNS between br-iot and br-lan (1 packet)");
  reflections.stranger("br-iot", "br-lan");
  reflections.stranger("br-lan", "guest");
  expect(reflections.detail()).toBe(
    "a reflector repeats mDNS between br-iot and br-lan (2 packets); a reflector repeats mDNS between br-lan and guest (1 packet)",
  );
  expect(log.lines).toHaveLength(2);
});

it("100,000 packets of as many senders in a second cost bounded room", () => {
  for (let n = 0; n < 100_000; n++) packet(n % 2 === 0 ? "a" : "b", `s${n}`, `packet ${n >> 1}`);
  expect(reflections.detail()).toBeUndefined();
  for (let n = 0; n < 100; n++) reflections.stranger(`lan${n}`, "br-lan");
  expect(reflections.detail()?.split(";")).toHaveLength(16);
});
