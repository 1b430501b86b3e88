import { afterEach, expect, test } from "vitest";
import * as v from "valibot";
import { start } from "../../adapters/mqtt/index.ts";
import { mqttOptions } from "../../adapters/mqtt/options.ts";
import { systemClock } from "../../daemon/clock.ts";
import { parseRel } from "../../tree/path.ts";
import { bool, chr, float, int } from "../../tree/value.ts";
import type { Value } from "../../tree/value.ts";
import { aCall, fakeHost } from "../fakes/host.ts";
import { configOf } from "../fakes/mqtt/tasmota-device.ts";
import { energyPlug } from "../fakes/mqtt/tasmota-models.ts";
import { startTasmotaDevices } from "../fakes/tasmota-devices.ts";
import { startMosquitto } from "./lib/mosquitto.ts";
import type { Mosquitto, MosquittoOptions } from "./lib/mosquitto.ts";
import { until } from "./lib/process.ts";

const cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const undo of cleanUp.splice(0).reverse()) await undo();
});

async function broker(options: MosquittoOptions = {}): Promise<Mosquitto> {
  const mosquitto = await startMosquitto(options);
  cleanUp.push(() => mosquitto.stop());
  return mosquitto;
}

async function gateway(url: string) {
  const host = fakeHost(systemClock);
  const adapter = await start(v.parse(mqttOptions, { url }), host);
  cleanUp.push(() => adapter.stop());
  const read = (id: string, rel: string, live = false) =>
    host.face(id)?.face.mo.read(parseRel(rel), "one", aCall({ live }));
  return {
    host,
    read,
    face: (id: string, reachable = true) =>
      until(`${id}; there are ${host.present.join()}`, () => {
        const face = host.face(id);
        return face?.reachable === reachable ? face : undefined;
      }),
    shows: (id: string, rel: string, value: Value) =>
      until(`${id} ${rel} to be ${JSON.stringify(value)}`, async () =>
        host.face(id)?.face.mo.has(parseRel(rel)) === true &&
        JSON.stringify(await read(id, rel)) === JSON.stringify(value)
          ? true
          : undefined,
      ),
    replace: (id: string, rel: string, value: Value) =>
      host.face(id)?.face.mo.apply([{ verb: "Replace", rel: parseRel(rel), value }], aCall()),
  };
}

const plug = "mqtt:tasmota:c44f33a1b0e7";
const done = { state: "done" };

test("a plug by mosquitto_pub: found, asked, measured, switched, gone", async () => {
  const mosquitto = await broker();
  const orders = await mosquitto.listen("cmnd/#");
  cleanUp.push(() => orders.stop());
  await mosquitto.publishAll({
    "tasmota/discovery/C44F33A1B0E7/config": JSON.stringify(configOf(energyPlug)),
    "tasmota/discovery/C44F33A1B0E7/sensors":
      '{"sn":{"Time":"2026-11-20T23:59:58","ENERGY":{"TotalStartTime":"2025-03-01T08:32:22","Total":151.203,"Power": 0,"Factor":0.00,"Voltage":231}},"ver":1}',
    "tele/tasmota_A1B0E7/LWT": "Online",
  });
  const { face, shows, replace, read } = await gateway(mosquitto.url);
  await face(plug);
  await shows(plug, "SENSOR/ENERGY/Total", float(151.203));
  await until("the first questions", () => /cmnd\/tasmota_A1B0E7\/STATUS 10/.test(orders.output()) || undefined);
  expect(orders.output()).toMatch(/cmnd\/tasmota_A1B0E7\/STATE /);
  await mosquitto.publish(
    "stat/tasmota_A1B0E7/RESULT",
    '{"Time":"2026-11-21T00:00:03","Uptime":"0T00:40:09","UptimeSec":2409,"Heap":26,"SleepMode":"Dynamic","Sleep":50,"LoadAvg":19,"MqttCount":1,"POWER":"ON","Wifi":{"AP":1,"SSId":"home","BSSId":"2C:91:AB:00:00:01","Channel":1,"Mode":"11n","RSSI":92,"Signal":-54,"LinkCount":1,"Downtime":"0T00:00:03"}}',
    false,
  );
  await shows(plug, "POWER", bool(true));
  await shows(plug, "STATE/Wifi/Signal", int(-54));
  await shows(plug, "STATE/Uptime", chr("0T00:40:09"));
  await mosquitto.publish(
    "tele/tasmota_A1B0E7/SENSOR",
    '{"Time":"2026-11-21T00:05:00","ENERGY":{"Total":151.304,"Power":1203,"Factor":0.98,"Voltage":229,"Current":5.312}}',
    false,
  );
  await shows(plug, "SENSOR/ENERGY/Power", float(1203));

  const written = replace(plug, "POWER", bool(false));
  await until("the order", () => /cmnd\/tasmota_A1B0E7\/POWER OFF/.test(orders.output()) || undefined);
  await mosquitto.publish("stat/tasmota_A1B0E7/RESULT", '{"POWER":"OFF"}', false);
  expect(await written).toEqual(done);
  const asked = read(plug, "POWER", true);
  await mosquitto.publish("stat/tasmota_A1B0E7/POWER", "OFF", false);
  expect(await asked).toEqual(bool(false));

  await mosquitto.publish("tele/tasmota_A1B0E7/LWT", "Offline");
  await face(plug, false);
  await mosquitto.publish("tasmota/discovery/C44F33A1B0E7/config", "");
  await until("the plug to go", async () => ((await read(plug, "POWER")) === undefined ? true : undefined));
});

test("five devices on mosquitto: each is there, says what it is like, and takes an order", async () => {
  const mosquitto = await broker();
  const { devices, stop } = await startTasmotaDevices(mosquitto.url);
  cleanUp.push(stop);
  const { host, face, shows, replace } = await gateway(mosquitto.url);
  const ids = [...devices.keys()].map((mac) => `mqtt:tasmota:${mac.toLowerCase()}`);
  for (const id of ids) await face(id);
  expect(host.present).toEqual(ids.toSorted());
  const [, board, bulb, blind, air] = ids as [string, string, string, string, string];

  await shows(plug, "SENSOR/ENERGY/Voltage", float(231));
  expect(await replace(plug, "POWER", bool(false))).toEqual(done);
  await shows(board, "POWER4", bool(true));
  expect(await replace(board, "POWER3", bool(true))).toEqual(done);
  await shows(bulb, "HSBColor", chr("24,80,60"));
  expect(await replace(bulb, "CT", int(250))).toEqual(done);
  expect(await replace(bulb, "HSBColor", chr("200,90,30"))).toEqual(done);
  await shows(bulb, "Dimmer", int(30));
  await shows(blind, "ShutterPosition1", int(100));
  expect(await replace(blind, "ShutterPosition1", int(0))).toEqual(done);
  await shows(air, "SENSOR/BME280/Temperature", float(21.4));
  expect(devices.get("8CAAB55C11D2")?.orders.at(-1)).toBe("POWER3 EIN");

  await mosquitto.restart(500);
  await until("all to be there again", () => {
    const all = ids.every((id) => host.face(id)?.reachable === true);
    return all && host.statuses.at(-1)?.state === "connected" ? true : undefined;
  });
  expect(await replace(board, "POWER3", bool(false))).toEqual(done);
  expect(host.attachments).toHaveLength(ids.length);
  await devices.get("C44F33A1B0E7")?.crash();
  await face(plug, false);
});
