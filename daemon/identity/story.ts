import type { Device } from "../devices/device.ts";
import { displayName } from "../devices/device.ts";
import type { DeviceStory } from "../gateway.ts";
import { clueOf, inWords, isJunk, isStrong, keyOf } from "./clues.ts";
import { areApart } from "./decide.ts";
import type { Candidate } from "./decide.ts";

/** Why a device is what it is, for `dmgw device ID --why`. `carriesOthers`: is this hardware address a repeater's? */
export function storyOf(
  device: Device,
  sharing: Iterable<Device>,
  carriesOthers: (mac: string) => boolean,
): DeviceStory {
  const { kept } = device;
  const given = new Set(kept.given);
  // A face that is attached may be away.
  const isThere = (identity: string) => device.faces.get(identity)?.reachable !== false;
  const live = [...device.live.keys()].filter(isThere);
  const clues = new Map<string, DeviceStory["clues"][number]>();
  const said = [
    ...kept.members.flatMap(({ clues }) => clues),
    ...[...device.live.values()].flatMap(({ trace }) => trace.clues),
  ];
  for (const clue of said) {
    const key = keyOf(clue);
    // What the network says goes before what the device says of itself.
    if (clues.has(key) && clue.said === "device") continue;
    const isShared = clue.kind === "mac" && carriesOthers(clue.value);
    clues.set(key, {
      kind: clue.kind,
      value: clue.value,
      said: given.has(key) ? "person" : clue.said,
      weight: isJunk(clue) ? "junk" : isShared ? "shared" : isStrong(clue) ? "strong" : "weak",
    });
  }
  return {
    id: device.id,
    name: displayName(device),
    formerIds: kept.formerIds ?? [],
    members: kept.members.map(({ identity, what, since, because }) => ({
      identity,
      what,
      live: live.includes(identity),
      since: new Date(since).toISOString(),
      because: given.has(identity) ? ["a person decided so"] : because,
    })),
    clues: [...clues.values()],
    others: [...sharing]
      .filter((other) => other !== device && other.kept.ignored !== true)
      .slice(0, 16)
      .map((other) => ({ id: other.id, name: displayName(other), because: whyOthers(device, other) }))
      .filter(({ because }) => because.length > 0),
    decisions: (kept.decisions ?? []).map(({ at, what }) => ({ at: new Date(at).toISOString(), what })),
  };
}

/** Why two devices that share clues are not one; empty: nothing speaks against it but that too little speaks for it. */
export function whyOthers(a: Candidate, b: Candidate): readonly string[] {
  const shared = [...a.profile.keys].filter((key) => b.profile.keys.has(key));
  if (shared.length === 0) return [];
  const sentences = [
    `both have the ${shared
      .slice(0, 3)
      .map((key) => inWords(clueOf(key)))
      .join(", the ")}`,
  ];
  if (areApart(a, b)) return [...sentences, "a person said that they are two"];
  const common = [...a.profile.macs].some((mac) => b.profile.macs.has(mac));
  if (common) return [...sentences, "other devices stand behind the same hardware address too"];
  if (a.profile.macs.size > 0 && b.profile.macs.size > 0) {
    const places = `the network has them at different hardware addresses (${[...a.profile.macs].slice(-1).join("")} and ${[...b.profile.macs].slice(-1).join("")})`;
    return [...sentences, `but ${places}`];
  }
  return [...sentences, "which is too little to call them one"];
}
