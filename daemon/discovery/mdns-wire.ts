import type { Packet, Question, StringAnswer } from "dns-packet";
import { onLan } from "../lan.ts";
import type { LanInterface } from "../lan.ts";
import { typeQuestion } from "./mdns-asking.ts";
import type { Ear, From } from "./mdns-ears.ts";
import { homeTypes, typesName } from "./mdns-names.ts";
import { mdnsRecords } from "./mdns-records.ts";
import type { SourceIo } from "./source.ts";

/** Of ours: within any MTU. */
const roomForQuestions = 1200;
/** RFC 6762 5.2: the first question waits a little, the gaps then grow to an hour. */
const firstGapMs = 1000;
const gapGrowth = 3;
const lastGapMs = 3_600_000;
/** The first questions come too soon after the opening for the link to have been lost. */
const renewGapMs = 20_000;
/** Whatever we are told: questions that it leads to are not closer together than this. */
const tickGapMs = 100;

/**
 * What is asked and heard on one interface, over all its links: an interface with IPv4 and IPv6, or with two addresses, is one wire to the things
 * that hang on it. A service that is heard on two of its links is one sighting.
 */
export interface Wire {
  /** The links that are open on it. */
  readonly lans: Set<LanInterface>;
  /** Questions go out by this ear too from now on. */
  add(ear: Ear): void;
  remove(ear: Ear): void;
  /** Takes a response. @returns addresses of hosts that are not on this wire although they were told of here. */
  take(packet: Packet, from: From): readonly string[];
  forget(key: string): void;
  /** After it no question goes out. */
  stop(): void;
}

export function openWire(io: SourceIo, on: string): Wire {
  const { clock, random } = io;
  const lans = new Set<LanInterface>();
  const ears = new Set<Ear>();
  const { admits, gatewayId } = io;
  const records = mdnsRecords({ on, onLink: (address) => onLan(address, [...lans]), admits, gatewayId });
  let stopped = false;
  let cancel = () => {};
  let armedFor = Infinity;
  let gap = firstGapMs;
  let roundAt = Infinity;
  let tickedAt = -Infinity;
  const asked = new Set<string>();

  const send = (questions: readonly Question[]) => {
    for (const packet of packetsFor(questions, (service) => records.known(service, clock.monotonic())))
      for (const ear of ears) ear.ask({ ...packet });
  };

  const round = (now: number) => {
    roundAt = now + gap;
    gap = Math.min(gap * gapGrowth, lastGapMs);
    const services = new Set([...homeTypes, ...records.types()]);
    for (const service of services) asked.add(service);
    return [{ name: typesName, type: "PTR" } as const, ...[...services].map(typeQuestion)];
  };

  const tick = () => {
    armedFor = Infinity;
    const now = (tickedAt = clock.monotonic());
    const questions: Question[] = [];
    if (now >= roundAt) {
      if (gap >= renewGapMs) for (const ear of ears) ear.renew();
      questions.push(...round(now));
    }
    for (const sighting of records.unanswered(now)) io.seen(sighting, sighting.addresses[0] ?? "");
    questions.push(...records.due(now));
    // A type that was only just heard of is not left to the next round, which may be an hour away.
    for (const service of records.types()) {
      if (asked.has(service)) continue;
      asked.add(service);
      questions.push(typeQuestion(service));
    }
    send(questions);
    arm();
  };

  const arm = () => {
    const fresh = records.types().some((service) => !asked.has(service));
    const at = Math.max(fresh ? 0 : Math.min(roundAt, records.nextDue()), tickedAt + tickGapMs);
    if (stopped || at >= armedFor) return;
    cancel();
    armedFor = at;
    cancel = clock.after(Math.max(0, at - clock.monotonic()), tick);
  };

  return {
    lans,
    add(ear) {
      ears.add(ear);
      // Also for one that comes late: it has missed the first questions.
      gap = firstGapMs;
      roundAt = Math.min(roundAt, clock.monotonic() + 20 + random() * 100);
      arm();
    },
    remove: (ear) => void ears.delete(ear),
    take(packet, { address }) {
      const { seen, left, elsewhere } = records.take(packet, address, clock.monotonic());
      for (const sighting of seen) {
        // One packet may have told of more than there is room for.
        if (io.admits(sighting.key, address)) io.seen(sighting, address);
        else records.forget(sighting.key);
      }
      for (const key of left) io.left(key, on);
      arm();
      return elsewhere;
    },
    forget: (key) => records.forget(key),
    stop() {
      stopped = true;
      cancel();
    },
  };
}

/** The questions in as few packets as hold them, each PTR question with the answers that are known already, where they fit. */
export function packetsFor(
  questions: readonly Question[],
  known: (service: string) => readonly StringAnswer[],
): { readonly questions: Question[]; readonly answers: StringAnswer[] }[] {
  const packets: { questions: Question[]; answers: StringAnswer[]; size: number }[] = [];
  for (const question of questions) {
    const answers: StringAnswer[] = [];
    let size = Buffer.byteLength(question.name) + 6;
    const service = question.type === "PTR" ? question.name.replace(/\.local$/, "") : undefined;
    for (const answer of service === undefined ? [] : known(service)) {
      const more = Buffer.byteLength(answer.name) + Buffer.byteLength(answer.data) + 16;
      if (size + more > roomForQuestions) break;
      answers.push(answer);
      size += more;
    }
    let packet = packets.at(-1);
    if (packet === undefined || packet.size + size > roomForQuestions)
      packets.push((packet = { questions: [], answers: [], size: 12 }));
    packet.questions.push(question);
    packet.answers.push(...answers);
    packet.size += size;
  }
  return packets.map(({ questions, answers }) => ({ questions, answers }));
}
