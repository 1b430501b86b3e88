import type { Answer, Packet } from "dns-packet";
import type { Clock } from "../../tree/ports.ts";
import type { Ear, From } from "../discovery/mdns-ears.ts";
import { answerBudget } from "./answer-budget.ts";
import { recordText } from "./mdns-zone.ts";
import type { OwnRecord } from "./mdns-zone.ts";

/** RFC 6762 6: a record goes to the group no more often than this; a quarter of it where it is defended against a probe. */
const recordGapMs = 1000;
const defenceGapMs = 250;
/** RFC 6762 6.7: a plain resolver keeps an answer no longer than this. */
const legacyTtlS = 10;

/** The answers of one responder: put off, put together, and no more of them than the standard allows however often they are asked for. */
export interface AnswerQueue {
  /** To the group, at once: an announcement. */
  now(records: readonly OwnRecord[]): void;
  /** Asked for in one packet. */
  add(
    wanted: readonly { readonly record: OwnRecord; readonly unicast: boolean }[],
    asked: { readonly from: From; readonly delayMs: number; readonly isProbe: boolean },
  ): void;
  /** The asker says what it knew already, behind a question that was cut off (RFC 6762 7.2): texts of records. */
  known(from: From, texts: ReadonlySet<string>): void;
  /** A plain resolver asks from a port of its own (RFC 6762 6.7): it is answered as a DNS server would. */
  legacy(records: readonly OwnRecord[], asked: Packet, from: From): void;
  /** Resolves when it has left. */
  goodbye(records: readonly OwnRecord[]): Promise<void>;
  /** Forgets what waits. */
  clear(): void;
}

interface Waiting {
  readonly record: OwnRecord;
  dueAt: number;
  /** Who alone has asked for it; undefined: several. */
  by: string | undefined;
}

export function answerQueue({
  clock,
  ear,
}: {
  readonly clock: Clock;
  readonly ear: Pick<Ear, "respond">;
}): AnswerQueue {
  /** By the texts of records, as below. */
  const waiting = new Map<string, Waiting>();
  const sentAt = new Map<string, number>();
  let cancel = () => {};
  const affordable = answerBudget(clock);

  const send = (records: readonly OwnRecord[]) => {
    const now = clock.monotonic();
    for (const { answer } of records) sentAt.set(recordText(answer), now);
    void ear.respond(messageOf(records));
  };

  const flush = () => {
    const now = clock.monotonic();
    const due = [...waiting].filter(([, { dueAt }]) => dueAt <= now);
    for (const [text] of due) waiting.delete(text);
    if (due.length > 0) send(due.map(([, { record }]) => record));
    arm();
  };

  const arm = () => {
    cancel();
    const next = Math.min(...[...waiting.values()].map(({ dueAt }) => dueAt));
    cancel = next === Infinity ? () => {} : clock.after(Math.max(0, next - clock.monotonic()), flush);
  };

  return {
    now(records) {
      // A new name or address is a new text: what is no longer announced need not be remembered.
      sentAt.clear();
      waiting.clear();
      cancel();
      send(records);
    },
    add(wanted, { from, delayMs, isProbe }) {
      const now = clock.monotonic();
      const single: OwnRecord[] = [];
      for (const { record, unicast } of wanted) {
        const text = recordText(record.answer);
        const last = sentAt.get(text) ?? -Infinity;
        // RFC 6762 5.4: the group has it from a while ago, so one who asks for it alone gets it alone.
        if (unicast && now - last < (record.answer.ttl * 1000) / 4) {
          single.push(record);
          continue;
        }
        const dueAt = Math.max(now + delayMs, last + (isProbe ? defenceGapMs : recordGapMs));
        const before = waiting.get(text);
        if (before === undefined) waiting.set(text, { record, dueAt, by: from.address });
        else {
          before.dueAt = Math.min(before.dueAt, dueAt);
          if (before.by !== from.address) before.by = undefined;
        }
      }
      if (single.length > 0 && affordable(from.address)) void ear.respond(messageOf(single), from);
      arm();
    },
    known(from, texts) {
      for (const text of texts) if (waiting.get(text)?.by === from.address) waiting.delete(text);
      arm();
    },
    legacy(records, { id, questions = [] }, from) {
      if (records.length === 0 || from.port === 0 || !affordable(from.address)) return;
      const answers = records.map(({ answer }) => ({ ...answer, ttl: Math.min(answer.ttl, legacyTtlS) }) as Answer);
      const asked = questions.filter(({ name }) => records.some(({ answer }) => sameName(answer.name, name)));
      void ear.respond({ ...(id !== undefined && { id }), questions: asked, answers }, from);
    },
    goodbye: (records) =>
      ear.respond({ answers: records.map((record) => ({ ...answerOf(record), ttl: 0 }) as Answer) }),
    clear() {
      waiting.clear();
      cancel();
    },
  };
}

function messageOf(records: readonly OwnRecord[]): { answers: Answer[]; additionals: Answer[] } {
  const along = new Set(records.flatMap((record) => record.along));
  for (const record of records) along.delete(record);
  return { answers: records.map(answerOf), additionals: [...along].map(answerOf) };
}

function answerOf({ answer, unique }: OwnRecord): Answer {
  return unique ? ({ ...answer, flush: true } as Answer) : answer;
}

function sameName(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
