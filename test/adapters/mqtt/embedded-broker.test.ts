import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { connectAsync } from "mqtt";
import type { IClientOptions, MqttClient } from "mqtt";
import { afterEach, beforeEach, expect, test } from "vitest";
import * as v from "valibot";
import type { Adapter } from "../../../adapters/adapter.ts";
import { embeddedLimits } from "../../../adapters/mqtt/embedded-limits.ts";
import { start } from "../../../adapters/mqtt/index.ts";
import { mqttOptions } from "../../../adapters/mqtt/options.ts";
import { bool } from "../../../tree/value.ts";
import { parseRel } from "../../../tree/path.ts";
import { fakeClock } from "../../fakes/clock.ts";
import type { FakeClock } from "../../fakes/clock.ts";
import { aCall, fakeHost, until } from "../../fakes/host.ts";
import type { FakeHost } from "../../fakes/host.ts";
import { tasmotaDevice } from "../../fakes/mqtt/tasmota-device.ts";
import { energyPlug } from "../../fakes/mqtt/tasmota-models.ts";
import { moOf, passing } from "../contract.ts";

let clock: FakeClock;
let host: FakeHost;
let adapter: Adapter | undefined;
let port: number;
const clients: MqttClient[] = [];
const sockets: Socket[] = [];
const account = { username: "plugs", password: "right", reconnectPeriod: 0 };

beforeEach(async () => {
  clock = fakeClock();
  host = fakeHost(clock);
  port = await freePort();
});
afterEach(async () => {
  for (const client of clients.splice(0)) await client.endAsync(true);
  for (const socket of sockets.splice(0)) socket.destroy();
  await adapter?.stop();
  adapter = undefined;
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port: found } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return found;
}

const options = (more: object = {}) => ({
  embedded: {
    enabled: true,
    listen: `127.0.0.1:${port}`,
    users: [
      { name: "plugs", password: "right" },
      { name: "lamps", password: "other" },
    ],
    ...more,
  },
});

/** The adapter with its own broker; resolves when dmgw is connected to it and it listens. */
async function started(more: object = {}): Promise<void> {
  adapter = await start(v.parse(mqttOptions, options(more)), host);
  await until(
    () => host.statuses.at(-1)?.state === "connected" && host.log.lines.some((line) => line.includes("broker listens")),
    () => JSON.stringify(host.statuses),
  );
}

async function client(more: IClientOptions = {}): Promise<MqttClient> {
  const one = await connectAsync(`mqtt://127.0.0.1:${port}`, { ...account, ...more }, false);
  one.on("error", () => undefined);
  clients.push(one);
  return one;
}

/** What a client that subscribes hears, as "topic payload", retained ones with a mark. */
async function hears(filter: string, more: IClientOptions = {}): Promise<string[]> {
  const heard: string[] = [];
  const one = await client(more);
  one.on(
    "message",
    (topic, payload, { retain }) => void heard.push(`${topic} ${payload.toString()}${retain ? " (retained)" : ""}`),
  );
  await one.subscribeAsync(filter, { qos: 1 });
  return heard;
}

const refusedWith = (more: IClientOptions) =>
  client(more).then(
    () => "taken",
    (error: { code?: unknown }) => error.code,
  );
const said = (what: string) => host.log.lines.filter((line) => line.includes(what)).length;

test("a device on the embedded broker is in the tree, and is told what to do, without a URL in the config", async () => {
  await started();
  expect(host.statuses.at(-1)).toEqual({ state: "connected", detail: `embedded broker at mqtt://127.0.0.1:${port}` });
  const plug = await tasmotaDevice(`mqtt://127.0.0.1:${port}`, energyPlug, { username: "plugs", password: "right" });
  const id = "mqtt:tasmota:c44f33a1b0e7";
  await passing(clock, () => host.face(id)?.reachable, "the plug");
  const change = { verb: "Replace", rel: parseRel("POWER"), value: bool(false) } as const;
  expect(await moOf(host, id).apply([change], aCall())).toEqual({ state: "done" });
  expect(plug.state.power).toEqual([false]);
  await plug.crash();
  await passing(clock, () => host.face(id)?.reachable === false, "its last will");
  expect(JSON.stringify([host.log.lines, host.statuses])).not.toContain("right");
});

test("nobody comes in without the right password, not even dmgw's own name by the port", async () => {
  await started();
  expect(await refusedWith({ password: "wrong" })).toBe(4);
  expect(await refusedWith({ username: "nobody" })).toBe(4);
  const nameless = connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0 }, false);
  await expect(nameless).rejects.toMatchObject({ code: 5 });
  expect(await refusedWith({ username: "lamps", password: "right" })).toBe(4);
  expect(await refusedWith({ username: "lamps", password: "other" })).toBe("taken");
  expect(said("wrong user name or password")).toBeGreaterThan(0);
  expect(host.log.lines.join()).toContain("127.0.0.1");
});

test("who tries passwords is not listened to for a minute", async () => {
  await started();
  for (let i = 0; i < embeddedLimits.failures; i++) expect(await refusedWith({ password: `wrong${i}` })).toBe(4);
  await expect(client({ connectTimeout: 1000 })).rejects.toThrow();
  expect(said("too many wrong passwords")).toBe(1);
  await clock.advance(embeddedLimits.lockout);
  expect(await refusedWith({})).toBe("taken");
});

test("what is retained is kept in memory, replaced and deleted; a session ends with its connection", async () => {
  await started();
  const one = await client({ clean: false, clientId: "comes-back" });
  for (const [topic, payload] of [
    ["a/b", "1"],
    ["a/b", "2"],
    ["a/c", "x"],
    ["a/c", ""],
    ["a", "root"],
    ["b", "no"],
  ] as const)
    await one.publishAsync(topic, payload, { qos: 1, retain: true });
  const heard = await hears("a/#");
  await until(() => heard.length === 2);
  expect(heard.sort()).toEqual(["a root (retained)", "a/b 2 (retained)"]);
  await one.subscribeAsync("c", { qos: 1 });
  await one.endAsync();
  await (await client()).publishAsync("c", "while it was away", { qos: 1 });
  const again = await client({ clean: false, clientId: "comes-back" });
  const late: string[] = [];
  again.on("message", (topic) => void late.push(topic));
  await again.subscribeAsync("b");
  await until(() => late.length > 0);
  expect(late).toEqual(["b"]);
});

test("messages of QoS 2 come once, wills when a line breaks", async () => {
  await started();
  const heard = await hears("#", { clientId: "ear" });
  const will = { topic: "gone", payload: Buffer.from("yes"), qos: 1, retain: false } as const;
  const one = await client({ will });
  await one.publishAsync("twice", "2", { qos: 2 });
  await until(() => heard.length === 1);
  one.stream.destroy();
  await until(() => heard.length === 2);
  expect(heard).toEqual(["twice 2", "gone yes"]);
});

test("an MQTT 5 client is told that its version is not spoken, an older one is taken", async () => {
  await started();
  expect(await refusedWith({ protocolVersion: 5 })).toBe(0x84);
  expect(await refusedWith({ protocolVersion: 3, protocolId: "MQIsdp", clientId: "old" })).toBe("taken");
  expect(said("it speaks 3.1.1")).toBe(1);
});

test("topics of the broker itself, and topics that are none, are nobody's", async () => {
  await started();
  const one = await client();
  await expect(one.subscribeAsync("$SYS/#")).rejects.toThrow();
  const two = await client();
  const closed = new Promise<void>((resolve) => two.once("close", () => resolve()));
  two.publish("$SYS/x", "1");
  await closed;
  const three = await client();
  const cut = new Promise<void>((resolve) => three.once("close", () => resolve()));
  three.publish(`${"a/".repeat(embeddedLimits.levels)}a`, "1");
  await cut;
  const heard = await hears("#");
  const four = await client();
  four.publish("t".repeat(embeddedLimits.topic + 1), "1");
  await until(() => !four.connected);
  expect(heard).toEqual([]);
});

test("subscriptions, clients, connections and packets have limits", async () => {
  await started();
  const one = await client();
  for (let i = 0; i < embeddedLimits.subscriptions; i += 64)
    await one.subscribeAsync(Array.from({ length: 64 }, (_, k) => `t${i + k}`));
  await expect(one.subscribeAsync("one/more")).rejects.toThrow();
  await one.unsubscribeAsync("t0");
  await one.subscribeAsync("one/more");
  await one.subscribeAsync("one/more");

  const big = await client();
  const closed = new Promise<void>((resolve) => big.once("close", () => resolve()));
  big.publish("big", Buffer.alloc(embeddedLimits.packet));
  await closed;
  expect(said("a packet for the embedded broker above the limit")).toBe(1);

  const open = Array.from({ length: 64 }, (_, i) =>
    client({ clientId: `c${i}` }).then(
      () => true,
      () => false,
    ),
  );
  expect((await Promise.all(open)).filter(Boolean).length).toBe(embeddedLimits.clients - 1);
  // Its own name again takes the place of the connection before.
  expect(await refusedWith({ clientId: "c3" })).toBe("taken");
});

test("who connects and says nothing holds no more than a few sockets of an address", async () => {
  await started();
  let closed = 0;
  for (let i = 0; i < embeddedLimits.strangers + 5; i++) {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.on("error", () => undefined);
    socket.on("close", () => closed++);
    sockets.push(socket);
  }
  await until(() => closed === 5);
  expect(said("too many connections without a password")).toBeGreaterThan(0);
});

test("a flood of retained messages stays within the limits, and is passed on all the same", async () => {
  await started();
  const heard = await hears("flood/#");
  const one = await client();
  const payload = Buffer.alloc(200_000, "x");
  const most = Math.floor(embeddedLimits.retainedOctets / payload.length);
  for (let i = 0; i < most + 5; i++) await one.publishAsync(`flood/${i}`, payload, { qos: 1, retain: true });
  await until(() => heard.length === most + 5);
  expect(said("a retained message above the limit")).toBeGreaterThan(0);
  const late = await hears("flood/#", { clientId: "late" });
  await until(() => late.length >= most - 1);
  await one.publishAsync("flood/end", "", { qos: 1 });
  await until(() => late.at(-1) === "flood/end ");
  expect(late.length).toBeLessThanOrEqual(most + 1);
}, 30_000);

test("a client that does not read is cut off, and holds up nobody for long", async () => {
  await started();
  const deaf = connect({ port, host: "127.0.0.1" });
  sockets.push(deaf);
  deaf.on("error", () => undefined);
  const gone = new Promise((resolve) => deaf.once("close", resolve));
  deaf.write(connectPacket("deaf"));
  await new Promise((resolve) => deaf.once("data", resolve));
  deaf.write(Buffer.from([0x82, 0x06, 0x00, 0x01, 0x00, 0x01, 0x23, 0x00]));
  await new Promise((resolve) => deaf.once("data", resolve));
  deaf.pause();
  const one = await client();
  const payload = Buffer.alloc(200_000, "x");
  let stopped = false;
  const flood = (async () => {
    while (!stopped) await one.publishAsync("loud", payload, { qos: 1 });
  })();
  await until(
    () => said("does not read") > 0 || said("is cut off") > 0,
    () => "the deaf one",
    20_000,
  );
  stopped = true;
  await flood;
  deaf.resume();
  await gone;
  const heard = await hears("quiet");
  await one.publishAsync("quiet", "now");
  await until(() => heard.length === 1);
}, 40_000);

test("a port that is taken is an error that is shown, and tried again until it is free", async () => {
  const other: Server = createServer();
  await new Promise<void>((resolve) => other.listen(port, "127.0.0.1", resolve));
  adapter = await start(v.parse(mqttOptions, options()), host);
  await until(() => host.statuses.at(-1)?.state === "error");
  expect(host.statuses.at(-1)?.detail).toBe(
    `the embedded MQTT broker cannot listen at mqtt://127.0.0.1:${port}: another program has that port: ` +
      "stop it, or choose another port in adapters.mqtt.embedded.listen; next try within 10 s",
  );
  await new Promise((resolve) => other.close(resolve));
  await passing(clock, () => host.statuses.at(-1)?.state === "connected", "the port");
  expect(await refusedWith({})).toBe("taken");
});

test("with a URL of its own dmgw uses that broker, and the embedded one is for the devices", async () => {
  const parsed = v.parse(mqttOptions, { ...options(), url: "mqtt://127.0.0.1:9" });
  expect(parsed.url).toBe("mqtt://127.0.0.1:9");
  adapter = await start(parsed, host);
  await until(() => host.statuses.at(-1)?.detail.includes("no MQTT broker answers at mqtt://127.0.0.1:9"));
  await until(() => said("broker listens") === 1);
  expect(await refusedWith({})).toBe("taken");
});

test("a stop leaves no socket and no timer, and the port is free", async () => {
  const resources = () =>
    process.getActiveResourcesInfo().filter((kind) => /Socket|TCP|Pipe|Timeout/.test(kind)).length;
  const before = resources();
  await started();
  await client();
  connect({ port, host: "127.0.0.1" }).on("error", () => undefined);
  await adapter?.stop();
  for (const one of clients.splice(0)) await one.endAsync(true);
  expect(clock.timers).toBe(0);
  await until(
    () => resources() <= before,
    () => process.getActiveResourcesInfo().join(),
  );
  await started();
});

test("an embedded broker without an address, without users or with one twice is a config error", () => {
  const faults = (embedded: object) =>
    v
      .safeParse(mqttOptions, {
        embedded: { enabled: true, listen: "10.0.0.1:1883", users: [{ name: "a", password: "b" }], ...embedded },
      })
      .issues?.map(({ message, path }) => `${path?.map(({ key }) => String(key)).join(".")} ${message}`) ?? [];
  expect(faults({})).toEqual([]);
  expect(faults({ users: [] })).toEqual([expect.stringContaining("embedded.users is empty")]);
  expect(faults({ listen: ":1883" })).toEqual([expect.stringContaining("has to name an address of the LAN")]);
  expect(faults({ listen: undefined }).length).toBe(1);
  expect(
    faults({
      users: [
        { name: "a", password: "b" },
        { name: "a", password: "c" },
      ],
    }),
  ).toEqual([expect.stringContaining("names a user twice")]);
  expect(faults({ enabled: false, users: [], listen: "1883" })).toEqual([]);
});

/** CONNECT of MQTT 3.1.1 with the account of the tests. */
function connectPacket(id: string): Buffer {
  const field = (text: string) => Buffer.concat([Buffer.from([0, text.length]), Buffer.from(text)]);
  const body = Buffer.concat([
    field("MQTT"),
    Buffer.from([4, 0xc2, 0, 60]),
    ...[id, account.username, account.password].map(field),
  ]);
  return Buffer.concat([Buffer.from([0x10, body.length]), body]);
}
