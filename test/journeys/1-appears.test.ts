import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openMulticast } from "../../daemon/discovery/multicast.ts";
import { openPlace, quiet, until } from "../daemon/real-daemon.ts";
import type { Place } from "../daemon/real-daemon.ts";
import { loopback } from "../daemon/discovery/loopback.ts";
import { startDmServer } from "../fakes/dm-server.ts";
import type { DmServer } from "../fakes/dm-server.ts";
import { accountAt, client, server as serverProof } from "../fakes/dm-server/config-entry.ts";
import { fakeBroker } from "../fakes/mqtt/broker.ts";
import type { FakeBroker } from "../fakes/mqtt/broker.ts";
import { homieDevice } from "../fakes/mqtt/homie-device.ts";
import { colorLamp, contactSensor, thermostat } from "../fakes/mqtt/models.ts";
import { zigbeeBridge } from "../fakes/mqtt/zigbee-bridge.ts";
import { minidlnaAlive, minidlnaBye, minidlnaDescription } from "../fixtures/discovery.ts";

let broker: FakeBroker;
let server: DmServer;
let place: Place;
const undo: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  broker = await fakeBroker();
  server = await startDmServer({ client, server: serverProof });
  const report = { subtrees: ["./Devices"], interval: "50ms" };
  place = openPlace({
    ...quiet,
    adapters: { mqtt: { url: broker.url } },
    servers: [{ ...accountAt(server.url), report }],
  });
});
afterEach(async () => {
  for (const one of undo.splice(0).reverse()) await one();
  await place.clear();
  await server.stop();
  await broker.stop();
});

test("a device that announces itself gets a number, a subtree and a record; whoever watches is told, and so is the server", async () => {
  const gateway = await place.start();
  const events = await gateway.events();
  const device = await homieDevice(broker.url, thermostat);
  undo.push(() => device.leave());

  // Until its number is on the disk it is only seen.
  const listed = await gateway.device(({ reachable, managed }) => reachable && managed);
  expect(listed).toMatchObject({
    id: "d1",
    uri: "./Devices/d1",
    name: "Hall thermostat",
    firmware: "2.4.1",
    mac: "de:ad:be:ef:00:41",
    addresses: ["192.168.1.41"],
    identities: ["mqtt:homie:hall-thermostat"],
    protocols: ["MQTT"],
    state: "managed",
  });
  await until("the subtree", async () => ((await gateway.get("./Devices/d1/MQTT")) === undefined ? undefined : true));
  expect(await gateway.get("./Devices/d1")).toEqual(["DevInfo", "State", "MQTT"]);
  expect(await gateway.get("./Devices/d1/MQTT/thermostat")).toEqual(["current-temperature", "target", "mode"]);
  expect(await gateway.get("./Devices/d1/MQTT/thermostat/target")).toBe(21);
  expect(await gateway.get("./Devices/d1/State/Reachable")).toBe(true);
  const record = "./GwMO/DeviceInventory/Records/d1";
  expect(await gateway.get(`${record}/Name`)).toBe("Hall thermostat");
  expect(await gateway.get(`${record}/TreeRef`)).toBe("./Devices/d1");
  expect(await gateway.get(`${record}/State`)).toBe("managed");

  await until("the events", () => events.heard.includes("Add ./Devices/d1/MQTT") || undefined);
  expect(events.heard.filter((event) => event.includes("/Devices/"))).toEqual([
    "Add ./Devices/d1/DevInfo",
    "Add ./Devices/d1/State",
    "Add ./Devices/d1/MQTT",
  ]);
  events.end();
  await server.alertSeen(({ source }) => source === "./Devices/d1/MQTT");
  expect(server.alerts.map(({ source, type, format }) => [source, type, format])).toEqual(
    ["DevInfo", "State", "MQTT"].map((part) => [`./Devices/d1/${part}`, "urn:dmgw:at:change", "node"]),
  );
  expect(server.violations).toEqual([]);
});

test("each device has a number of its own, and one that is taken off its network leaves its subtree, but keeps its number", async () => {
  const gateway = await place.start();
  const bridge = await zigbeeBridge(broker.url, [colorLamp, contactSensor], { retain: true });
  undo.push(() => bridge.leave());
  const find = (address: string) => gateway.device(({ identities }) => identities.includes(`mqtt:z2m:${address}`));
  const [lamp, sensor] = [await find(colorLamp.address), await find(contactSensor.address)];
  expect([lamp.id, sensor.id].sort()).toEqual(["d1", "d2"]);
  await until("the lamp", async () => ((await gateway.get(`${lamp.uri}/MQTT/state`)) === undefined ? undefined : true));
  const events = await gateway.events();
  await bridge.remove(colorLamp.address);
  await until("the lamp to go", async () => ((await gateway.get(lamp.uri)) === undefined ? true : undefined));
  expect(events.heard).toContain(`Delete ${lamp.uri}/MQTT`);
  expect((await find(colorLamp.address)).state).toBe("away");
  expect((await find(sensor.identities[0]?.slice("mqtt:z2m:".length) ?? "")).managed).toBe(true);

  await bridge.join(colorLamp);
  await until("the lamp", async () => ((await gateway.get(`${lamp.uri}/MQTT/state`)) === undefined ? undefined : true));
  expect((await find(colorLamp.address)).id).toBe(lamp.id);
  events.end();
});

test("what is only seen on the LAN is listed under the name it gives itself, and has no place among the managed devices", async () => {
  // The loopback is shared with whoever runs these tests as well.
  const uuid = randomUUID();
  const own = (message: string) => message.replaceAll(/4d696e69-444c-164e-9d41-0123456789ab/gi, uuid);
  const web = createServer((_, response) =>
    response.setHeader("connection", "close").end(own(String(minidlnaDescription))),
  ).listen(0, "127.0.0.1");
  await once(web, "listening");
  undo.push(() => new Promise((resolve) => web.close(resolve)));
  const { socket } = await openMulticast("239.255.255.250", 1900, 1, loopback());
  undo.push(() => new Promise<void>((resolve) => socket.close(resolve)));
  const at = `127.0.0.1:${(web.address() as AddressInfo).port}`;
  const say = (message: string) => socket.send(own(message).replaceAll("10.77.0.2:8200", at), 1900, "239.255.255.250");

  place.configure({ ...quiet, discovery: { ...quiet.discovery, ssdp: { enabled: true } } });
  const gateway = await place.start();
  await until("SSDP", async () =>
    (await gateway.status()).discovery["ssdp"]?.state === "listening" ? true : undefined,
  );
  say(minidlnaAlive);
  const mine = ({ identities }: { identities: readonly string[] }) => identities.includes(`ssdp uuid:${uuid}`);
  const seen = await gateway.device((device) => mine(device) && device.manufacturer !== "");
  expect(seen).toMatchObject({
    state: "seen",
    managed: false,
    reachable: true,
    sources: ["ssdp"],
    protocols: ["UPnP"],
  });
  expect(await gateway.get(seen.uri)).toBeUndefined();
  expect(await gateway.get(`./GwMO/DeviceInventory/Records/${seen.id}/TreeRef`)).toBe("");

  say(minidlnaBye);
  await gateway.device((device) => mine(device) && device.state === "away");
  say(minidlnaAlive);
  await gateway.device((device) => mine(device) && device.state === "seen");
  // Until a person says so.
  const approved = await gateway.ask("POST", `/v1/devices/${seen.id}/approve`);
  expect([approved.status, approved.json["state"]]).toEqual([200, "managed"]);
  expect(await gateway.get(`${seen.uri}/UPnP/Device/UDN`)).toBe(`uuid:${uuid}`);
  // Nobody looks any more: nothing is there for good because it was once.
  place.configure(quiet);
  await gateway.daemon.reload();
  await gateway.device((device) => mine(device) && device.state === "away");
});
