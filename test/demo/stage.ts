// Everything that the story needs, on loopback, with state of its own: broker, devices, DM server, gateway.
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DeviceReport } from "../../daemon/gateway.ts";
import { startDmServer } from "../fakes/dm-server.ts";
import type { DmServer } from "../fakes/dm-server.ts";
import { lanHost } from "../fakes/lan/host.ts";
import type { LanHost } from "../fakes/lan/host.ts";
import { startMqttDevices } from "../fakes/mqtt-devices.ts";
import type { MqttDevices } from "../fakes/mqtt-devices.ts";
import { fakeBroker } from "../fakes/mqtt/broker.ts";
import { cistern } from "../fakes/mqtt/cistern.ts";
import type { Cistern } from "../fakes/mqtt/cistern.ts";
import { announcedDevice } from "../fakes/mqtt/home-assistant-device.ts";
import { startSparkplugDevices } from "../fakes/sparkplug-devices.ts";
import type { SparkplugDevices } from "../fakes/sparkplug-devices.ts";
import { startTasmotaDevices } from "../fakes/tasmota-devices.ts";
import type { TasmotaDevices } from "../fakes/tasmota-devices.ts";
import { cameras, leasesOf, mediaBox, mediaBoxNextDay, mediaBoxOnBroker, phone } from "./cast.ts";
import { repository, startGateway } from "./gateway.ts";
import type { RunningGateway } from "./gateway.ts";

export const operator = "com.example.operator";

/** The example that stands in the repository. */
const mapping = join(repository, "config/mqtt-devices.example.yaml");

export interface Stage {
  readonly devices: MqttDevices;
  readonly tasmota: TasmotaDevices;
  readonly sparkplug: SparkplugDevices;
  readonly cistern: Cistern;
  /** How many devices the broker carries. */
  readonly onBroker: number;
  readonly server: DmServer;
  /** The one that runs now. */
  readonly gateway: RunningGateway;
  /** Starts the gateway, again on the same state after it was killed. */
  readonly start: () => Promise<RunningGateway>;
  /** The media box leaves, and comes back as somebody else at another address. */
  readonly night: () => Promise<void>;
  clear(): Promise<void>;
}

/** Sets the stage; the gateway does not run yet. `tell` hears the DM server, line by line. */
export async function setStage(tell: (line: string) => void): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), "dmgw-demo-"));
  const undo: (() => Promise<unknown>)[] = [async () => rmSync(folder, { recursive: true, force: true })];
  const clear = async () => {
    for (const one of undo.splice(0).reverse()) await one();
  };
  try {
    return await build(folder, tell, undo, clear);
  } catch (error) {
    await clear();
    throw error;
  }
}

async function build(
  folder: string,
  tell: (line: string) => void,
  undo: (() => Promise<unknown>)[],
  clear: () => Promise<void>,
): Promise<Stage> {
  const broker = await fakeBroker();
  undo.push(() => broker.stop());
  const devices = await startMqttDevices(broker.url);
  undo.push(() => devices.stop());
  const tasmota = await startTasmotaDevices(broker.url);
  undo.push(() => tasmota.stop());
  const sparkplug = await startSparkplugDevices(broker.url);
  undo.push(() => sparkplug.stop());
  const garden = await cistern(broker.url);
  undo.push(() => garden.leave());
  const box = await announcedDevice(broker.url, mediaBoxOnBroker);
  undo.push(() => box.leave());

  const leases = join(folder, "dnsmasq.leases");
  const lease = (hosts: Parameters<typeof leasesOf>[0]) => {
    writeFileSync(`${leases}.new`, leasesOf(hosts));
    renameSync(`${leases}.new`, leases);
  };
  lease([mediaBox, ...cameras, phone]);
  const hosts = new Map<string, LanHost>();
  const enter = async (model: typeof mediaBox) => void hosts.set(model.host, await lanHost(model));
  undo.push(() => Promise.all([...hosts.values()].map((host) => host.leave())));
  for (const model of [mediaBox, ...cameras]) await enter(model);

  const gatewayAccount = { name: "gateway", secret: "known to both", nonce: Buffer.from("first nonce, gw") };
  const serverAccount = { name: operator, secret: "known to both too", nonce: Buffer.from("first nonce, dm") };
  const server = await startDmServer({ client: gatewayAccount, server: serverAccount, story: tell });
  undo.push(() => server.stop());
  const credentials = ({ name, secret, nonce }: typeof gatewayAccount) =>
    ({ type: "digest", name, secret, nonce: nonce.toString("base64") }) as const;
  const config = {
    gateway: { id: "urn:example:gateway-1", manufacturer: "Example Corp", model: "Demo Router" },
    lan: { interfaces: ["lo"] },
    discovery: { neighbours: { leases } },
    adapters: { mqtt: { url: broker.url, mapping } },
    servers: [
      {
        id: operator,
        url: server.url,
        // Only because all of it is on loopback: a real server has https.
        insecure: true,
        encoding: "xml",
        auth: { client: credentials(gatewayAccount), server: credentials(serverAccount) },
        poll: 0,
        report: { subtrees: ["./Devices"], interval: "1s" },
      },
    ],
  };

  let gateway: RunningGateway | undefined;
  undo.push(async () => gateway?.stop());
  return {
    devices,
    tasmota,
    sparkplug,
    cistern: garden,
    onBroker: devices.count + tasmota.devices.size + sparkplug.count + 2,
    server,
    get gateway() {
      if (gateway === undefined) throw new Error("the gateway was not started yet");
      return gateway;
    },
    async start() {
      gateway = await startGateway(folder, config);
      return gateway;
    },
    async night() {
      await hosts.get(mediaBox.host)?.leave();
      lease([mediaBoxNextDay, ...cameras, phone]);
      await enter(mediaBoxNextDay);
    },
    clear,
  };
}

/** All that the gateway knows now. */
export async function devicesOf({ gateway }: Stage): Promise<readonly DeviceReport[]> {
  return (await gateway.ask("GET", "/v1/devices")) as readonly DeviceReport[];
}
