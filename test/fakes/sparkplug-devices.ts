import { parseArgs } from "node:util";
import { pathToFileURL } from "node:url";
import type { IClientOptions } from "mqtt";
import { sparkplugEdge } from "./mqtt/sparkplug-edge.ts";
import type { SparkplugEdge } from "./mqtt/sparkplug-edge.ts";
import { heatPump } from "./mqtt/sparkplug-models.ts";

export interface SparkplugDevices {
  readonly edge: SparkplugEdge;
  /** How many devices a gateway should see: the edge node is one. */
  readonly count: number;
  stop(): Promise<void>;
}

/** An edge node of Sparkplug B with one device, on a broker. Every `chatter` ms it reports a temperature. */
export async function startSparkplugDevices(
  url: string,
  { chatter, ...account }: IClientOptions & { readonly chatter?: number } = {},
): Promise<SparkplugDevices> {
  const edge = await sparkplugEdge(url, heatPump, account);
  let tick = 0;
  const speak = () => {
    const wave = Math.round(Math.sin(++tick / 5) * 20) / 10;
    edge.report("Tank", "Inputs/Temperature", 48.5 + wave).catch(() => undefined);
  };
  const timer = chatter === undefined ? undefined : setInterval(speak, chatter);
  return {
    edge,
    count: 1 + Object.keys(heatPump.devices).length,
    async stop() {
      clearInterval(timer);
      await edge.leave();
    },
  };
}

// Alone: node dist/test/fakes/sparkplug-devices.js --url mqtt://127.0.0.1:1883 [--username U --password P] [--chatter MS]
if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const text = { type: "string" } as const;
  const { values } = parseArgs({ options: { url: text, username: text, password: text, chatter: text } });
  const home = await startSparkplugDevices(values.url ?? "mqtt://127.0.0.1:1883", {
    chatter: Number(values.chatter ?? 2000),
    ...(values.username === undefined ? {} : { username: values.username }),
    ...(values.password === undefined ? {} : { password: values.password }),
  });
  console.log(`${home.count} Sparkplug devices on the broker; Ctrl-C ends them`);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void home.stop());
}
