import { createServer } from "node:net";
import type { Server } from "node:net";
import { connectAsync } from "mqtt";
import { afterEach, beforeEach, expect, test } from "vitest";
import * as v from "valibot";
import { mqttOptions } from "../../../../adapters/mqtt/options.ts";
import { parseRel } from "../../../../tree/path.ts";
import { bool } from "../../../../tree/value.ts";
import { aCall, until } from "../../../fakes/host.ts";
import { tasmotaDevice } from "../../../fakes/mqtt/tasmota-device.ts";
import { energyPlug } from "../../../fakes/mqtt/tasmota-models.ts";
import { moOf, passing } from "../../contract.ts";
import { ownBroker } from "../own-broker.ts";
import type { OwnBroker } from "../own-broker.ts";

let own: OwnBroker;
beforeEach(async () => void (own = await ownBroker()));
afterEach(() => own.stop());

test("a device on the embedded broker is in the tree, and is told what to do, without a URL in the config", async () => {
  await own.started();
  expect(own.host.statuses.at(-1)).toEqual({
    state: "connected",
    detail: `embedded broker at mqtt://127.0.0.1:${own.port}`,
  });
  const plug = await tasmotaDevice(`mqtt://127.0.0.1:${own.port}`, energyPlug, {
    username: "plugs",
    password: "right",
  });
  const id = "mqtt:tasmota:c44f33a1b0e7";
  await passing(own.clock, () => own.host.face(id)?.reachable, "the plug");
  const change = { verb: "Replace", rel: parseRel("POWER"), value: bool(false) } as const;
  expect(await moOf(own.host, id).apply([change], aCall())).toEqual({ state: "done" });
  expect(plug.state.power).toEqual([false]);
  await plug.crash();
  await passing(own.clock, () => own.host.face(id)?.reachable === false, "its last will");
  expect(JSON.stringify([own.host.log.lines, own.host.statuses])).not.toContain("right");
});

test("nobody comes in without the right password, not even dmgw's own name by the port", async () => {
  await own.started();
  expect(await own.refusedWith({ password: "wrong" })).toBe(4);
  expect(await own.refusedWith({ username: "nobody" })).toBe(4);
  const nameless = connectAsync(`mqtt://127.0.0.1:${own.port}`, { reconnectPeriod: 0 }, false);
  await expect(nameless).rejects.toMatchObject({ code: 5 });
  expect(await own.refusedWith({ username: "lamps", password: "right" })).toBe(4);
  expect(await own.refusedWith({ username: "lamps", password: "other" })).toBe("taken");
  expect(own.said("wrong user name or password")).toBeGreaterThan(0);
  expect(own.host.log.lines.join()).toContain("127.0.0.1");
});

test("what is retained is kept in memory, replaced and deleted; a session ends with its connection", async () => {
  await own.started();
  const one = await own.client({ clean: false, clientId: "comes-back" });
  for (const [topic, payload] of [
    ["a/b", "1"],
    ["a/b", "2"],
    ["a/c", "x"],
    ["a/c", ""],
    ["a", "root"],
    ["b", "no"],
  ] as const)
    await one.publishAsync(topic, payload, { qos: 1, retain: true });
  const heard = await own.hears("a/#");
  await until(() => heard.length === 2);
  expect(heard.sort()).toEqual(["a root (retained)", "a/b 2 (retained)"]);
  await one.subscribeAsync("c", { qos: 1 });
  await one.endAsync();
  await (await own.client()).publishAsync("c", "while it was away", { qos: 1 });
  const again = await own.client({ clean: false, clientId: "comes-back" });
  const late: string[] = [];
  again.on("message", (topic) => void late.push(topic));
  await again.subscribeAsync("b");
  await until(() => late.length > 0);
  expect(late).toEqual(["b"]);
});

test("messages of QoS 2 come once, wills when a line breaks", async () => {
  await own.started();
  const heard = await own.hears("#", { clientId: "ear" });
  const will = { topic: "gone", payload: Buffer.from("yes"), qos: 1, retain: false } as const;
  const one = await own.client({ will });
  await one.publishAsync("twice", "2", { qos: 2 });
  await until(() => heard.length === 1);
  one.stream.destroy();
  await until(() => heard.length === 2);
  expect(heard).toEqual(["twice 2", "gone yes"]);
});

test("what a client says before it leaves is heard, all of it", async () => {
  await own.started();
  const heard = await own.hears("burst");
  const one = await own.client();
  for (let i = 0; i < 5000; i++) one.publish("burst", `${i} ${"x".repeat(50)}`);
  await one.endAsync();
  await until(
    () => heard.length === 5000,
    () => `${heard.length} of 5000`,
  );
});

test("an MQTT 5 client is told that its version is not spoken, an older one is taken", async () => {
  await own.started();
  expect(await own.refusedWith({ protocolVersion: 5 })).toBe(0x84);
  expect(await own.refusedWith({ protocolVersion: 3, protocolId: "MQIsdp", clientId: "old" })).toBe("taken");
  expect(own.said("it speaks 3.1.1")).toBe(1);
});

test("a port that is taken is an error that is shown, and tried again until it is free", async () => {
  const other: Server = createServer();
  await new Promise<void>((resolve) => other.listen(own.port, "127.0.0.1", resolve));
  await own.launch();
  await until(() => own.host.statuses.at(-1)?.state === "error");
  expect(own.host.statuses.at(-1)?.detail).toBe(
    `the embedded MQTT broker cannot listen at mqtt://127.0.0.1:${own.port}: another program has that port: ` +
      "stop it, or choose another port in adapters.mqtt.embedded.listen; next try within 10 s",
  );
  await new Promise((resolve) => other.close(resolve));
  await passing(own.clock, () => own.host.statuses.at(-1)?.state === "connected", "the port");
  expect(await own.refusedWith({})).toBe("taken");
});

test("with a URL of its own dmgw uses that broker, and the embedded one is for the devices", async () => {
  await own.launch(own.options({ url: "mqtt://127.0.0.1:9" }));
  await until(() => own.host.statuses.at(-1)?.detail.includes("no MQTT broker answers at mqtt://127.0.0.1:9"));
  await until(() => own.said("broker listens") === 1);
  expect(await own.refusedWith({})).toBe("taken");
});

test("a stop leaves no socket and no timer, and the port is free", async () => {
  const resources = () =>
    process.getActiveResourcesInfo().filter((kind) => /Socket|TCP|Pipe|Timeout/.test(kind)).length;
  const before = resources();
  await own.started();
  await own.client();
  own.socket();
  await own.stop();
  expect(own.clock.timers).toBe(0);
  await until(
    () => resources() <= before,
    () => process.getActiveResourcesInfo().join(),
  );
  await own.started();
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
