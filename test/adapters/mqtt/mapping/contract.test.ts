import * as v from "valibot";
import { connectAsync } from "mqtt";
import { start } from "../../../../adapters/mqtt/index.ts";
import { mqttOptions } from "../../../../adapters/mqtt/options.ts";
import { parseRel } from "../../../../tree/path.ts";
import { bool, int } from "../../../../tree/value.ts";
import { fakeClock } from "../../../fakes/clock.ts";
import { fakeHost } from "../../../fakes/host.ts";
import { fakeBroker } from "../../../fakes/mqtt/broker.ts";
import { adapterContract } from "../../contract.ts";

const relay = parseRel("relay");
const level = parseRel("dimmer/level");
const mapping = [
  {
    devices: [
      {
        id: "{room}-{thing}",
        base: "home/{room}/{thing}",
        availability: { topic: "status" },
        properties: [
          { name: "relay", topic: "relay", type: "boolean", on: "ON", off: "OFF", set: { topic: "relay/set" } },
          {
            name: "dimmer/level",
            topic: "state",
            path: "level",
            type: "integer",
            min: "0",
            max: "100",
            set: { topic: "set", path: "level" },
          },
        ],
      },
    ],
  },
];

/** A thing that somebody built: a relay in words, a dimmer in JSON, and a last will. */
adapterContract("a mapping file", async () => {
  const broker = await fakeBroker();
  const clock = fakeClock();
  const options = v.parse(mqttOptions, { url: broker.url, mapping });
  const base = "home/hall/lamp";
  const will = { topic: `${base}/status`, payload: Buffer.from("offline"), qos: 1, retain: true } as const;
  const client = await connectAsync(broker.url, { will });
  const put = (topic: string, payload: string) => client.publishAsync(topic, payload, { qos: 1, retain: true });
  const held = { relay: "OFF", level: 0 };
  const ignored = new Set<string>();
  let orders = 0;
  const announce = async () => {
    await put(`${base}/status`, "online");
    await put(`${base}/relay`, held.relay);
    await put(`${base}/state`, JSON.stringify({ level: held.level }));
  };
  client.on("message", (topic, payload) => {
    orders++;
    if (topic.endsWith("relay/set") && !ignored.has(relay)) held.relay = payload.toString();
    else if (topic === `${base}/set` && !ignored.has(level)) {
      held.level = (JSON.parse(payload.toString()) as { level: number }).level;
    } else return;
    announce().catch(() => undefined);
  });
  await client.subscribeAsync([`${base}/set`, `${base}/relay/set`]);
  await announce();
  return {
    clock,
    host: () => fakeHost(clock),
    start: (host) => start(options, host),
    identity: "mqtt:map:hall-lamp",
    writable: [
      [relay, bool(true), bool(false)],
      [level, int(40), int(100)],
    ],
    unacceptable: int(101),
    holds: (rel) => (rel === relay ? bool(held.relay === "ON") : int(held.level)),
    get orders() {
      return orders;
    },
    announce,
    ignore: (rel) => void ignored.add(rel),
    lose: () =>
      new Promise<void>((resolve) => {
        client.options.reconnectPeriod = 0;
        client.stream.once("close", () => resolve());
        client.stream.destroy();
      }),
    async odd() {
      await put("home/__proto__/☃ ../status", "online");
      return "mqtt:map:__proto__-☃ ..";
    },
    async stop() {
      await client.endAsync(true);
      await broker.stop();
    },
  };
});
