import { isDeepStrictEqual } from "node:util";
import { DmError, Status, reasonOf } from "../../tree/errors.ts";
import type { Bucket, Clock, Log, Store } from "../../tree/ports.ts";
import type { TreeShape } from "../../tree/shape.ts";
import { within } from "../dm/execution.ts";
import type { ServerReport } from "../gateway.ts";
import type { Outbox } from "../outbox.ts";
import type { ServerAccount } from "./account.ts";
import { openTransport } from "./index.ts";
import { noncesOf, remember } from "./memory.ts";
import type { ServerMemory } from "./memory.ts";
import type { RunEnd } from "./run-session.ts";
import { longestWait, untilPoll, untilRetry } from "./timetable.ts";
import type { Transport } from "./transport.ts";

export interface DialoguePorts {
  readonly tree: TreeShape;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly outbox: Outbox;
  /** ./DevInfo/DevId. */
  readonly gatewayId: string;
  /** 0 … 1, as Math.random. */
  readonly random: () => number;
  readonly memory: Bucket<ServerMemory>;
}

export interface Reason {
  readonly code: 1200 | 1201;
  readonly sessionId: string;
}

/** Ms. */
const merge = 5_000;

interface Running {
  readonly ended: Promise<RunEnd>;
  readonly listeners: Set<(line: string) => void>;
  readonly stop: AbortController;
}

/**
 * All that goes on with one server: one session at a time, the next one planned, the outbox told.
 *
 * Nonces and struck-off alerts of a session are one commit at its end. Killed before it: the alerts are told once more, and the nonces are
 * the old ones again while the server has newer ones, so the next session begins with a Cred that fails on either side; each side then challenges
 * with a fresh nonce, and the session goes on (Security 1.2.1, 5.1.3.3).
 */
export class Dialogue {
  readonly #ports: DialoguePorts;
  #account: ServerAccount;
  #transport: Transport | undefined;
  #memory: ServerMemory;
  #running: Running | undefined;
  #again: Reason | undefined;
  /** Something new to tell came up while a session ran. */
  #news = false;
  #failures = 0;
  #next: { readonly at: number; readonly cancel: () => void } | undefined;
  #last: ServerReport["lastSession"];
  #stopped = false;
  #sessionId: number;

  constructor(account: ServerAccount, ports: DialoguePorts) {
    this.#account = account;
    this.#ports = ports;
    this.#transport = openTransport(account, ports.clock);
    this.#memory = ports.memory.get(account.id) ?? {};
    this.#sessionId = Math.floor(ports.random() * 9_999);
    const { at } = this.#memory;
    if (at !== undefined) this.#last = { at: new Date(at).toISOString(), ok: true };
    this.#plan(this.#untilPoll());
    if (ports.outbox.state(account.id).length > 0) this.hearNews();
  }

  /** The account is another one now: a session that runs with the old one ends. */
  async change(account: ServerAccount): Promise<void> {
    if (isDeepStrictEqual(account, this.#account)) return;
    const sameProof =
      isDeepStrictEqual(account.client, this.#account.client) &&
      isDeepStrictEqual(account.server, this.#account.server);
    this.#account = account;
    await this.#interrupt("the account was changed");
    if (this.#stopped) return;
    if (!sameProof) {
      const { at } = this.#memory;
      this.#memory = at === undefined ? {} : { at };
      await this.#ports.memory.set(account.id, this.#memory).catch((error: unknown) => this.#lost(error));
    }
    await this.#transport?.close();
    this.#transport = openTransport(account, this.#ports.clock);
    this.#failures = 0;
    this.#plan(this.#untilPoll());
    if (this.#ports.outbox.state(account.id).length > 0) this.hearNews();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#next?.cancel();
    this.#next = undefined;
    await this.#interrupt("the gateway stops");
    await this.#transport?.close();
  }

  /** The outbox has something new for this server. */
  hearNews(): void {
    if (this.#running !== undefined) this.#news = true;
    // While a failed server is left alone, its news waits for the next try.
    else if (this.#failures === 0) this.#plan(this.#account.report?.interval ?? merge, true);
  }

  /** A session now, or one more when the one that runs has ended. */
  request(reason: Reason): void {
    if (this.#running !== undefined) this.#again = reason;
    else this.#start(reason);
  }

  /** Starts a session or joins the one that runs. @throws DmError for what ended it, or when the caller has enough. */
  async connect(progress: (line: string) => void, signal: AbortSignal): Promise<void> {
    const { refused } = this.#account;
    if (refused !== undefined) throw new DmError(Status.forbidden, `the account is refused: ${refused}`);
    const running = this.#running ?? this.#start();
    if (running === undefined) throw new DmError(Status.unavailable, "the gateway stops");
    running.listeners.add(progress);
    try {
      const { ok, error, cause } = await within({ signal }, running.ended);
      if (ok) return;
      if (cause instanceof DmError) throw cause;
      throw new DmError(Status.badAnswer, error ?? "the session failed", { cause });
    } finally {
      running.listeners.delete(progress);
    }
  }

  report(): ServerReport {
    const { id, url, version, owner, refused } = this.#account;
    const { length, oldest } = this.#ports.outbox.state(id);
    const waiting = this.#failures > 0 && this.#next !== undefined;
    const idle = waiting ? "waiting" : "idle";
    const state = refused !== undefined ? "refused" : this.#running !== undefined ? "in session" : idle;
    const error = refused ?? (this.#failures > 0 ? this.#last?.error : undefined);
    return {
      id,
      url,
      version,
      owner,
      state,
      ...(error === undefined ? {} : { error }),
      ...(this.#next === undefined ? {} : { next: this.#wall(this.#next.at) }),
      channel: {},
      ...(this.#last === undefined ? {} : { lastSession: this.#last }),
      outbox: { length, ...(oldest === undefined ? {} : { oldest: new Date(oldest).toISOString() }) },
    };
  }

  #start(reason = this.#again): Running | undefined {
    const { clock, log, outbox } = this.#ports;
    const transport = this.#transport;
    if (this.#stopped || this.#account.refused !== undefined) return undefined;
    this.#next?.cancel();
    this.#next = undefined;
    this.#again = undefined;
    const stop = new AbortController();
    const listeners = new Set<(line: string) => void>();
    const account = this.#account;
    const ended = (async (): Promise<RunEnd> => {
      // With the first session, so that a gateway without a server carries none of it. Whoever asked for the session hears its first line too.
      const { runSession } = await import("./run-session.ts");
      this.#news = false;
      if (transport === undefined) return unreachable(account.url);
      return runSession({
        account,
        gatewayId: this.#ports.gatewayId,
        tree: this.#ports.tree,
        reason: reason ?? { code: 1201, sessionId: this.#nextSessionId() },
        alerts: outbox.pending(account.id),
        nonces: noncesOf(this.#memory),
        transport,
        clock,
        log,
        progress: (line) => {
          log.debug(line, { server: account.id });
          for (const listener of listeners) listener(line);
        },
        signal: stop.signal,
      });
    })().then(async (end) => {
      await this.#ended(account.id, end, reason);
      return end;
    });
    this.#running = { ended, listeners, stop };
    return this.#running;
  }

  /** One commit for what the session leaves behind; then the next one is planned. */
  async #ended(id: string, end: RunEnd, reason: Reason | undefined): Promise<void> {
    const { store, clock, log, outbox, memory } = this.#ports;
    const batch = store.batch();
    const kept = remember(this.#memory, end, clock.now());
    if (!isDeepStrictEqual(kept, this.#memory)) memory.put(batch, id, kept);
    this.#memory = kept;
    for (const { id: alert, status } of end.rejected)
      log.warn("the server refuses an alert", { server: id, alert, status });
    outbox.delivered(id, [...end.delivered, ...end.rejected.map((one) => one.id)], batch);
    await store.commit(batch).catch((error: unknown) => this.#lost(error));

    this.#running = undefined;
    this.#last = {
      at: new Date(clock.now()).toISOString(),
      ok: end.ok,
      ...(end.error === undefined ? {} : { error: end.error }),
    };
    if (end.ok) log.info("session ended", { server: id, delivered: end.delivered.length });
    else log.warn("session failed", { server: id, reason: end.error });
    if (this.#stopped) return;
    this.#follow(end, reason);
  }

  #follow(end: RunEnd, reason: Reason | undefined): void {
    if (end.ok) {
      this.#failures = 0;
      if (this.#again !== undefined) return void this.#start();
      this.#plan(this.#untilPoll());
      if (this.#news) this.hearNews();
      return;
    }
    this.#failures++;
    this.#again ??= reason;
    const { random, outbox } = this.#ports;
    // What only a person asked for is left to the person.
    const wanted = this.#again !== undefined || this.#account.poll > 0 || outbox.state(this.#account.id).length > 0;
    this.#plan(wanted ? untilRetry(this.#failures, end.retryAfter, random) : undefined);
  }

  /** @param sooner leaves an earlier plan as it is. */
  #plan(ms: number | undefined, sooner = false): void {
    const { clock } = this.#ports;
    if (sooner && this.#next !== undefined && ms !== undefined && this.#next.at <= clock.monotonic() + ms) return;
    this.#next?.cancel();
    this.#next = undefined;
    if (ms === undefined || this.#stopped || this.#account.refused !== undefined) return;
    const wait = Math.min(ms, longestWait);
    const cancel = clock.after(wait, () => void this.#start());
    this.#next = { at: clock.monotonic() + wait, cancel };
  }

  #untilPoll(): number | undefined {
    const { clock, random } = this.#ports;
    return untilPoll(this.#account.poll, this.#memory.at, clock.now(), random);
  }

  /** Digits only, since peers read them as decimal or hex; never the one before, and hardly one of an earlier process. */
  #nextSessionId(): string {
    this.#sessionId = (this.#sessionId % 9_999) + 1;
    return String(this.#sessionId);
  }

  async #interrupt(reason: string): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    running.stop.abort(new DmError(Status.unavailable, reason));
    await running.ended;
  }

  #lost(error: unknown): void {
    this.#ports.log.error("what a session left behind is not on the disk", {
      server: this.#account.id,
      reason: reasonOf(error),
    });
  }

  #wall(monotonic: number): string {
    const { clock } = this.#ports;
    return new Date(clock.now() + monotonic - clock.monotonic()).toISOString();
  }
}

function unreachable(url: string): RunEnd {
  const cause = new DmError(Status.unavailable, `there is no transport for ${url}`);
  return { ok: false, error: cause.message, cause, delivered: [], rejected: [], nonces: {} };
}
