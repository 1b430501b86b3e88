import type { Facts } from "../../adapters/adapter.ts";
import { inWords, isJunk, isMadeUp, keyOf } from "./clues.ts";
import type { Clue, ClueKey } from "./clues.ts";
import type { Profile } from "./profile.ts";
import type { Trace } from "./traces.ts";

/** A device, as far as the decision needs to know it. */
export interface Candidate {
  readonly id: string;
  readonly profile: Profile;
  readonly kept: {
    readonly facts: Facts;
    /** Given by a person. */
    readonly name?: string;
    readonly approved?: true;
    readonly ignored?: true;
    readonly given?: readonly string[];
    readonly decisions?: readonly unknown[];
    /** Devices that a person parted from it. */
    readonly apart?: readonly string[];
    readonly faces: readonly unknown[];
  };
}

/** What is known of a trace when its device is looked for. */
export interface Question<C extends Candidate> {
  readonly trace: Trace;
  /** Hardware addresses that the network has where the trace is. */
  readonly macs: readonly string[];
  /** The device that a person gave it to. */
  readonly given: C | undefined;
  /**
   * The device that it belongs to until now. `firmly`: it was there before for its own sake, not only because of where it was. `rest`: what the device is
   * without it: what it said itself is no witness for it.
   */
  readonly now:
    | {
        readonly device: C;
        readonly firmly: boolean;
        readonly rest: Profile;
        /** The network had it at a hardware address of this device, or its ids are those of others there too. */
        readonly anchored: boolean;
      }
    | undefined;
  /** It says the same ids as before, or had none: it is not another thing that took its name. */
  readonly keepsIds: boolean;
  /** Devices that the traces, which this one was made from, belong to. */
  readonly followed: readonly C[];
  /** Devices that share a clue with it. */
  readonly sharing: Iterable<C>;
  /** Devices of other traces that were heard at the same place lately. `unplaced`: the network has no hardware address for those. */
  readonly beside: readonly { readonly device: C; readonly unplaced: boolean }[];
  /** Devices of other mDNS services that have its host name on its link now. */
  readonly sameHost: readonly C[];
  /** Has nobody heard this device lately where its own hardware addresses are? */
  readonly quiet: (device: C) => boolean;
  /** Is nothing of this device where its own hardware addresses are? */
  readonly absent: (device: C) => boolean;
}

export interface Verdict<C> {
  /** undefined: a new device. */
  readonly to: C | undefined;
  /** Devices that this trace proves to be the same as `to`. */
  readonly same: readonly C[];
  /** Sentences for a person. */
  readonly because: readonly string[];
  /** Only where it is has decided, not what it says: if the network corrects itself soon, so do we. before: nothing but that it was there already. */
  readonly by: "place" | "beside" | "before" | undefined;
}

/** Which of several that all are good enough goes first. */
const ranks = { followed: 7, place: 6, firm: 5, id: 4, claimedMac: 3, looks: 2, beside: 1, loose: 0 } as const;

const decidedBy: ReadonlyMap<number, "place" | "beside" | "before"> = new Map([
  [ranks.place, "place"],
  [ranks.beside, "beside"],
  [ranks.firm, "before"],
  [ranks.loose, "before"],
]);

/** Points; 100 are enough. Data of the decision, as the README has it. */
const points = {
  enough: 100,
  strong: 100,
  /** A claimed hardware address, when the network has another one for the same thing: perhaps its other network port. */
  claimedElsewhere: 60,
  serial: 80,
  /** The same serial number at two hardware addresses that were built in: two devices, most often. */
  serialElsewhere: 30,
  alike: 20,
  hostName: 30,
} as const;

interface Score<C> {
  readonly device: C;
  readonly points: number;
  readonly rank: number;
  readonly because: readonly string[];
}

/**
 * Decides which device a trace belongs to. A person's word goes first; then where the network has it; then what it says of itself. Strong clues decide
 * alone, weak ones only together. Pure: the same question gets the same answer.
 */
export function decide<C extends Candidate>(question: Question<C>): Verdict<C> {
  const { given, now, sharing, beside, followed } = question;
  if (given !== undefined) return { to: given, same: [], because: ["a person decided so"], by: undefined };
  const candidates = new Set<C>([...followed, ...sharing, ...question.sameHost, ...beside.map(({ device }) => device)]);
  if (now !== undefined) candidates.add(now.device);
  const good = [...candidates]
    .map((device) => score(question, device))
    .filter((one) => one.points >= points.enough)
    .sort((a, b) => b.rank - a.rank || b.points - a.points || numberOf(a.device) - numberOf(b.device));
  const [best] = good;
  if (best === undefined) {
    if (now === undefined)
      return {
        to: undefined,
        same: [],
        because: ["it was the first to be seen: nothing known had anything in common with it"],
        by: undefined,
      };
    return { to: now.device, same: [], because: [], by: "before" };
  }
  const same = good
    .slice(1)
    .filter(({ device, rank }) => rank > ranks.beside && mayBeOne(question, best.device, device))
    .map(({ device }) => device);
  // Anyone can announce another's hardware address: it holds until the network shows where the announcer is.
  const { source } = question.trace;
  const isClaim = best.rank === ranks.claimedMac && (source === "mdns" || source === "ssdp");
  const by = isClaim ? "beside" : decidedBy.get(best.rank);
  return { to: best.device, same, because: best.because, by };
}

function score<C extends Candidate>(question: Question<C>, device: C): Score<C> {
  const { trace, macs, now, followed, beside } = question;
  const profile = now?.device === device ? now.rest : device.profile;
  const because: string[] = [];
  let sum = 0;
  let rank: number = ranks.loose;
  const add = (more: number, ofRank: number, sentence: string) => {
    sum += more;
    if (more >= points.strong) rank = Math.max(rank, ofRank);
    because.push(sentence);
  };

  if (followed.includes(device)) add(points.strong, ranks.followed, "it was made from a sighting that belongs here");
  const placed = macs.filter((mac) => profile.macs.has(mac));
  const atPlace = placed.length > 0;
  for (const mac of placed)
    add(points.strong, ranks.place, `the network has it at the hardware address ${mac}, as this device`);
  const clash = !atPlace && serialClash(trace, profile, device.kept.facts);
  const elsewhere = !atPlace && builtInElsewhere(macs, profile);
  const own = trace.clues.filter((clue) => !isJunk(clue));

  for (const clue of clash ? [] : own) {
    const key = keyOf(clue);
    if (clue.kind === "mac" || clue.kind === "serial" || clue.kind === "host-name") continue;
    if (profile.ids.has(key)) add(points.strong, ranks.id, `it has the same ${inWords(clue)}`);
  }
  for (const mac of clash ? [] : claimed(own, macs, profile)) {
    add(
      elsewhere ? points.claimedElsewhere : points.strong,
      ranks.claimedMac,
      `it says that its hardware address is ${mac}, which is this device's`,
    );
  }
  const serial = own.find(({ kind, value }) => kind === "serial" && profile.serials.has(value));
  if (serial !== undefined && !clash && !otherMaker(trace.facts, device.kept.facts)) {
    add(elsewhere ? points.serialElsewhere : points.serial, ranks.looks, `it has the same ${inWords(serial)}`);
    if (looksAlike(trace.facts, device.kept.facts)) add(points.alike, ranks.looks, "it is of the same maker and model");
  }
  const host = own.find(({ kind, value }) => kind === "host-name" && profile.hosts.has(value));
  if (host !== undefined && !clash) {
    if (changesItsAddress(macs, profile) && question.quiet(device)) {
      add(
        points.strong,
        ranks.looks,
        `it has the same ${inWords(host)}, and makes up its hardware addresses; the last one is quiet`,
      );
    } else if (question.sameHost.includes(device))
      add(points.strong, ranks.looks, `it has the same ${inWords(host)} on the same network now`);
    else add(points.hostName, ranks.looks, `it has the same ${inWords(host)}`);
  }
  const next = beside.find((one) => one.device === device);
  if (next !== undefined && !clash && (macs.length === 0 || next.unplaced)) {
    add(points.strong, ranks.beside, "it is heard at the same address");
  }
  if (now?.device === device && now.firmly && !(clash && macs.length > 0)) {
    const isNamed = trace.clues.some((clue) => clue.kind === "host-name" && !isJunk(clue));
    if (isNamed && changesItsAddress(macs, profile) && question.quiet(device))
      add(points.strong, ranks.looks, "it makes up its hardware addresses, and the last one is quiet");
    add(points.strong, isOnlyName(question) ? ranks.loose : ranks.firm, "it was this device before");
  }
  if (sum >= points.enough && rank === ranks.loose && now?.device !== device) rank = ranks.looks;
  return { device, points: sum, rank, because };
}

/** Do both have serial numbers, other ones, and could be of the same make? */
function serialClash(trace: Trace, profile: Profile, facts: Facts): boolean {
  const serials = trace.clues.filter((clue) => clue.kind === "serial" && !isJunk(clue));
  if (serials.length === 0 || profile.serials.size === 0 || otherMaker(trace.facts, facts)) return false;
  return !serials.some(({ value }) => profile.serials.has(value));
}

function otherMaker(a: Facts, b: Facts): boolean {
  return a.maker !== undefined && b.maker !== undefined && a.maker.toLowerCase() !== b.maker.toLowerCase();
}

function looksAlike(a: Facts, b: Facts): boolean {
  return a.maker !== undefined && a.maker === b.maker && a.model !== undefined && a.model === b.model;
}

/** Has the network both, at hardware addresses that were built in, and no common one? Those that a device makes up say nothing by being others. */
function builtInElsewhere(macs: readonly string[], profile: Profile): boolean {
  return macs.some((mac) => !isMadeUp(mac)) && [...profile.macs].some((mac) => !isMadeUp(mac));
}

function claimed(own: readonly Clue[], macs: readonly string[], profile: Profile): string[] {
  const said = own.filter(({ kind, said }) => kind === "mac" && said === "device").map(({ value }) => value);
  return [
    ...new Set([
      ...said.filter((mac) => profile.macs.has(mac) || profile.claimedMacs.has(mac)),
      ...macs.filter((mac) => profile.claimedMacs.has(mac)),
    ]),
  ].filter((mac) => !(macs.includes(mac) && profile.macs.has(mac)));
}

function changesItsAddress(macs: readonly string[], profile: Profile): boolean {
  return macs.length > 0 && macs.every(isMadeUp) && profile.macs.size > 0 && [...profile.macs].every(isMadeUp);
}

/** Only its name says what it is; two things can have it one after the other. */
function isOnlyName({ trace, keepsIds }: Pick<Question<Candidate>, "trace" | "keepsIds">): boolean {
  return (trace.source === "mdns" || trace.source === "ssdp") && !(keepsIds && hasId(trace));
}

/** Does it say something that only one thing says? */
export function hasId(trace: Trace): boolean {
  return trace.clues.some(
    (clue) => clue.kind !== "host-name" && clue.kind !== "serial" && clue.said === "device" && !isJunk(clue),
  );
}

/**
 * A trace fits two devices: are they one? Not if a person said otherwise, if their serial numbers differ, or if each has ids of its own that the other one has
 * not: then the trace has only moved from one to the other. A device that the network has nowhere yet, and one of which only its place is known, say nothing against it.
 */
function mayBeOne<C extends Candidate>(question: Question<C>, a: C, b: C): boolean {
  const { macs, now } = question;
  if (areApart(a, b) || (isDecided(a) && isDecided(b))) return false;
  // Nobody's device disappears because a thing that somebody does not want to see looks like it.
  if ((a.kept.ignored === true && b.kept.faces.length > 0) || (b.kept.ignored === true && a.kept.faces.length > 0))
    return false;
  const [first, second] = [a.profile, b.profile];
  const serials = first.serials.size > 0 && second.serials.size > 0 && !otherMaker(a.kept.facts, b.kept.facts);
  if (serials && ![...first.serials].some((serial) => second.serials.has(serial))) return false;
  const isPlaced = first.macs.size > 0 && second.macs.size > 0;
  // Both are there, and are called by other names: two things with one id.
  const differ =
    first.names.size > 0 && second.names.size > 0 && ![...first.names].some((name) => second.names.has(name));
  if (isPlaced && differ && !question.absent(a) && !question.absent(b)) return false;
  if (now !== undefined && !now.anchored && isPlaced && (a === now.device || b === now.device)) return false;
  if (isOnlyName(question) && isPlaced) {
    // A name that two can have at different times joins nothing, unless it is at both places at the same time, and both have its host's name.
    const madeUp = [...first.macs, ...second.macs].every(isMadeUp);
    const atBoth = macs.some((mac) => first.macs.has(mac)) && macs.some((mac) => second.macs.has(mac));
    const sameHost = [...first.hosts].some((host) => second.hosts.has(host));
    if (!madeUp && !(sameHost && atBoth)) return false;
  }
  if (first.macs.size === 0 || second.macs.size === 0) return true;
  return isWithin(first.ownIds, second.ownIds) || isWithin(second.ownIds, first.ownIds);
}

/** Has a person said anything of it? */
export function isDecided({ kept: { name, approved, given, ignored, decisions } }: Pick<Candidate, "kept">): boolean {
  return [name, approved, given, ignored, decisions].some((one) => one !== undefined);
}

/** Has a person parted them? */
export function areApart(a: Candidate, b: Candidate): boolean {
  return a.kept.apart?.includes(b.id) === true || b.kept.apart?.includes(a.id) === true;
}

function isWithin(inner: ReadonlySet<ClueKey>, outer: ReadonlySet<ClueKey>): boolean {
  for (const key of inner) if (!outer.has(key)) return false;
  return true;
}

function numberOf({ id }: Candidate): number {
  return Number(id.slice(1));
}
