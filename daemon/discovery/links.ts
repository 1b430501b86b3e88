import { reasonOf } from "../../tree/errors.ts";
import type { Clock, Log } from "../../tree/ports.ts";
import type { LanInterface } from "../lan.ts";
import type { LanSource, Link, Source } from "./source.ts";

const firstRetryMs = 1000;
const lastRetryMs = 60_000;

/** What to do about it, for `dmgw status`. */
export const noInterface = "no interface has a private address: name the home's in lan.interfaces";

export interface LinksState {
  /** starting: nothing tried yet; waiting: there is no LAN interface; listening: on at least one link; error: on none. */
  readonly state: "starting" | "waiting" | "listening" | "error";
  /** ISO 8601: since when it is in this state. */
  readonly since: string;
  /** Why it is not open on a link where it should be. */
  readonly error?: string;
  /** The interfaces where it is open. */
  readonly open: readonly string[];
}

/** A source kept open on every LAN link there is: the reopening is written once, here. */
export interface Links {
  /** These are the links now. Resolves when each new one has been tried. */
  update(interfaces: readonly LanInterface[]): Promise<void>;
  state(): LinksState;
  /** Resolves when everything is closed. */
  stop(): Promise<void>;
}

/** A source that listens link by link, as one for the whole LAN. */
export function onLinks(source: Source, ports: { clock: Clock; log: Log; random: () => number }): LanSource {
  const links = keepLinks(source, ports);
  return {
    update: (interfaces) => links.update(interfaces),
    report() {
      const { state, since, error, open } = links.state();
      const own = source.detail?.();
      const detail = [
        ...(open.length > 0 ? [`on ${[...new Set(open)].join(", ")}`] : []),
        ...(state === "waiting" ? [noInterface] : []),
        ...(own === undefined ? [] : [own]),
      ].join("; ");
      return { state, since, ...(error !== undefined && { error }), ...(detail !== "" && { detail }) };
    },
    forget: (key) => source.forget(key),
    async stop() {
      await links.stop();
      await source.stop();
    },
  };
}

interface Attempt {
  readonly lan: LanInterface;
  link?: Link;
  error?: string;
  tries: number;
  wanted: boolean;
  cancelRetry: () => void;
  /** Opening and closing of one link never overlap. */
  busy: Promise<void>;
}

export function keepLinks(
  source: Source,
  { clock, log, random }: { clock: Clock; log: Log; random: () => number },
): Links {
  const attempts = new Map<string, Attempt>();
  let updated = false;
  /** Updates take turns. */
  let turn = Promise.resolve();
  let state: LinksState["state"] = "starting";
  let since = clock.now();

  const judge = () => {
    const all = [...attempts.values()];
    let now: LinksState["state"] = "starting";
    if (all.some((a) => a.link !== undefined)) now = "listening";
    else if (all.some((a) => a.error !== undefined)) now = "error";
    else if (updated && all.length === 0) now = "waiting";
    if (now === state) return;
    state = now;
    since = clock.now();
  };

  const broke = (attempt: Attempt, reason: unknown) => {
    const error = reasonOf(reason);
    if (attempt.error !== error)
      log.warn(`not listening: ${error}`, { interface: attempt.lan.name, address: attempt.lan.address });
    attempt.error = error;
    const ceiling = Math.min(lastRetryMs, firstRetryMs * 2 ** attempt.tries++);
    attempt.cancelRetry();
    attempt.cancelRetry = clock.after(ceiling * (0.5 + random() / 2), () => void open(attempt));
    judge();
  };

  const close = async (attempt: Attempt) => {
    const { link } = attempt;
    delete attempt.link;
    await link?.close();
  };

  const openNow = async (attempt: Attempt) => {
    if (!attempt.wanted || attempt.link !== undefined) return;
    let failed = false;
    try {
      const link = await source.open(attempt.lan, (reason) => {
        if (failed || !attempt.wanted) return;
        failed = true;
        attempt.busy = attempt.busy.then(() => close(attempt));
        broke(attempt, reason);
      });
      attempt.link = link;
      if (failed) return;
      delete attempt.error;
      attempt.tries = 0;
      log.debug("listening", { interface: attempt.lan.name, address: attempt.lan.address });
    } catch (reason) {
      if (attempt.wanted) broke(attempt, reason);
    }
    judge();
  };

  const open = (attempt: Attempt): Promise<void> => (attempt.busy = attempt.busy.then(() => openNow(attempt)));

  const drop = (attempt: Attempt): Promise<void> => {
    attempt.wanted = false;
    attempt.cancelRetry();
    return (attempt.busy = attempt.busy.then(() => close(attempt)));
  };

  const dropAllBut = async (wanted: ReadonlySet<string>) => {
    const dropped = [...attempts].filter(([key]) => !wanted.has(key));
    for (const [key] of dropped) attempts.delete(key);
    await Promise.all(dropped.map(([, attempt]) => drop(attempt)));
  };

  const updateNow = async (interfaces: readonly LanInterface[]) => {
    // The text is the key: a link whose mask or IPv6 prefixes changed is opened anew with what is true now.
    const able = interfaces.filter(({ address }) => address !== "" || source.ipv6Alone === true);
    const wanted = new Map(able.map((lan) => [JSON.stringify(lan), lan]));
    await dropAllBut(new Set(wanted.keys()));
    const fresh = [...wanted].filter(([key]) => !attempts.has(key));
    await Promise.all(
      fresh.map(([key, lan]) => {
        const attempt: Attempt = { lan, tries: 0, wanted: true, cancelRetry: () => {}, busy: Promise.resolve() };
        attempts.set(key, attempt);
        return open(attempt);
      }),
    );
    judge();
  };

  return {
    update: (interfaces) =>
      (turn = turn.then(() => {
        updated = true;
        return updateNow(interfaces);
      })),
    state() {
      const all = [...attempts.values()];
      const errors = all.flatMap(({ lan, error }) => (error === undefined ? [] : [`${lan.name}: ${error}`]));
      return {
        state,
        since: new Date(since).toISOString(),
        ...(errors.length > 0 && { error: [...new Set(errors)].join("; ") }),
        open: all.flatMap(({ lan, link }) => (link === undefined ? [] : [lan.name])),
      };
    },
    stop: () => (turn = turn.then(() => dropAllBut(new Set()))),
  };
}
