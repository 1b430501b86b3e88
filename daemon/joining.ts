import type { Sighting } from "../adapters/adapter.ts";
import type { Clock } from "../tree/ports.ts";
import type { Device, LiveTrace, Member } from "./device.ts";
import { merged } from "./device.ts";
import type { Faces } from "./faces.ts";
import { AddressBook } from "./identity/address-book.ts";
import { isJunk, isMadeUp, keyOf, macsInside } from "./identity/clues.ts";
import type { Clue } from "./identity/clues.ts";
import { decide, isDecided } from "./identity/decide.ts";
import type { Question, Verdict } from "./identity/decide.ts";
import { LivePlaces } from "./identity/live-places.ts";
import { bounded, cluesOf, hasRoom, standing, united } from "./identity/members.ts";
import { profileOf } from "./identity/profile.ts";
import { traceOfSighting } from "./identity/traces.ts";
import type { Trace } from "./identity/traces.ts";
import { Waiting } from "./identity/waiting.ts";
import type { Registry } from "./registry.ts";

const minute = 60_000;
/** What was joined only because of where it was is looked at anew if the network corrects itself within this time. */
const doubtFor = 30 * minute;
/** So long after it was heard, a trace still says who is at its address. */
const besideFor = 30 * minute;
/** So long after it was heard, a trace may still get its hardware address from a row that came later: who had the address before is quiet by now. */
const lateRowFor = 2 * minute;
/** So long after it was heard, what is new and was joined by its address alone is looked at again when the network has somebody else there. */
const youngRowFor = 10 * minute;
/** So long the network must say the same before what was known is joined or moved because of where it is. */
const settleFor = 3 * minute;
/** A row of the neighbour table that was not confirmed for so long may be out of date. */
const rowTrustedFor = minute;
/** A device that was not heard at its hardware address for so long has perhaps taken another one. */
const quietAfter = 6 * minute;

export interface JoiningPorts {
  readonly registry: Registry;
  readonly faces: Faces;
  readonly clock: Clock;
  /** Asks the network who is at an address. Absent: nobody can say. */
  readonly probe?: ((address: string, onInterface: string) => void) | undefined;
  /** Something of the device is different: what it says, where it is, what belongs to it. */
  readonly changed: (device: Device) => void;
}

/** A trace on its way into a device. */
interface Placing {
  readonly trace: Trace;
  readonly macs: readonly string[];
  readonly sighting: Sighting | undefined;
  readonly heardAt: number;
  readonly verdict: Verdict<Device>;
  /** What it was in this device before. */
  readonly known: Member | undefined;
}

/** Which trace belongs to which device: asks `decide`, and carries out what it says. */
export class Joining {
  readonly book = new AddressBook();
  readonly #ports: JoiningPorts;
  readonly #places = new LivePlaces();
  readonly #waiting: Waiting;
  /** Traces that would join or leave a device if the network is right about where they are, and since when (monotonic ms) it says the same. */
  readonly #unsure = new Map<string, { readonly since: number; readonly macs: string }>();

  constructor(ports: JoiningPorts) {
    this.#ports = ports;
    for (const { kept } of ports.registry.all()) for (const mac of kept.repeaters ?? []) this.book.knowRepeater(mac);
    this.#waiting = new Waiting(ports.clock, (sighting) => this.place(traceOfSighting(sighting), sighting));
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
    if (live === undefined) return undefined;
    live.heardAt = this.#ports.clock.monotonic();
    return device;
  }

  /** It is not there any more; its device remembers it. */
  ended(identity: string): Device | undefined {
    this.#waiting.remove(identity);
    const device = this.#ports.registry.index.of(identity);
    const live = device?.live.get(identity);
    if (device === undefined || live === undefined) return undefined;
    const left = live.sighting === undefined ? [] : this.book.forget(live.sighting);
    this.#unsure.delete(identity);
    this.#dropLive(device, identity);
    for (const place of left) this.#rowChanged(place);
    return device;
  }

  /** Finds the device of a trace and puts it there. undefined: there is no room for another device. `heardAt`: monotonic ms. */
  place(trace: Trace, sighting?: Sighting, heardAt = this.#ports.clock.monotonic()): Device | undefined {
    const { registry, faces } = this.#ports;
    const { identity } = trace;
    const macs = this.#macsOf(trace);
    let now = registry.index.of(identity);
    let wrong: Device | undefined;
    const before = now;
    const member = now?.kept.members.find((one) => one.identity === identity);
    if (now !== undefined && member !== undefined && this.#isCorrected(now, member, trace, macs)) {
      this.#takeOut(now, member);
      wrong = now;
      now = undefined;
    }
    const verdict = this.#decide(trace, macs, now, member);
    const isSure = this.#isSure(trace, macs, heardAt, verdict, now);
    // What it says of itself holds until the network is sure of where it is.
    const stays = now ?? verdict.same.find(({ profile }) => profile.macs.size > 0);
    const to = isSure || stays === undefined ? (verdict.to ?? this.#create(trace)) : stays;
    if (to === undefined) return undefined;
    const joined = isSure ? this.#joinAll(to, verdict.same) : to;
    const from = registry.index.of(identity);
    if (from !== undefined && from !== joined) {
      this.#dropLive(from, identity);
      this.moveMembers(from, joined, new Set([identity]));
    }
    if (from !== joined && !hasRoom(joined) && trace.source !== "face") return joined;
    // What was nowhere, and is found to be at another device's place, is that device's only because of the place.
    const isFound = verdict.by === "place" && verdict.to !== before;
    const known = before === joined && now !== undefined && !(isSure && isFound) ? member : undefined;
    this.#record(joined, { trace, macs: isSure ? macs : [], sighting, heardAt, verdict, known });
    faces.settle(joined);
    this.#ports.changed(joined);
    for (const left of [from, wrong])
      if (left !== undefined && left !== joined) this.#leftBehind(left, joined, identity);
    return joined;
  }

  /** It does not belong there: what it said of itself must not count as what that device says. */
  #takeOut(device: Device, member: Member): void {
    const rest = device.kept.members.filter((one) => one !== member);
    this.#ports.registry.setMembers(device, rest);
    this.#dropLive(device, member.identity);
  }

  /** Faces follow the sightings that they were made from; a device that nothing is left of, and that nobody cared for, ends. */
  #leftBehind(left: Device, to: Device, identity: string): void {
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
    registry.keep(to, { ...to.kept, formerIds: merged(to.kept.formerIds ?? [], [left.id]) });
  }

  #decide(trace: Trace, macs: readonly string[], now: Device | undefined, member: Member | undefined): Verdict<Device> {
    const { index } = this.#ports.registry;
    const macKeys = macs.map((mac) => keyOf({ kind: "mac", value: mac }));
    return decide<Device>({
      trace,
      macs,
      given: index.given(trace.identity, trace.clues),
      now: now === undefined ? undefined : this.#asKnown(trace, now, member),
      keepsIds: member === undefined || keepsIds(trace, member),
      followed: trace.follows.flatMap((identity) => index.of(identity) ?? []),
      sharing: index.sharing([...trace.clues.map(keyOf), ...macKeys]),
      beside: this.#beside(trace),
      quiet: (device) => this.#isQuiet(device, trace.identity),
    });
  }

  #asKnown(trace: Trace, device: Device, member: Member | undefined): NonNullable<Question<Device>["now"]> {
    const rest = profileOf(device.kept.members.filter((one) => one !== member));
    const places = member === undefined ? [] : macsOf(member);
    const anchored = places.some((mac) => rest.macs.has(mac)) || trace.clues.some((clue) => rest.ids.has(keyOf(clue)));
    return { device, firmly: this.#isFirm(member), rest, anchored };
  }

  /** Not what only stood beside others, or was taken for one behind whose hardware address it is. */
  #isFirm(member: Member | undefined): boolean {
    const macs = member === undefined ? [] : macsOf(member);
    return member?.by !== "beside" && !(macs.length > 0 && macs.every((mac) => this.book.carriesOthers(mac)));
  }

  #create({ source }: Trace): Device | undefined {
    return source === "face" ? this.#ports.registry.create() : this.#ports.registry.createSeen();
  }

  #joinAll(to: Device, others: readonly Device[]): Device {
    const { registry } = this.#ports;
    let all = to;
    for (const other of others) if (registry.has(other) && other !== all) all = this.join(all, other);
    return all;
  }

  /**
   * May this be carried out now? What only its place says, and what would move or join what was known before, waits: rows and leases outlive whom they
   * were made for. It is done when the network has said the same for a while, and has confirmed it where it can be asked.
   */
  #isSure(
    trace: Trace,
    macs: readonly string[],
    heardAt: number,
    verdict: Verdict<Device>,
    now: Device | undefined,
  ): boolean {
    const { identity, addresses, interface: onInterface } = trace;
    const { probe, clock } = this.#ports;
    const before = this.#unsure.get(identity);
    this.#unsure.delete(identity);
    if (!isAnnounced(trace)) return true;
    const isRow = verdict.by === "place" && trace.places.some((place) => this.book.isRow(place));
    const confirmedAt = Math.max(...macs.map((mac) => this.#heardAt(`neighbours ${mac}%${onInterface}`)));
    const [address] = addresses;
    const ask = () => probe !== undefined && address !== undefined && probe(address, onInterface);
    // A new device that the network had nowhere yet loses nothing.
    const isPlaced = (device: Device) => device.profile.macs.size > 0 || !this.#isNew(device);
    const joins = verdict.to !== undefined && isPlaced(verdict.to) && verdict.same.some(isPlaced);
    const moves = verdict.by === "place" && now !== undefined && now !== verdict.to && isPlaced(now);
    if (!joins && !moves) {
      if (isRow && now === undefined && clock.monotonic() - confirmedAt > rowTrustedFor) ask();
      return true;
    }
    const said = macs.join(" ");
    const since = before?.macs === said ? before.since : clock.monotonic();
    // One that makes up its hardware addresses may have taken another one: the last one must be quiet to tell.
    const enough = macs.every(isMadeUp) ? quietAfter + minute : settleFor;
    const isConfirmed = !isRow || probe === undefined || confirmedAt > since;
    if (clock.monotonic() - since >= enough && isConfirmed) return true;
    this.#unsure.set(identity, { since, macs: said });
    if (isRow && confirmedAt <= heardAt) ask();
    return false;
  }

  /** It is known for one from now on, over restarts. */
  #isRepeater(mac: string): void {
    const { registry } = this.#ports;
    for (const device of registry.index.sharing([keyOf({ kind: "mac", value: mac })])) {
      if (!device.profile.macs.has(mac) || device.kept.repeaters?.includes(mac) === true) continue;
      registry.keep(device, { ...device.kept, repeaters: merged(device.kept.repeaters ?? [], [mac], 4) });
      registry.commitSoon(device).catch(() => undefined);
    }
  }

  #isNew({ kept }: Device): boolean {
    const from = this.#ports.clock.now() - youngRowFor;
    return kept.members.every(({ since }) => since > from);
  }

  #heardAt(identity: string): number {
    return this.#ports.registry.index.of(identity)?.live.get(identity)?.heardAt ?? -Infinity;
  }

  /** Looks again at what waits for the network to say the same for a while. */
  review(): void {
    const { index } = this.#ports.registry;
    for (const mac of this.book.review(this.#ports.clock.monotonic())) this.#isRepeater(mac);
    for (const identity of [...this.#unsure.keys()]) {
      const live = index.of(identity)?.live.get(identity);
      if (live === undefined) this.#unsure.delete(identity);
      else this.place(live.trace, live.sighting, live.heardAt);
    }
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
    if (staying.length > 0 || isDecided(from)) return this.#ports.changed(from);
    faces.clear(from);
    registry.retire(from, to);
    registry.keep(to, { ...to.kept, formerIds: merged(to.kept.formerIds ?? [], [from.id]) });
  }

  /** Looks again at what this device's live sightings say, because something else is different now. */
  reconsider(device: Device): void {
    for (const live of [...device.live.values()]) {
      const hasHost = live.trace.clues.some(({ kind }) => kind === "host-name");
      if (hasHost && live.sighting !== undefined) this.place(live.trace, live.sighting, live.heardAt);
    }
  }

  /** Its device was forgotten. */
  forget(device: Device, identity: string): void {
    this.#dropLive(device, identity);
  }

  stop(): void {
    this.#waiting.stop();
  }

  /** Something new whose hardware address the network could still tell: what it belongs to is better decided then. */
  #mustWait(trace: Trace, sighting: Sighting): boolean {
    const { probe } = this.#ports;
    const { identity, places } = trace;
    const [address] = sighting.addresses;
    const open = isAnnounced(trace) && !places.some((place) => this.book.has(place));
    if (!open || probe === undefined || address === undefined || !this.book.knows(sighting.interface)) {
      this.#waiting.remove(identity);
      return false;
    }
    if (!this.#waiting.has(identity)) probe(address, sighting.interface);
    return this.#waiting.add(identity, sighting);
  }

  /** Somebody else is at this place now, or is known there for the first time: what was just heard there is looked at again. */
  #rowChanged(place: string): void {
    const { clock, registry } = this.#ports;
    this.#waiting.placed(place);
    const now = clock.monotonic();
    const again: { live: LiveTrace; wrong: Device | undefined }[] = [];
    for (const live of this.#places.at(place)) {
      const { trace, heardAt } = live;
      const device = registry.index.of(trace.identity);
      const member = device?.kept.members.find(({ identity }) => identity === trace.identity);
      const isStray = trace.source === "neighbours" && member?.by === "beside";
      if (device === undefined || member === undefined || !(isAnnounced(trace) || isNameless(trace) || isStray))
        continue;
      const isYoung = member.by === "place" && clock.now() - member.since < doubtFor && now - heardAt < youngRowFor;
      const macs = this.#macsOf(trace);
      // Nothing was known of where it is, or it is at one place more.
      const isMore = now - heardAt < lateRowFor && live.macs.every((mac) => macs.includes(mac));
      if (!isYoung && !isStray && !isMore) continue;
      // All that is wrong goes first: else one would hold the other.
      const isWrong = this.#isCorrected(device, member, trace, macs);
      if (isWrong) this.#takeOut(device, member);
      again.push({ live, wrong: isWrong ? device : undefined });
    }
    for (const { live, wrong } of again) {
      const to = this.place(live.trace, live.sighting, live.heardAt);
      if (wrong !== undefined && to !== undefined && wrong !== to) this.#leftBehind(wrong, to, live.trace.identity);
    }
  }

  #macsOf(trace: Trace): readonly string[] {
    const { clues, places } = trace;
    const own = clues.filter(({ kind, said }) => kind === "mac" && said === "network").map(({ value }) => value);
    if (own.length > 0) return own;
    const { clues: said } = trace;
    // An IPv6 address that was built from another hardware address than any that the network has here: whoever has it is behind these.
    const built = macsInside(trace.addresses);
    const isOther = built.size > 0 && !places.some((place) => built.has(this.book.macAt(place) ?? ""));
    const found = new Map<string, boolean>();
    for (const place of places) {
      const mac = this.book.macAt(place);
      if (mac === undefined) continue;
      const isBehind = this.book.isRow(place) && !built.has(mac) && (isOther || this.#isBehind(mac, place, said));
      found.set(mac, (found.get(mac) ?? false) || isBehind);
    }
    return [...found].filter(([, isBehind]) => !isBehind).map(([mac]) => mac);
  }

  /**
   * Is it behind this hardware address, and not at it? The address is also somewhere else, where its host has a lease or says its name, and here
   * something of another name speaks: a repeater or a bridge does that.
   */
  #isBehind(mac: string, place: string, said: readonly Clue[]): boolean {
    const homes = this.book.homesOf(mac, place);
    if (homes.length === 0) return this.book.isRepeater(mac);
    const isAtBoth = ({ trace }: LiveTrace) => isAnnounced(trace) && homes.some((home) => trace.places.includes(home));
    if (this.#places.at(place).some(isAtBoth)) return false;
    const at = (here: string) => this.#places.at(here).flatMap(({ trace }) => hostsOf(trace.clues));
    const [mine, its] = [new Set([...hostsOf(said), ...at(place)]), homes.flatMap(at)];
    return !its.some((host) => mine.has(host));
  }

  /** It belongs to its device only by its place, and the network has since said that somebody else is at this place, or its device somewhere else. */
  #isCorrected(device: Device, member: Member, trace: Trace, macs: readonly string[]): boolean {
    if (member.by === undefined) return false;
    if (trace.source === "neighbours")
      return member.by === "beside" && macs.some((mac) => this.book.carriesOthers(mac));
    if (member.by === "beside")
      return device.profile.macs.size > 0 && macs.length > 0 && !macs.some((mac) => device.profile.macs.has(mac));
    const joinedAt = macsOf(member);
    if (joinedAt.length === 0 || macs.some((mac) => joinedAt.includes(mac))) return false;
    if (macs.length === 0 && !joinedAt.every((mac) => this.book.isSomewhere(mac))) return false;
    const live = device.live.get(trace.identity);
    const isSamePlace = live === undefined || trace.places.some((place) => live.trace.places.includes(place));
    return isSamePlace && this.#ports.clock.now() - member.since < doubtFor;
  }

  #beside(trace: Trace): { device: Device; unplaced: boolean }[] {
    if (!isAnnounced(trace) && !isNameless(trace) && trace.source !== "neighbours") return [];
    // Several addresses of one hardware address may be several things behind it.
    const isRow = trace.source === "neighbours";
    const ambiguous = isRow && trace.places.filter((place) => !place.includes(":")).length > 1;
    const places = ambiguous ? [] : trace.places;
    const now = this.#ports.clock.monotonic();
    const found: { device: Device; unplaced: boolean }[] = [];
    for (const live of places.flatMap((place) => this.#places.at(place))) {
      const { identity, source } = live.trace;
      const device = this.#ports.registry.index.of(identity);
      if (device === undefined || identity === trace.identity || now - live.heardAt > besideFor) continue;
      if (source === "neighbours" || (source === "leases" && !isNameless(live.trace))) continue;
      found.push({ device, unplaced: live.macs.length === 0 && now - live.heardAt < lateRowFor });
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

  #record(device: Device, { trace, macs, sighting, heardAt, verdict, known }: Placing): void {
    const { registry, clock } = this.#ports;
    const { members } = device.kept;
    const { identity, what } = trace;
    const isFirm = known !== undefined && known.by === undefined;
    const by = isFirm ? undefined : verdict.because.length === 0 ? known?.by : verdict.by;
    const member: Member = {
      identity,
      what,
      clues: cluesOf(trace, this.#ownPlaces(device, macs), known),
      since: known?.since ?? clock.now(),
      because: known !== undefined && known.by === by ? known.because : verdict.because,
      ...(by === undefined ? {} : { by }),
    };
    const before = members.find((one) => one.identity === identity);
    if (JSON.stringify(member) !== JSON.stringify(before)) {
      const others = members.filter((one) => one.identity !== identity);
      registry.setMembers(device, bounded([...others, member], device));
    }
    this.#dropLive(device, identity);
    const live: LiveTrace = { trace, heardAt, macs, ...(sighting === undefined ? {} : { sighting }) };
    device.live.set(identity, live);
    this.#places.add(live);
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

  #dropLive(device: Device, identity: string): void {
    const live = device.live.get(identity);
    device.live.delete(identity);
    if (live !== undefined) this.#places.remove(live);
  }
}

function isAnnounced({ source }: Trace): boolean {
  return source === "mdns" || source === "ssdp";
}

/** A lease that says no hardware address (DHCPv6): only where it is says whose it is. */
function isNameless({ source, clues }: Trace): boolean {
  return source === "leases" && !clues.some(({ kind }) => kind === "mac");
}

function keepsIds(trace: Trace, { clues }: Member): boolean {
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
function macsOf({ clues }: Member): readonly string[] {
  return clues.filter(({ kind, said }) => kind === "mac" && said === "network").map(({ value }) => value);
}

function hostsOf(clues: readonly Clue[]): readonly string[] {
  return clues.filter((clue) => clue.kind === "host-name" && !isJunk(clue)).map(({ value }) => value);
}
