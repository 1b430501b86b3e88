import { ProtocolError } from "../../../tree/errors.ts";
import type { Command } from "../../../tree/wire/message.ts";
import type { Outcome } from "./answers.ts";
import type { Ask } from "./asks.ts";
import type { Step } from "./conversation.ts";

/** One item of an alert 1224 or 1226. */
export interface SeenAlert {
  readonly code: number;
  readonly session: string;
  readonly type: string;
  readonly source: string | undefined;
  readonly format: string | undefined;
  readonly mark: string | undefined;
  readonly data: string | undefined;
  readonly correlator: string | undefined;
}

interface Hold {
  readonly hold: true;
  /** Lets the rest go on. */
  timer: NodeJS.Timeout | undefined;
  readonly ms: number;
}

/** What there is to ask, in its order, and the alerts that it may have to wait for. */
export class Agenda {
  readonly alerts: SeenAlert[] = [];
  #entries: (Step | Hold)[] = [];
  readonly #listeners = new Set<(alert: SeenAlert) => void>();

  get idle(): boolean {
    return this.#entries.length === 0;
  }

  add(asks: readonly Ask[]): Promise<readonly Outcome[]> {
    const outcomes = new Promise<readonly Outcome[]>((resolve, reject) => {
      const failed = (why: string) => reject(new ProtocolError(`not answered: ${why}`));
      this.#entries.push({ asks, answered: resolve, failed });
    });
    // Who does not wait for the answers is not to fall over them.
    outcomes.catch(() => undefined);
    return outcomes;
  }

  hold(ms: number): void {
    this.#entries.push({ hold: true, timer: undefined, ms });
  }

  next(): Step | undefined {
    const [first] = this.#entries;
    if (first === undefined) return undefined;
    if (!("hold" in first)) {
      this.#entries.shift();
      return first;
    }
    first.timer ??= setTimeout(() => this.#release(first), first.ms).unref();
    return undefined;
  }

  putBack(step: Step): void {
    this.#entries.unshift(step);
  }

  heard(alert: Extract<Command, { name: "Alert" }>, session: string): void {
    if (alert.code !== 1224 && alert.code !== 1226) return;
    for (const { source, meta, data } of alert.items) {
      const seen: SeenAlert = {
        code: alert.code,
        session,
        type: meta.type ?? "",
        source: source?.uri,
        format: meta.format,
        mark: meta.mark,
        data: data === undefined ? undefined : String(data),
        correlator: alert.correlator,
      };
      this.alerts.push(seen);
      for (const listener of this.#listeners) listener(seen);
    }
    const [first] = this.#entries;
    if (first !== undefined && "hold" in first) this.#release(first);
  }

  alertSeen(fits: (alert: SeenAlert) => boolean): Promise<SeenAlert> {
    const before = this.alerts.find(fits);
    if (before !== undefined) return Promise.resolve(before);
    return new Promise((resolve) => {
      const listener = (alert: SeenAlert) => {
        if (!fits(alert)) return;
        this.#listeners.delete(listener);
        resolve(alert);
      };
      this.#listeners.add(listener);
    });
  }

  clear(): void {
    for (const entry of this.#entries) {
      if ("hold" in entry) clearTimeout(entry.timer);
      else entry.failed("the server stops");
    }
    this.#entries = [];
  }

  #release(hold: Hold): void {
    clearTimeout(hold.timer);
    this.#entries = this.#entries.filter((entry) => entry !== hold);
  }
}
