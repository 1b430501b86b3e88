import type { Answer, Packet } from "dns-packet";
import type { Clock } from "../../tree/ports.ts";
import type { Ear, From } from "../discovery/mdns-ears.ts";
import { mdnsPort } from "../discovery/mdns-ears.ts";
import { answerQueue } from "./answer-queue.ts";
import type { OwnRecord, Zone } from "./mdns-zone.ts";
import { recordText } from "./mdns-zone.ts";
import type { OwnName } from "./naming.ts";
import { tieBreak } from "./tie-break.ts";

/** RFC 6762 8.1: three probes, a quarter of a second apart, after as much at random. */
const probes = 3;
const probeGapMs = 250;
/** RFC 6762 8.2: who lost to another that probes at the same time asks again when that one has, or has not, announced. */
const lostGapMs = 1000;
/** RFC 6762 8.3: announced twice, a second apart. */
const announceGapMs = 1000;
const limits = { questions: 64, records: 256 } as const;

export interface ResponderOptions {
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly ear: Pick<Ear, "ask" | "respond">;
  /** What is announced here, as it is now. */
  readonly zone: () => Zone;
  /**
   * Did this gateway ever announce this (a text of recordText), on whichever link? Whatever comes back from a reflector, or is heard on a second
   * link of one LAN, is no conflict.
   */
  readonly said: (text: string) => boolean;
  /** Somebody else has this full name: the gateway takes another one, everywhere, and each responder is restarted. */
  conflict(which: OwnName, fullName: string): void;
}

/** The gateway's own mDNS responder on one link and family (RFC 6762): probes, announces, answers, defends, and says goodbye. */
export interface Responder {
  query(packet: Packet, from: From): void;
  response(packet: Packet): void;
  /** Probes, then announces: at the opening, and whenever the names are new. After so many ms. */
  restart(afterMs?: number): void;
  /** The addresses have changed. */
  changed(): void;
  /** Takes back what was announced (RFC 6762 10.1). Resolves when that has left. */
  goodbye(): Promise<void>;
  /** Nothing goes out any more. */
  close(): void;
}

export function openResponder({ clock, random, ear, zone, said, conflict }: ResponderOptions): Responder {
  let announced = false;
  let closed = false;
  let cancel = () => {};
  const queue = answerQueue({ clock, ear });

  const after = (ms: number, run: () => void) => {
    cancel();
    if (!closed) cancel = clock.after(ms, run);
  };

  const probe = (n: number) => {
    const { instance, host, unique } = zone();
    ear.ask({
      // Answers to the group are wanted (QM): those to a single program on a shared port may go to another one on this machine.
      questions: [instance, host].map((name) => ({ name, type: "ANY" })) as never,
      authorities: unique.map(({ answer }) => answer),
    });
    after(probeGapMs, () => (n + 1 < probes ? probe(n + 1) : announce(2)));
  };

  const announce = (times: number) => {
    announced = true;
    queue.now(zone().records);
    if (times > 1) after(announceGapMs, () => announce(times - 1));
  };

  const restart = (afterMs = random() * probeGapMs) => {
    announced = false;
    queue.clear();
    after(afterMs, () => probe(0));
  };

  const nameOf = (answer: { readonly name: string }): OwnName | undefined => {
    const { instance, host } = zone();
    const name = answer.name.toLowerCase();
    if (name === instance.toLowerCase()) return "instance";
    return name === host.toLowerCase() ? "host" : undefined;
  };

  /** Somebody else probes at the same time as we do. */
  const compete = (proposed: readonly Answer[]) => {
    for (const which of ["instance", "host"] as const) {
      const theirs = proposed.filter((answer) => nameOf(answer) === which);
      if (theirs.length === 0 || theirs.every((answer) => said(recordText(answer)))) continue;
      const ours = zone().unique.map(({ answer }) => answer as Answer);
      if (
        tieBreak(
          ours.filter((answer) => nameOf(answer) === which),
          theirs,
        ) < 0
      )
        return restart(lostGapMs);
    }
  };

  const answer = (packet: Packet, from: From) => {
    const { answers } = zone();
    const found = new Map<OwnRecord, { unicast: boolean }>();
    for (const { name, type, class: qclass } of (packet.questions ?? []).slice(0, limits.questions)) {
      const asked = String(qclass);
      // dns-packet has no name for the class IN with the bit that asks for a unicast answer (RFC 6762 5.4).
      const unicast = asked === "UNKNOWN_32769";
      if (!unicast && asked !== "IN" && asked !== "ANY") continue;
      for (const record of answers({ name, type }))
        found.set(record, { unicast: unicast && found.get(record)?.unicast !== false });
    }
    if (from.port !== mdnsPort) return queue.legacy([...found.keys()], packet, from);
    const known = knownAnswers(packet);
    const wanted = [...found].filter(([{ answer }]) => (known.get(recordText(answer)) ?? 0) < answer.ttl / 2);
    const isProbe = (packet.authorities ?? []).length > 0;
    const alone = [...found.keys()].every(({ unique }) => unique);
    // RFC 6762 6: who alone can answer does so at once; 7.2: more known answers may follow what was cut off.
    const delayMs = isCutOff(packet) ? 400 + random() * 100 : alone ? 0 : 20 + random() * 100;
    queue.add(
      wanted.map(([record, { unicast }]) => ({ record, unicast })),
      { from, delayMs, isProbe },
    );
  };

  restart();

  return {
    query(packet, from) {
      if (closed) return;
      if (!announced) return compete((packet.authorities ?? []).slice(0, limits.records));
      if ((packet.questions ?? []).length === 0) queue.known(from, new Set(knownAnswers(packet).keys()));
      else answer(packet, from);
    },
    response(packet) {
      if (closed) return;
      for (const record of [...(packet.answers ?? []), ...(packet.additionals ?? [])].slice(0, limits.records)) {
        const which = "ttl" in record && record.ttl !== 0 ? nameOf(record) : undefined;
        if (which === undefined || record.type === "NSEC" || said(recordText(record))) continue;
        const own = zone();
        if (!announced) return conflict(which, own[which]);
        // RFC 6762 9: back to probing. Whoever still has it then will say so.
        if (own.unique.some(({ answer }) => answer.type === record.type && nameOf(answer) === which)) return restart();
      }
    },
    restart,
    changed() {
      if (announced) announce(2);
    },
    async goodbye() {
      cancel();
      closed = true;
      queue.clear();
      if (announced) await queue.goodbye(zone().records);
    },
    close() {
      cancel();
      closed = true;
      queue.clear();
    },
  };
}

/** RFC 6762 7.2: the bit TC of a question. */
function isCutOff({ flags = 0 }: Packet): boolean {
  return (flags & 0x200) !== 0;
}

/** What the asker knows already (RFC 6762 7.1): the text of a record -> how long it lives yet, in s. */
function knownAnswers(packet: Packet): ReadonlyMap<string, number> {
  const known = new Map<string, number>();
  for (const record of (packet.answers ?? []).slice(0, limits.records))
    if ("ttl" in record) known.set(recordText(record), record.ttl ?? 0);
  return known;
}
