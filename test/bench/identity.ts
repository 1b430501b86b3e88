// What it costs to know every device once: the real Bridge and Tree on the real store; what is seen is made here.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "../../daemon/clock.ts";
import { Bridge } from "../../daemon/devices/bridge.ts";
import { openStore } from "../../daemon/store.ts";
import type { OpenedStore } from "../../daemon/store.ts";
import type { Clock } from "../../tree/ports.ts";
import { Tree } from "../../tree/tree.ts";
import { fakeClock } from "../fakes/clock.ts";
import { quietLog } from "../homes/gateway.ts";
import { Home } from "../homes/home.ts";
import { physical } from "../homes/kinds.ts";
import type { KindName } from "../homes/kinds.ts";
import { settleNames } from "../homes/life.ts";
import { Network } from "../homes/network.ts";
import { random } from "../homes/random.ts";
import { planOf } from "../homes/shrink.ts";
import { tracesOf } from "../homes/traces.ts";
import type { Trace } from "../homes/traces.ts";
import { megabytes, round } from "./measure.ts";
import type { Table } from "./measure.ts";

export async function identityBench(): Promise<readonly Table[]> {
  return [await atOnce(200), await joiningAndStart(1000), await ordinaryWeek(60)];
}

/** Everything that `count` devices say, at once and in any order. */
async function atOnce(count: number): Promise<Table> {
  const kinds: readonly KindName[] = ["tv", "printer", "phone", "plug", "nas", "gateway", "silent", "v6 only"];
  const traces = everything(count, kinds);
  return withStore(systemClock, async (store) => {
    globalThis.gc?.();
    const before = privateBytes();
    const bridge = bridgeOn(store, systemClock);
    const cpu = process.cpuUsage();
    const began = performance.now();
    for (const trace of traces) say(bridge, trace);
    const taken = performance.now() - began;
    const spent = process.cpuUsage(cpu);
    let once = onceListed(bridge, traces);
    let all = performance.now() - began;
    // What was refused because too much was new at once is taken when it is heard again.
    while (once < count && performance.now() - began < 20_000) {
      await pause(50);
      once = onceListed(bridge, traces);
      all = performance.now() - began;
    }
    globalThis.gc?.();
    const memory = privateBytes() - before;
    await bridge.stop();
    return {
      caption: `${count} devices announce themselves at once: ${traces.length} sightings and faces`,
      columns: ["what", "figure"],
      rows: [
        ["taken in, ms", taken.toFixed(0)],
        ["CPU for it, ms", ((spent.user + spent.system) / 1000).toFixed(0)],
        ["until they are listed once, and on the disk, ms", all.toFixed(0)],
        ["of them listed once then", once],
        ["private memory more than before", megabytes(memory)],
      ],
    };
  });
}

/** Each kind of news about one of `count` managed devices; then a start with all of them. */
async function joiningAndStart(count: number): Promise<Table> {
  const clock = fakeClock();
  const devices = Array.from({ length: count }, (_, seed) => ({
    ...physical({ kind: "plug", seed }),
    known: true,
    unheard: none,
  }));
  const network = new Network(count, random("bench"));
  for (const device of devices) for (const leg of device.active) network.lease(device, leg);
  for (const device of devices) for (const leg of device.active) network.resolve(device, leg);
  const sourceOf = (trace: Trace) => ("sighting" in trace ? trace.sighting.source : "face");
  const of = (source: string) => tracesOf(devices, network, none).filter((trace) => sourceOf(trace) === source);
  const rows: (string | number)[][] = [];
  return withStore(clock, async (store, reopen) => {
    const bridge = bridgeOn(store, clock);
    const each = (what: string, traces: readonly Trace[], act = say) => {
      const began = performance.now();
      for (const trace of traces) act(bridge, trace);
      rows.push([`${what}, us each`, round(((performance.now() - began) * 1000) / Math.max(1, traces.length))]);
    };
    each("faces of new devices", of("face"));
    await clock.advance(1000);
    each("rows of the neighbour table, joined by MAC address", of("neighbours"));
    each("leases, joined by MAC address", of("leases"));
    each("services of mDNS, joined by where they are", of("mdns"));
    await clock.advance(1000);
    for (const [mac] of [...network.leases]) network.release(mac);
    for (const device of devices) for (const leg of device.active) network.lease(device, leg);
    for (const device of devices) for (const leg of device.active) network.resolve(device, leg);
    each("all services again, at other addresses", of("mdns"));
    each("heard again without news", of("mdns"), (to, trace) => {
      if ("sighting" in trace) to.heard(trace.sighting.source, trace.sighting.key);
    });
    const listing = performance.now();
    const listed = bridge.devices().length;
    rows.push([`the list of ${listed}, ms`, (performance.now() - listing).toFixed(1)]);
    await clock.advance(20 * 60_000);
    await bridge.stop();

    const again = performance.now();
    const opened = reopen();
    const store2 = performance.now();
    const known = bridgeOn(opened, clock).devices().length;
    rows.push([`start: store opened, ms`, (store2 - again).toFixed(1)]);
    rows.push([`start: ${known} known devices listed and in the tree, ms`, (performance.now() - store2).toFixed(1)]);
    return { caption: `joining at ${count} devices`, columns: ["what", "figure"], rows };
  });
}

/** What a week of nights with new addresses, moves, updates and visitors gives to the flash. */
async function ordinaryWeek(count: number): Promise<Table> {
  const clock = fakeClock();
  return withStore(clock, async (store) => {
    const home = new Home({ ...planOf(1, count), restarts: false }, store, clock);
    const rows: (string | number)[][] = [];
    const measured = async (what: string, days: number) => {
      const before = store.usage();
      for (let day = 0; day < days; day++) {
        await home.day();
        await home.quiet(20);
      }
      const after = store.usage();
      rows.push([what, round((after.written - before.written) / days), round((after.syncs - before.syncs) / days)]);
    };
    await measured("the first day: everything is new", 1);
    await measured("each day of the week after it", 7);
    await home.gateway.bridge.stop();
    return { caption: `given to the flash by ${count} devices`, columns: ["what", "bytes", "syncs"], rows };
  });
}

const none = new Set<never>();

/** What these devices say when nothing keeps them from being heard, in any order; faces that are made of a sighting after it. */
function everything(count: number, kinds: readonly KindName[]): readonly Trace[] {
  const plan = planOf(1, count, kinds);
  const devices = plan.devices.map((seed) => ({ ...physical(seed), known: true, unheard: none }));
  const network = new Network(count, random("bench"));
  for (const device of devices) for (const leg of device.active) network.lease(device, leg);
  for (const device of devices) for (const leg of device.active) network.resolve(device, leg);
  settleNames(devices);
  const traces = random("order").shuffled(tracesOf(devices, network, none));
  const isMade = ({ follows }: Trace) => follows !== undefined;
  return [...traces.filter((trace) => !isMade(trace)), ...traces.filter(isMade)];
}

/** How many of the devices have all they said under one number, and nothing of others there. */
function onceListed(bridge: Bridge, traces: readonly Trace[]): number {
  const numbers = new Map<string, string>();
  for (const { id } of bridge.devices()) for (const { identity } of bridge.why(id).members) numbers.set(identity, id);
  const owners = new Map<string, Set<string>>();
  const places = new Map<string, Set<string>>();
  for (const { identity, owner } of traces) {
    const id = numbers.get(identity) ?? `${identity} is not listed`;
    places.set(owner.name, (places.get(owner.name) ?? new Set()).add(id));
    owners.set(id, (owners.get(id) ?? new Set()).add(owner.name));
  }
  const isOnce = (ids: ReadonlySet<string>) => ids.size === 1 && [...ids].every((id) => owners.get(id)?.size === 1);
  return [...places.values()].filter(isOnce).length;
}

function say(bridge: Bridge, trace: Trace): void {
  if ("face" in trace) bridge.host(trace.adapter, () => undefined).attach(trace.face);
  else bridge.seen({ ...trace.sighting, expires: Infinity });
}

function bridgeOn(store: OpenedStore, clock: Clock): Bridge {
  return new Bridge({ tree: new Tree({ store, clock }), store, clock, log: quietLog });
}

async function withStore<T>(
  clock: Clock,
  work: (store: OpenedStore, reopen: () => OpenedStore) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "dmgw-bench-"));
  const open = () => openStore({ folder, clock, log: quietLog });
  let store = open();
  try {
    return await work(store, () => {
      store.close();
      store = open();
      return store;
    });
  } finally {
    store.close();
    rmSync(folder, { recursive: true });
  }
}

/** Of this process, as the kernel counts it. */
function privateBytes(): number {
  const text = readFileSync("/proc/self/smaps_rollup", "utf8");
  return 1024 * Number(/^Private_Dirty:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0);
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
