import * as v from "valibot";
import { start } from "../../../../adapters/mqtt/index.ts";
import { mqttOptions } from "../../../../adapters/mqtt/options.ts";
import { parseRel } from "../../../../tree/path.ts";
import { chr, int } from "../../../../tree/value.ts";
import { fakeClock } from "../../../fakes/clock.ts";
import { fakeHost } from "../../../fakes/host.ts";
import { fakeBroker } from "../../../fakes/mqtt/broker.ts";
import { tasmotaDevice } from "../../../fakes/mqtt/tasmota-device.ts";
import type { TasmotaDevice } from "../../../fakes/mqtt/tasmota-device.ts";
import { airSensor, colorBulb } from "../../../fakes/mqtt/tasmota-models.ts";
import { adapterContract } from "../../contract.ts";

const dimmer = parseRel("Dimmer");
const temperature = parseRel("CT");

adapterContract("Tasmota", async () => {
  const broker = await fakeBroker();
  const clock = fakeClock();
  const options = v.parse(mqttOptions, { url: broker.url });
  const device = await tasmotaDevice(broker.url, { ...colorBulb, state: { ...colorBulb.state, isWhite: true } });
  const others: TasmotaDevice[] = [];
  return {
    clock,
    host: () => fakeHost(clock),
    start: (host) => start(options, host),
    identity: "mqtt:tasmota:40f520fe3a09",
    writable: [
      [dimmer, int(35), int(100)],
      [temperature, int(200), int(499)],
    ],
    unacceptable: int(501),
    holds: (rel) =>
      rel === dimmer ? int(device.state.dimmer ?? -1) : rel === temperature ? int(device.state.ct ?? -1) : chr("?"),
    get orders() {
      return device.orders.filter((order) => !/^STAT(E|US 10)$/.test(order)).length;
    },
    announce: () => device.announce(),
    ignore(rel) {
      device.obey = (command) => command !== rel;
    },
    lose: () => device.crash(),
    async odd() {
      const names = ["__proto__", "constructor", "ünï cödé ☃", "%2F", "a/b", "..", "a".repeat(150), "\u0000\u001b[2J"];
      const values = Object.fromEntries(names.map((name) => [name, "polluted"]));
      const sensors = Object.fromEntries(names.map((name) => [name, values]));
      others.push(
        await tasmotaDevice(broker.url, {
          ...airSensor,
          name: "../../etc\n\u0000☃",
          module: "\u202egpj.exe",
          friendly: ["__proto__"],
          relays: [1],
          state: { power: [true] },
          sensors,
        }),
      );
      return "mqtt:tasmota:a4cf12b3c4d5";
    },
    async stop() {
      for (const one of [device, ...others]) await one.leave();
      await broker.stop();
    },
  };
});
