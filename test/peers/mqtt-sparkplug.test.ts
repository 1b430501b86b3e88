import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, expect, test } from "vitest";
import * as v from "valibot";
import { start } from "../../adapters/mqtt/index.ts";
import { mqttOptions } from "../../adapters/mqtt/options.ts";
import { systemClock } from "../../daemon/clock.ts";
import { parseRel } from "../../tree/path.ts";
import { bool, chr, float, int } from "../../tree/value.ts";
import type { Value } from "../../tree/value.ts";
import { aCall, fakeHost } from "../fakes/host.ts";
import { sparkplugEdge, tahuEncode } from "../fakes/mqtt/sparkplug-edge.ts";
import { heatPump } from "../fakes/mqtt/sparkplug-models.ts";
import { startSparkplugDevices } from "../fakes/sparkplug-devices.ts";
import { startMosquitto } from "./lib/mosquitto.ts";
import type { Mosquitto } from "./lib/mosquitto.ts";
import { until } from "./lib/process.ts";

const run = promisify(execFile);
const node = "mqtt:sparkplug:Home/Heat pump";
const tank = `${node}/Tank`;

const cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const undo of cleanUp.splice(0).reverse()) await undo();
});

async function broker(): Promise<Mosquitto> {
  const mosquitto = await startMosquitto();
  cleanUp.push(() => mosquitto.stop());
  return mosquitto;
}

async function gateway(url: string) {
  const host = fakeHost(systemClock);
  const adapter = await start(v.parse(mqttOptions, { url }), host);
  cleanUp.push(() => adapter.stop());
  const value = (id: string, rel: string) => host.face(id)?.face.mo.read(parseRel(rel), "one", aCall());
  await until("the line", () => host.statuses.find((s) => s.state === "connected"));
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
    replace: (id: string, rel: string, to: Value) =>
      host.face(id)?.face.mo.apply([{ verb: "Replace", rel: parseRel(rel), value: to }], aCall()),
  };
}

/** mosquitto_pub with a file of octets, as a payload of Eclipse Tahu. */
async function publish({ port }: Mosquitto, topic: string, payload: Parameters<typeof tahuEncode>[0]): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "dmgw-sparkplug-"));
  try {
    const file = join(folder, "payload");
    await writeFile(file, tahuEncode(payload));
    await run("mosquitto_pub", ["-h", "127.0.0.1", "-p", String(port), "-t", `spBv1.0/${topic}`, "-f", file]);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("births, data and deaths that mosquitto_pub sends as octets are a device and its life", async () => {
  const mosquitto = await broker();
  const { face, shows } = await gateway(mosquitto.url);
  const session = { name: "bdSeq", type: "Int64", value: 9 } as const;
  await publish(mosquitto, "Plant 1/NBIRTH/Line A", {
    timestamp: Date.now(),
    seq: 0,
    metrics: [
      session,
      { name: "Node Control/Rebirth", type: "Boolean", value: false },
      { name: "Speed", alias: 1, type: "Float", value: 1.5 },
    ],
  });
  await publish(mosquitto, "Plant 1/DBIRTH/Line A/Motor", {
    timestamp: Date.now(),
    seq: 1,
    metrics: [{ name: "Winding/Temperature", alias: 2, type: "Int16", value: -3 }],
  });
  await face("mqtt:sparkplug:Plant 1/Line A");
  await face("mqtt:sparkplug:Plant 1/Line A/Motor");
  await shows("mqtt:sparkplug:Plant 1/Line A/Motor", "Winding/Temperature", int(-3));
  await publish(mosquitto, "Plant 1/DDATA/Line A/Motor", {
    timestamp: Date.now(),
    seq: 2,
    metrics: [{ alias: 2, type: "Int16", value: 55 }],
  });
  await shows("mqtt:sparkplug:Plant 1/Line A/Motor", "Winding/Temperature", int(55));
  await publish(mosquitto, "Plant 1/NDEATH/Line A", { metrics: [{ ...session, value: 8 }] });
  await publish(mosquitto, "Plant 1/NDATA/Line A", { seq: 3, metrics: [{ alias: 1, type: "Float", value: 2.5 }] });
  await shows("mqtt:sparkplug:Plant 1/Line A", "Speed", float(2.5));
  await face("mqtt:sparkplug:Plant 1/Line A");
  await publish(mosquitto, "Plant 1/NDEATH/Line A", { metrics: [session] });
  await face("mqtt:sparkplug:Plant 1/Line A/Motor", false);
  await face("mqtt:sparkplug:Plant 1/Line A", false);
});

test("an edge node that was there first is asked for its birth, takes orders, and its last will takes it away", async () => {
  const mosquitto = await broker();
  const { edge, stop } = await startSparkplugDevices(mosquitto.url, { chatter: 200 });
  cleanUp.push(() => edge.client.endAsync(true));
  const { face, shows, replace } = await gateway(mosquitto.url);
  await face(tank);
  expect(edge.orders.filter((order) => order === "rebirth")).toHaveLength(1);
  await shows(node, "Properties/Hardware%20Make", chr("Raspberry Pi"));
  expect(await replace(tank, "Outputs/Setpoint", float(47.5))).toEqual({ state: "done" });
  expect(await replace(tank, "Outputs/Pump", bool(true))).toEqual({ state: "done" });
  expect(await replace(node, "Node%20Control/Rebirth", bool(true))).toEqual({ state: "done" });
  await until("the rebirth", () => edge.orders.filter((order) => order === "rebirth").length === 2 || undefined);
  await face(tank);
  await stop();
  await face(tank, false);
  await expect(replace(tank, "Outputs/Pump", bool(false))).rejects.toMatchObject({ status: 503 });
  const again = await sparkplugEdge(mosquitto.url, heatPump, { session: 1 });
  cleanUp.push(() => again.client.endAsync(true));
  await face(tank);
  // The broker publishes the will of a line that breaks.
  await again.crash();
  await face(node, false);
  await face(tank, false);
});

test("a restart of the broker: edge nodes that come back are the same devices", async () => {
  const mosquitto = await broker();
  const first = await sparkplugEdge(mosquitto.url, heatPump, { session: 1 });
  cleanUp.push(() => first.client.endAsync(true));
  const { host, face, shows } = await gateway(mosquitto.url);
  await first.report("Tank", "Inputs/Temperature", 49);
  await face(tank);
  await mosquitto.restart();
  const second = await sparkplugEdge(mosquitto.url, heatPump, { session: 2 });
  cleanUp.push(() => second.client.endAsync(true));
  await until(
    "the line",
    () => (host.statuses.at(-1)?.state === "connected" && host.statuses.length > 3 ? true : undefined),
    30_000,
  );
  await second.report("Tank", "Inputs/Temperature", 33);
  await shows(tank, "Inputs/Temperature", float(33));
  expect(host.attachments).toHaveLength(2);
  await face(tank);
});
