import type { Packet, Question, SrvAnswer, StringAnswer, TxtAnswer } from "dns-packet";
import type { Sighting } from "../../adapters/adapter.ts";
import { onLan } from "../lan.ts";
import type { LanInterface } from "../lan.ts";
import { askable, instanceName, serviceType, typesName } from "./mdns-names.ts";
import type { InstanceName } from "./mdns-names.ts";
import { escaped, printable } from "./text.ts";

/** The usual life of a record that is shared (RFC 6762 10), and here the longest: our own questions come round more often than that. */
const longestTtlS = 4500;
/** A record that lives shorter than this is not kept alive by questions: one device must not keep us asking. */
const refreshedTtlS = 60;
/** RFC 6762 5.2: when a record is asked for again, as shares of its life. */
const refreshShares = [0.8, 0.9, 0.95];
/** What an announcement left out is asked for at once, and again after so many ms. */
const missingGapsMs = [0, 1000, 3000];
/** RFC 6762 10.2: addresses that came within this time belong to one announcement. */
const flushGraceMs = 1000;
const goodbyeMs = 1000;
const limits = { types: 64, typesOfSender: 16, addresses: 8, pairs: 32, value: 255 } as const;

interface Instance {
  readonly name: InstanceName;
  /** Who spoke of it last: only that one can say goodbye for it. */
  sender: string;
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

/**
 * What the packets of one link say of services: packets in, sightings and questions out. Holds no timer and no socket.
 * An instance lives as long as its PTR record, as in every browser. Where it is and what it says of itself is kept as long, although
 * SRV and A records live for two minutes only: this is a list of what is in the home and where it was last, not a resolver.
 */
export interface MdnsRecords {
  /**
   * Takes a response (RFC 6762 6, 8.3) that `sender` sent to the group, at `now` ms on the monotonic clock.
   * Every service it says something of is among the sightings, new or not; `left` are keys it said goodbye for.
   */
  take(
    packet: Pick<Packet, "answers" | "additionals">,
    sender: string,
    now: number,
  ): { readonly seen: readonly Sighting[]; readonly left: readonly string[] };
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

/** `admits`: is there room for this key of this sender? */
export function mdnsRecords(lan: LanInterface, admits: (key: string, sender: string) => boolean): MdnsRecords {
  const instances = new Map<string, Instance>();
  /** Of the targets of instances: address -> when it was heard. */
  const hosts = new Map<string, Map<string, number>>();
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
      if (instance?.sender !== sender) return undefined;
      instance.ttlS = 0;
      instance.until = Math.min(instance.until, now + goodbyeMs);
      instance.askAt = Infinity;
      return instance;
    }
    if (instance === undefined) {
      if (!admits(name.key, sender)) return undefined;
      const fresh = { heardAt: now, ttlS, until: 0, askAt: Infinity, askedAt: 0, tries: 0, refreshes: 0 };
      instance = { name, sender, ...fresh };
      instances.set(name.key, instance);
    }
    instance.sender = sender;
    instance.heardAt = now;
    instance.ttlS = ttlS;
    instance.until = now + ttlS * 1000;
    instance.refreshes = 0;
    return instance;
  };

  const takeLocation = (record: SrvAnswer): Instance | undefined => {
    const instance = instances.get(record.name.toLowerCase());
    if (instance === undefined || record.ttl === 0) return undefined;
    const host = record.data.target.toLowerCase();
    if (instance.host !== host) {
      const before = instance.host;
      instance.host = host;
      if (!hosts.has(host)) hosts.set(host, new Map());
      dropHost(before);
    }
    instance.port = record.data.port;
    return instance;
  };

  const takeText = (record: TxtAnswer): Instance | undefined => {
    const instance = instances.get(record.name.toLowerCase());
    if (instance === undefined || record.ttl === 0) return undefined;
    instance.text = textPairs(record.data);
    return instance;
  };

  /** @returns the host whose addresses it may have changed. */
  const takeAddress = (record: StringAnswer, now: number): string | undefined => {
    const host = record.name.toLowerCase();
    const addresses = hosts.get(host);
    if (addresses === undefined) return undefined;
    const colon = record.type === "AAAA";
    if (record.flush === true)
      for (const [address, heardAt] of addresses)
        if (address.includes(":") === colon && now - heardAt > flushGraceMs) addresses.delete(address);
    if (record.ttl === 0) addresses.delete(record.data);
    else if (onLan(record.data, [lan]) && (addresses.has(record.data) || addresses.size < limits.addresses))
      addresses.set(record.data, now);
    return host;
  };

  const dropHost = (host: string | undefined) => {
    if (host === undefined) return;
    for (const instance of instances.values()) if (instance.host === host) return;
    hosts.delete(host);
  };

  /** The questions for what is not known of it. */
  const missing = ({ name, host, text }: Instance): Question[] => {
    const questions: Question[] = [];
    if (host === undefined) questions.push({ name: name.full, type: "SRV" });
    if (text === undefined) questions.push({ name: name.full, type: "TXT" });
    if (questions.length > 0 && !askable(name.full, name)) return [typeQuestion(name.service)];
    if (host?.endsWith(".local") === true && hosts.get(host)?.size === 0 && askable(host))
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

  const sighting = ({ name, sender, host, port, text, until }: Instance): Sighting => {
    const addresses = [...((host !== undefined && hosts.get(host)?.keys()) || [])];
    const first = addresses.length === 0 || addresses.includes(sender) ? [sender] : [];
    return {
      source: "mdns",
      key: name.key,
      name: name.label,
      addresses: [...first, ...addresses.filter((address) => address !== sender)],
      ...(port !== undefined && port > 0 && { port }),
      service: name.service,
      text: text ?? noText,
      interface: lan.name,
      expires: until,
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
        const host = takeAddress(record, now);
        if (host !== undefined) changedHosts.add(host);
      }
      if (changedHosts.size > 0)
        for (const instance of instances.values())
          if (instance.host !== undefined && changedHosts.has(instance.host)) touch(instance);

      const seen: Sighting[] = [];
      for (const instance of touched) {
        plan(instance, now);
        if (instance.ttlS === 0) left.push(instance.name.key);
        else seen.push(sighting(instance));
      }
      return { seen, left };
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
    forget(key) {
      const instance = instances.get(key);
      if (instance === undefined) return;
      instances.delete(key);
      dropHost(instance.host);
    },
  };
}

const noText: ReadonlyMap<string, string> = new Map();

export function typeQuestion(service: string): Question {
  return { name: `${service}.local`, type: "PTR" };
}

/** Does a PTR record of this name list instances of the service: the type itself, or a subtype of it (RFC 6763 7.1)? */
function pointsTo(owner: string, service: string): boolean {
  const lower = owner.toLowerCase();
  return lower === `${service}.local` || lower.endsWith(`._sub.${service}.local`);
}

/** RFC 6763 6: names without regard to case, the first of each; a name without a value is "". */
function textPairs(data: string | Buffer | (string | Buffer)[]): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  for (const part of Array.isArray(data) ? data : [data]) {
    if (pairs.size >= limits.pairs) break;
    const octets = typeof part === "string" ? Buffer.from(part) : part;
    const equals = octets.indexOf(0x3d);
    const name = printable(
      octets.toString("latin1", 0, equals < 0 ? octets.length : equals),
      limits.value,
    ).toLowerCase();
    if (name !== "" && !pairs.has(name))
      pairs.set(name, equals < 0 ? "" : escaped(octets.subarray(equals + 1), limits.value));
  }
  return pairs;
}
