import { afterEach, beforeEach, expect, it } from "vitest";
import { fakeBroker } from "../fakes/mqtt/broker.ts";
import type { FakeBroker } from "../fakes/mqtt/broker.ts";
import { homieDevice } from "../fakes/mqtt/homie-device.ts";
import { deskLamp, thermostat } from "../fakes/mqtt/models.ts";
import { onBroker, openPlace, quiet, until } from "./real-daemon.ts";
import type { Place } from "./real-daemon.ts";

let place: Place;
let broker: FakeBroker;
const undo: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  broker = await fakeBroker();
  place = openPlace(onBroker(broker));
});
afterEach(async () => {
  await place.clear();
  for (const one of undo.splice(0).reverse()) await one();
  await broker.stop();
});

it("a restart keeps numbers, names, rights and what was added, and a device that comes back is no news", async () => {
  const before = await place.start();
  const lamp = await homieDevice(broker.url, deskLamp);
  undo.push(() => lamp.leave());
  await before.device(({ id, reachable, managed }) => id === "d1" && reachable && managed);
  const heating = await homieDevice(broker.url, thermostat);
  undo.push(() => heating.leave());
  await before.device(({ id, reachable, managed }) => id === "d2" && reachable && managed);
  await until("its subtree", async () => ((await before.get("./Devices/d2/MQTT")) === undefined ? undefined : true));
  for (const [method, path, body] of [
    ["POST", "/v1/devices/d1/name", { name: "Grandmother's lamp" }],
    ["PUT", "/v1/tree/Devices/d1/MQTT/light?prop=ACL", { value: "Get=nobody" }],
    ["PUT", "/v1/tree/Devices/d2?prop=Title", { value: "in the hall" }],
    ["POST", "/v1/tree/DevInfo/Ext/Room", { value: "attic" }],
  ] as const)
    expect([path, (await before.ask(method, path, body)).status < 300]).toEqual([path, true]);
  await before.daemon.stop();
  await broker.stop();

  const after = await place.start();
  expect(after.daemon.known).toBe(2);
  expect((await after.devices()).map(({ id, name, state }) => [id, name, state])).toEqual([
    ["d1", "Grandmother's lamp", "away"],
    ["d2", "Hall thermostat", "away"],
  ]);
  expect((await after.ask("GET", "/v1/tree/Devices/d1/MQTT/light/power")).status).toBe(503);
  expect(await after.get("./DevInfo/Ext/Room")).toBe("attic");

  const events = await after.events();
  broker = await fakeBroker(broker.port);
  await after.device(({ id, reachable, managed }) => id === "d1" && reachable && managed);
  await after.device(({ id, reachable, managed }) => id === "d2" && reachable && managed);
  expect(await after.acl("./Devices/d1/MQTT/light")).toBe("Get=nobody");
  expect((await after.ask("GET", "/v1/tree/Devices/d2?prop=Title")).json["value"]).toBe("in the hall");
  // That it is there again is the only news of a device.
  expect(events.heard.filter((event) => event.startsWith("Replace ./Devices")).sort()).toEqual([
    "Replace ./Devices/d1/State/Reachable",
    "Replace ./Devices/d2/State/Reachable",
  ]);
  expect(events.heard.filter((event) => event.startsWith("Add") || event.startsWith("Delete"))).toEqual([]);
  events.end();
});

it("a forgotten device gets another number, never one that was given before", async () => {
  const before = await place.start();
  const lamp = await homieDevice(broker.url, deskLamp);
  undo.push(() => lamp.leave());
  await before.device(({ id, reachable, managed }) => id === "d1" && reachable && managed);
  await before.daemon.stop();

  place.configure(quiet);
  const without = await place.start();
  expect((await without.ask("POST", "/v1/devices/d1/forget")).status).toBe(200);
  expect(await without.devices()).toEqual([]);
  expect(await without.get("./Devices/d1")).toBeUndefined();
  await without.daemon.stop();

  place.configure(onBroker(broker));
  const after = await place.start();
  const { id } = await after.device(({ name }) => name === "Desk lamp");
  expect(id).toBe("d2");
});
