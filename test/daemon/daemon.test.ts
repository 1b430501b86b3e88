import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConfigError } from "../../tree/errors.ts";
import { accountAt, operator } from "../fakes/dm-server/config-entry.ts";
import { fakeBroker } from "../fakes/mqtt/broker.ts";
import type { FakeBroker } from "../fakes/mqtt/broker.ts";
import { homieDevice } from "../fakes/mqtt/homie-device.ts";
import { deskLamp, thermostat } from "../fakes/mqtt/models.ts";
import { onBroker, openPlace, quiet, until } from "./real-daemon.ts";
import type { Place, RealDaemon } from "./real-daemon.ts";

let place: Place;
const undo: (() => Promise<unknown>)[] = [];
beforeEach(() => {
  place = openPlace();
});
afterEach(async () => {
  await place.clear();
  for (const one of undo.splice(0).reverse()) await one();
});

async function openBroker(): Promise<FakeBroker> {
  const broker = await fakeBroker();
  undo.push(() => broker.stop());
  return broker;
}
const settled = (gateway: RealDaemon, state: string) =>
  until(`MQTT to be ${state}`, async () => (await gateway.status()).adapters["mqtt"]?.state === state || undefined);
const serverIds = async (gateway: RealDaemon) => (await gateway.status()).servers.map(({ id }) => id);

describe("a daemon on built-in ground", () => {
  it("is ready with its own nodes, says where it lives, and makes an id that it keeps", async () => {
    const gateway = await place.start();
    const status = await gateway.status();
    expect(status).toMatchObject({
      ready: true,
      version: "0.1.0",
      servers: [],
      adapters: { mqtt: { state: "off" } },
      discovery: { mdns: { state: "off" }, ssdp: { state: "off" } },
      devices: { total: 0, managed: 0, reachable: 0 },
      warnings: [],
      config: join(place.folder, "dmgw.yaml"),
      state: join(place.folder, "state"),
    });
    expect(await gateway.get(".")).toEqual(["DevInfo", "DevDetail", "Devices", "GwMO", "DMAcc"]);
    const id = await gateway.get("./DevInfo/DevId");
    expect(id).toMatch(/^urn:uuid:[0-9a-f-]{36}$/);
    await gateway.daemon.stop();
    expect(await (await place.start()).get("./DevInfo/DevId")).toBe(id);
  });

  it("does not start with a config that is wrong, nor where another one answers", async () => {
    const first = await place.start();
    const server = accountAt("http://127.0.0.1:9/dm");
    const second = openPlace({ ...quiet, control: { socket: first.daemon.socket }, servers: [server] });
    undo.push(() => second.clear());
    await expect(second.start()).rejects.toThrow(ConfigError);
    await expect(place.start()).rejects.toThrow(/in use by another dmgw/);
    second.configure({ discovery: { mdns: { enabled: "perhaps" } } });
    await expect(second.start()).rejects.toThrow(ConfigError);
    expect((await first.status()).ready).toBe(true);
    // What it had opened before it failed is free again.
    second.configure(quiet);
    await second.start();
  });

  it("leaves nothing behind when it stops: no socket, no timer that fires, no line to the broker", async () => {
    const broker = await openBroker();
    place.configure({ ...onBroker(broker), servers: [accountAt("http://127.0.0.1:9/dm")] });
    const gateway = await place.start();
    await settled(gateway, "connected");
    const events = await gateway.events();
    const from = performance.now();
    await gateway.daemon.stop();
    expect(performance.now() - from).toBeLessThan(1000);
    events.end();
    expect(existsSync(gateway.daemon.socket)).toBe(false);
    await until("the line to the broker to be closed", () => (broker.clients === 0 ? true : undefined));
    const lines = gateway.log.lines.length;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(gateway.log.lines.slice(lines)).toEqual([]);
  });

  it("stops well in the middle of its start", async () => {
    const broker = await openBroker();
    place.configure(onBroker(broker));
    const gateway = await place.start();
    await gateway.daemon.stop();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(broker.clients).toBe(0);
  });
});

describe("status", () => {
  it("warns of what works but should not stay so, and of what does not work", async () => {
    place.configure({ ...quiet, servers: [{ ...accountAt("http://127.0.0.1:9/dm"), devices: "none" }] });
    const gateway = await place.start();
    const { warnings } = await gateway.status();
    expect(warnings).toEqual([
      expect.stringMatching(/dmgw\.yaml:\d+:\d+: the server com\.example\.dm is managed over plain http/) as string,
    ]);
    const added = await gateway.ask("POST", "/v1/servers", {
      id: "org.other",
      url: "http://127.0.0.1:9/dm",
      insecure: true,
      server: { type: "digest", name: "s", secret: "t" },
    });
    expect(added.status).toBe(201);
    expect((await gateway.status()).warnings).toContain(
      "the account of org.other allows sessions without TLS (insecure)",
    );
  });

  it("says first of all that the state was damaged", async () => {
    const before = await place.start();
    await before.daemon.stop();
    writeFileSync(join(place.folder, "state/dmgw.db"), "this is no database");
    const gateway = await place.start();
    expect((await gateway.status()).warnings[0]).toMatch(/^the state file was damaged .*dmgw\.db\.damaged-\d{8}T/);
  });

  it("says of an adapter what is wrong and goes on trying", async () => {
    const broker = await fakeBroker();
    await broker.stop();
    place.configure(onBroker(broker));
    const gateway = await place.start();
    await settled(gateway, "error");
    const { adapters, ready } = await gateway.status();
    expect(ready).toBe(true);
    expect(adapters["mqtt"]?.error).toContain(`no MQTT broker answers at ${broker.url}`);
    const again = await fakeBroker(broker.port);
    undo.push(() => again.stop());
    await settled(gateway, "connected");
  });
});

describe("reload", () => {
  it("with a bad file changes nothing; the good one after it is taken", async () => {
    const gateway = await place.start();
    place.configure({ ...quiet, log: { level: "loud" }, servers: [accountAt("http://127.0.0.1:9/dm")] });
    await expect(gateway.daemon.reload()).rejects.toThrow(ConfigError);
    expect([await serverIds(gateway), gateway.levels]).toEqual([[], ["info"]]);
    place.configure({ ...quiet, log: { level: "debug" } });
    expect(await gateway.daemon.reload()).toEqual(["log.level: taken"]);
    expect(gateway.levels.at(-1)).toBe("debug");
    expect(await gateway.daemon.reload()).toEqual([]);
  });

  it("says what waits for the next start, and what it waits for stays as it is", async () => {
    const gateway = await place.start();
    const { socket } = gateway.daemon;
    const elsewhere = { state: join(place.folder, "elsewhere"), control: { socket: join(place.folder, "other.sock") } };
    place.configure({ ...quiet, ...elsewhere, gateway: { id: "urn:example:other", model: "HG-1" } });
    expect([...(await gateway.daemon.reload())].sort()).toEqual([
      "control.socket: taken at the next start",
      "gateway.id: taken at the next start",
      "gateway.model: taken",
      "state: taken at the next start",
    ]);
    expect(await gateway.get("./DevInfo/DevId")).not.toBe("urn:example:other");
    expect(await gateway.get("./DevInfo/Mod")).toBe("HG-1");
    expect((await gateway.status()).state).toBe(join(place.folder, "state"));
    await gateway.daemon.stop();
    const next = await place.start();
    expect(next.daemon.socket).not.toBe(socket);
    expect(await next.get("./DevInfo/DevId")).toBe("urn:example:other");
  });

  it("takes servers: those of the file come, change and go; those made at run time stay", async () => {
    const gateway = await place.start();
    const runtime = {
      id: "org.other",
      url: "https://127.0.0.1:9/dm",
      server: { type: "digest", name: "s", secret: "t" },
      devices: "manage",
    };
    expect((await gateway.ask("POST", "/v1/servers", runtime)).status).toBe(201);
    place.configure({ ...quiet, servers: [accountAt("http://127.0.0.1:9/dm")] });
    expect(await gateway.daemon.reload()).toEqual([`servers.${operator}: taken`]);
    await until("the server", async () => (await serverIds(gateway)).includes(operator) || undefined);
    expect(await gateway.acl("./Devices")).toContain(`Get=${operator}+org.other`);

    place.configure({ ...quiet, servers: [{ ...accountAt("http://127.0.0.1:9/changed"), devices: "none" }] });
    expect([...(await gateway.daemon.reload())].sort()).toEqual([
      `servers.${operator}.devices: taken`,
      `servers.${operator}.url: taken`,
    ]);
    await until(
      "the new address",
      async () => (await gateway.status()).servers.some(({ url }) => url === "http://127.0.0.1:9/changed") || undefined,
    );
    expect(await gateway.acl("./Devices")).not.toContain(operator);

    place.configure(quiet);
    expect(await gateway.daemon.reload()).toEqual([`servers.${operator}: taken`]);
    await until("the server to go", async () => !(await serverIds(gateway)).includes(operator) || undefined);
    expect(await serverIds(gateway)).toEqual(["org.other"]);
  });

  it("gives an adapter its new options: another broker, another root topic, off", async () => {
    const [one, other] = [await openBroker(), await openBroker()];
    place.configure(onBroker(one));
    const gateway = await place.start();
    const lamp = await homieDevice(one.url, deskLamp);
    undo.push(() => lamp.leave());
    const heating = await homieDevice(other.url, { ...thermostat, root: "house" });
    undo.push(() => heating.leave());
    const { id } = await gateway.device(({ name, reachable, managed }) => name === "Desk lamp" && reachable && managed);

    place.configure(onBroker(other, { topics: { homie: "house" } }));
    expect([...(await gateway.daemon.reload())].sort()).toEqual([
      "adapters.mqtt.topics.homie: taken",
      "adapters.mqtt.url: taken",
    ]);
    await gateway.device(({ name, reachable, managed }) => name === "Hall thermostat" && reachable && managed);
    const away = await gateway.device((device) => device.id === id);
    expect([away.state, away.managed]).toEqual(["away", true]);
    expect((await gateway.ask("GET", `/v1/tree/Devices/${id}/MQTT/light/power`)).status).toBe(503);
    expect(one.clients).toBe(1);

    place.configure(quiet);
    await gateway.daemon.reload();
    expect((await gateway.status()).adapters["mqtt"]?.state).toBe("off");
    expect((await gateway.status()).devices).toEqual({ total: 2, managed: 2, reachable: 0 });
  });

  it("right after the start, and twice at once, starts no adapter twice", async () => {
    const broker = await openBroker();
    place.configure(onBroker(broker));
    const gateway = await place.start();
    place.configure(onBroker(broker, { clientId: "second" }));
    const first = gateway.daemon.reload();
    place.configure(onBroker(broker, { clientId: "third" }));
    await Promise.all([first, gateway.daemon.reload()]);
    await settled(gateway, "connected");
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(broker.clients).toBe(1);
  });
});
