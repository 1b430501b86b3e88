import type { Principal } from "../../tree/acl.ts";
import { server } from "../../tree/acl.ts";
import { DmError } from "../../tree/errors.ts";
import type { Call, Change, Mo } from "../../tree/mo.ts";
import { devInfo } from "../../tree/mos/dev-info.ts";
import { dmAcc } from "../../tree/mos/dm-acc.ts";
import type { Rel } from "../../tree/path.ts";
import { parsePath } from "../../tree/path.ts";
import { StoredNodes } from "../../tree/stored-nodes.ts";
import { Tree } from "../../tree/tree.ts";
import type { Snapshot, Value } from "../../tree/value.ts";
import { chr, int } from "../../tree/value.ts";
import { fakeClock } from "../fakes/clock.ts";
import type { FakeStore } from "../fakes/store.ts";
import { fakeStore } from "../fakes/store.ts";

export const path = parsePath;
export const alpha = server("alpha");
export const beta = server("alpha.b");

export function call(by: Principal): Call {
  return { by, signal: new AbortController().signal, correlator: "c1", mayDefer: true };
}

/** A lamp with two writable leaves and a sensor, which refuses whatever `refuse` says, and can fall silent. */
export class Lamp implements Mo {
  readonly urn = "urn:test:lamp:1.0";
  readonly values = new Map<string, Value>([
    ["power", chr("off")],
    ["level", int(5)],
    ["lux", int(100)],
  ]);
  readonly calls: (readonly Change[])[] = [];
  refuse: string | undefined;
  silent = false;

  schema(rel: Rel) {
    if (rel === "") return { format: "node", access: new Set(["Get"] as const), permanent: true } as const;
    const value = this.values.get(rel);
    if (value === undefined) return undefined;
    const access = rel === "lux" ? new Set(["Get"] as const) : new Set(["Get", "Replace"] as const);
    return { format: value.format, access, permanent: true, ...(rel === "lux" ? { volatile: true } : {}) };
  }
  has(rel: Rel) {
    return rel === "" || this.values.has(rel);
  }
  async read(rel: Rel, depth: "one" | "deep"): Promise<Snapshot> {
    if (this.silent) throw new DmError(504, "silent");
    if (rel !== "") return this.values.get(rel) as Value;
    return {
      format: "node",
      children: new Map([...this.values].map(([k, v]) => [k, depth === "deep" ? v : undefined])),
    };
  }
  async apply(changes: readonly Change[]) {
    this.calls.push(changes);
    for (const change of changes) {
      if (change.verb !== "Replace") throw new DmError(405, "no");
      if (change.rel === this.refuse) throw new DmError(400, "the lamp refuses");
      this.values.set(change.rel, change.value);
    }
    return { state: "done" as const };
  }
  async exec(): Promise<never> {
    throw new DmError(405, "no");
  }
}

/** A tree with a gateway, accounts and two lamps. */
export function smallHome(store: FakeStore = fakeStore()) {
  const clock = fakeClock();
  const tree = new Tree({ store, clock });
  const facts = { id: "urn:uuid:1", manufacturer: "M", model: "G1", firmware: "1", hardware: "2", software: "0.1" };
  tree.mount(
    path("./DevInfo"),
    devInfo(() => facts, new StoredNodes(store, "devinfo")),
  );
  const accounts = dmAcc(new StoredNodes(store, "dmacc"));
  tree.mount(path("./DMAcc"), accounts.mo);
  const lamps = [new Lamp(), new Lamp()] as const;
  const mounted = lamps.map((lamp, n) => tree.mount(path(`./Devices/d${n + 1}/MQTT`), lamp, { key: `lamp ${n}` }));
  return { tree, store, clock, lamps, mounted, accounts };
}
