// Everything that the story needs, on loopback, with state of its own: broker, devices, DM server, gateway.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startDmServer } from "../fakes/dm-server.ts";
import type { DmServer } from "../fakes/dm-server.ts";
import { startMqttDevices } from "../fakes/mqtt-devices.ts";
import type { MqttDevices } from "../fakes/mqtt-devices.ts";
import { fakeBroker } from "../fakes/mqtt/broker.ts";
import { startGateway } from "./gateway.ts";
import type { RunningGateway } from "./gateway.ts";

export const operator = "com.example.operator";

export interface Stage {
  readonly devices: MqttDevices;
  readonly server: DmServer;
  /** The one that runs now. */
  readonly gateway: RunningGateway;
  /** Starts the gateway, again on the same state after it was killed. */
  readonly start: () => Promise<RunningGateway>;
  clear(): Promise<void>;
}

/** Sets the stage; the gateway does not run yet. `tell` hears the DM server, line by line. */
export async function setStage(tell: (line: string) => void): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), "dmgw-demo-"));
  const broker = await fakeBroker();
  const devices = await startMqttDevices(broker.url);
  const gatewayAccount = { name: "gateway", secret: "known to both", nonce: Buffer.from("first nonce, gw") };
  const serverAccount = { name: operator, secret: "known to both too", nonce: Buffer.from("first nonce, dm") };
  const server = await startDmServer({ client: gatewayAccount, server: serverAccount, story: tell });
  const credentials = ({ name, secret, nonce }: typeof gatewayAccount) =>
    ({ type: "digest", name, secret, nonce: nonce.toString("base64") }) as const;
  const config = {
    gateway: { id: "urn:example:gateway-1", manufacturer: "Example Corp", model: "Demo Router" },
    lan: { interfaces: ["lo"] },
    discovery: { ssdp: { enabled: false }, mdns: { enabled: false }, neighbours: { enabled: false } },
    adapters: { mqtt: { url: broker.url } },
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
  return {
    devices,
    server,
    get gateway() {
      if (gateway === undefined) throw new Error("the gateway was not started yet");
      return gateway;
    },
    async start() {
      gateway = await startGateway(folder, config);
      return gateway;
    },
    async clear() {
      await gateway?.stop();
      await devices.stop();
      await server.stop();
      await broker.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
