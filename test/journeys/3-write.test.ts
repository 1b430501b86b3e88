import { afterEach, beforeEach, expect, test } from "vitest";
import { openPlace, quiet, until } from "../daemon/real-daemon.ts";
import type { Place, RealDaemon } from "../daemon/real-daemon.ts";
import { quickClock } from "../fakes/clock.ts";
import { startDmServer } from "../fakes/dm-server.ts";
import type { DmServer } from "../fakes/dm-server.ts";
import type { Outcome } from "../fakes/dm-server/answers.ts";
import { atomic, get, replace } from "../fakes/dm-server/asks.ts";
import type { Ask } from "../fakes/dm-server/asks.ts";
import { accountAt, client, operator, server as serverProof } from "../fakes/dm-server/config-entry.ts";
import { fakeBroker } from "../fakes/mqtt/broker.ts";
import type { FakeBroker } from "../fakes/mqtt/broker.ts";
import { homieDevice } from "../fakes/mqtt/homie-device.ts";
import type { HomieDevice } from "../fakes/mqtt/homie-device.ts";
import { deskLamp, meterPlug, thermostat } from "../fakes/mqtt/models.ts";
import { zigbeeBridge } from "../fakes/mqtt/zigbee-bridge.ts";
import type { ZigbeeBridge } from "../fakes/mqtt/zigbee-bridge.ts";

let broker: FakeBroker;
let server: DmServer;
let place: Place;
let gateway: RealDaemon;
let lamp: HomieDevice;
let heating: HomieDevice;
let bridge: ZigbeeBridge;
/** Their addresses in the tree. */
let light: string;
let wall: string;
let plug: string;

beforeEach(async () => {
  broker = await fakeBroker();
  server = await startDmServer({ client, server: serverProof });
  place = openPlace({ ...quiet, adapters: { mqtt: { url: broker.url } }, servers: [accountAt(server.url)] });
  // A device has five seconds for its answer.
  gateway = await place.start(quickClock(4));
  lamp = await homieDevice(broker.url, deskLamp);
  heating = await homieDevice(broker.url, thermostat);
  bridge = await zigbeeBridge(broker.url, [meterPlug], { retain: true });
  const found = async (identity: string) =>
    (await gateway.device((device) => device.identities.includes(identity) && device.reachable)).uri;
  light = `${await found(`mqtt:homie:${deskLamp.id}`)}/MQTT/light`;
  wall = `${await found(`mqtt:homie:${thermostat.id}`)}/MQTT/thermostat`;
  plug = `${await found(`mqtt:z2m:${meterPlug.address}`)}/MQTT/state`;
  await until("all values", async () => {
    const values = await Promise.all([`${light}/brightness`, `${wall}/target`, `${plug}/state`].map(gateway.get));
    return values.every((value) => value !== undefined && value !== null) || undefined;
  });
});
afterEach(async () => {
  expect(server.violations).toEqual([]);
  await place.clear();
  await Promise.all([lamp.leave(), heating.leave(), bridge.leave(), server.stop()]);
  await broker.stop();
});

async function session(...asks: Ask[]): Promise<readonly Outcome[]> {
  const answered = server.run(asks);
  await gateway.ask("POST", `/v1/servers/${operator}/connect`);
  return answered;
}
const statuses = (outcomes: readonly Outcome[]) => outcomes.map(({ status }) => status);

test("a Replace is an order to the device, and 200 when the device has said that it took it", async () => {
  const outcomes = await session(
    replace(`${light}/power`, true),
    replace(`${light}/brightness`, 80),
    replace(`${wall}/mode`, "heat"),
    replace(`${wall}/target`, "22.5", { format: "float" }),
    replace(`${plug}/state`, true),
    get(`${light}/power`, `${light}/brightness`, `${wall}/mode`, `${wall}/target`, `${plug}/state`),
  );
  expect(statuses(outcomes)).toEqual([200, 200, 200, 200, 200, 200]);
  expect(outcomes[5]?.results.map(({ data }) => data)).toEqual(["true", "80", "heat", "22.5", "true"]);
  expect(lamp.orders).toEqual(["light/power=true", "light/brightness=80"]);
  expect(heating.orders).toEqual(["thermostat/mode=heat", "thermostat/target=22.5"]);
  expect(bridge.orders).toContain('washing machine/set {"state":"ON"}');
});

test("sent, taken and verified are three things: a device that keeps another value is 500, one that says nothing 504", async () => {
  lamp.obey = (path, payload) => (path === "light/brightness" ? "50" : payload);
  heating.obey = () => undefined;
  const outcomes = await session(
    replace(`${light}/brightness`, 90),
    get(`${light}/brightness`),
    replace(`${wall}/target`, 25),
    get(`${wall}/target`),
  );
  expect(statuses(outcomes)).toEqual([500, 200, 504, 200]);
  expect([outcomes[1]?.results[0]?.data, outcomes[3]?.results[0]?.data]).toEqual(["50", "21"]);
  expect([lamp.orders, heating.orders]).toEqual([["light/brightness=90"], ["thermostat/target=25"]]);
});

test("what cannot be is refused before any device hears of it", async () => {
  await gateway.ask("PUT", `/v1/tree/${plug.slice(2)}/state?prop=ACL`, { value: "Get=*" });
  const outcomes = await session(
    replace(`${light}/nothing`, true),
    replace(`${wall}/current-temperature`, 25),
    replace(`${light}/power`, "perhaps"),
    replace(`${light}/brightness`, 101),
    replace(`${plug}/state`, true),
    get(`${plug}/state`),
  );
  expect(statuses(outcomes)).toEqual([404, 405, 415, 400, 425, 200]);
  expect([lamp.orders, heating.orders, bridge.orders]).toEqual([[], [], []]);
});

test("an Atomic over two devices is done by both, or the first one gets its old value back", async () => {
  const [good] = await session(atomic([replace(`${light}/power`, true), replace(`${wall}/target`, 23)]));
  expect([good?.status, ...statuses(good?.inner ?? [])]).toEqual([200, 200, 200]);
  expect([lamp.values.get("light/power"), heating.values.get("thermostat/target")]).toEqual(["true", "23"]);

  heating.obey = () => "23";
  const [bad, read] = await session(
    atomic([replace(`${light}/brightness`, 5), replace(`${wall}/target`, 30)]),
    get(`${light}/brightness`),
  );
  expect([bad?.status, ...statuses(bad?.inner ?? [])]).toEqual([507, 216, 500]);
  expect(read?.results[0]?.data).toBe("40");
  expect(lamp.orders.slice(-2)).toEqual(["light/brightness=5", "light/brightness=40"]);

  // Checked before anything is written: the second address is wrong.
  const before = lamp.orders.length;
  const [none] = await session(atomic([replace(`${light}/brightness`, 9), replace(`${wall}/nothing`, 1)]));
  expect(none?.status).toBe(507);
  expect(lamp.orders).toHaveLength(before);
});

test("a device that is away is 503 at once, and so is every device when the broker is", async () => {
  await lamp.state("disconnected");
  await gateway.device(({ identities, reachable }) => identities.includes("mqtt:homie:desk-lamp") && !reachable);
  const from = performance.now();
  expect(statuses(await session(replace(`${light}/power`, true), get(`${light}/power`)))).toEqual([503, 200]);
  await broker.stop();
  await until("the line to be down", async () =>
    (await gateway.status()).adapters["mqtt"]?.state === "error" ? true : undefined,
  );
  expect(statuses(await session(replace(`${wall}/target`, 20)))).toEqual([503]);
  expect(performance.now() - from).toBeLessThan(4000);
  expect(lamp.orders).toEqual([]);
  broker = await fakeBroker(broker.port);
});
