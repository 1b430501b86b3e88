import type { Packet, Question, SrvAnswer, StringAnswer, TxtAnswer } from "dns-packet";
import type { Sighting } from "../../adapters/adapter.ts";
import { gatewayServiceType } from "../../tree/project-names.ts";
import { announcedId } from "../announce/names.ts";
import { freshInstance, mdnsAsking, speakersOf } from "./mdns-asking.ts";
import type { Instance } from "./mdns-asking.ts";
import { mdnsHosts } from "./mdns-hosts.ts";
import { askable, hostName, instanceName, nameKey, pointsTo, typesName } from "./mdns-names.ts";
import type { InstanceName } from "./mdns-names.ts";
import { textPairs } from "./mdns-text.ts";
import { mdnsTypes } from "./mdns-types.ts";

/** The usual life of a record that is shared (RFC 6762 10), and here the longest: our own questions come round more often than that. */
const longestTtlS = 4500;
const goodbyeMs = 1000;
/** Of gateways that have not said yet which they are. */
const unclearAtMost = 16;

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
  /** Services whose addresses were asked for in vain: they are now where they were spoken from. Each is told once. */
  unanswered(now: number): readonly Sighting[];
  /** When the next question is due, or one is unanswered; Infinity for never. */
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
  const types = mdnsTypes();
  const asking = mdnsAsking((host) => hosts.lacks(host));

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
      instance = freshInstance(name);
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
    return unclear.length < unclearAtMost;
  };

  const addressesOf = (instance: Instance): readonly string[] => {
    const { host, unanswered } = instance;
    if (host !== undefined && !hosts.lacks(host)) return hosts.addresses(host, speakersOf(instance));
    // Who speaks may be a reflector. It counts as the thing itself only when there is nobody to say better.
    return unanswered || asking.missing(instance).length === 0 ? speakersOf(instance) : [];
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
        if (record.name.toLowerCase() === typesName) types.learn(record.data, sender);
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
        asking.plan(instance, now);
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
    due: (now) => asking.due(instances.values(), now),
    unanswered(now) {
      const seen: Sighting[] = [];
      for (const instance of instances.values()) {
        if (asking.givenUpAt(instance) > now) continue;
        instance.unanswered = true;
        if (!isUnclear(instance)) seen.push(sighting(instance));
      }
      return seen;
    },
    nextDue() {
      let next = Infinity;
      for (const instance of instances.values()) next = Math.min(next, instance.askAt, asking.givenUpAt(instance));
      return next;
    },
    types: () => types.list(),
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
