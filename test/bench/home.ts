// The tree that the benches measure: the real Tree on the real store, filled with as many nodes as asked for.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DeviceNodes } from "../../adapters/device-nodes.ts";
import { openStore } from "../../daemon/store.ts";
import type { OpenedStore } from "../../daemon/store.ts";
import { local, server } from "../../tree/acl.ts";
import { DmError, Status } from "../../tree/errors.ts";
import type { Call, Mo } from "../../tree/mo.ts";
import { parsePath } from "../../tree/path.ts";
import type { Path } from "../../tree/path.ts";
import { StoredNodes } from "../../tree/stored-nodes.ts";
import { tableMo } from "../../tree/table.ts";
import { Tree } from "../../tree/tree.ts";
import type { Mounted } from "../../tree/shape.ts";
import { int, isInterior } from "../../tree/value.ts";
import type { Value } from "../../tree/value.ts";
import { fakeClock } from "../fakes/clock.ts";
import { fakeLog } from "../fakes/log.ts";

export interface Home {
  readonly tree: Tree;
  readonly store: OpenedStore;
  /** Leaves of devices: what is written there stays in memory. */
  readonly deviceLeaves: readonly Path[];
  /** Leaves that are kept: what is written there is synced before it is acknowledged. */
  readonly keptLeaves: readonly Path[];
  readonly devices: readonly Mounted[];
  /** A call as a DM server makes it: every right is checked on the way. */
  readonly call: Call;
  readonly close: () => void;
}

const perDevice = 200;
const perArea = 1000;

/** `devices` devices with 200 leaves each, and areas that together keep `kept` leaves. */
export async function home(size: { readonly devices?: number; readonly kept?: number }): Promise<Home> {
  const folder = mkdtempSync(join(tmpdir(), "dmgw-bench-"));
  const clock = fakeClock();
  const store = openStore({ folder, clock, log: fakeLog() });
  const tree = new Tree({ store, clock });
  const owner: Call = { by: local, signal: new AbortController().signal, correlator: "", mayDefer: false };

  const devices: Mounted[] = [];
  const deviceLeaves: Path[] = [];
  tree.branch(parsePath("./Devices"));
  for (let n = 1; n <= (size.devices ?? 0); n++) {
    const names = deviceNames();
    devices.push(tree.mount(parsePath(`./Devices/d${n}/MQTT`), deviceMo(names)));
    deviceLeaves.push(...names.map((name) => parsePath(`./Devices/d${n}/MQTT/${name}`)));
  }

  const keptLeaves: Path[] = [];
  tree.branch(parsePath("./Kept"));
  for (let n = 0; n * perArea < (size.kept ?? 0); n++) {
    const at = parsePath(`./Kept/a${n}`);
    const area = { format: "node", description: "whatever is added", free: true } as const;
    tree.mount(at, tableMo("urn:bench:kept:1.0", area, new StoredNodes(store, `bench ${n}`)));
    const leaves = Array.from({ length: Math.min(perArea, (size.kept ?? 0) - n * perArea) }, (_, l) => `l${l}`);
    const paths = leaves.map((name) => parsePath(`${at}/${name}`));
    const adds = paths.map((at) => ({ verb: "Add", at, value: int(0) }) as const);
    await tree.change(adds, owner);
    keptLeaves.push(...paths);
  }

  for (const at of ["./Devices", "./Kept"]) {
    await tree.setProperty(parsePath(at), "ACL", "Add=bench&Get=bench&Replace=bench", owner);
  }
  return {
    tree,
    store,
    deviceLeaves,
    keptLeaves,
    devices,
    call: { ...owner, by: server("bench") },
    close() {
      store.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Ten parts of twenty leaves. */
function deviceNames(): readonly string[] {
  return Array.from({ length: perDevice }, (_, n) => `part${Math.floor(n / 20)}/value${n % 20}`);
}

/** A device that takes every write at once. */
function deviceMo(names: readonly string[]): Mo {
  const access = new Set(["Get", "Replace"] as const);
  const nodes = new DeviceNodes<Value>({ schema: () => ({ format: "int", access }), value: (value) => value });
  for (const name of names) nodes.put(name as Parameters<typeof nodes.put>[0], int(0));
  return {
    urn: "urn:bench:device:1.0",
    schema: (rel) => nodes.schema(rel),
    has: (rel) => nodes.has(rel),
    async read(rel, depth) {
      const snapshot = nodes.snapshot(rel, depth);
      if (snapshot === undefined) throw new DmError(Status.notFound, `there is no ${rel}`);
      return snapshot;
    },
    async apply(changes) {
      for (const change of changes) {
        if (change.verb === "Replace" && !isInterior(change.value)) nodes.put(change.rel, change.value);
      }
      return { state: "done" };
    },
    async exec() {
      throw new DmError(Status.notAllowed, "a bench device does nothing");
    },
  };
}
