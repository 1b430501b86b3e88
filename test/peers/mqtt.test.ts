import { afterEach, expect, test } from "vitest";
import * as v from "valibot";
import { start } from "../../adapters/mqtt/index.ts";
import { mqttOptions } from "../../adapters/mqtt/options.ts";
import { systemClock } from "../../daemon/clock.ts";
import { parseRel } from "../../tree/path.ts";
import { bool, chr, float, int } from "../../tree/value.ts";
import type { Value } from "../../tree/value.ts";
import { aCall, fakeHost } from "../fakes/host.ts";
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

async function gateway(options: Record<string, unknown>) {
  const host = fakeHost(systemClock);
  const adapter = await start(v.parse(mqttOptions, options), host);
  cleanUp.push(() => adapter.stop());
  return {
    host,
    state: (state: string, ms = 15_000) =>
      until(
        `${state}; now ${JSON.stringify(host.statuses.at(-1))}`,
        () => host.statuses.findLast((s) => s.state === state),
        ms,
      ),
    face: (id: string, reachable = true) =>
      until(`${id}; there are ${host.present.join()}`, () => {
        const face = host.face(id);
        return face?.reachable === reachable ? face : undefined;
      }),
    value: (id: string, rel: string) => host.face(id)?.face.mo.read(parseRel(rel), "one", aCall()),
    replace: (id: string, rel: string, value: Value) =>
      host.face(id)?.face.mo.apply([{ verb: "Replace", rel: parseRel(rel), value }], aCall()),
  };
}

const lamp = {
  "homie/lamp/$homie": "4.0.0",
  "homie/lamp/$name": "Lamp",
  "homie/lamp/$nodes": "light",
  "homie/lamp/light/$properties": "power,brightness",
  "homie/lamp/light/power/$datatype": "boolean",
  "homie/lamp/light/power/$settable": "true",
  "homie/lamp/light/power": "false",
  "homie/lamp/light/brightness/$datatype": "integer",
  "homie/lamp/light/brightness": "40",
  "homie/lamp/$state": "ready",
};
const plug = "mqtt:z2m:0x00158d00018255df";
const devices = JSON.stringify([
  {
    ieee_address: "0x00158d00018255df",
    type: "Router",
    friendly_name: "büro/steckdose",
    interview_completed: true,
    definition: {
      vendor: "Xiaomi",
      model: "ZNCZ02LM",
      exposes: [
        {
          type: "switch",
          features: [{ type: "binary", name: "state", property: "state", value_on: "ON", value_off: "OFF", access: 7 }],
        },
        { type: "numeric", name: "power", property: "power", unit: "W", access: 1 },
      ],
    },
  },
]);

test("devices that mosquitto_pub published before and after the start are in the tree", async () => {
  const mosquitto = await broker();
  await mosquitto.publishAll(lamp);
  const { face, value } = await gateway({ url: mosquitto.url });
  await face("mqtt:homie:lamp");
  expect(await value("mqtt:homie:lamp", "light/brightness")).toEqual(int(40));
  await mosquitto.publishAll({
    "homie/5/meter/$description":
      '{"homie":"5.0","version":1,"nodes":{"m":{"properties":{"w":{"datatype":"float","unit":"W"}}}}}',
    "homie/5/meter/m/w": "12.5",
    "homie/5/meter/$state": "ready",
    "zigbee2mqtt/bridge/state": '{"state":"online"}',
    "zigbee2mqtt/bridge/devices": devices,
    "zigbee2mqtt/büro/steckdose": '{"state":"ON","power":3.5}',
  });
  await face("mqtt:homie:meter");
  expect(await value("mqtt:homie:meter", "m/w")).toEqual(float(12.5));
  await face(plug);
  await until("the plug's state", async () =>
    (await value(plug, "state/state"))?.format === "bool" ? true : undefined,
  );
  expect(await value(plug, "state/power")).toEqual(float(3.5));
});

test("mosquitto_sub sees each order, and it is done when the device has answered", async () => {
  const mosquitto = await broker();
  await mosquitto.publishAll({ ...lamp, "zigbee2mqtt/bridge/devices": devices });
  const orders = await mosquitto.listen("+/#");
  cleanUp.push(() => orders.stop());
  const { face, replace, value } = await gateway({ url: mosquitto.url });
  await face("mqtt:homie:lamp");
  await face(plug);
  const homie = replace("mqtt:homie:lamp", "light/power", bool(true));
  await until("the order", () => orders.output().includes("homie/lamp/light/power/set true") || undefined);
  await mosquitto.publish("homie/lamp/light/power", "true");
  expect(await homie).toEqual({ state: "done" });
  const zigbee = replace(plug, "state/state", bool(true));
  await until(
    "the order",
    () => orders.output().includes('zigbee2mqtt/büro/steckdose/set {"state":"ON"}') || undefined,
  );
  await mosquitto.publish("zigbee2mqtt/büro/steckdose", '{"state":"ON","power":80}', false);
  expect(await zigbee).toEqual({ state: "done" });
  expect(await value(plug, "state/power")).toEqual(float(80));
  await expect(replace("mqtt:homie:lamp", "light/power", bool(false))).rejects.toMatchObject({ status: 504 });
});

test("a user name and a password let the gateway in; a wrong one is said to be wrong", async () => {
  const mosquitto = await broker({ user: { name: "gw", password: "right" } });
  await mosquitto.publishAll(lamp);
  const wrong = await gateway({ url: mosquitto.url, username: "gw", password: "wrong" });
  expect((await wrong.state("error")).detail).toContain("refuses the user name or the password");
  const none = await gateway({ url: mosquitto.url });
  expect((await none.state("error")).detail).toContain("refuses the user name or the password");
  const right = await gateway({ url: mosquitto.url, username: "gw", password: "right" });
  await right.face("mqtt:homie:lamp");
  expect(JSON.stringify([wrong.host.statuses, wrong.host.log.lines])).not.toContain('wrong"');
});

test("TLS with the CA of the broker works; without it, with another, or by another name it is refused", async () => {
  const mosquitto = await broker({ tls: true });
  await mosquitto.publishAll(lamp);
  const right = await gateway({ url: mosquitto.url, tls: { ca: mosquitto.ca } });
  await right.face("mqtt:homie:lamp");
  const untrusted = await gateway({ url: mosquitto.url });
  expect((await untrusted.state("error")).detail).toContain("its CA belongs in adapters.mqtt.tls.ca");
  const other = await broker({ tls: true });
  const stranger = await gateway({ url: mosquitto.url, tls: { ca: other.ca } });
  expect((await stranger.state("error")).detail).toContain("certificate is not trusted");
  const named = await gateway({ url: `mqtts://127.0.0.2:${mosquitto.port}`, tls: { ca: mosquitto.ca } });
  expect((await named.state("error")).detail).toMatch(/no MQTT broker answers|for another name/);
});

test("a broker that wants client certificates gets ours", async () => {
  const mosquitto = await broker({ clientCertificates: true });
  const { ca, cert, key, url } = mosquitto;
  const without = await gateway({ url, tls: { ca } });
  expect((await without.state("error")).detail).toMatch(/client certificate|closed the connection/);
  const right = await gateway({ url, tls: { ca, cert, key } });
  await right.state("connected");
});

test("TLS and plain MQTT are told apart when the URL names the wrong one", async () => {
  const [plain, tls] = [await broker(), await broker({ tls: true })];
  const secure = await gateway({ url: `mqtts://localhost:${plain.port}` });
  expect((await secure.state("error", 30_000)).detail).toMatch(/speaks no TLS|closed the connection/);
  const open = await gateway({ url: `mqtt://127.0.0.1:${tls.port}` });
  expect((await open.state("error")).detail).toMatch(/want TLS|closed the connection|speaks no MQTT/);
});

test("a restart of the broker loses nothing: what changed meanwhile is known, no device comes twice", async () => {
  const mosquitto = await broker();
  await mosquitto.publishAll(lamp);
  const { host, face, value, state } = await gateway({ url: mosquitto.url });
  await face("mqtt:homie:lamp");
  await mosquitto.restart(500);
  await state("error");
  await mosquitto.publish("homie/lamp/light/brightness", "99");
  await until("the new value", async () => {
    const now = await value("mqtt:homie:lamp", "light/brightness");
    return now?.format === "int" && now.data === 99 ? true : undefined;
  });
  expect(host.face("mqtt:homie:lamp")?.reachable).toBe(true);
  expect(host.attachments).toHaveLength(1);
});

test("a broker that forgets everything in its restart leaves the devices away until they are announced again", async () => {
  const mosquitto = await broker({ persistence: false });
  await mosquitto.publishAll(lamp);
  const { host, face } = await gateway({ url: mosquitto.url });
  await face("mqtt:homie:lamp");
  await mosquitto.restart();
  await face("mqtt:homie:lamp", false);
  await mosquitto.publishAll(lamp);
  await face("mqtt:homie:lamp");
  expect(host.attachments).toHaveLength(1);
});

test("an access list that shows a part of the broker leaves the rest out, and no more", async () => {
  const mosquitto = await broker({
    user: { name: "gw", password: "x" },
    acl: ["user gw", "topic readwrite homie/#"],
  });
  await mosquitto.publishAll(lamp);
  const { face } = await gateway({ url: mosquitto.url, username: "gw", password: "x" });
  await face("mqtt:homie:lamp");
});

test("3,000 retained topics of real devices arrive whole", async () => {
  const mosquitto = await broker();
  const pub = (topic: string, payload: string) => [topic, payload] as const;
  const topics = Array.from({ length: 40 }, (_, d) => [
    pub(`homie/d${d}/$homie`, "4.0"),
    pub(`homie/d${d}/$nodes`, "n"),
    pub(`homie/d${d}/n/$properties`, Array.from({ length: 35 }, (_, p) => `p${p}`).join(",")),
    ...Array.from({ length: 35 }, (_, p) => [
      pub(`homie/d${d}/n/p${p}/$datatype`, "string"),
      pub(`homie/d${d}/n/p${p}`, `v${p}`),
    ]).flat(),
    pub(`homie/d${d}/$state`, "ready"),
  ]).flat();
  const { connectAsync } = await import("mqtt");
  const client = await connectAsync(mosquitto.url);
  for (const [topic, payload] of topics) await client.publishAsync(topic, payload, { qos: 0, retain: true });
  await client.endAsync();
  const { host, value } = await gateway({ url: mosquitto.url });
  await until("all 40", () => (host.present.length === 40 ? true : undefined), 30_000);
  for (const d of [0, 17, 39]) expect(await value(`mqtt:homie:d${d}`, "n/p34")).toEqual(chr("v34"));
});
