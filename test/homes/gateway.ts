import type { Attached, Face, Sighting } from "../../adapters/adapter.ts";
import { Bridge } from "../../daemon/devices/bridge.ts";
import type { DeviceReport } from "../../daemon/gateway.ts";
import type { Clock, FilledBatch, Log, Store } from "../../tree/ports.ts";
import { Tree } from "../../tree/tree.ts";
import type { FakeClock } from "../fakes/clock.ts";
import type { Trace } from "./traces.ts";

/** How long a sighting of each source counts without being heard again, ms. */
const livesMs = { mdns: 4_500_000, ssdp: 1_800_000, neighbours: 1_800_000, leases: 43_200_000 } as const;

/** What it says does not matter: it would only fill the memory. */
export const quietLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  part: () => quietLog,
};

/** The parts of the daemon that know devices, driven from outside: they can be stopped, started again, and killed. */
export class Gateway {
  readonly clock: FakeClock;
  readonly #store: Store;
  bridge: Bridge;
  #power: { on: boolean };
  /** What it has heard since its start and not lost again, by identity. */
  readonly #live = new Map<string, { readonly trace: Trace; readonly said: string }>();
  readonly #faces = new Map<string, Attached>();

  constructor(store: Store, clock: FakeClock) {
    this.#store = store;
    this.clock = clock;
    this.#power = { on: true };
    this.bridge = this.#begin();
  }

  get live(): readonly Trace[] {
    return [...this.#live.values()].map(({ trace }) => trace);
  }

  devices(): readonly DeviceReport[] {
    return this.bridge.devices();
  }

  /** What it holds for traces of this device, those of the network's own tables included. */
  identitiesOf(id: string): readonly string[] {
    return this.bridge.why(id).members.map(({ identity }) => identity);
  }

  /** Does it know this already, word for word? */
  knows(trace: Trace): boolean {
    return this.#live.get(trace.identity)?.said === wordsOf(trace);
  }

  say(trace: Trace): void {
    this.#live.set(trace.identity, { trace, said: wordsOf(trace) });
    if ("sighting" in trace) {
      const { sighting } = trace;
      this.bridge.seen({ ...sighting, expires: this.clock.monotonic() + livesMs[sighting.source] });
      return;
    }
    const { face, identity } = trace;
    const attached = this.#faces.get(identity);
    if (attached === undefined) {
      this.#faces.set(identity, this.#attach(face, trace.adapter));
      return;
    }
    attached.update({ addresses: face.addresses, clues: face.clues, facts: face.facts });
    attached.reachable(face.reachable);
  }

  /** It says goodbye, or its time is up. */
  lose(trace: Trace): void {
    if (!this.#live.delete(trace.identity)) return;
    if ("sighting" in trace) this.bridge.gone(trace.sighting.source, trace.sighting.key);
    else this.#faces.get(trace.identity)?.reachable(false);
  }

  /** Everything that is there speaks again, without news. */
  hear(): void {
    for (const { trace } of this.#live.values()) {
      if ("sighting" in trace) this.bridge.heard(trace.sighting.source, trace.sighting.key);
      else if (trace.face.reachable) this.#faces.get(trace.identity)?.seen();
    }
  }

  async restart(): Promise<void> {
    await this.bridge.stop();
    this.kill();
  }

  /** The power goes and comes: what was not committed is lost. */
  kill(): void {
    this.#power.on = false;
    this.#power = { on: true };
    this.#live.clear();
    this.#faces.clear();
    this.bridge = this.#begin();
  }

  #begin(): Bridge {
    const power = this.#power;
    const store = underPower(this.#store, power);
    const clock = ticking(this.clock, power);
    return new Bridge({ tree: new Tree({ store, clock }), store, clock, log: quietLog });
  }

  #attach(face: Face, adapter: string): Attached {
    return this.bridge.host(adapter, () => undefined).attach(face);
  }
}

/** The word for word of it; its expiry says nothing. */
function wordsOf(trace: Trace): string {
  if ("sighting" in trace) return JSON.stringify({ ...trace.sighting, text: [...trace.sighting.text] } satisfies Words);
  const { addresses, clues, facts, reachable } = trace.face;
  return JSON.stringify({ addresses, clues, facts, reachable });
}
type Words = Omit<Sighting, "text"> & { readonly text: readonly (readonly [string, string])[] };

/** A clock whose timers do not run any more when the power is off. */
function ticking(clock: Clock, power: { readonly on: boolean }): Clock {
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
    after: (ms, run) => clock.after(ms, () => power.on && run()),
  };
}

function underPower(store: Store, power: { readonly on: boolean }): Store {
  return {
    batch: () => store.batch(),
    async commit(batch: FilledBatch) {
      if (batch.size === 0) return;
      // The disk takes its time, and the power may go meanwhile: then nothing is kept, and nobody is left to be told.
      await Promise.resolve();
      if (!power.on) return new Promise(() => undefined);
      await store.commit(batch);
    },
    entries: (table, prefix) => store.entries(table, prefix),
    get: (table, key) => store.get(table, key),
  };
}
