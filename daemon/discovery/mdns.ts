import multicastDns from "multicast-dns";
import type { Packet, Question, StringAnswer } from "dns-packet";
import type { RemoteInfo, Socket } from "node:dgram";
import { reasonOf } from "../../tree/errors.ts";
import { onLan } from "../lan.ts";
import type { LanInterface } from "../lan.ts";
import { homeTypes, typesName } from "./mdns-names.ts";
import { mdnsRecords, typeQuestion } from "./mdns-records.ts";
import type { MdnsRecords } from "./mdns-records.ts";
import { octetBudget, openMulticast } from "./multicast.ts";
import type { Link, Source, SourceIo } from "./source.ts";

const group = "224.0.0.251";
const port = 5353;
const ttl = 255;
/** RFC 6762 17. It also bounds what dns-packet spends on following compression pointers. */
const largestPacket = 9000;
/** Of ours: within any MTU. */
const roomForQuestions = 1200;
/** RFC 6762 5.2: the first question waits a little, the gaps then grow to an hour. */
const firstGapMs = 1000;
const gapGrowth = 3;
const lastGapMs = 3_600_000;
/** The first questions come too soon after the opening for the link to have been lost. */
const renewGapMs = 20_000;

/**
 * mDNS service discovery (RFC 6762, RFC 6763) over IPv4, as a listener that asks now and then.
 * multicast-dns reads, writes and sends the packets. Its sockets are ours (`socket`, `bind: false`): its own hear either nothing or
 * every link, and its errors cannot be told from malformed packets.
 */
export function start(io: SourceIo): Source {
  const links = new Set<MdnsRecords>();
  return {
    async open(lan, failed) {
      const { socket, renew } = await openMulticast(group, port, ttl, lan);
      const records = mdnsRecords(lan, io.admits);
      links.add(records);
      const stop = listen(io, { lan, socket, renew, records, failed });
      return {
        async close() {
          links.delete(records);
          await stop();
        },
      } satisfies Link;
    },
    forget(key) {
      for (const records of links) records.forget(key);
    },
    async stop() {},
  };
}

interface Ears {
  readonly lan: LanInterface;
  readonly socket: Socket;
  readonly renew: () => void;
  readonly records: MdnsRecords;
  readonly failed: (reason: unknown) => void;
}

function listen(io: SourceIo, { lan, socket, renew, records, failed }: Ears): () => Promise<void> {
  const { clock, log, random } = io;
  const mdns = multicastDns({ socket, bind: false, multicast: false, port });
  let closed = false;
  let cancel = () => {};
  let armedFor = Infinity;
  let gap = firstGapMs;
  let roundAt = clock.monotonic() + 20 + random() * 100;
  const asked = new Set<string>();

  const send = (questions: readonly Question[]) => {
    for (const packet of packetsFor(questions, (service) => records.known(service, clock.monotonic())))
      mdns.query(packet, (error: Error | null) => {
        if (error) log.debug(`a question was not sent: ${error.message}`, { interface: lan.name });
      });
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
    const now = clock.monotonic();
    const questions: Question[] = [];
    if (now >= roundAt) {
      try {
        if (gap >= renewGapMs) renew();
      } catch (reason) {
        return failed(reason);
      }
      questions.push(...round(now));
    }
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
    const at = fresh ? 0 : Math.min(roundAt, records.nextDue());
    if (closed || at >= armedFor) return;
    cancel();
    armedFor = at;
    cancel = clock.after(Math.max(0, at - clock.monotonic()), tick);
  };

  mdns.on("response", (packet: Packet, from: RemoteInfo) => {
    const { seen, left } = records.take(packet, from.address, clock.monotonic());
    for (const sighting of seen) io.seen(sighting, from.address);
    for (const key of left) io.left(key, lan.name);
    arm();
  });
  mdns.on("warning", (reason: Error) =>
    log.debug(`a packet was dropped: ${reasonOf(reason)}`, { interface: lan.name }),
  );
  // Both are the socket's, which tells on its own below; unheard they would end the process.
  mdns.on("error", () => {});
  socket.on("error", failed);
  const affordable = octetBudget(clock);
  // RFC 6762 11: what does not come from the port of mDNS, or from this link, is ignored.
  const fromHere = (from: RemoteInfo) => from.port === port && onLan(from.address, [lan]);
  admitOnly(socket, (size, from) => size <= largestPacket && fromHere(from) && affordable(from.address, size));
  arm();

  return () => {
    closed = true;
    cancel();
    return new Promise((resolve) => mdns.destroy(() => resolve()));
  };
}

/** Whatever already listens to the socket's messages is handed only those that pass: what is dropped here is never decoded. */
function admitOnly(socket: Socket, passes: (size: number, from: RemoteInfo) => boolean): void {
  const listeners = socket.listeners("message") as ((message: Buffer, from: RemoteInfo) => void)[];
  socket.removeAllListeners("message");
  socket.on("message", (message, from) => {
    if (passes(message.length, from)) for (const listener of listeners) listener(message, from);
  });
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
