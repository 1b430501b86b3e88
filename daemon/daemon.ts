import { randomUUID } from "node:crypto";
import { adapters } from "../adapters/index.ts";
import { changedKeys } from "../config/changed-keys.ts";
import type { LoadedConfig } from "../config/load.ts";
import { DmError, Status, reasonOf } from "../tree/errors.ts";
import { devDetail } from "../tree/mos/dev-detail.ts";
import { devInfo } from "../tree/mos/dev-info.ts";
import type { GatewayFacts } from "../tree/mos/dev-info.ts";
import { parsePath } from "../tree/path.ts";
import { bucket } from "../tree/ports.ts";
import type { Clock, Log } from "../tree/ports.ts";
import { StoredNodes } from "../tree/stored-nodes.ts";
import { Tree } from "../tree/tree.ts";
import { Accounts } from "./accounts.ts";
import { Bridge } from "./devices/bridge.ts";
import { openControl } from "./control.ts";
import type { Gateway } from "./gateway.ts";
import type { OpenedLog } from "./log.ts";
import { LanParts } from "./lan-parts.ts";
import { openOutbox } from "./outbox.ts";
import { RunningAdapters } from "./running-adapters.ts";
import { statusOf } from "./status.ts";
import type { Memory } from "./status.ts";
import { openStore } from "./store.ts";
import type { OpenedStore } from "./store.ts";
import { openSubscriptions } from "./subscriptions.ts";
import { accountOf } from "./upstream/account-config.ts";
import { openUpstream } from "./upstream/upstream.ts";

export interface DaemonOptions {
  /** Reads the config anew. @throws ConfigError */
  readonly load: () => Promise<LoadedConfig>;
  readonly stateFolder: (loaded: LoadedConfig) => string;
  readonly controlSocket: (loaded: LoadedConfig, state: string) => string;
  readonly clock: Clock;
  readonly log: OpenedLog;
  readonly random: () => number;
  readonly memory: () => Memory;
  readonly version: string;
}

export interface Daemon {
  readonly socket: string;
  /** Devices that are known from before. */
  readonly known: number;
  /** @throws ConfigError: nothing was changed. Resolves with a line for each change that was taken. */
  reload(): Promise<readonly string[]>;
  /** Resolves within two seconds; what was acknowledged is on the disk. */
  stop(): Promise<void>;
}

/** Keys that are read at the start only. */
const atStartOnly = ["state", "control", "gateway.id"];

/**
 * Builds the parts of the daemon in order; they are stopped in reverse. It holds no feature: each has its own room. Resolves when the local API answers; adapters
 * and discovery then start by themselves. @throws ConfigError
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { clock, log, random, version } = options;
  const started = clock.monotonic();
  let loaded = await options.load();
  log.setLevel(loaded.config.log.level);
  const folder = options.stateFolder(loaded);
  const store = openStore({ folder, clock, log });
  let stopping = false;

  const id = loaded.config.gateway.id ?? (await keptId(store, log));
  const facts = (): GatewayFacts => {
    const { gateway } = loaded.config;
    const { manufacturer = "unknown", model = "dmgw", firmware = version, hardware = "unknown" } = gateway;
    return { id, manufacturer, model, firmware, hardware, software: version };
  };
  const tree = new Tree({ store, clock, log: log.part("tree") });
  tree.mount(parsePath("./DevInfo"), devInfo(facts, new StoredNodes(store, "devinfo")));
  tree.mount(parsePath("./DevDetail"), devDetail(facts, new StoredNodes(store, "devdetail")));

  const probe = (address: string, onInterface: string) => lan.probe(address, onInterface);
  const bridge = new Bridge({ tree, store, clock, log, gatewayId: id, probe });
  const lan = new LanParts({ bridge, clock, log, random, gateway: () => ({ ...facts(), version }) });
  const accounts = new Accounts({ tree, store, log: log.part("accounts") });
  const outbox = openOutbox({ store, clock, log: log.part("outbox") });
  const subscriptions = openSubscriptions({ tree, outbox });
  const upstream = openUpstream({ tree, store, clock, log: log.part("upstream"), outbox, gatewayId: id, random });
  accounts.watch((all) => {
    if (stopping) return;
    subscriptions.set(all);
    upstream.set(all);
  });
  await syncAccounts(accounts, loaded, log);

  const running = new RunningAdapters(bridge, clock, log);
  let ready = false;

  const startAdapters = (names: (name: string) => boolean) =>
    Promise.all(
      adapters
        .filter(({ name }) => names(name))
        .map(({ name, load }) => {
          const own = loaded.config.adapters[name];
          const enabled = "enabled" in own ? own.enabled : true;
          return running.set({ name, enabled, options: own, load });
        }),
    );
  let reloading: Promise<unknown> = Promise.resolve();
  const reload = async (): Promise<readonly string[]> => {
    const next = await options.load();
    const keys = changedKeys(loaded.config, next.config);
    loaded = next;
    const touched = (part: string) => keys.some((key) => isWithin(key, part));
    log.setLevel(next.config.log.level);
    if (touched("servers")) await syncAccounts(accounts, next, log);
    await startAdapters((name) => touched(`adapters.${name}`));
    if (touched("discovery") || touched("lan") || touched("gateway")) await lan.start(next.config);
    const late = (key: string) => atStartOnly.some((part) => isWithin(key, part));
    return keys.map((key) => (late(key) ? `${key}: taken at the next start` : `${key}: taken`));
  };
  const reloadInTurn = async (): Promise<readonly string[]> => {
    const turn = reloading.then(reload);
    reloading = turn.catch(() => undefined);
    return turn;
  };

  const gateway: Gateway = {
    tree,
    status: () =>
      statusOf({
        version,
        uptime: (clock.monotonic() - started) / 1000,
        ready,
        servers: upstream.reports(),
        accounts: accounts.list(),
        adapters: running.report(),
        discovery: lan.status(),
        devices: bridge.devices(),
        refusedSightings: bridge.registry.refused,
        memory: options.memory(),
        flash: store.usage(),
        degraded: store.degraded,
        loaded,
        state: folder,
      }),
    devices: () => bridge.devices(),
    device: (device) => bridge.device(device),
    why: (device) => bridge.why(device),
    approve: (device) => bridge.approve(device),
    name: (device, name) => bridge.name(device, name),
    merge: (device, other) => bridge.merge(device, other),
    split: (device, identities) => bridge.split(device, identities),
    ignore: (device, ignored) => bridge.ignore(device, ignored),
    forget: (device) => bridge.forget(device),
    groups: () => bridge.registry.groups.list(),
    setGroup: (group, what) => bridge.registry.groups.set(group, what),
    removeGroup: (group) => bridge.registry.groups.remove(group),
    servers: () => upstream.reports(),
    async addServer(server) {
      const account = await accounts.add(server);
      upstream.set(accounts.list());
      const report = upstream.reports().find((one) => one.id === account.id);
      if (report === undefined) throw new DmError(Status.failed, `the account of ${account.id} was not taken`);
      return report;
    },
    removeServer: (server) => accounts.remove(server),
    connect: (server, progress, signal) => upstream.connect(server, progress, signal),
    reload: reloadInTurn,
  };
  const socket = options.controlSocket(loaded, folder);
  const stopParts = async () => {
    stopping = true;
    subscriptions.stop();
    await upstream.stop();
    await Promise.all([running.stopAll(), lan.stop()]);
    await bridge.stop();
    store.close();
  };
  const control = await openControl({ gateway, socket, clock, log }).catch(async (error: unknown) => {
    await stopParts();
    throw error;
  });
  ready = true;

  // Whatever takes time or may fail comes after the first answer: the tree is there already.
  reloading = Promise.all([startAdapters(() => true), lan.start(loaded.config)]).catch((error: unknown) => {
    log.error("a part could not be started", { reason: reasonOf(error) });
  });

  return {
    socket,
    known: bridge.devices().length,
    reload: reloadInTurn,
    async stop() {
      stopping = true;
      await control.close();
      await stopParts();
    },
  };
}

/** Is "adapters.mqtt.url" within "adapters.mqtt"? */
function isWithin(key: string, part: string): boolean {
  return key === part || key.startsWith(`${part}.`);
}

/** The id that is made once and kept. Without a store that holds it would be another one at each start, which is said. */
async function keptId(store: OpenedStore, log: Log): Promise<string> {
  const kept = bucket<string>(store, "gateway");
  const before = kept.get("id");
  if (before !== undefined) return before;
  const id = `urn:uuid:${randomUUID()}`;
  await kept.set("id", id).catch((error: unknown) => {
    log.warn("the gateway's new id could not be kept: it will be another one after a restart", {
      id,
      reason: reasonOf(error),
    });
  });
  return id;
}

/** A store that fails leaves the accounts as they were, which `dmgw status` shows; the daemon runs on. */
async function syncAccounts(accounts: Accounts, loaded: LoadedConfig, log: Log): Promise<void> {
  await accounts.sync(loaded.config.servers.map(accountOf)).catch((error: unknown) => {
    log.error("the accounts of the config file could not be taken", { reason: reasonOf(error) });
  });
}
