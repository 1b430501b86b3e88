import * as v from "valibot";
import { start } from "../../../../adapters/mqtt/index.ts";
import { mqttOptions } from "../../../../adapters/mqtt/options.ts";
import { parseRel } from "../../../../tree/path.ts";
import { bool, float, int } from "../../../../tree/value.ts";
import { fakeClock } from "../../../fakes/clock.ts";
import { fakeHost } from "../../../fakes/host.ts";
import { fakeBroker } from "../../../fakes/mqtt/broker.ts";
import { sparkplugEdge } from "../../../fakes/mqtt/sparkplug-edge.ts";
import type { SparkplugEdge } from "../../../fakes/mqtt/sparkplug-edge.ts";
import { heatPump } from "../../../fakes/mqtt/sparkplug-models.ts";
import { adapterContract } from "../../contract.ts";

const setpoint = parseRel("Outputs/Setpoint");
const mode = parseRel("Outputs/Mode");

adapterContract("Sparkplug B", async () => {
  const broker = await fakeBroker();
  const clock = fakeClock();
  const options = v.parse(mqttOptions, { url: broker.url });
  const edge = await sparkplugEdge(broker.url, heatPump);
  const others: SparkplugEdge[] = [];
  const orders = () => edge.orders.filter((order) => order !== "rebirth");
  return {
    clock,
    host: () => fakeHost(clock),
    // Nothing of Sparkplug is retained: it is known when it speaks.
    start: async (host) => {
      const adapter = await start(options, host);
      const speaks = setInterval(() => {
        if (host.statuses.at(-1)?.state !== "connected") return;
        clearInterval(speaks);
        edge.report("Tank", "Inputs/Temperature", 48.5).catch(() => undefined);
      }, 20);
      return { ...adapter, stop: () => (clearInterval(speaks), adapter.stop()) };
    },
    identity: "mqtt:sparkplug:Home/Heat pump/Tank",
    writable: [
      [setpoint, float(45.5), float(55)],
      [mode, int(2), int(3)],
    ],
    unacceptable: int(40_000),
    holds: (rel) => {
      const value = edge.values.get(`Tank:${rel}`);
      if (typeof value === "boolean") return bool(value);
      return rel === mode ? int(Number(value)) : float(Number(value));
    },
    get orders() {
      return orders().length;
    },
    announce: () => edge.birth(),
    ignore(rel) {
      edge.obey = (_device, metric) => metric !== rel;
    },
    lose: () => edge.crash(),
    async odd() {
      const names = ["__proto__", "constructor/x", "ünï cödé ☃", "%2F", "a/", "..", "a".repeat(150)];
      const text = { type: "String", value: "polluted" } as const;
      const metrics = Object.fromEntries(names.map((name) => [name, text]));
      others.push(await sparkplugEdge(broker.url, { group: "__proto__", id: "☃ ..", metrics, devices: {} }));
      return "mqtt:sparkplug:__proto__/☃ ..";
    },
    async stop() {
      for (const one of [edge, ...others]) await one.client.endAsync(true);
      await broker.stop();
    },
  };
});
