import type { Sighting } from "../../adapters/adapter.ts";
import type { Clock } from "../../tree/ports.ts";
import type { Device, LiveTrace, Member } from "./device.ts";
import { merged } from "./device.ts";
import { Doubts } from "./doubts.ts";
import type { Faces } from "./faces.ts";
import type { AddressBook } from "../identity/address-book.ts";
import { keyOf } from "../identity/clues.ts";
import { decide, hasId } from "../identity/decide.ts";
import { hasRoom, keepsIds, macsOf } from "../identity/members.ts";
import { isAnnounced, isNameless, traceOfSighting } from "../identity/traces.ts";
import type { Trace } from "../identity/traces.ts";
import { Waiting } from "../identity/waiting.ts";
import { Whereabouts } from "../identity/whereabouts.ts";
import { Membership } from "./membership.ts";
import { Questions, besideFor, lateRowFor } from "./questions.ts";
import type { Registry } from "./registry.ts";

const minute = 60_000;
/** What was joined only because of where it was is looked at anew if the network corrects itself within this time. */
const doubtFor = 30 * minute;
/** So long after it was heard, what is new and was joined by its address alone is looked at again when the network has somebody else there. */
const youngRowFor = 10 * minute;

/** So long a new thing waits for the neighbour table to say where it is, and for its own word of its address. */
const patience = 3000;
const aMoment = 1000;

export interface JoiningPorts {
  readonly registry: Registry;
  readonly faces: Faces;
  readonly clock: Clock;
  /** Asks the network who is at an address. Absent: nobody can say. */
  readonly probe?: ((address: string, onInterface: string) => void) | undefined;
  /** Something of the device is different: what it says, where it is, what belongs to it. */
  readonly changed: (device: Device) => void;
}

/** A live trace to be placed anew, and the device that it was taken out of. */
interface Loose {
  readonly live: LiveTrace;
  readonly wrong: Device | undefined;
}

/** Which trace belongs to which device: asks `decide`, and carries out what it says. */
export class Joining {
  readonly members: Membership;
  readonly #ports: JoiningPorts;
  readonly #where = new Whereabouts();
  readonly #doubts: Doubts;
  readonly #questions: Questions;
  readonly #waiting: Waiting;

  constructor(ports: JoiningPorts) {
    this.#ports = ports;
    this.members = new Membership({ ...ports, where: this.#where });
    this.#questions = new Questions(ports.registry, ports.clock, this.#where);
    this.#doubts = new Doubts({ ...ports, where: this.#where });
    for (const { kept } of ports.registry.all())
      for (const mac of kept.repeaters ?? []) this.#where.book.knowRepeater(mac);
    this.#waiting = new Waiting(ports.clock, (sighting) => this.place(traceOfSighting(sighting), sighting));
  }

  get book(): AddressBook {
    return this.#where.book;
  }

  /** A new sighting, or one that says something else now. undefined: it waits for its hardware address, or there is no room for it. */
  seen(sighting: Sighting): Device | undefined {
    const moved = this.#where.book.take(sighting);
    const trace = traceOfSighting(sighting);
    const known = this.#ports.registry.index.of(trace.identity);
    if (known === undefined && this.#mustWait(trace, sighting)) return undefined;
    // It speaks by multicast only, so the gateway never had to find out who that is.
    if (moved.length === 0) this.#askWho(trace);
    const again = moved.map((place) => this.#loosen(place));
    const device = this.place(trace, sighting);
    for (const some of again) this.#placeAgain(some);
    for (const place of moved) this.#waiting.placed(place);
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
    const left = live.sighting === undefined ? [] : this.#where.book.forget(live.sighting);
    this.#doubts.forget(identity);
    this.members.dropLive(device, identity);
    for (const place of left) this.#placeAgain(this.#loosen(place));
    return device;
  }

  /** Finds the device of a trace and puts it there. undefined: there is no room for another device. `heardAt`: monotonic ms. */
  place(trace: Trace, sighting?: Sighting, heardAt = this.#ports.clock.monotonic()): Device | undefined {
    const { registry, faces } = this.#ports;
    const { identity } = trace;
    const macs = this.#where.macsOf(trace);
    let now = registry.index.of(identity);
    let wrong: Device | undefined;
    const before = now;
    const member = now?.kept.members.find((one) => one.identity === identity);
    if (now !== undefined && member !== undefined && this.#isCorrected(now, member, trace, macs)) {
      this.members.takeOut(now, member);
      wrong = now;
      now = undefined;
    }
    const verdict = decide(this.#questions.about(trace, macs, now, member));
    const isSure = this.#doubts.isSure(trace, macs, heardAt, verdict, now, hasId(trace));
    // What it says of itself holds until the network is sure of where it is.
    const stays = now ?? verdict.same.find(({ profile }) => profile.macs.size > 0);
    const to = isSure || stays === undefined ? (verdict.to ?? this.#create(trace)) : stays;
    if (to === undefined) return undefined;
    const joined = isSure ? this.members.joinAll(to, verdict.same) : to;
    const from = registry.index.of(identity);
    if (from !== undefined && from !== joined) {
      this.members.dropLive(from, identity);
      this.members.moveMembers(from, joined, new Set([identity]));
    }
    if (from !== joined && !hasRoom(joined) && trace.source !== "face") return joined;
    // What was nowhere, and is found to be at another device's place, is that device's only because of the place.
    const isFound = verdict.by === "place" && verdict.to !== before;
    const known = before === joined && now !== undefined && !(isSure && isFound) ? member : undefined;
    this.members.record(joined, { trace, macs: isSure ? macs : [], sighting, heardAt, verdict, known });
    faces.settle(joined);
    this.#ports.changed(joined);
    for (const left of [from, wrong]) if (left !== undefined && left !== joined) this.#follow(left, joined, trace);
    return joined;
  }

  /** A trace has left a device: faces that were made from it go with it, and services of the same host are looked at again. */
  #follow(left: Device, to: Device, trace: Trace): void {
    this.members.leftBehind(left, to, trace.identity);
    if (trace.source !== "mdns") return;
    const hosts = trace.clues.filter(({ kind }) => kind === "host-name").map(keyOf);
    const others = [...left.live.values()].filter(
      (live) => live.trace.source === "mdns" && live.trace.clues.some((clue) => hosts.includes(keyOf(clue))),
    );
    for (const live of others)
      if (left.live.has(live.trace.identity)) this.place(live.trace, live.sighting, live.heardAt);
  }

  #create({ source }: Trace): Device | undefined {
    return source === "face" ? this.#ports.registry.create() : this.#ports.registry.createSeen();
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

  /** Looks again at what waits for the network to say the same for a while. */
  review(): void {
    const { index } = this.#ports.registry;
    for (const mac of this.#where.book.review(this.#ports.clock.monotonic())) this.#isRepeater(mac);
    for (const identity of this.#doubts.identities()) {
      const live = index.of(identity)?.live.get(identity);
      if (live === undefined) this.#doubts.forget(identity);
      else this.place(live.trace, live.sighting, live.heardAt);
    }
  }

  /** Looks again at what this device's live sightings say, because something else is different now. */
  reconsider(device: Device): void {
    for (const live of [...device.live.values()]) {
      const hasHost = live.trace.clues.some(({ kind }) => kind === "host-name");
      if (hasHost && live.sighting !== undefined) this.place(live.trace, live.sighting, live.heardAt);
    }
  }

  stop(): void {
    this.#waiting.stop();
  }

  #askWho(trace: Trace): void {
    const [address] = trace.addresses;
    if (!isAnnounced(trace) || address === undefined || trace.places.some((place) => this.#where.book.has(place)))
      return;
    this.#ports.probe?.(address, trace.interface);
  }

  /** Something new whose hardware address the network could still tell: what it belongs to is better decided then. */
  #mustWait(trace: Trace, sighting: Sighting): boolean {
    const { probe } = this.#ports;
    const { identity, places } = trace;
    const [address] = sighting.addresses;
    const isOpen = isAnnounced(trace) && !places.some((place) => this.#where.book.has(place));
    if (!isOpen || probe === undefined || (address !== undefined && !this.#where.book.knows(sighting.interface))) {
      this.#waiting.remove(identity);
      return false;
    }
    // Its address comes with its next word.
    if (address === undefined) return this.#waiting.add(identity, sighting, aMoment);
    if (!this.#waiting.hasAsked(identity)) probe(address, sighting.interface);
    return this.#waiting.add(identity, sighting, patience);
  }

  /**
   * Somebody else is at this place now, or is known there for the first time: what was just heard there is to be looked at again, and what is now wrong in
   * its device is taken out. All of that goes first: else one wrong thing would hold the other.
   */
  #loosen(place: string): Loose[] {
    const { clock, registry } = this.#ports;
    const now = clock.monotonic();
    const again: Loose[] = [];
    for (const live of this.#where.live.at(place)) {
      const { trace, heardAt } = live;
      const device = registry.index.of(trace.identity);
      const member = device?.kept.members.find(({ identity }) => identity === trace.identity);
      const isStray = trace.source === "neighbours" && member?.by === "beside";
      if (device === undefined || member === undefined || !(isAnnounced(trace) || isNameless(trace) || isStray))
        continue;
      const isYoung = member.by === "place" && clock.now() - member.since < doubtFor && now - heardAt < youngRowFor;
      const macs = this.#where.macsOf(trace);
      // Nothing was known of where it is, or it is at one place more.
      const isNowhere = live.macs.length === 0 && device.profile.macs.size === 0;
      const isFresh = isNowhere || now - heardAt < (live.macs.length === 0 ? besideFor : lateRowFor);
      const isMore = isFresh && live.macs.every((mac) => macs.includes(mac));
      if (!isYoung && !isStray && !isMore) continue;
      const isWrong = this.#isCorrected(device, member, trace, macs);
      if (isWrong && isStray)
        again.push(...this.members.takeOutMacs(device, macs).map((one) => ({ live: one, wrong: device })));
      else {
        if (isWrong) this.members.takeOut(device, member);
        again.push({ live, wrong: isWrong ? device : undefined });
      }
    }
    return again;
  }

  #placeAgain(loose: readonly Loose[]): void {
    for (const { live, wrong } of loose) {
      const to = this.place(live.trace, live.sighting, live.heardAt);
      if (wrong !== undefined && to !== undefined && wrong !== to)
        this.members.leftBehind(wrong, to, live.trace.identity);
    }
  }

  /** Is what this device says heard where the network has this hardware address, and not only behind it? True where nothing is heard. */
  #isHome(device: Device, mac: string): boolean {
    const heard = [...device.live.values()].filter(
      ({ trace }) => isAnnounced(trace) && trace.places.some((place) => this.#where.book.rowAt(place) === mac),
    );
    return heard.length === 0 || heard.some(({ trace }) => this.#where.macsOf(trace).includes(mac));
  }

  /** It belongs to its device only by its place, and the network has since said that somebody else is at this place, or its device somewhere else. */
  #isCorrected(device: Device, member: Member, trace: Trace, macs: readonly string[]): boolean {
    const isElsewhere = macs.length > 0 && !macs.some((mac) => device.profile.macs.has(mac));
    // Other ids, and somewhere else: another thing has taken its name.
    if (isElsewhere && isAnnounced(trace) && !keepsIds(trace, member)) return true;
    if (member.by === undefined) return false;
    if (trace.source === "neighbours") return member.by === "beside" && macs.some((mac) => !this.#isHome(device, mac));
    if (member.by === "beside") return device.profile.macs.size > 0 && isElsewhere;
    const joinedAt = macsOf(member);
    if (joinedAt.length === 0 || macs.some((mac) => joinedAt.includes(mac))) return false;
    const live = device.live.get(trace.identity);
    // Where nobody is known to be, nobody contradicts what was so before a start.
    if (macs.length === 0 && (live === undefined || !joinedAt.every((mac) => this.#where.book.isSomewhere(mac))))
      return false;
    const isSamePlace = live === undefined || trace.places.some((place) => live.trace.places.includes(place));
    return isSamePlace && this.#ports.clock.now() - member.since < doubtFor;
  }
}
