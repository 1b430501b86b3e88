import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ControlOptions } from "../../daemon/control.ts";
import { openControl } from "../../daemon/control.ts";
import type { DeviceStory, Gateway, NewServer, ServerReport, StatusReport } from "../../daemon/gateway.ts";
import { DmError } from "../../tree/errors.ts";
import type { Call, Mo } from "../../tree/mo.ts";
import { tableMo } from "../../tree/table.ts";
import { bin, chr, float, nul } from "../../tree/value.ts";
import { fakeLog } from "../fakes/log.ts";
import { path, smallHome } from "../tree/small-home.ts";
import { lampReport, smallInventory } from "./small-inventory.ts";

const since = "2026-01-01T00:00:00.000Z";

/** An MO with a value of each kind that JSON has to carry, and a button that takes its time. */
function bench(pressed: (call: Call) => Promise<"done" | "accepted">): Mo {
  const get = (value: ReturnType<typeof chr>) => () => value;
  return tableMo("urn:test:bench:1.0", {
    format: "node",
    description: "values of all kinds",
    children: {
      Picture: {
        format: "bin",
        type: "image/png",
        description: "",
        get: get(bin(new Uint8Array([1, 2, 255]), "image/png")),
      },
      Level: { format: "float", description: "", get: get(float(0.5)) },
      Hostile: { format: "chr", description: "", get: get(chr("\u001b[31mred\nline 2 \u202ertl")) },
      "a%2Fb": { format: "chr", description: "", get: get(chr("slash")) },
      Press: {
        format: "null",
        description: "",
        get: get(nul),
        exec: async (argument, _names, call) => {
          const state = await pressed(call);
          return argument === undefined || state === "accepted" ? { state } : { state, result: argument };
        },
      },
    },
  });
}

/** What tests change about the gateway's answers. */
interface Script {
  press: (call: Call) => Promise<"done" | "accepted">;
  connect: (progress: (line: string) => void, signal: AbortSignal) => Promise<void>;
  reload: () => Promise<readonly string[]>;
  status: Partial<StatusReport>;
  why: Partial<DeviceStory>;
}

/** The daemon's face over real parts: a tree with real MOs, its devices and accounts as plain lists. */
export function smallGateway() {
  const home = smallHome();
  const inventory = smallInventory(home);
  const { devices } = inventory;
  for (const report of [
    lampReport("d1"),
    lampReport("d2", { name: "Evil \u001b]0;owned\u0007", reachable: false, state: "away" }),
    lampReport("d3", { managed: false, state: "seen", protocols: [], name: "TV", mac: "", lastSeen: "" }),
  ])
    devices.set(report.id, report);
  const servers = new Map<string, ServerReport>();
  const added: NewServer[] = [];
  const script: Script = {
    press: async () => "done",
    connect: async (progress) => {
      progress("package 1 sent: alert 1201, DevInfo");
      progress("package 2 received: 1 command");
    },
    reload: async () => ["adapters.mqtt.url: changed, reconnecting"],
    status: {},
    why: {},
  };
  home.tree.mount(
    path("./Bench"),
    bench((call) => script.press(call)),
  );
  const addServer = (server: NewServer, owner: "file" | "runtime" = "runtime"): ServerReport => {
    const { id, url } = server;
    if (servers.has(id)) throw new DmError(418, `there is a server "${id}" already`);
    const outbox = { length: 0 };
    const report: ServerReport = { id, url, version: "1.2", owner, state: "idle", channel: {}, outbox };
    servers.set(id, report);
    added.push(server);
    return report;
  };
  const gateway: Gateway = {
    tree: home.tree,
    status: () => ({
      version: "0.1.0",
      uptime: 3720,
      ready: true,
      servers: [...servers.values()],
      adapters: { mqtt: { state: "error", since, error: "connect ECONNREFUSED 127.0.0.1:1883" } },
      discovery: { mdns: { state: "listening", since, sightings: 3 }, ssdp: { state: "off", since, sightings: 0 } },
      devices: { total: 3, managed: 2, reachable: 1 },
      memory: { rss: 60 << 20, private: 18 << 20 },
      flash: { written: 4096, perDay: 98_304, syncs: 2 },
      warnings: ["adapter mqtt: no broker answers at mqtt://127.0.0.1:1883: start one, or set adapters.mqtt.url"],
      config: "built-in defaults",
      state: "/tmp/state",
      ...script.status,
    }),
    ...inventory.gateway,
    why: (id) => ({ ...inventory.gateway.why(id), ...script.why }),
    servers: () => [...servers.values()],
    addServer: async (server) => addServer(server),
    removeServer: async (id) => {
      const server = servers.get(id);
      if (server === undefined) throw new DmError(404, `there is no server "${id}"`);
      if (server.owner === "file") throw new DmError(405, `${id} stands in the config file: take it out there`);
      servers.delete(id);
    },
    connect: (_id, progress, signal) => script.connect(progress, signal),
    reload: () => script.reload(),
  };
  addServer({ id: "com.example.dm", url: "https://dm.example.com/dm" }, "file");
  return { ...home, gateway, devices, decided: inventory.decided, servers, added, script };
}

export type SmallGateway = ReturnType<typeof smallGateway>;

/** The local API over a small gateway, on a socket in a folder of its own. */
export async function smallControl(options: Partial<ControlOptions> = {}) {
  const small = smallGateway();
  const folder = await mkdtemp(join(tmpdir(), "dmgw-"));
  const socket = join(folder, "run/control.sock");
  const log = fakeLog();
  const control = await openControl({ gateway: small.gateway, socket, clock: small.clock, log, ...options });
  return {
    ...small,
    socket,
    folder,
    log,
    control,
    ask: (method: string, path: string, body?: unknown) => ask(socket, method, path, body),
    async [Symbol.asyncDispose]() {
      await control.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export interface Heard {
  readonly status: number;
  readonly type: string;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
  readonly json: Record<string, unknown>;
}

/** One request over a Unix socket; a string body is sent as it is. */
export async function ask(socketPath: string, method: string, path: string, body?: unknown): Promise<Heard> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method, path, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("error", reject);
      response.on("end", () => {
        const type = response.headers["content-type"] ?? "";
        const json = type.includes("json") && !type.includes("nd") ? (JSON.parse(text) as Heard["json"]) : {};
        resolve({ status: response.statusCode ?? 0, type, headers: response.headers, text, json });
      });
    });
    sent.on("error", reject);
    sent.end(body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body));
  });
}
