import type { Sighting } from "../../adapters/adapter.ts";
import type { Clock } from "../../tree/ports.ts";
import type { Device, LiveTrace, Member } from "./device.ts";
import { merged } from "./device.ts";
import type { Faces } from "./faces.ts";
import { keyOf } from "../identity/clues.ts";
import type { Clue } from "../identity/clues.ts";
import { isDecided } from "../identity/decide.ts";
import type { Verdict } from "../identity/decide.ts";
import { bounded, cluesOf, standing, united } from "../identity/members.ts";
import type { Trace } from "../identity/traces.ts";
import type { Whereabouts } from "../identity/whereabouts.ts";
import type { Registry } from "./registry.ts";

/** A trace on its way into a device. */
export interface Placing {
  readonly trace: Trace;
  readonly macs: readonly string[];
  readonly sighting: Sighting | undefined;
  readonly heardAt: number;
  readonly verdict: Verdict<Device>;
  /** What it was in this device before. */
  readonly known: Member | undefined;
}

export interface MembershipPorts {
  readonly registry: Registry;
  readonly faces: Faces;
  readonly clock: Clock;
  readonly where: Whereabouts;
  /** Something of the device is different: what it says, where it is, what belongs to it. */
  readonly changed: (device: Device) => void;
}

/** What belongs to which device: puts it there, moves it, and makes one of two. Whether it should is decided elsewhere. */
export class Membership {
  readonly #ports: MembershipPorts;

  constructor(ports: MembershipPorts) {
    this.#ports = ports;
  }

  /** The trace stands in this device now, with what it says. */
  record(device: Device, { trace, macs, sighting, heardAt, verdict, known }: Placing): void {
    const { registry, clock } = this.#ports;
    const { members } = device.kept;
    const { identity, what } = trace;
    const by = standingOf(known, verdict);
    const member: Member = {
      identity,
      what,
      clues: cluesOf(trace, this.#ownPlaces(device, macs), known),
      since: known?.since ?? clock.now(),
      because: known !== undefined && known.by === by ? known.because : verdict.because,
      ...(by === undefined ? {} : { by }),
    };
    const before = members.find((one) => one.identity === identity);
    if (before === undefined || JSON.stringify(member) !== JSON.stringify({ ...before, what })) {
      const others = members.filter((one) => one.identity !== identity);
      registry.setMembers(device, bounded([...others, member], device));
    } else if (before.what !== what) {
      // What it calls itself is no part of who it is: it changes as often as the thing likes, and is not worth a write of its own.
      registry.keep(device, { ...device.kept, members: members.map((one) => (one === before ? member : one)) });
    }
    this.dropLive(device, identity);
    const live: LiveTrace = { trace, heardAt, macs, ...(sighting === undefined ? {} : { sighting }) };
    device.live.set(identity, live);
    this.#ports.where.live.add(live);
  }

  /** Where it is, without what is another device's: that one would have been joined if both were one. */
  #ownPlaces(device: Device, macs: readonly string[]): readonly string[] {
    const { index } = this.#ports.registry;
    const isOthers = (other: Device, mac: string) => other !== device && other.profile.macs.has(mac);
    return macs.filter((mac) => {
      if (device.profile.macs.has(mac)) return true;
      return ![...index.sharing([keyOf({ kind: "mac", value: mac })])].some((other) => isOthers(other, mac));
    });
  }

  /** It does not belong there: what it said of itself must not count as what that device says. */
  takeOut(device: Device, member: Member): void {
    const rest = device.kept.members.filter((one) => one !== member);
    this.#ports.registry.setMembers(device, rest);
    this.dropLive(device, member.identity);
  }

  /** These hardware addresses were never this device's: what the network's tables say of them is taken out, and nothing of them stays. @returns what is live of that. */
  takeOutMacs(device: Device, macs: readonly string[]): readonly LiveTrace[] {
    const isTheirs = ({ kind, said, value }: Clue) => kind === "mac" && said === "network" && macs.includes(value);
    const isOfTables = ({ identity, clues }: Member) => /^(neighbours|leases) /.test(identity) && clues.some(isTheirs);
    const { members } = device.kept;
    const going = members.filter(isOfTables);
    const live = going.flatMap(({ identity }) => device.live.get(identity) ?? []);
    const rest = members.filter((member) => !going.includes(member));
    this.#ports.registry.setMembers(
      device,
      rest.map((member) => ({ ...member, clues: member.clues.filter((clue) => !isTheirs(clue)) })),
    );
    for (const { identity } of going) this.dropLive(device, identity);
    return live;
  }

  /** Faces follow the sightings that they were made from; a device that nothing is left of, and that nobody cared for, ends. */
  leftBehind(left: Device, to: Device, identity: string): void {
    const { registry, faces, changed } = this.#ports;
    if (!registry.has(left)) return;
    const face = left.faces;
    const following = [...left.live.values()].filter(({ trace }) => trace.follows.includes(identity));
    for (const { trace } of following) {
      if (face.has(trace.identity)) this.moveMembers(left, to, new Set([trace.identity]));
    }
    if (!registry.has(left)) return;
    if (left.kept.members.length > 0 || isDecided(left)) return changed(left);
    faces.clear(left);
    registry.retire(left, to);
    registry.keep(to, { ...to.kept, formerIds: formerOf(to, left) });
  }

  /** @returns the one that stays. */
  joinAll(to: Device, others: readonly Device[]): Device {
    const { registry } = this.#ports;
    let all = to;
    for (const other of others) if (registry.has(other) && other !== all) all = this.join(all, other);
    return all;
  }

  /** Both are one from now on. @returns the one that stays: what is managed before what is not, a number before a later one. */
  join(a: Device, b: Device): Device {
    const [into, from] = standing(a) <= standing(b) ? [a, b] : [b, a];
    this.absorb(into, from);
    return into;
  }

  /** `from` becomes part of `into`; its number is never used again. */
  absorb(into: Device, from: Device): void {
    const { registry, faces } = this.#ports;
    const { kept } = from;
    this.moveMembers(from, into, new Set(kept.members.map(({ identity }) => identity)));
    faces.clear(from);
    const mine = into.kept;
    const name = mine.name ?? kept.name;
    registry.keep(into, {
      ...mine,
      ...(name === undefined ? {} : { name }),
      ...(mine.approved === true || kept.approved === true ? { approved: true as const } : {}),
      ...united("given", mine.given, kept.given),
      ...united("apart", mine.apart, kept.apart),
      formerIds: formerOf(into, from),
      decisions: [...(mine.decisions ?? []), ...(kept.decisions ?? [])].slice(-16),
      facts: { ...kept.facts, ...mine.facts },
      sources: merged(mine.sources, kept.sources),
      protocols: merged(mine.protocols, kept.protocols),
      lastSeen: Math.max(mine.lastSeen, kept.lastSeen),
    });
    into.lastSeen = Math.max(into.lastSeen, from.lastSeen);
    if (registry.has(from)) registry.retire(from, into);
    registry.setMembers(into, into.kept.members);
    faces.settle(into);
  }

  /** These of `from` are `to`'s from now on, their faces too. A device that nothing is left of, and that nobody cared for, ends. */
  moveMembers(from: Device, to: Device, identities: ReadonlySet<string>): void {
    const { registry, faces } = this.#ports;
    const moving = from.kept.members.filter(({ identity }) => identities.has(identity));
    const staying = from.kept.members.filter(({ identity }) => !identities.has(identity));
    for (const { identity } of moving) {
      const live = from.live.get(identity);
      if (live === undefined) continue;
      from.live.delete(identity);
      to.live.set(identity, live);
    }
    registry.setMembers(from, staying);
    registry.setMembers(to, bounded([...to.kept.members, ...moving], to));
    faces.move(from, to, identities);
    if (staying.length > 0 || isDecided(from)) return this.#ports.changed(from);
    faces.clear(from);
    registry.retire(from, to);
    registry.keep(to, { ...to.kept, formerIds: formerOf(to, from) });
  }

  /** It is not there any more. */
  dropLive(device: Device, identity: string): void {
    const live = device.live.get(identity);
    device.live.delete(identity);
    if (live !== undefined) this.#ports.where.live.remove(live);
  }
}

/** On what its place in the device rests: what it said once, or only where it was. That it was there before makes it no firmer. */
function standingOf(known: Member | undefined, { by }: Verdict<Device>): Member["by"] {
  if (known !== undefined && known.by === undefined) return undefined;
  if (by === "before" || (by === "beside" && known !== undefined)) return known?.by;
  return by;
}

/** Numbers that lead to a device at most: lists of groups may still have the oldest. */
const formerAtMost = 64;

function formerOf(to: Device, from: Device): readonly string[] {
  return merged(to.kept.formerIds ?? [], [...(from.kept.formerIds ?? []), from.id], formerAtMost);
}
