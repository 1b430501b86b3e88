import { oneAtATime } from "../../tree/queue.ts";
import type { Adapter, Host } from "../adapter.ts";
import { Alike } from "./alike.ts";
import { Connection } from "./connection.ts";
import { Homie } from "./homie.ts";
import { Holdings, limits } from "./limits.ts";
import type { MqttOptions } from "./options.ts";
import { Zigbee2mqtt } from "./zigbee2mqtt.ts";

/** The devices of one MQTT broker that speak Homie (3, 4, 5) or stand behind zigbee2mqtt. Resolves at once: the line is dialled in the background. */
export async function start(options: MqttOptions, host: Host): Promise<Adapter> {
  const holdings = new Holdings(host.log);
  const list = `${options.topics.zigbee2mqtt}/bridge/devices`;
  const conventions: (Homie | Zigbee2mqtt)[] = [];
  const broker = new Connection(options, host, holdings, {
    up: () => conventions.forEach((convention) => convention.up()),
    settled: () => conventions.forEach((convention) => convention.settled()),
    away: () => conventions.forEach((convention) => convention.away()),
    message(topic, payload, retained) {
      if (payload.length > limits.payload && topic !== list) {
        holdings.refuse("an MQTT message above the limit", { octets: payload.length });
        return;
      }
      conventions.some((convention) => convention.message(topic, payload, retained));
    },
  });
  const around = { host, broker, holdings, queue: oneAtATime(), alike: new Alike() };
  conventions.push(new Homie(options.topics.homie, around), new Zigbee2mqtt(options.topics.zigbee2mqtt, around));
  broker.start();
  return {
    async stop() {
      for (const convention of conventions) convention.stop();
      await broker.stop();
    },
  };
}
