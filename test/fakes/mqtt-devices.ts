import { parseArgs } from "node:util";
import { pathToFileURL } from "node:url";
import type { IClientOptions } from "mqtt";
import { blind, boiler } from "./mqtt/announced-models.ts";
import { announcedDevice } from "./mqtt/home-assistant-device.ts";
import type { AnnouncedDevice } from "./mqtt/home-assistant-device.ts";
import { homieDevice } from "./mqtt/homie-device.ts";
import type { HomieDevice } from "./mqtt/homie-device.ts";
import { colorLamp, contactSensor, deskLamp, hub, meterPlug, plug, radiatorValve, thermostat } from "./mqtt/models.ts";
import { zigbeeBridge } from "./mqtt/zigbee-bridge.ts";
import type { ZigbeeBridge } from "./mqtt/zigbee-bridge.ts";

export interface MqttDevicesOptions extends IClientOptions {
  /** Sensors report new values this often, ms; default never. */
  readonly chatter?: number;
}

/**
 * A home on a broker: two Homie 4 devices, a Homie 5 hub with a plug behind it, four Zigbee devices behind zigbee2mqtt, and a boiler and a
 * blind that announce themselves by Home Assistant's discovery.
 */
export interface MqttDevices {
  readonly homie: ReadonlyMap<string, HomieDevice>;
  readonly bridge: ZigbeeBridge;
  readonly announced: ReadonlyMap<string, AnnouncedDevice>;
  /** How many devices a gateway should see. */
  readonly count: number;
  /** All say goodbye. */
  stop(): Promise<void>;
}

/** Connects them all; resolves when each has announced itself. */
export async function startMqttDevices(
  url: string,
  { chatter, ...account }: MqttDevicesOptions = {},
): Promise<MqttDevices> {
  const garage = await homieDevice(url, hub, account);
  const others = await Promise.all([
    homieDevice(url, thermostat, account),
    homieDevice(url, deskLamp, account),
    homieDevice(url, { ...plug, child: { of: garage } }, account),
  ]);
  const zigbee = [colorLamp, meterPlug, contactSensor, radiatorValve];
  const bridge = await zigbeeBridge(url, zigbee, account);
  const own = await Promise.all([announcedDevice(url, boiler, account), announcedDevice(url, blind, account)]);
  const announced = new Map(own.map((device) => [device.id, device]));
  const homie = new Map([garage, ...others].map((device) => [device.id, device]));

  let tick = 0;
  const speak = () => {
    tick++;
    const wave = Math.round(Math.sin(tick / 5) * 20) / 10;
    const said = [
      homie.get(thermostat.id)?.report("thermostat/current-temperature", String(20.5 + wave)),
      homie.get(plug.id)?.report("meter/power", String(12.5 + wave)),
      bridge.report(meterPlug.address, { power: 40 + wave }),
      announced.get(boiler.id)?.report("pressure/state", String(1.6 + wave / 10)),
      bridge.report(contactSensor.address, { contact: tick % 6 > 2 }),
    ];
    for (const one of said) one?.catch(() => undefined);
  };
  const timer = chatter === undefined ? undefined : setInterval(speak, chatter);
  return {
    homie,
    bridge,
    announced,
    count: homie.size + zigbee.length + announced.size,
    async stop() {
      clearInterval(timer);
      await homie.get(plug.id)?.state("disconnected");
      await Promise.all([...others.slice(0, 2), garage, ...own].map((device) => device.leave()));
      await bridge.leave();
    },
  };
}

// Alone: node dist/test/fakes/mqtt-devices.js --url mqtt://127.0.0.1:1883 [--username U --password P] [--chatter MS]
if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const text = { type: "string" } as const;
  const { values } = parseArgs({ options: { url: text, username: text, password: text, chatter: text } });
  const devices = await startMqttDevices(values.url ?? "mqtt://127.0.0.1:1883", {
    chatter: Number(values.chatter ?? 2000),
    ...(values.username === undefined ? {} : { username: values.username }),
    ...(values.password === undefined ? {} : { password: values.password }),
  });
  console.log(`${devices.count} devices on the broker; Ctrl-C ends them`);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void devices.stop());
}
