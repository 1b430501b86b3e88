import { afterEach, expect, test } from "vitest";
import * as v from "valibot";
import { start } from "../../adapters/mqtt/index.ts";
import { mqttOptions } from "../../adapters/mqtt/options.ts";
import { systemClock } from "../../daemon/clock.ts";
import { parseRel } from "../../tree/path.ts";
import { bool, float, int } from "../../tree/value.ts";
import type { Value } from "../../tree/value.ts";
import { aCall, fakeHost } from "../fakes/host.ts";
import { blind, boiler } from "../fakes/mqtt/announced-models.ts";
import { announcedDevice } from "../fakes/mqtt/home-assistant-device.ts";
import { startMosquitto } from "./lib/mosquitto.ts";
import type { MosquittoOptions } from "./lib/mosquitto.ts";
import { until } from "./lib/process.ts";

const cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const undo of cleanUp.splice(0).reverse()) await undo();
});

async function broker(options: MosquittoOptions = {}) {
  const mosquitto = await startMosquitto(options);
  cleanUp.push(() => mosquitto.stop());
  return mosquitto;
}

async function gateway(options: Record<string, unknown>) {
  const host = fakeHost(systemClock);
  const adapter = await start(v.parse(mqttOptions, options), host);
  cleanUp.push(() => adapter.stop());
  const value = (id: string, rel: string) => host.face(id)?.face.mo.read(parseRel(rel), "one", aCall());
  return {
    host,
    value,
    face: (id: string, reachable = true) =>
      until(`${id}; there are ${host.present.join()}`, () => {
        const face = host.face(id);
        return face?.reachable === reachable ? face : undefined;
      }),
    shows: (id: string, rel: string, wanted: Value) =>
      until(`${rel} to be ${JSON.stringify(wanted)}`, async () =>
        JSON.stringify(await value(id, rel)) === JSON.stringify(wanted) ? true : undefined,
      ),
    replace: (id: string, rel: string, wanted: Value) =>
      host.face(id)?.face.mo.apply([{ verb: "Replace", rel: parseRel(rel), value: wanted }], aCall()),
  };
}

const device = { identifiers: ["shed"], name: "Shed", manufacturer: "Lab", sw_version: "3.1" };
const shed = {
  "homeassistant/switch/shed/pump/config": JSON.stringify({
    "~": "shed",
    name: "Pump",
    uniq_id: "shed_pump",
    stat_t: "~/pump",
    cmd_t: "~/pump/set",
    avty_t: "~/status",
    ret: true,
    qos: 2,
    dev: device,
  }),
  "homeassistant/sensor/shed/level/config": JSON.stringify({
    name: "Level",
    unique_id: "shed_level",
    state_topic: "shed/tank",
    value_template: "{{ value_json['tank'].level | round(1) }}",
    unit_of_measurement: "%",
    availability: [{ topic: "shed/status" }],
    device,
  }),
  "shed/status": "online",
  "shed/pump": "OFF",
  "shed/tank": '{"tank":{"level":61.26}}',
};
const id = "mqtt:ha:shed";

test("what mosquitto_pub announces is a device, and what mosquitto_sub hears is its order, retained as it asked", async () => {
  const mosquitto = await broker();
  await mosquitto.publishAll(shed);
  const orders = await mosquitto.listen("shed/#");
  cleanUp.push(() => orders.stop());
  const { host, face, shows, replace } = await gateway({ url: mosquitto.url });
  await face(id);
  expect(host.present).toEqual([id]);
  await shows(id, "pump/state", bool(false));
  await shows(id, "level/state", float(61.3));
  const done = replace(id, "pump/state", bool(true));
  await until("the order", () => orders.output().includes("shed/pump/set ON") || undefined);
  await mosquitto.publish("shed/pump", "ON");
  expect(await done).toEqual({ state: "done" });
  const late = await mosquitto.listen("shed/pump/set");
  cleanUp.push(() => late.stop());
  await until("the retained order", () => late.output().includes("shed/pump/set ON") || undefined);
  expect(mosquitto.log()).toMatch(/Received PUBLISH from dmgw-\S+ \(d0, q2, r1, m\d+, 'shed\/pump\/set'/);
  await mosquitto.publish("shed/status", "offline");
  await face(id, false);
  await expect(replace(id, "pump/state", bool(false))).rejects.toMatchObject({ status: 503 });
});

test("a second config with the ids of the first gets nothing, one with wildcards neither; an emptied one is gone", async () => {
  const mosquitto = await broker();
  await mosquitto.publishAll(shed);
  const { host, face } = await gateway({ url: mosquitto.url });
  await face(id);
  await mosquitto.publishAll({
    "homeassistant/switch/thief/config": JSON.stringify({ unique_id: "shed_pump", command_topic: "thief/set", device }),
    "homeassistant/sensor/wild/config": JSON.stringify({ state_topic: "#", device: { ids: ["wild"] } }),
    "homeassistant/sensor/sys/config": JSON.stringify({ state_topic: "$SYS/broker/version", device: { ids: ["sys"] } }),
  });
  await until("the refusals", () =>
    host.log.lines.filter((line) => line.includes("a Home Assistant ")).length >= 3 ? true : undefined,
  );
  expect(host.present).toEqual([id]);
  const asked = [...mosquitto.log().matchAll(/^\d+: \t(\S+) \(QoS \d\)$/gm)].map(([, filter]) => filter);
  expect(asked).toContain("shed/pump");
  for (const wrong of ["#", "$SYS/broker/version"]) expect(asked).not.toContain(wrong);
  for (const topic of Object.keys(shed).filter((one) => one.endsWith("/config"))) await mosquitto.publish(topic, "");
  await until("the device to go", () => (host.face(id) === undefined ? true : undefined));
});

test("a restart of the broker loses nothing, and real devices in both forms are told and heard", async () => {
  const mosquitto = await broker();
  const [heater, shade] = [await announcedDevice(mosquitto.url, boiler), await announcedDevice(mosquitto.url, blind)];
  cleanUp.push(() => Promise.all([heater.leave(), shade.leave()]));
  const { host, face, replace, shows } = await gateway({ url: mosquitto.url });
  for (const one of [heater, shade]) await face(`mqtt:ha:${one.id}`);
  await replace(`mqtt:ha:${heater.id}`, "heating/temperature", float(18.5));
  await replace(`mqtt:ha:${shade.id}`, "blind/position", int(55));
  expect([heater.values.get("heating/temperature"), shade.values.get("blind/position")]).toEqual(["18.5", "55"]);
  await mosquitto.restart(300);
  await until(
    "the devices' lines",
    () => (heater.client.connected && shade.client.connected ? true : undefined),
    20_000,
  );
  await heater.report("pressure/state", "1.2");
  await shows(`mqtt:ha:${heater.id}`, "pressure/state", float(1.2));
  for (const one of [heater, shade]) await face(`mqtt:ha:${one.id}`);
  expect(host.attachments).toHaveLength(2);
  await heater.crash();
  await face(`mqtt:ha:${heater.id}`, false);
});

test("a device that zigbee2mqtt shows in its own way and for Home Assistant has two faces with one clue", async () => {
  const mosquitto = await broker();
  const address = "0x00158d00018255df";
  const list = [
    {
      ieee_address: address,
      type: "Router",
      friendly_name: "plug",
      interview_completed: true,
      definition: {
        vendor: "Xiaomi",
        model: "ZNCZ02LM",
        exposes: [
          {
            type: "switch",
            features: [
              { type: "binary", name: "state", property: "state", value_on: "ON", value_off: "OFF", access: 7 },
            ],
          },
        ],
      },
    },
  ];
  await mosquitto.publishAll({
    "zigbee2mqtt/bridge/state": '{"state":"online"}',
    "zigbee2mqtt/bridge/devices": JSON.stringify(list),
    [`homeassistant/switch/${address}/switch/config`]: JSON.stringify({
      availability: [{ topic: "zigbee2mqtt/bridge/state", value_template: "{{ value_json.state }}" }],
      command_topic: "zigbee2mqtt/plug/set",
      payload_off: "OFF",
      payload_on: "ON",
      state_topic: "zigbee2mqtt/plug",
      value_template: "{{ value_json.state }}",
      unique_id: `${address}_switch_zigbee2mqtt`,
      device: { identifiers: [`zigbee2mqtt_${address}`], name: "plug", manufacturer: "Xiaomi" },
    }),
  });
  const { host, face, shows } = await gateway({ url: mosquitto.url });
  const ids = [`mqtt:ha:zigbee2mqtt_${address}`, `mqtt:z2m:${address}`] as const;
  for (const one of ids) await face(one);
  for (const one of ids) {
    expect(host.face(one)?.face.clues).toContainEqual({ kind: "protocol-id", value: `zigbee:${address}` });
  }
  await mosquitto.publish("zigbee2mqtt/plug", '{"state":"ON"}', false);
  await shows(ids[0], "switch/state", bool(true));
  await shows(ids[1], "state/state", bool(true));
});
