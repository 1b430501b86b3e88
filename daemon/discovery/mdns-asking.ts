import type { Question } from "dns-packet";
import { askable } from "./mdns-names.ts";
import type { InstanceName } from "./mdns-names.ts";

/** A record that lives shorter than this is not kept alive by questions: one device must not keep us asking. */
const refreshedTtlS = 60;
/** RFC 6762 5.2: when a record is asked for again, as shares of its life. */
const refreshShares = [0.8, 0.9, 0.95];
/** What an announcement left out is asked for at once, and again after so many ms. */
const missingGapsMs = [0, 1000, 3000];
/** What is asked for is answered within this, or not at all. */
const answerMs = 1000;

/** A service of which packets have told. */
export interface Instance {
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
  /** Asked for its addresses, nobody has told one. */
  unanswered: boolean;
}

export function freshInstance(name: InstanceName): Instance {
  const life = { heardAt: 0, ttlS: 0, until: 0 };
  return { name, speakers: {}, ...life, askAt: Infinity, askedAt: 0, tries: 0, refreshes: 0, unanswered: false };
}

/** Addresses that it was spoken from, IPv4 first: where it is as long as no address record says better. */
export function speakersOf({ speakers: { ipv4, ipv6 } }: Instance): readonly string[] {
  return [...(ipv4 === undefined ? [] : [ipv4]), ...(ipv6 === undefined ? [] : [ipv6])];
}

/** When what is asked: what an announcement left out, and what nears its end. */
export interface MdnsAsking {
  /** The questions for what is not known of it. */
  missing(instance: Instance): readonly Question[];
  /** Something was said of it: when is it asked for next? */
  plan(instance: Instance, now: number): void;
  /** The questions that are due of these, each once; counted as asked. */
  due(instances: Iterable<Instance>, now: number): Question[];
  /** When it is clear that nobody tells its addresses; Infinity: it is known already, or somebody has, or may yet. */
  givenUpAt(instance: Instance): number;
}

/** `lacks`: is no address known of this host? */
export function mdnsAsking(lacks: (host: string) => boolean): MdnsAsking {
  /** The questions for what is not known of it. */
  const missing = ({ name, host, text }: Instance): Question[] => {
    const questions: Question[] = [];
    if (host === undefined) questions.push({ name: name.full, type: "SRV" });
    if (text === undefined) questions.push({ name: name.full, type: "TXT" });
    if (questions.length > 0 && !askable(name.full, name)) return [typeQuestion(name.service)];
    if (host?.endsWith(".local") === true && lacks(host) && askable(host))
      questions.push({ name: host, type: "A" }, { name: host, type: "AAAA" });
    return questions;
  };

  const plan = (instance: Instance, now: number) => {
    if (instance.ttlS === 0) return;
    if (missing(instance).length === 0) {
      instance.tries = 0;
      instance.unanswered = false;
    } else {
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

  return {
    missing,
    plan,
    due(instances, now) {
      const questions = new Map<string, Question>();
      for (const instance of instances) {
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
    givenUpAt(instance) {
      const { host, ttlS, tries, askedAt, unanswered } = instance;
      const asked = tries >= missingGapsMs.length && (host === undefined || lacks(host));
      return ttlS > 0 && asked && !unanswered ? askedAt + answerMs : Infinity;
    },
  };
}

export function typeQuestion(service: string): Question {
  return { name: `${service}.local`, type: "PTR" };
}
