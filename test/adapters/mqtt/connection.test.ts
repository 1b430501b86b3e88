import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import * as v from "valibot";
import { reasonOfLine } from "../../../adapters/mqtt/faults.ts";
import { start } from "../../../adapters/mqtt/index.ts";
import { mqttOptions } from "../../../adapters/mqtt/options.ts";
import { parseRel } from "../../../tree/path.ts";
import { float, int } from "../../../tree/value.ts";
import type { Adapter } from "../../../adapters/adapter.ts";
import { fakeClock } from "../../fakes/clock.ts";
import { fakeHost, until } from "../../fakes/host.ts";
import { fakeBroker } from "../../fakes/mqtt/broker.ts";
import { homieDevice } from "../../fakes/mqtt/homie-device.ts";
import { colorLamp, hub, thermostat } from "../../fakes/mqtt/models.ts";
import { zigbeeBridge } from "../../fakes/mqtt/zigbee-bridge.ts";
import { moOf, passing } from "../contract.ts";
import { smallHome } from "./small-home.ts";

const cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const undo of cleanUp.splice(0).reverse()) await undo();
});
const hall = "mqtt:homie:hall-thermostat";

async function startOn(url: string) {
  const clock = fakeClock();
  const host = fakeHost(clock);
  const adapter: Adapter = await start(v.parse(mqttOptions, { url }), host);
  cleanUp.push(() => adapter.stop());
  return { clock, host };
}

test("without a broker the adapter says so, and finds the broker when it comes", async () => {
  const gone = await fakeBroker();
  await gone.stop();
  const { clock, host } = await startOn(gone.url);
  await until(() => host.statuses.at(-1)?.state === "error");
  expect(host.statuses.at(-1)?.detail).toMatch(
    new RegExp(
      `^no MQTT broker answers at ${gone.url}: is it running, and does it listen there\\?; next try within \\d+ s$`,
    ),
  );
  const broker = await fakeBroker(gone.port);
  cleanUp.push(() => broker.stop());
  await passing(clock, () => host.statuses.at(-1)?.state === "connected", "the connection");
});

test("tries spread over a growing time and stay below a minute", async () => {
  const gone = await fakeBroker();
  await gone.stop();
  const { clock, host } = await startOn(gone.url);
  const waits = () =>
    host.statuses
      .filter(({ state }) => state === "error")
      .map(({ detail }) => Number(/within (\d+) s/.exec(detail)?.[1]));
  while (waits().length < 14) {
    await clock.advance(1000);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  waits().forEach((wait, i) => expect(wait).toBeLessThanOrEqual(Math.min(60, 2 ** i)));
  expect(new Set(waits().slice(6)).size).toBeGreaterThan(1);
});

test("a server that takes the connection and speaks no MQTT is told apart", async () => {
  const server = createServer((socket) => {
    socket.on("error", () => undefined).resume();
    socket.end("HTTP/1.1 400 Bad Request\r\n\r\n");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanUp.push(() => new Promise((resolve) => server.close(resolve)));
  const { host } = await startOn(`mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`);
  await until(() => host.statuses.at(-1)?.state === "error");
  expect(host.statuses.at(-1)?.detail).toMatch(/^mqtt:\/\/127\.0\.0\.1:\d+ speaks no MQTT/);
});

test("a line that breaks and comes back calls no device away, and what was said meanwhile is known", async () => {
  const home = await smallHome();
  cleanUp.push(() => home.stop());
  const device = await homieDevice(home.broker.url, thermostat);
  cleanUp.push(() => device.crash());
  await home.appears(hall);
  await home.clock.advance(3000);
  device.client.options.reconnectPeriod = 0;
  home.broker.breakLines();
  await until(() => home.host.statuses.at(-1)?.state === "error");
  const other = await homieDevice(home.broker.url, thermostat);
  cleanUp.push(() => other.leave());
  const before = home.host.face(hall)?.changed.length ?? 0;
  await other.report("battery/level", "12");
  expect(home.host.face(hall)?.reachable).toBe(true);
  await expect(home.replace(hall, "thermostat/target", float(19))).rejects.toMatchObject({ status: 503 });
  await passing(home.clock, () => home.host.statuses.at(-1)?.state === "connected", "the line");
  await passing(
    home.clock,
    () => home.host.face(hall)?.changed.slice(before).includes(parseRel("battery/level")),
    "the new value",
  );
  await home.shows(hall, "battery/level", int(12));
  expect(home.host.attachments).toHaveLength(1);
  expect(await home.replace(hall, "thermostat/target", float(19))).toEqual({ state: "done" });
});

test("a broker that stays away makes its devices unreachable, and they are back with it", async () => {
  const home = await smallHome();
  cleanUp.push(() => home.stop());
  const device = await homieDevice(home.broker.url, thermostat);
  cleanUp.push(() => device.leave());
  const bridge = await zigbeeBridge(home.broker.url, [colorLamp]);
  cleanUp.push(() => bridge.leave());
  const lamp = `mqtt:z2m:${colorLamp.address}`;
  await home.appears(hall);
  await home.appears(lamp);
  await home.clock.advance(3000);
  const { port } = home.broker;
  await home.broker.stop();
  await passing(
    home.clock,
    () => [hall, lamp].every((id) => home.host.face(id)?.reachable === false),
    "both to be away",
  );
  // It has forgotten everything: the devices tell it again.
  const again = await fakeBroker(port);
  cleanUp.unshift(() => again.stop());
  await passing(
    home.clock,
    () => [hall, lamp].every((id) => home.host.face(id)?.reachable === true),
    "both to be back",
  );
  expect(home.host.attachments).toHaveLength(2);
});

test("a device whose topics are gone after a reconnect is away, and after an hour it is detached", async () => {
  const home = await smallHome();
  cleanUp.push(() => home.stop());
  const device = await homieDevice(home.broker.url, hub);
  await home.appears("mqtt:homie:garage-hub");
  await home.clock.advance(3000);
  const away = () => home.host.face("mqtt:homie:garage-hub")?.reachable === false;
  device.client.options.reconnectPeriod = 0;
  home.broker.breakLines();
  await until(() => home.host.statuses.at(-1)?.state === "error");
  home.client.reconnect();
  await until(() => home.client.connected);
  for (const topic of ["$state", "$description", "hub/uptime"]) await home.publish(`homie/5/garage-hub/${topic}`, "");
  await passing(home.clock, away, "it to be away");
  expect(home.host.present).toEqual(["mqtt:homie:garage-hub"]);
  await home.clock.advance(3_600_000);
  expect(home.host.present).toEqual([]);
  await device.client.endAsync(true);
});

test("a subscription that the broker refuses is said, and the rest works", async () => {
  const broker = await fakeBroker(0, /^zigbee2mqtt/);
  cleanUp.push(() => broker.stop());
  const { clock, host } = await startOn(broker.url);
  const device = await homieDevice(broker.url, thermostat);
  cleanUp.push(() => device.leave());
  await passing(clock, () => host.face(hall), "the thermostat");
  expect(host.statuses.at(-1)).toEqual({
    state: "error",
    detail: expect.stringMatching(/^the MQTT broker at mqtt:.* does not let dmgw read .*zigbee2mqtt/) as unknown,
  });
});

test("values live in memory only: nothing that devices say is made durable", async () => {
  const home = await smallHome();
  cleanUp.push(() => home.stop());
  const device = await homieDevice(home.broker.url, thermostat);
  cleanUp.push(() => device.leave());
  await home.appears(hall);
  for (let i = 0; i < 20; i++) await device.report("battery/level", String(i));
  expect([...home.host.state.entries()]).toEqual([]);
  expect(moOf(home.host, hall).urn).toMatch(/^urn:/);
});

test.each<[unknown, string]>([
  [{ code: 5 }, "user name or the password"],
  [{ code: "SELF_SIGNED_CERT_IN_CHAIN" }, "adapters.mqtt.tls.ca"],
  [{ code: "ERR_TLS_CERT_ALTNAME_INVALID" }, "another name"],
  [{ code: "ENOTFOUND" }, "not known"],
  [{ message: "connack timeout" }, "speaks no MQTT"],
  [{ message: "something odd" }, "mqtt://b speaks no MQTT: something odd"],
  [undefined, "mqtt://b"],
])("a person understands why the line failed: %j", (error, expected) => {
  expect(reasonOfLine(error ?? {}, "mqtt://b")).toContain(expected);
});
