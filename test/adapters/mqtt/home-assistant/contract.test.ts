import * as v from "valibot";
import { start } from "../../../../adapters/mqtt/index.ts";
import { mqttOptions } from "../../../../adapters/mqtt/options.ts";
import { parseRel } from "../../../../tree/path.ts";
import { chr, float, int } from "../../../../tree/value.ts";
import type { Value } from "../../../../tree/value.ts";
import { fakeClock } from "../../../fakes/clock.ts";
import { fakeHost } from "../../../fakes/host.ts";
import { blind, boiler } from "../../../fakes/mqtt/announced-models.ts";
import { fakeBroker } from "../../../fakes/mqtt/broker.ts";
import { announcedDevice } from "../../../fakes/mqtt/home-assistant-device.ts";
import type { AnnouncedDevice, AnnouncedModel } from "../../../fakes/mqtt/home-assistant-device.ts";
import { adapterContract } from "../../contract.ts";
import type { Home } from "../../contract.ts";

const oddNames = ["__proto__", "constructor", "ünï cödé ☃", "%2F", "a".repeat(150), "~..", ".."];
const odd: AnnouncedModel = {
  id: "__proto__",
  form: "device",
  device: { name: "../../etc\n\u0000☃" },
  entities: Object.fromEntries(
    oddNames.map((name, i) => [
      name,
      {
        component: "text",
        config: { name },
        values: { [`v${i}`]: { value: "polluted", topic: "stat_t", command: "cmd_t" } },
      },
    ]),
  ),
};

async function home(model: AnnouncedModel, part: Pick<Home, "identity" | "writable" | "unacceptable">): Promise<Home> {
  const broker = await fakeBroker();
  const clock = fakeClock();
  const options = v.parse(mqttOptions, { url: broker.url });
  const device = await announcedDevice(broker.url, model);
  const others: AnnouncedDevice[] = [];
  const formats = new Map(part.writable.map(([rel, value]) => [rel as string, value.format]));
  return {
    clock,
    host: () => fakeHost(clock),
    start: (host) => start(options, host),
    ...part,
    holds(rel): Value | undefined {
      const text = device.values.get(rel);
      const format = formats.get(rel);
      if (text === undefined || format === undefined) return undefined;
      return format === "float" ? float(Number(text)) : format === "int" ? int(Number(text)) : chr(text);
    },
    get orders() {
      return device.orders.length;
    },
    announce: () => device.announce(),
    ignore(rel) {
      device.obey = (path, payload) => (path === rel ? undefined : payload);
    },
    lose: () => device.crash(),
    async odd() {
      others.push(await announcedDevice(broker.url, odd));
      return "mqtt:ha:__proto__";
    },
    async stop() {
      for (const one of [device, ...others]) await one.leave();
      await broker.stop();
    },
  };
}

adapterContract("Home Assistant discovery, entity by entity", () =>
  home(boiler, {
    identity: "mqtt:ha:boiler-a4cf12",
    writable: [
      [parseRel("heating/temperature"), float(23.5), float(19)],
      [parseRel("heating/mode"), chr("heat"), chr("off")],
    ],
    unacceptable: chr("boil"),
  }),
);

adapterContract("Home Assistant discovery, the whole device at once", () =>
  home(blind, {
    identity: "mqtt:ha:blind-7c9ebd",
    writable: [
      [parseRel("speed/state"), chr("fast"), chr("slow")],
      [parseRel("blind/position"), int(40), int(7)],
    ],
    unacceptable: int(101),
  }),
);
