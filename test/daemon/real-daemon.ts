import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { loadConfig } from "../../config/load.ts";
import { systemClock } from "../../daemon/clock.ts";
import { startDaemon } from "../../daemon/daemon.ts";
import type { Daemon } from "../../daemon/daemon.ts";
import type { DeviceReport, StatusReport } from "../../daemon/gateway.ts";
import { DmError } from "../../tree/errors.ts";
import type { Clock } from "../../tree/ports.ts";
import type { FakeLog } from "../fakes/log.ts";
import { fakeLog } from "../fakes/log.ts";
import { ask } from "./small-gateway.ts";
import type { Heard } from "./small-gateway.ts";

/** The whole daemon in this process: a real config file, real state, real sockets, real time. */
export interface RealDaemon {
  readonly daemon: Daemon;
  readonly log: FakeLog;
  /** Levels that the log was set to. */
  readonly levels: readonly string[];
  /** One request to the local API. */
  ask(method: string, path: string, body?: unknown): Promise<Heard>;
  status(): Promise<StatusReport>;
  devices(): Promise<DeviceReport[]>;
  /** The first device that fits. */
  device(fits: (device: DeviceReport) => boolean): Promise<DeviceReport>;
  /** The value of a leaf, or the names below an interior node; undefined where there is none. */
  get(uri: string): Promise<unknown>;
  /** The ACL as the node itself has it, or as it inherits it. */
  acl(uri: string): Promise<unknown>;
  /** Hears every change of the tree as "verb uri" from now on. */
  events(): Promise<{ readonly heard: readonly string[]; end(): void }>;
}

/** A folder for config and state; started again on it, it is the same gateway. */
export interface Place {
  readonly folder: string;
  /** Writes the config file. */
  configure(config: object): void;
  /** @param clock default: real time. */
  start(clock?: Clock): Promise<RealDaemon>;
  /** Stops what runs, and takes the folder away. */
  clear(): Promise<void>;
}

/** Nothing is discovered and nothing is connected unless a test says so. */
export const quiet = {
  lan: { interfaces: ["lo"] },
  discovery: {
    ssdp: { enabled: false },
    mdns: { enabled: false },
    neighbours: { enabled: false },
    announce: { enabled: false },
  },
  adapters: { mqtt: { enabled: false } },
};

/** The same, with the MQTT adapter at a broker; `more`: other options of it. */
export function onBroker({ url }: { readonly url: string }, more: object = {}) {
  return { ...quiet, adapters: { mqtt: { url, ...more } } };
}

export function openPlace(config: object = quiet): Place {
  const folder = mkdtempSync(join(tmpdir(), "dmgw-daemon-"));
  const file = join(folder, "dmgw.yaml");
  const running = new Set<Daemon>();
  const configure = (given: object) => writeFileSync(file, stringify(given), { mode: 0o600 });
  configure(config);
  return {
    folder,
    configure,
    async start(clock = systemClock) {
      const log = fakeLog();
      const levels: string[] = [];
      const daemon = await startDaemon({
        load: () => loadConfig({ file, env: {} }),
        stateFolder: ({ config: { state } }) => state ?? join(folder, "state"),
        controlSocket: ({ config: { control } }) => control.socket ?? join(folder, "control.sock"),
        clock,
        log: { ...log, setLevel: (level) => void levels.push(level), setFormat: () => undefined },
        random: () => 0.5,
        memory: () => ({ rss: 1, private: 1 }),
        version: "0.1.0",
      });
      running.add(daemon);
      return real(daemon, log, levels);
    },
    async clear() {
      for (const daemon of running) await daemon.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function real(daemon: Daemon, log: FakeLog, levels: readonly string[]): RealDaemon {
  const asked = (method: string, path: string, body?: unknown) => ask(daemon.socket, method, path, body);
  const devices = async () => (await asked("GET", "/v1/devices")).json as unknown as DeviceReport[];
  const read = async (uri: string, query = "") => {
    const { status, json } = await asked("GET", `/v1/tree/${uri.slice(2)}${query}`);
    return status === 200 ? (json["value"] ?? json["children"]) : undefined;
  };
  return {
    daemon,
    log,
    levels,
    ask: asked,
    status: async () => (await asked("GET", "/v1/status")).json as unknown as StatusReport,
    devices,
    device: (fits) => until("a device that fits", async () => (await devices()).find(fits)),
    get: (uri) => read(uri),
    acl: (uri) => read(uri, "?prop=ACL"),
    events: () =>
      new Promise((resolve, reject) => {
        const heard: string[] = [];
        const sent = request({ socketPath: daemon.socket, path: "/v1/events", agent: false }, (response) => {
          let rest = "";
          response.setEncoding("utf8").on("data", (text: string) => {
            const lines = (rest + text).split("\n");
            rest = lines.pop() ?? "";
            for (const line of lines) {
              if (!line.startsWith("data: ")) continue;
              const { verb, uri } = JSON.parse(line.slice(6)) as { verb?: string; uri?: string };
              heard.push(`${verb} ${uri}`);
            }
            // The first lines say from where on it reads.
            resolve({ heard, end: () => void sent.destroy() });
          });
          response.on("error", () => undefined);
        });
        sent.on("error", reject).end();
      }),
  };
}

/** Polls until `look` finds something. @throws DmError 504 after `ms`. */
export async function until<T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
  ms = 10_000,
): Promise<T> {
  for (const deadline = performance.now() + ms; ;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new DmError(504, `waited ${ms} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
