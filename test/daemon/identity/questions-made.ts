import type { Facts } from "../../../adapters/adapter.ts";
import { clue } from "../../../daemon/identity/clues.ts";
import type { Clue } from "../../../daemon/identity/clues.ts";
import type { Candidate, Question } from "../../../daemon/identity/decide.ts";
import { profileOf } from "../../../daemon/identity/profile.ts";
import { traceOfSighting } from "../../../daemon/identity/traces.ts";
import type { Trace } from "../../../daemon/identity/traces.ts";
import { sighting } from "./sightings.ts";

/** "mac! 00:1d:…" is the network's word, "uuid …" the device's. */
export function clues(...said: readonly string[]): readonly Clue[] {
  return said.flatMap((one) => {
    const [kind = "", ...value] = one.split(" ");
    const isNetwork = kind.endsWith("!");
    return clue(kind.replace("!", "") as Clue["kind"], value.join(" "), isNetwork ? "network" : "device") ?? [];
  });
}

/** A device that says these. */
export function device(id: string, said: readonly string[] = [], kept: Partial<Candidate["kept"]> = {}): Candidate {
  return { id, profile: profileOf([{ clues: clues(...said) }]), kept: { facts: {}, faces: [], ...kept } };
}

export function trace(said: readonly string[], more: { source?: Trace["source"]; facts?: Facts } = {}): Trace {
  const base = traceOfSighting(sighting("ssdp", "x"));
  return { ...base, source: "face", ...more, clues: clues(...said) };
}

/** What is asked of a trace, when nothing else is known. */
export function question(of: Trace, more: Partial<Question<Candidate>> = {}): Question<Candidate> {
  return {
    trace: of,
    macs: [],
    given: undefined,
    now: undefined,
    keepsIds: true,
    followed: [],
    sharing: [],
    beside: [],
    sameHost: [],
    quiet: () => false,
    absent: () => false,
    ...more,
  };
}

/** It belongs to this device until now, for its own sake. `rest`: what the device is without it; default: nothing. */
export function known(
  device: Candidate,
  rest: readonly string[] = [],
  more: Partial<NonNullable<Question<Candidate>["now"]>> = {},
): { readonly now: NonNullable<Question<Candidate>["now"]> } {
  return { now: { device, firmly: true, rest: profileOf([{ clues: clues(...rest) }]), anchored: true, ...more } };
}
