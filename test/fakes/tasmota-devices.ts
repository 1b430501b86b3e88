import { parseArgs } from "node:util";
import { pathToFileURL } from "node:url";
import type { IClientOptions } from "mqtt";
import { tasmotaDevice } from "./mqtt/tasmota-device.ts";
import type { TasmotaDevice } from "./mqtt/tasmota-device.ts";
import { airSensor, blind, colorBulb, energyPlug, relayBoard } from "./mqtt/tasmota-models.ts";

export interface TasmotaDevices {
  /** By MAC. */
  readonly devices: ReadonlyMap<string, TasmotaDevice>;
  stop(): Promise<void>;
}

/** Five devices with the Tasmota firmware on a broker: a plug, a board of relays, a bulb, a blind, a sensor. Every `chatter` ms they report. */
export async function startTasmotaDevices(
  url: string,
  { chatter, ...account }: IClientOptions & { readonly chatter?: number } = {},
): Promise<TasmotaDevices> {
  const models = [energyPlug, relayBoard, colorBulb, blind, airSensor];
  const made = models.map(async (model) => [model.mac, await tasmotaDevice(url, model, account)] as const);
  const devices = new Map(await Promise.all(made));
  let tick = 0;
  const speak = () => {
    const wave = Math.round(Math.sin(++tick / 5) * 20) / 10;
    const air = { Temperature: 21.4 + wave, Humidity: 48.1 - wave, DewPoint: 10, Pressure: 1013.2 };
    const said = [
      devices.get(airSensor.mac)?.report({ BME280: air }),
      devices.get(blind.mac)?.move(10),
      devices.get(energyPlug.mac)?.tell(),
    ];
    for (const one of said) one?.catch(() => undefined);
  };
  const timer = chatter === undefined ? undefined : setInterval(speak, chatter);
  return {
    devices,
    async stop() {
      clearInterval(timer);
      await Promise.all([...devices.values()].map((device) => device.leave()));
    },
  };
}

// Alone: node dist/test/fakes/tasmota-devices.js --url mqtt://127.0.0.1:1883 [--username U --password P] [--chatter MS]
if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const text = { type: "string" } as const;
  const { values } = parseArgs({ options: { url: text, username: text, password: text, chatter: text } });
  const home = await startTasmotaDevices(values.url ?? "mqtt://127.0.0.1:1883", {
    chatter: Number(values.chatter ?? 2000),
    ...(values.username === undefined ? {} : { username: values.username }),
    ...(values.password === undefined ? {} : { password: values.password }),
  });
  console.log(`${home.devices.size} Tasmota devices on the broker; Ctrl-C ends them`);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void home.stop());
}
