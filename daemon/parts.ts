import type { Clock } from "../tree/ports.ts";
import type { PartReport } from "./gateway.ts";

/** The state of one part of the daemon, with the time since when it holds. */
export class PartState {
  readonly #clock: Clock;
  #report: PartReport;

  constructor(clock: Clock, state: string) {
    this.#clock = clock;
    this.#report = { state, since: new Date(clock.now()).toISOString() };
  }

  set(state: string, more: { readonly error?: string | undefined; readonly detail?: string | undefined } = {}): void {
    const { error, detail } = more;
    const said = { ...(error === undefined ? {} : { error }), ...(detail === undefined ? {} : { detail }) };
    if (state === this.#report.state && error === this.#report.error && detail === this.#report.detail) return;
    const since = state === this.#report.state ? this.#report.since : new Date(this.#clock.now()).toISOString();
    this.#report = { state, since, ...said };
  }

  get report(): PartReport {
    return this.#report;
  }
}
