import type { Device, Member } from "../devices/device.ts";
import { isManaged } from "../devices/device.ts";
import { isJunk, keyOf } from "./clues.ts";
import type { Clue } from "./clues.ts";
import { isDecided } from "./decide.ts";
import type { Trace } from "./traces.ts";

/** One host that announces more than this is no host: what comes then is not listed. */
const membersAtMost = 64;
const macsAtMost = 4;

/** What it says now, and where the network has seen it: now, and before if it was this device then. */
export function cluesOf(trace: Trace, macs: readonly string[], before: Member | undefined): readonly Clue[] {
  const own = trace.clues.filter(({ kind, said }) => kind !== "mac" || said !== "network");
  const earlier = (before?.clues ?? []).filter(({ kind, said }) => kind === "mac" && said === "network");
  const placed = [...new Set([...earlier.map(({ value }) => value).filter((mac) => !macs.includes(mac)), ...macs])];
  return [...own, ...placed.slice(-macsAtMost).map((value) => ({ kind: "mac", value, said: "network" }) as const)];
}

/** Is there room for a member more? */
export function hasRoom({ kept, live }: Device): boolean {
  return kept.members.length < membersAtMost || kept.members.some(({ identity }) => !live.has(identity));
}

/** So many at most: those that are not there go first, and faces last. */
export function bounded(members: readonly Member[], device: Device): readonly Member[] {
  if (members.length <= membersAtMost) return members;
  const isFace = (identity: string) => device.kept.faces.some((face) => face.identity === identity);
  const weight = ({ identity }: Member) => (isFace(identity) ? 2 : device.live.has(identity) ? 1 : 0);
  const dropped = new Set(
    [...members].sort((a, b) => weight(a) - weight(b) || a.since - b.since).slice(0, members.length - membersAtMost),
  );
  return members.filter((member) => !dropped.has(member));
}

/** The lower, the more it stays itself. */
export function standing(device: Device): number {
  return (isDecided(device) ? 0 : 1e12) + (isManaged(device) ? 0 : 1e9) + Number(device.id.slice(1));
}

export function united(name: "given" | "apart", a: readonly string[] = [], b: readonly string[] = []): object {
  const all = [...new Set([...a, ...b])];
  return all.length === 0 ? {} : { [name]: all };
}

/** Does it say one of the ids that it said before, or had it none? */
export function keepsIds(trace: Trace, { clues }: Member): boolean {
  const idsOf = (all: readonly Clue[]) =>
    all
      .filter(
        (clue) => clue.said === "device" && (clue.kind === "uuid" || clue.kind === "protocol-id") && !isJunk(clue),
      )
      .map(keyOf);
  const before = idsOf(clues);
  return before.length === 0 || idsOf(trace.clues).some((id) => before.includes(id));
}

/** Where the network has seen it. */
export function macsOf({ clues }: Member): readonly string[] {
  return clues.filter(({ kind, said }) => kind === "mac" && said === "network").map(({ value }) => value);
}
