import * as v from "valibot";
import { start } from "../../../adapters/mqtt/index.ts";
import { mqttOptions } from "../../../adapters/mqtt/options.ts";
import { parseRel } from "../../../tree/path.ts";
import { bool, chr, float, int } from "../../../tree/value.ts";
import type { Value } from "../../../tree/value.ts";
import { fakeClock } from "../../fakes/clock.ts";
import { fakeHost } from "../../fakes/host.ts";
import { fakeBroker } from "../../fakes/mqtt/broker.ts";
import { homieDevice } from "../../fakes/mqtt/homie-device.ts";
import type { HomieDescription, HomieDevice } from "../../fakes/mqtt/homie-device.ts";
import { colorLamp, hub, plug, thermostat } from "../../fakes/mqtt/models.ts";
import { zigbeeBridge } from "../../fakes/mqtt/zigbee-bridge.ts";
import { adapterContract } from "../contract.ts";
import type { Home } from "../contract.ts";

const target = parseRel("thermostat/target");
const mode = parseRel("thermostat/mode");
const relay = parseRel("relay/on");
const limit = parseRel("meter/limit");
const lampState = parseRel("state/state");
const brightness = parseRel("state/brightness");

async function common() {
  const broker = await fakeBroker();
  const clock = fakeClock();
  const options = v.parse(mqttOptions, { url: broker.url });
  return {
    broker,
    clock,
    host: () => fakeHost(clock),
    start: (host: ReturnType<typeof fakeHost>) => start(options, host),
  };
}

async function homie(
  about: HomieDescription,
  part: Pick<Home, "identity" | "writable" | "unacceptable">,
): Promise<Home> {
  const base = await common();
  const { broker } = base;
  const device = await homieDevice(broker.url, about);
  const others: HomieDevice[] = [];
  const formats = new Map(part.writable.map(([rel, value]) => [rel as string, value.format]));
  return {
    ...base,
    ...part,
    holds: (rel) => {
      const text = device.values.get(rel);
      const format = formats.get(rel);
      if (text === undefined || format === undefined) return undefined;
      return format === "bool" ? bool(text === "true") : format === "float" ? float(Number(text)) : chr(text);
    },
    get orders() {
      return device.orders.length;
    },
    announce: () => device.describe(about.nodes),
    ignore(rel) {
      device.obey = (path, payload) => (path === rel ? undefined : payload);
    },
    lose: () => device.crash(),
    async odd() {
      const text = { datatype: "string", settable: true, value: "polluted" };
      const properties = Object.fromEntries(
        ["__proto__", "constructor", "ünï cödé ☃", "%2F", "a".repeat(150), "~.."].map((id) => [id, text]),
      );
      const nodes = Object.fromEntries(["__proto__", "..", "toString"].map((id) => [id, { properties }]));
      others.push(
        await homieDevice(broker.url, { version: about.version, id: "__proto__", name: "../../etc\n\u0000☃", nodes }),
      );
      return "mqtt:homie:__proto__";
    },
    async stop() {
      for (const one of [device, ...others]) await one.leave();
      await broker.stop();
    },
  };
}

adapterContract("Homie 4", () =>
  homie(thermostat, {
    identity: "mqtt:homie:hall-thermostat",
    writable: [
      [target, float(23.5), float(19)],
      [mode, chr("heat"), chr("off")],
    ],
    unacceptable: chr("boil"),
  }),
);

adapterContract("Homie 5", () =>
  homie(
    { ...plug, nodes: { ...plug.nodes, ...hub.nodes } },
    {
      identity: "mqtt:homie:garage-plug",
      writable: [
        [relay, bool(false), bool(true)],
        [limit, float(1500.5), float(20)],
      ],
      unacceptable: float(3500.5),
    },
  ),
);

adapterContract("zigbee2mqtt", async () => {
  const base = await common();
  const { broker } = base;
  const bridge = await zigbeeBridge(broker.url, [colorLamp]);
  const { address } = colorLamp;
  const held = (): ReadonlyMap<string, Value> => {
    const state = bridge.states.get(address) ?? {};
    return new Map([
      ["state/state", bool(state.state === "ON")],
      ["state/brightness", int(state.brightness as number)],
    ]);
  };
  return {
    ...base,
    identity: `mqtt:z2m:${address}`,
    writable: [
      [lampState, bool(false), bool(true)],
      [brightness, int(254), int(1)],
    ],
    unacceptable: int(255),
    holds: (rel) => held().get(rel),
    get orders() {
      return bridge.orders.filter((order) => order.includes("/set ")).length;
    },
    announce: () => bridge.rename(address, colorLamp.name),
    ignore(rel) {
      const key = rel.slice("state/".length);
      bridge.obey = (_address, order) => Object.fromEntries(Object.entries(order).filter(([name]) => name !== key));
    },
    lose: () => bridge.availability(address, false),
    async odd() {
      const names = ["__proto__", "constructor", "ünï cödé ☃", "%2F", "a/b", "..", "a".repeat(150)];
      const leaf = (name: string) => ({ type: "text", name, property: name, access: 7 });
      const exposes = [
        ...names.map(leaf),
        { type: "composite", name: "deep", property: "__proto__/x", features: names.map(leaf) },
      ];
      const state = Object.fromEntries(names.map((name) => [name, "polluted"]));
      const odd = { ...colorLamp, address: "0x00000000000000ff", name: "__proto__/☃/..", exposes, state };
      await bridge.join(odd);
      return `mqtt:z2m:${odd.address}`;
    },
    async stop() {
      await bridge.leave();
      await broker.stop();
    },
  };
});
