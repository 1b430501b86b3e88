import type { Adapter, AdapterModule } from "../adapters/adapter.ts";
import { reasonOf } from "../tree/errors.ts";
import type { Clock, Log } from "../tree/ports.ts";
import { oneAtATime } from "../tree/queue.ts";
import type { Bridge } from "./devices/bridge.ts";
import type { PartReport } from "./gateway.ts";
import { PartState } from "./parts.ts";

/** An adapter of the table, with the options that the config gives it. */
export interface ConfiguredAdapter {
  readonly name: string;
  readonly enabled: boolean;
  readonly options: unknown;
  readonly load: () => Promise<AdapterModule<unknown>>;
}

interface Running {
  readonly adapter: Adapter;
  readonly unconsider: () => void;
}

/** The adapters that run now. One that cannot start says so on `dmgw status` and takes nothing else down. */
export class RunningAdapters {
  readonly #bridge: Bridge;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #states = new Map<string, PartState>();
  readonly #running = new Map<string, Running>();
  /** Starts and stops of one adapter never overlap: it would run twice. */
  readonly #inTurn = oneAtATime();
  #stopped = false;

  constructor(bridge: Bridge, clock: Clock, log: Log) {
    this.#bridge = bridge;
    this.#clock = clock;
    this.#log = log;
  }

  /** Starts, or starts anew after its options changed; stops when it is not enabled any more. */
  set(configured: ConfiguredAdapter): Promise<void> {
    return this.#inTurn(configured.name, () => this.#set(configured));
  }

  report(): Readonly<Record<string, PartReport>> {
    return Object.fromEntries([...this.#states].map(([name, state]) => [name, state.report]));
  }

  /** None starts any more. */
  async stopAll(): Promise<void> {
    this.#stopped = true;
    await Promise.all([...this.#states.keys()].map((name) => this.#inTurn(name, () => this.#stop(name))));
  }

  async #set({ name, enabled, options, load }: ConfiguredAdapter): Promise<void> {
    await this.#stop(name);
    if (this.#stopped) return;
    const state = this.#states.get(name) ?? new PartState(this.#clock, "off");
    this.#states.set(name, state);
    if (!enabled) return state.set("off");
    state.set("starting");
    const host = this.#bridge.host(name, (now, detail) => {
      state.set(now, now === "error" ? { error: detail } : { detail });
    });
    try {
      const adapter = await (await load()).start(options, host);
      const unconsider =
        adapter.consider === undefined
          ? () => undefined
          : this.#bridge.considerWith({
              consider: (sighting) => adapter.consider?.(sighting),
              ended: (sighting) => adapter.ended?.(sighting),
            });
      this.#running.set(name, { adapter, unconsider });
    } catch (error) {
      state.set("error", { error: reasonOf(error) });
      this.#log.error(`the adapter ${name} could not be started`, { reason: reasonOf(error) });
    }
  }

  async #stop(name: string): Promise<void> {
    const running = this.#running.get(name);
    if (running === undefined) return;
    this.#running.delete(name);
    running.unconsider();
    await running.adapter.stop();
    this.#bridge.withdraw(name);
    this.#states.get(name)?.set("off");
  }
}
