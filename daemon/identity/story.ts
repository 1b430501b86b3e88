import type { Device } from "../device.ts";
import { displayName } from "../device.ts";
import type { DeviceStory } from "../gateway.ts";
import { isJunk, isStrong, keyOf } from "./clues.ts";
import { whyOthers } from "./decide.ts";

/** Why a device is what it is, for `dmgw device ID --why`. `carriesOthers`: is this hardware address a repeater's? */
export function storyOf(
  device: Device,
  sharing: Iterable<Device>,
  carriesOthers: (mac: string) => boolean,
): DeviceStory {
  const { kept } = device;
  const given = new Set(kept.given);
  const live = [...device.live.values()].map(({ trace }) => trace.identity);
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
