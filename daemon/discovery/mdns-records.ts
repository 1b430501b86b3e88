import type { Packet, Question, SrvAnswer, StringAnswer, TxtAnswer } from "dns-packet";
import type { Sighting } from "../../adapters/adapter.ts";
import { gatewayServiceType } from "../../tree/project-names.ts";
import { announcedId } from "../announce/names.ts";
import { mdnsHosts } from "./mdns-hosts.ts";
import { askable, hostName, instanceName, nameKey, pointsTo, serviceType, typesName } from "./mdns-names.ts";
import type { InstanceName } from "./mdns-names.ts";
import { textPairs } from "./mdns-text.ts";

/** The usual life of a record that is shared (RFC 6762 10), and here the longest: our own questions come round more often than that. */
const longestTtlS = 4500;
/** A record that lives shorter than this is not kept alive by questions: one device must not keep us asking. */
const refreshedTtlS = 60;
/** RFC 6762 5.2: when a record is asked for again, as shares of its life. */
const refreshShares = [0.8, 0.9, 0.95];
/** What an announcement left out is asked for at once, and again after so many ms. */
const missingGapsMs = [0, 1000, 3000];
const goodbyeMs = 1000;
const limits = { types: 64, typesOfSender: 16, unclear: 16 } as const;

interface Instance {
  readonly name: InstanceName;
  /** Who spoke of it last, by IPv4 and by IPv6: only these can say goodbye for it. */
  speakers: { readonly ipv4?: string; readonly ipv6?: string };
  heardAt: number;
  ttlS: number;
  until: number;
  host?: string;
  port?: number;
  text?: ReadonlyMap<string, string>;
  askAt: number;
  askedAt: number;
  /** How often what is missing was asked for. */
  tries: number;
  /** How often it was asked for since it was heard last. */
  refreshes: number;
}

/** What a packet said. */
export interface Taken {
  /** Every service that it says something of, new or not. */
  readonly seen: readonly Sighting[];
  /** Keys that it said goodbye for. */
  readonly left: readonly string[];
  /** Addresses of hosts that are not on this link although they were told of here: somebody repeats what was said elsewhere. */
  readonly elsewhere: readonly string[];
}

/**
 * What the packets of one interface say of services, by IPv4 and IPv6 alike: packets in, sightings and questions out. Holds no timer and no socket.
 * An instance lives as long as its PTR record, as in every browser. Where it is and what it says of itself is kept as long, although
 * SRV and A records live for two minutes only: this is a list of what is in the home and where it was last, not a resolver.
 */
export interface MdnsRecords {
  /**
   * Takes a response (RFC 6762 6, 8.3) that `sender` (an address without zone) sent to the group, at `now` ms on the monotonic clock.
   */
  take(packet: Pick<Packet, "answers" | "additionals">, sender: string, now: number): Taken;
  /** The questions that are due: what is missing of an instance, and instances that end soon. Counted as asked. */
  due(now: number): Question[];
  /** When the next question is due; Infinity for never. */
  nextDue(): number;
  /** Service types heard of. */
  types(): readonly string[];
  /** Answers known for that type that live long enough to be worth telling (RFC 6762 7.1). */
  known(service: string, now: number): StringAnswer[];
  forget(key: string): void;
}

export interface MdnsRecordsOptions {
  /** Name of the interface. */
  readonly on: string;
  /** Is this address one of a neighbour there? */
  readonly onLink: (address: string) => boolean;
  /** Is there room for this key of this sender? */
  readonly admits: (key: string, sender: string) => boolean;
  /** What announces this id is this gateway itself: no sighting. */
  readonly gatewayId?: string | undefined;
}

export function mdnsRecords({ on, onLink, admits, gatewayId }: MdnsRecordsOptions): MdnsRecords {
  const instances = new Map<string, Instance>();
  const hosts = mdnsHosts(onLink);
  const ourId = gatewayId === undefined ? undefined : announcedId(gatewayId);
  /** type -> who spoke of it first. */
  const types = new Map<string, string>();

  const learn = (record: StringAnswer, sender: string) => {
    const type = serviceType(record.data);
    if (type === undefined || types.has(type) || types.size >= limits.types) return;
    if ([...types.values()].filter((by) => by === sender).length < limits.typesOfSender) types.set(type, sender);
  };

  const takePointer = (record: StringAnswer, sender: string, now: number): Instance | undefined => {
    const name = instanceName(record.data);
    if (name === undefined || !pointsTo(record.name, name.service)) return undefined;
    let instance = instances.get(name.key);
    const ttlS = Math.min(record.ttl ?? 0, longestTtlS);
    if (ttlS === 0) {
      // RFC 6762 10.1: in a second. The questions that would keep it alive end here.
      if (instance === undefined || !speakersOf(instance).includes(sender)) return undefined;
      instance.ttlS = 0;
      instance.until = Math.min(instance.until, now + goodbyeMs);
      instance.askAt = Infinity;
      return instance;
    }
    if (instance === undefined) {
      if (!admits(name.key, sender) || (mayBeOurs(name) && !roomForUnclear(now))) return undefined;
      const fresh = { heardAt: now, ttlS, until: 0, askAt: Infinity, askedAt: 0, tries: 0, refreshes: 0 };
      instance = { name, speakers: {}, ...fresh };
      instances.set(name.key, instance);
    }
    instance.speakers = { ...instance.speakers, [sender.includes(":") ? "ipv6" : "ipv4"]: sender };
    instance.heardAt = now;
    instance.ttlS = ttlS;
    instance.until = now + ttlS * 1000;
    instance.refreshes = 0;
    return instance;
  };

  const takeLocation = (record: SrvAnswer): Instance | undefined => {
    const instance = instances.get(nameKey(record.name));
    if (instance === undefined || record.ttl === 0) return undefined;
    const host = record.data.target.toLowerCase();
    if (instance.host !== host) {
      const before = instance.host;
      instance.host = host;
      hosts.add(host);
      dropHost(before);
    }
    instance.port = record.data.port;
    return instance;
  };

  const takeText = (record: TxtAnswer): Instance | undefined => {
    const instance = instances.get(nameKey(record.name));
    if (instance === undefined || record.ttl === 0) return undefined;
    instance.text = textPairs(record.data);
    return instance;
  };

  const dropHost = (host: string | undefined) => {
    if (host === undefined) return;
    for (const instance of instances.values()) if (instance.host === host) return;
    hosts.drop(host);
  };

  /** The questions for what is not known of it. */
  const missing = ({ name, host, text }: Instance): Question[] => {
    const questions: Question[] = [];
    if (host === undefined) questions.push({ name: name.full, type: "SRV" });
    if (text === undefined) questions.push({ name: name.full, type: "TXT" });
    if (questions.length > 0 && !askable(name.full, name)) return [typeQuestion(name.service)];
    if (host?.endsWith(".local") === true && hosts.lacks(host) && askable(host))
      questions.push({ name: host, type: "A" }, { name: host, type: "AAAA" });
    return questions;
  };

  const plan = (instance: Instance, now: number) => {
    if (instance.ttlS === 0) return;
    if (missing(instance).length === 0) instance.tries = 0;
    else {
      const gap = missingGapsMs[instance.tries];
      if (gap !== undefined) {
        instance.askAt = instance.tries === 0 ? now : instance.askedAt + gap;
        return;
      }
    }
    const share = refreshShares[instance.refreshes];
    const ends = share === undefined || instance.ttlS < refreshedTtlS;
    instance.askAt = ends ? Infinity : instance.heardAt + share * instance.ttlS * 1000;
  };

  const forget = (key: string) => {
    const instance = instances.get(key);
    if (instance === undefined) return;
    instances.delete(key);
    dropHost(instance.host);
  };

  /** Until its text is known it cannot be told whether it is another gateway or this one. */
  const mayBeOurs = ({ service }: InstanceName) => ourId !== undefined && service === gatewayServiceType;
  const isUnclear = ({ name, text }: Instance) => text === undefined && mayBeOurs(name);
  const isOurs = ({ name, text }: Instance) => mayBeOurs(name) && text?.get("id") === ourId;

  /** Of these nobody but this table knows: it forgets them itself. */
  const roomForUnclear = (now: number): boolean => {
    const unclear = [...instances.values()].filter(isUnclear);
    for (const { name, until } of unclear) if (until <= now) forget(name.key);
    return unclear.length < limits.unclear;
  };

  const addressesOf = (instance: Instance): readonly string[] => {
    const { host } = instance;
    return host === undefined || hosts.lacks(host) ? speakersOf(instance) : hosts.addresses(host, speakersOf(instance));
  };

  const sighting = (instance: Instance): Sighting => {
    const { name, host, port, text, until } = instance;
    const runsOn = host === undefined ? undefined : hostName(host);
    return {
      source: "mdns",
      key: name.key,
      name: name.label,
      addresses: addressesOf(instance),
      ...(port !== undefined && port > 0 && { port }),
      service: name.service,
      text: text ?? noText,
      interface: on,
      expires: until,
      ...(runsOn !== undefined && { host: runsOn }),
    };
  };

  return {
    take(packet, sender, now) {
      // Within a packet the order is free: the instances first, then what is said of them, then where their hosts are.
      const records = [...(packet.answers ?? []), ...(packet.additionals ?? [])].filter(
        (record) => "class" in record && record.class === "IN",
      );
      const touched = new Set<Instance>();
      const left: string[] = [];
      const touch = (instance: Instance | undefined) => instance !== undefined && touched.add(instance);
      for (const record of records) {
        if (record.type !== "PTR") continue;
        if (record.name.toLowerCase() === typesName) learn(record, sender);
        else touch(takePointer(record, sender, now));
      }
      const changedHosts = new Set<string>();
      for (const record of records) {
        if (record.type === "SRV") touch(takeLocation(record));
        else if (record.type === "TXT") touch(takeText(record));
      }
      for (const record of records) {
        if (record.type !== "A" && record.type !== "AAAA") continue;
        const host = hosts.take(record, now);
        if (host !== undefined) changedHosts.add(host);
      }
      if (changedHosts.size > 0)
        for (const instance of instances.values())
          if (instance.host !== undefined && changedHosts.has(instance.host)) touch(instance);

      const seen: Sighting[] = [];
      const elsewhere = new Set<string>();
      for (const instance of touched) {
        plan(instance, now);
        if (isOurs(instance)) forget(instance.name.key);
        else if (instance.ttlS === 0) left.push(instance.name.key);
        else if (!isUnclear(instance)) {
          seen.push(sighting(instance));
          if (instance.host !== undefined && changedHosts.has(instance.host))
            for (const address of hosts.elsewhere(instance.host, speakersOf(instance))) elsewhere.add(address);
        }
      }
      return { seen, left, elsewhere: [...elsewhere] };
    },
    due(now) {
      const questions = new Map<string, Question>();
      for (const instance of instances.values()) {
        if (instance.askAt > now) continue;
        const lacking = instance.tries < missingGapsMs.length ? missing(instance) : [];
        if (lacking.length > 0) instance.tries++;
        else instance.refreshes++;
        instance.askedAt = now;
        const wanted = lacking.length > 0 ? lacking : [typeQuestion(instance.name.service)];
        for (const question of wanted) questions.set(`${question.type} ${question.name.toLowerCase()}`, question);
        plan(instance, now);
      }
      return [...questions.values()];
    },
    nextDue() {
      let next = Infinity;
      for (const { askAt } of instances.values()) next = Math.min(next, askAt);
      return next;
    },
    types: () => [...types.keys()],
    known(service, now) {
      const answers: StringAnswer[] = [];
      for (const { name, ttlS, until } of instances.values()) {
        const leftS = Math.floor((until - now) / 1000);
        if (name.service !== service || leftS <= ttlS / 2 || !askable(name.full, name)) continue;
        answers.push({ type: "PTR", name: `${service}.local`, ttl: leftS, data: name.full });
      }
      return answers;
    },
    forget,
  };
}

const noText: ReadonlyMap<string, string> = new Map();

/** Addresses that it was spoken from, IPv4 first: where it is as long as no address record says better. */
function speakersOf({ speakers: { ipv4, ipv6 } }: Instance): readonly string[] {
  return [...(ipv4 === undefined ? [] : [ipv4]), ...(ipv6 === undefined ? [] : [ipv6])];
}

export function typeQuestion(service: string): Question {
  return { name: `${service}.local`, type: "PTR" };
}
