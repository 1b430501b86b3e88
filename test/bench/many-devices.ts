// A broker with as many Homie devices as asked for, each of 200 nodes, that can all be made to speak.
import { fakeBroker } from "../fakes/mqtt/broker.ts";
import { homieDevice } from "../fakes/mqtt/homie-device.ts";
import type { HomieDescription } from "../fakes/mqtt/homie-device.ts";

const parts = 10;
const perPart = 19;

export interface ManyDevices {
  readonly url: string;
  /** Devices report, in turn, a value that they have not had before. */
  report(times: number): Promise<void>;
  stop(): Promise<void>;
}

export async function manyDevices(count: number): Promise<ManyDevices> {
  const broker = await fakeBroker();
  const devices = await Promise.all(Array.from({ length: count }, (_, n) => homieDevice(broker.url, description(n))));
  let reports = 0;
  return {
    url: broker.url,
    async report(times) {
      for (let n = 0; n < times; n++) {
        reports++;
        await devices[reports % count]?.report(`part${reports % parts}/value${reports % perPart}`, String(reports));
      }
    },
    async stop() {
      await Promise.all(devices.map((device) => device.leave()));
      await broker.stop();
    },
  };
}

function description(n: number): HomieDescription {
  const named = <T>(count: number, prefix: string, value: T) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`${prefix}${i}`, value]));
  const property = { datatype: "integer", settable: true, value: "0" };
  const nodes = named(parts, "part", { properties: named(perPart, "value", property) });
  return { version: 5, id: `bench${n}`, name: `Bench ${n}`, nodes };
}
