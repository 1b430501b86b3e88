import type { Sighting } from "../adapters/adapter.ts";
import type { Clock } from "../tree/ports.ts";
import type { Device, LiveTrace, Member } from "./device.ts";
import { isManaged, merged } from "./device.ts";
import type { Faces } from "./faces.ts";
import { AddressBook } from "./identity/address-book.ts";
import type { Clue } from "./identity/clues.ts";
import { keyOf } from "./identity/clues.ts";
import { decide } from "./identity/decide.ts";
import type { Verdict } from "./identity/decide.ts";
import { traceOfSighting } from "./identity/traces.ts";
import type { Trace } from "./identity/traces.ts";
import type { Registry } from "./registry.ts";

const minute = 60_000;
/** What was joined only because of where it was is looked at anew if the network corrects itself within this time. */
const doubtFor = 30 * minute;
/** So long after it was heard, a trace still says who is at its address. */
const besideFor = 30 * minute;
/** So long after it was heard, a trace may still get its hardware address from a row that came later: who had the address before is quiet by now. */
const lateRowFor = 2 * minute;
/** A device that was not heard at its hardware address for so long has perhaps taken another one. */
const quietAfter = 6 * minute;
/** A new thing waits so long for the neighbour table to say where it is. */
const patience = 3000;
/** One host that announces more than this is no host: what comes then is not listed. */
const membersAtMost = 64;
const macsAtMost = 4;
const waitingAtMost = 256;

export interface JoiningPorts {
  readonly registry: Registry;
  readonly faces: Faces;
  readonly clock: Clock;
  /** Asks the network who is at an address. Absent: nobody can say. */
  readonly probe?: ((address: string, onInterface: string) => void) | undefined;
  /** Something of the device is different: what it says, where it is, what belongs to it. */
  readonly changed: (device: Device) => void;
}

/** Which trace belongs to which device: asks `decide`, and carries out what it says. */
export class Joining {
  readonly book = new AddressBook();
  readonly #ports: JoiningPorts;
  /** Live traces by where they are. */
  readonly #at = new Map<string, Map<string, LiveTrace>>();
  /** New things that wait for their hardware address. */
  readonly #waiting = new Map<string, { readonly sighting: Sighting; readonly cancel: () => void }>();

  constructor(ports: JoiningPorts) {
    this.#ports = ports;
  }

  /** A new sighting, or one that says something else now. undefined: it waits for its hardware address, or there is no room for it. */
  seen(sighting: Sighting): Device | undefined {
    const moved = this.book.take(sighting);
    const trace = traceOfSighting(sighting);
    const known = this.#ports.registry.index.of(trace.identity);
    if (known === undefined && this.#mustWait(trace, sighting)) return undefined;
    const device = this.place(trace, sighting);
    for (const place of moved) this.#rowChanged(place);
    return device;
  }

  /** It was heard again, and said nothing new. */
  heard(identity: string): Device | undefined {
    const device = this.#ports.registry.index.of(identity);
    const live = device?.live.get(identity);
    if (live !== undefined) live.heardAt = this.#ports.clock.monotonic();
    return live === undefined ? undefined : device;
  }

  /** It is not there any more; its device remembers it. */
  ended(identity: string): Device | undefined {
    const waiting = this.#waiting.get(identity);
    waiting?.cancel();
    this.#waiting.delete(identity);
    const device = this.#ports.registry.index.of(identity);
    const live = device?.live.get(identity);
    if (device === undefined || live === undefined) return undefined;
    if (live.sighting !== undefined) this.book.forget(live.sighting);
    this.#dropLive(device, identity);
    return device;
  }

  /** Finds the device of a trace and puts it there. undefined: there is no room for another device. */
  place(trace: Trace, sighting?: Sighting): Device | undefined {
    const { registry, faces } = this.#ports;
    const macs = this.#macsOf(trace);
    let now = registry.index.of(trace.identity);
    const member = now?.kept.members.find(({ identity }) => identity === trace.identity);
    const doubtful = now !== undefined && member !== undefined && this.#isCorrected(now, member, trace, macs);
    const verdict = decide<Device>({
      trace,
      macs,
      given: registry.index.given(trace.identity, trace.clues),
      now: now === undefined || doubtful ? undefined : { device: now, firmly: member?.by !== "beside" },
      followed: trace.follows.flatMap((identity) => registry.index.of(identity) ?? []),
      sharing: registry.index.sharing([
        ...trace.clues.map(keyOf),
        ...macs.map((mac) => keyOf({ kind: "mac", value: mac })),
      ]),
      beside: this.#beside(trace),
      quiet: (device) => this.#isQuiet(device, trace.identity),
    });
    let to = verdict.to ?? (trace.source === "face" ? registry.create() : registry.createSeen());
    if (to === undefined) return undefined;
    for (const other of verdict.same)
      if (registry.has(other) && registry.has(to) && other !== to) to = this.join(to, other);
    now = registry.index.of(trace.identity);
    if (now !== undefined && now !== to) {
      this.#dropLive(now, trace.identity);
      this.moveMembers(now, to, new Set([trace.identity]));
    }
    if (now !== to && !hasRoom(to) && trace.source !== "face") return to;
    this.#record(to, trace, macs, sighting, verdict, now === to);
    faces.settle(to);
    this.#ports.changed(to);
    return to;
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
      formerIds: merged(mine.formerIds ?? [], [...(kept.formerIds ?? []), from.id]),
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
    const { name, approved, given, ignored, decisions } = from.kept;
    const cared = [name, approved, given, ignored, decisions].some((one) => one !== undefined);
    if (staying.length === 0 && !cared) {
      faces.clear(from);
      registry.retire(from, to);
      registry.keep(to, { ...to.kept, formerIds: merged(to.kept.formerIds ?? [], [from.id]) });
    } else this.#ports.changed(from);
  }

  /** Looks again at what this device's live sightings say, because something else is different now. */
  reconsider(device: Device): void {
    for (const live of [...device.live.values()]) {
      const hasHost = live.trace.clues.some(({ kind }) => kind === "host-name");
      if (hasHost && live.sighting !== undefined) this.place(live.trace, live.sighting);
    }
  }

  /** Its device was forgotten. */
  forget(device: Device, identity: string): void {
    this.#dropLive(device, identity);
  }

  stop(): void {
    for (const { cancel } of this.#waiting.values()) cancel();
    this.#waiting.clear();
  }

  #mustWait(trace: Trace, sighting: Sighting): boolean {
    const { probe, clock } = this.#ports;
    const { identity } = trace;
    const unplaced = (trace.source === "mdns" || trace.source === "ssdp") && this.#macsOf(trace).length === 0;
    const [address] = sighting.addresses;
    const askable = probe !== undefined && address !== undefined && this.book.knows(sighting.interface);
    const before = this.#waiting.get(identity);
    if (
      !unplaced ||
      !askable ||
      trace.places.some((place) => this.book.has(place)) ||
      this.#waiting.size >= waitingAtMost
    ) {
      before?.cancel();
      this.#waiting.delete(identity);
      return false;
    }
    if (before === undefined) probe(address, sighting.interface);
    const cancel = before?.cancel ?? clock.after(patience, () => this.#waitedEnough(identity));
    this.#waiting.set(identity, { sighting, cancel });
    return true;
  }

  #waitedEnough(identity: string): void {
    const waiting = this.#waiting.get(identity);
    if (waiting === undefined) return;
    waiting.cancel();
    this.#waiting.delete(identity);
    this.place(traceOfSighting(waiting.sighting), waiting.sighting);
  }

  /** Somebody else is at this place now, or is known there for the first time: what was just heard there is looked at again. */
  #rowChanged(place: string): void {
    for (const [identity, { sighting }] of [...this.#waiting])
      if (traceOfSighting(sighting).places.includes(place)) this.#waitedEnough(identity);
    const freshFrom = this.#ports.clock.monotonic() - lateRowFor;
    for (const live of [...(this.#at.get(place)?.values() ?? [])]) {
      const { source } = live.trace;
      if ((source !== "mdns" && source !== "ssdp") || live.heardAt < freshFrom) continue;
      this.place(live.trace, live.sighting);
    }
  }

  #macsOf({ clues, places }: Trace): readonly string[] {
    const own = clues.filter(({ kind, said }) => kind === "mac" && said === "network").map(({ value }) => value);
    if (own.length > 0) return own;
    return [...new Set(places.flatMap((place) => this.book.macAt(place) ?? []))];
  }

  /** It belongs to its device only by its place, and the network has since said that somebody else is at this place. */
  #isCorrected(device: Device, member: Member, trace: Trace, macs: readonly string[]): boolean {
    if (
      member.by === undefined ||
      macs.length === 0 ||
      macs.some((mac) => device.profile.macs.has(mac) && member.by === "beside")
    )
      return false;
    if (member.by === "beside") return device.profile.macs.size > 0;
    const live = device.live.get(trace.identity);
    if (live === undefined || live.macs.length === 0 || macs.some((mac) => live.macs.includes(mac))) return false;
    const samePlace = trace.places.some((place) => live.trace.places.includes(place));
    return samePlace && this.#ports.clock.now() - member.since < doubtFor;
  }

  #beside(trace: Trace): { device: Device; unplaced: boolean }[] {
    if (trace.source === "face" || trace.source === "leases") return [];
    if (trace.source === "neighbours" && trace.clues.some(({ value }) => this.book.carriesOthers(value))) return [];
    const now = this.#ports.clock.monotonic();
    const found: { device: Device; unplaced: boolean }[] = [];
    for (const place of trace.places) {
      for (const [identity, live] of this.#at.get(place) ?? []) {
        const device = this.#ports.registry.index.of(identity);
        if (device === undefined || identity === trace.identity || now - live.heardAt > besideFor) continue;
        if (live.trace.source === "leases" || live.trace.source === "neighbours") continue;
        found.push({ device, unplaced: live.macs.length === 0 && now - live.heardAt < lateRowFor });
      }
    }
    return found;
  }

  #isQuiet(device: Device, except: string): boolean {
    const from = this.#ports.clock.monotonic() - quietAfter;
    for (const [identity, live] of device.live) {
      if (identity === except || !live.trace.presence || live.heardAt < from) continue;
      if (live.macs.some((mac) => device.profile.macs.has(mac))) return false;
    }
    return true;
  }

  #record(
    device: Device,
    trace: Trace,
    macs: readonly string[],
    sighting: Sighting | undefined,
    verdict: Verdict<Device>,
    stayed: boolean,
  ): void {
    const { registry, clock } = this.#ports;
    const { members } = device.kept;
    const { identity, what } = trace;
    const before = stayed ? members.find((one) => one.identity === identity) : undefined;
    const clues = cluesOf(trace, this.#ownPlaces(device, macs), before);
    const by =
      before !== undefined && before.by === undefined
        ? undefined
        : verdict.because.length === 0
          ? before?.by
          : verdict.by;
    const member: Member = {
      identity,
      what,
      clues,
      since: before?.since ?? clock.now(),
      because: before !== undefined && before.by === by ? before.because : verdict.because,
      ...(by === undefined ? {} : { by }),
    };
    if (JSON.stringify(member) !== JSON.stringify(before)) {
      const others = members.filter((one) => one.identity !== identity);
      registry.setMembers(device, bounded([...others, member], device));
    }
    this.#dropLive(device, identity);
    const live: LiveTrace = {
      trace,
      heardAt: clock.monotonic(),
      macs,
      ...(sighting === undefined ? {} : { sighting }),
    };
    device.live.set(identity, live);
    for (const place of trace.places) {
      const here = this.#at.get(place) ?? new Map<string, LiveTrace>();
      this.#at.set(place, here.set(identity, live));
    }
  }

  /** What a person parted stays parted: the place of another device is not taken over. */
  #ownPlaces(device: Device, macs: readonly string[]): readonly string[] {
    const apart = device.kept.apart ?? [];
    if (apart.length === 0) return macs;
    const others = (mac: string) => this.#ports.registry.index.sharing([keyOf({ kind: "mac", value: mac })]);
    return macs.filter((mac) => ![...others(mac)].some((other) => other !== device && apart.includes(other.id)));
  }

  #dropLive(device: Device, identity: string): void {
    const live = device.live.get(identity);
    device.live.delete(identity);
    for (const place of live?.trace.places ?? []) {
      const here = this.#at.get(place);
      here?.delete(identity);
      if (here?.size === 0) this.#at.delete(place);
    }
  }
}

/** What it says now, and where the network has seen it: now, and before if it was this device then. */
function cluesOf(trace: Trace, macs: readonly string[], before: Member | undefined): readonly Clue[] {
  const own = trace.clues.filter(({ kind, said }) => kind !== "mac" || said !== "network");
  const earlier = (before?.clues ?? []).filter(({ kind, said }) => kind === "mac" && said === "network");
  const placed = [...new Set([...earlier.map(({ value }) => value).filter((mac) => !macs.includes(mac)), ...macs])];
  return [...own, ...placed.slice(-macsAtMost).map((value) => ({ kind: "mac", value, said: "network" }) as const)];
}

function hasRoom({ kept, live }: Device): boolean {
  return kept.members.length < membersAtMost || kept.members.some(({ identity }) => !live.has(identity));
}

/** So many at most: those that are not there go first, and faces last. */
function bounded(members: readonly Member[], device: Device): readonly Member[] {
  if (members.length <= membersAtMost) return members;
  const isFace = (identity: string) => device.kept.faces.some((face) => face.identity === identity);
  const weight = ({ identity }: Member) => (isFace(identity) ? 2 : device.live.has(identity) ? 1 : 0);
  const dropped = new Set(
    [...members].sort((a, b) => weight(a) - weight(b) || a.since - b.since).slice(0, members.length - membersAtMost),
  );
  return members.filter((member) => !dropped.has(member));
}

/** The lower, the more it stays itself. */
function standing(device: Device): number {
  const cared = device.kept.name !== undefined || device.kept.given !== undefined;
  return (isManaged(device) ? 0 : 1e12) + (cared ? 0 : 1e9) + Number(device.id.slice(1));
}

function united(name: "given" | "apart", a: readonly string[] = [], b: readonly string[] = []): object {
  const all = [...new Set([...a, ...b])];
  return all.length === 0 ? {} : { [name]: all };
}
