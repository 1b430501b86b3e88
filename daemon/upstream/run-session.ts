import { DmError, ProtocolError, Status, reasonOf } from "../../tree/errors.ts";
import type { Clock, Log } from "../../tree/ports.ts";
import { deadline } from "../../tree/ports.ts";
import type { Message } from "../../tree/wire/message.ts";
import { readMessage } from "../../tree/wire/syncml-read.ts";
import { writeMessage } from "../../tree/wire/syncml-write.ts";
import { Session } from "../dm/session.ts";
import type { SessionEnd, SessionOptions } from "../dm/session-terms.ts";
import { HttpStatusError } from "./transport.ts";
import type { Transport } from "./transport.ts";

/** @throws ProtocolError that says whose words they were. */
function understood(octets: Uint8Array): Message {
  try {
    return readMessage(octets);
  } catch (error) {
    throw new ProtocolError(`the server's answer is no SyncML message: ${reasonOf(error)}`, { cause: error });
  }
}

const messageType = "application/vnd.syncml.dm+xml";
/** Octets of a message that we take. */
export const maxMsgSize = 131_072;
/** Ms for one command, for a whole session, and for the good-bye of one that is cut short. */
const limits = { command: 20_000, session: 900_000, farewell: 500 };

export interface Run extends Omit<SessionOptions, "maxMsgSize" | "timeLimit"> {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly log: Log;
  /** Hears each step as a line for a person. */
  readonly progress: (line: string) => void;
  /** Ends the session before its time; the server is told if it can be told at once. */
  readonly signal: AbortSignal;
}

export type RunEnd = SessionEnd & {
  /** What ended it, where it did not end well. */
  readonly cause?: Error;
  /** Ms that the server wants to be left alone. */
  readonly retryAfter?: number;
};

/** Carries one session from its first message to its end. Never throws. */
export async function runSession(run: Run): Promise<RunEnd> {
  const { clock, transport, progress, log, account } = run;
  const whole = deadline(clock, limits.session, run.signal);
  const session = new Session({ ...run, maxMsgSize, timeLimit: () => deadline(clock, limits.command, whole.signal) });
  let cause: Error | undefined;
  let heard = false;
  try {
    progress(`session ${run.reason.sessionId} with ${account.id} at ${account.url}`);
    let message: Message | undefined = await session.open();
    while (message !== undefined) {
      progress(`-> ${describe(message)}`);
      const answer = await transport.exchange(
        { uri: session.url, type: messageType, headers: new Map(), body: writeMessage(message) },
        whole.signal,
      );
      heard = true;
      const received = understood(answer.body);
      progress(`<- ${describe(received)}`);
      message = await session.receive(received, answer.body.byteLength);
    }
  } catch (error) {
    cause = error instanceof Error ? error : new DmError(Status.failed, reasonOf(error));
    if (!(error instanceof DmError || error instanceof ProtocolError))
      log.error("a session failed through a mistake of ours", { server: account.id, stack: cause.stack });
    if (heard) await sayGoodbye(session, reasonOf(error), run);
    session.fail(reasonOf(error));
  } finally {
    whole.clear();
  }
  const end = session.end ?? {
    ok: false,
    error: "the session did not end",
    delivered: [],
    rejected: [],
    nonces: {},
  };
  if (end.error !== undefined) cause ??= new DmError(Status.badAnswer, end.error);
  progress(end.ok ? "ended well" : `ended: ${end.error ?? "failed"}`);
  const retryAfter = cause instanceof HttpStatusError ? cause.retryAfter : undefined;
  return {
    ...end,
    ...(cause === undefined ? {} : { cause }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
  };
}

/** Alert 1223, for a server that still holds the session; its answer does not matter. */
async function sayGoodbye(session: Session, reason: string, { transport, clock }: Run): Promise<void> {
  const farewell = deadline(clock, limits.farewell);
  try {
    const message = await session.abort(reason);
    if (message === undefined) return;
    await transport.exchange(
      { uri: session.url, type: messageType, headers: new Map(), body: writeMessage(message) },
      farewell.signal,
    );
  } catch {
    // It was worth a try.
  } finally {
    farewell.clear();
  }
}

/** "message 2: Status ×4, Get ×2, the last of its package". */
function describe({ header, commands, final }: Message): string {
  const counts = new Map<string, number>();
  for (const one of commands) {
    const name = one.name === "Alert" ? `Alert ${one.code}` : one.name === "Unknown" ? one.element : one.name;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const list = [...counts].slice(0, 12).map(([name, count]) => (count === 1 ? name : `${name} x${count}`));
  return `message ${header.msgId}: ${list.join(", ") || "nothing"}${final ? "" : " (more to come)"}`;
}
