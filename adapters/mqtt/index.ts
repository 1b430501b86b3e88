import { oneAtATime } from "../../tree/queue.ts";
import type { Adapter, Host } from "../adapter.ts";
import { Alike } from "./alike.ts";
import { Connection } from "./connection.ts";
import type { Convention, ConventionEntry } from "./convention.ts";
import { Holdings, limits } from "./limits.ts";
import { usualBroker } from "./options.ts";
import type { MqttOptions } from "./options.ts";

/** One line a convention. A message goes to all of them. */
const table: readonly ConventionEntry[] = [
  { name: "homie", load: async () => (await import("./homie/homie.ts")).homie },
  { name: "zigbee2mqtt", load: async () => (await import("./zigbee2mqtt/zigbee2mqtt.ts")).zigbee2mqtt },
  { name: "homeassistant", load: async () => (await import("./home-assistant/home-assistant.ts")).homeAssistant },
  { name: "tasmota", load: async () => (await import("./tasmota/tasmota.ts")).tasmota },
  { name: "sparkplug", load: async () => (await import("./sparkplug/sparkplug.ts")).sparkplug },
  { name: "mapping", load: async () => (await import("./mapping/mapped.ts")).mapped },
];

/** The devices of one MQTT broker, in the conventions that are enabled. Resolves when their code is loaded: the line is dialled in the background. */
export async function start(options: MqttOptions, host: Host): Promise<Adapter> {
  const holdings = new Holdings(host.log);
  const list = `${options.topics.zigbee2mqtt}/bridge/devices`;
  const conventions: Convention[] = [];
  const { url } = options;
  const embedded = options.embedded.enabled
    ? await (await import("./embedded/broker.ts")).startEmbedded(options.embedded, host, holdings)
    : undefined;
  const account =
    embedded === undefined || url !== undefined ? { ...options, url: url ?? usualBroker } : embedded.account;
  const broker = new Connection(account, embedded?.host ?? host, holdings, {
    up: () => conventions.forEach((convention) => convention.up()),
    settled: () => conventions.forEach((convention) => convention.settled()),
    away: () => conventions.forEach((convention) => convention.away()),
    message(topic, payload, retained) {
      if (payload.length > limits.payload && topic !== list) {
        holdings.refuse("an MQTT message above the limit", { octets: payload.length });
        return;
      }
      for (const convention of conventions) convention.message(topic, payload, retained);
    },
  });
  const around = { host, broker, holdings, queue: oneAtATime(), alike: new Alike() };
  for (const { name, load } of table) {
    const enabled = name === "mapping" ? options.mapping.length > 0 : options.conventions.includes(name);
    if (enabled) conventions.push((await load())(options, around));
  }
  broker.start();
  return {
    async stop() {
      for (const convention of conventions) convention.stop();
      await broker.stop();
      await embedded?.stop();
    },
  };
}
