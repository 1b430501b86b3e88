import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connectAsync } from "mqtt";
import { afterAll, afterEach, beforeEach, describe, expect, it } from "vitest";
import type { DeviceReport, StatusReport } from "../../daemon/gateway.ts";
import { startGateway } from "../demo/gateway.ts";
import type { RunningGateway, StartOptions } from "../demo/gateway.ts";
import { startDmServer } from "../fakes/dm-server.ts";
import { badBodies } from "../fakes/dm-server/faults.ts";
import type { Fault } from "../fakes/dm-server/faults.ts";
import { accountAt, client, operator, server } from "../fakes/dm-server/config-entry.ts";
import { startAvahi } from "./lib/avahi.ts";
import { startMosquitto } from "./lib/mosquitto.ts";
import { openHome } from "./lib/namespaces.ts";
import type { Device } from "./lib/namespaces.ts";
import { startPeer, until } from "./lib/process.ts";
import { lamp } from "./lib/published.ts";

// Everybody around the gateway means ill: a DM server, whoever can publish on the broker, whoever is on the LAN.

const megabyte = 1 << 20;
const off = { ssdp: { enabled: false }, mdns: { enabled: false }, neighbours: { enabled: false } };
const measured: string[] = [];
const undo: (() => unknown)[] = [];
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dmgw-hostile-"));
  undo.push(() => rmSync(folder, { recursive: true, force: true }));
});
afterEach(async () => {
  for (const one of undo.splice(0).reverse()) await one();
});
afterAll(() => console.log(measured.join("\n")));

async function start(config: object, options: StartOptions = {}): Promise<RunningGateway> {
  const gateway = await startGateway(folder, config, options);
  undo.push(() => gateway.kill());
  return gateway;
}
const statusOf = async (gateway: RunningGateway) => (await gateway.ask("GET", "/v1/status")) as StatusReport;
const devicesOf = async (gateway: RunningGateway) => (await gateway.ask("GET", "/v1/devices")) as DeviceReport[];

/** The most memory that the daemon had since its start, as the kernel knows it; bytes. */
function mostMemory({ pid }: RunningGateway, after: string): number {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  measured.push(`${after}: RSS was ${(Number(kilobytes) / 1024).toFixed(0)} MB at most`);
  return Number(kilobytes) * 1024;
}

it("a DM server that answers anything but DM ends its own session, with a reason, and nothing else", async () => {
  const dm = await startDmServer({ client, server });
  undo.push(() => dm.stop());
  const gateway = await start({ discovery: off, adapters: { mqtt: { enabled: false } }, servers: [accountAt(dm.url)] });
  const xml = (body: string | Uint8Array): Fault => ({ kind: "body", body });
  const wrongNamespace = `<SyncML xmlns="urn:wrong"><SyncHdr><VerDTD>1.2</VerDTD></SyncHdr><SyncBody/></SyncML>`;
  const faults: [what: string, fault: Fault, says: RegExp][] = [
    ["10 MB", xml(Buffer.alloc(10 * megabyte, "<a/>")), /answers with more than 1048576 octets/],
    ["an entity bomb", xml(badBodies.doctypeBomb), /DOCTYPE|document type/i],
    ["cut off", xml(badBodies.brokenXml), /ends|unclosed|incomplete|cut/i],
    ["of a wrong namespace", xml(wrongNamespace), /namespace|urn:wrong|SyncML/],
    ["100,000 deep", xml(badBodies.deep), /deep|nest/i],
    ["empty", xml(badBodies.empty), /root element|empty/],
    ["a login page", { kind: "body", body: badBodies.html, type: "text/html" }, /answers with "text\/html"/],
    ["HTTP 500", { kind: "status", code: 500 }, /HTTP 500/],
    ["a line that drops", { kind: "drop", when: "after" }, /reach|drop|closed/],
  ];
  for (const [what, fault, says] of faults) {
    dm.fail(fault);
    const { code, stderr } = await gateway.call("connect", operator);
    measured.push(`${what}: ${stderr.split("\n")[0]}`);
    expect([what, code]).toEqual([what, 1]);
    expect(stderr).toMatch(says);
    expect(stderr).toMatch(/^dmgw connect: com\.example\.dm: /);
    const { ready, servers } = await statusOf(gateway);
    expect([ready, servers[0]?.lastSession?.ok]).toEqual([true, false]);
  }
  // Slow is no fault.
  dm.fail({ kind: "slow", ms: 1500 });
  expect(await gateway.call("connect", operator)).toMatchObject({ code: 0 });
  expect(dm.violations).toEqual([]);
  expect(gateway.output()).not.toContain("mistake of ours");
  expect(mostMemory(gateway, "hostile DM server")).toBeLessThan(200 * megabyte);
});

describe("whoever can publish on the broker", () => {
  it("may publish a megabyte, __proto__ and ten thousand topics: memory stays bounded, real devices stay what they are", async () => {
    const broker = await startMosquitto();
    undo.push(() => broker.stop());
    await broker.publishAll({ ...lamp, "homie/hall-lamp/$state": "ready" });
    const gateway = await start({ discovery: off, adapters: { mqtt: { url: broker.url } } });
    const theLamp = async () => (await devicesOf(gateway)).find(({ name }) => name === "Hall lamp");
    await until("the lamp", async () => ((await theLamp())?.reachable === true ? true : undefined));

    const attacker = await connectAsync(broker.url);
    undo.push(() => attacker.endAsync());
    const retained = { qos: 0, retain: true } as const;
    const publish = (topic: string, payload: string | Buffer) => attacker.publishAsync(topic, payload, retained);
    const whole = Buffer.alloc(megabyte, "x");
    for (const topic of [
      "homie/hall-lamp/light/power",
      "homie/big/$homie",
      "homie/5/big/$description",
      "zigbee2mqtt/bridge/devices",
    ])
      await publish(topic, whole);
    const device = async (id: string, node: string, property: string) => {
      await publish(`homie/${id}/$homie`, "4.0");
      await publish(`homie/${id}/$nodes`, node);
      await publish(`homie/${id}/${node}/$properties`, property);
      await publish(`homie/${id}/${node}/${property}/$datatype`, "string");
      await publish(`homie/${id}/$state`, "ready");
    };
    for (const name of ["__proto__", "constructor", "hasownproperty", "tostring"]) {
      await device(name, name, name);
      await publish(`homie/${name}/${name}/${name}`, "polluted");
      await publish(`zigbee2mqtt/${name}`, '{"__proto__":{"polluted":true}}');
    }
    for (let n = 0; n < 2000; n++) await device(`flood${n}`, "n", "p");
    // Heard after everything that came before it on this line.
    await attacker.publishAsync("homie/hall-lamp/light/brightness", "77", { qos: 1, retain: true });
    const at = `/v1/tree/${(await theLamp())?.uri.slice(2)}/MQTT/light`;
    const value = async (name: string) => ((await gateway.ask("GET", `${at}/${name}`)) as { value: unknown }).value;
    await until("the lamp to be heard", async () => ((await value("brightness")) === 77 ? true : undefined), 30_000);

    expect(await value("power")).toBe(false);
    expect((await theLamp())?.reachable).toBe(true);
    // A new device is listed when its number is on the disk.
    const all = await until("devices", async () => {
      const now = await devicesOf(gateway);
      return now.length > 500 ? now : undefined;
    });
    expect((await devicesOf(gateway)).length).toBeLessThanOrEqual(1000);
    const odd = all.find(({ identities }) => identities.includes("mqtt:homie:constructor"));
    expect(await gateway.cli("get", `${odd?.uri}/MQTT`, "--deep")).toBe(
      `${odd?.uri}/MQTT/constructor/constructor => polluted\n`,
    );
    expect((await statusOf(gateway)).ready).toBe(true);
    expect(gateway.output()).not.toMatch(/a bug/);
    expect(mostMemory(gateway, "hostile publisher")).toBeLessThan(300 * megabyte);
  });
});

describe("whoever is on the LAN", () => {
  it("may announce ten thousand things by mDNS and SSDP: few are listed, and what was there stays", async () => {
    const home = openHome(2);
    undo.push(() => home.close());
    const [first, second] = home.devices as [Device, Device];
    const broker = await startMosquitto({ namespace: home.gateway });
    undo.push(() => broker.stop());
    await broker.publishAll({ ...lamp, "homie/hall-lamp/$state": "ready" });
    const avahi = await startAvahi(first.namespace, "kitchen");
    undo.push(() => avahi.stop());
    const printer = await avahi.publish("Kitchen Printer", "_ipp._tcp", 631);
    undo.push(() => printer.stop());
    const gateway = await start({}, { namespace: home.gateway });
    const known = async () =>
      (await devicesOf(gateway)).filter((d) => d.reachable && ["Hall lamp", "Kitchen Printer"].includes(d.name)).length;
    await until("what is there", async () => ((await known()) === 2 ? true : undefined));

    const args = [join(import.meta.dirname, "lib/flood.py"), "50", "100"];
    const flood = await startPeer("python3", args, { namespace: second.namespace });
    undo.push(() => flood.stop());
    let slowest = 0;
    await until(
      "the flood to end",
      async () => {
        const from = performance.now();
        expect(await known()).toBe(2);
        slowest = Math.max(slowest, performance.now() - from);
        return /sent 10000/.test(flood.output()) || undefined;
      },
      40_000,
    );
    const { devices, discovery, ready } = await statusOf(gateway);
    measured.push(`flood: ${devices.total} listed; slowest answer of the local API ${slowest.toFixed(0)} ms`);
    measured.push(JSON.stringify(discovery));
    expect(ready).toBe(true);
    expect(devices.total).toBeLessThan(520);
    for (const source of ["mdns", "ssdp"]) expect(discovery[source]?.sightings).toBeLessThanOrEqual(768);

    const from = performance.now();
    await broker.publish("homie/hall-lamp/$name", "Lamp of the hall");
    await broker.publish("homie/hall-lamp/$state", "lost");
    await until(
      "the lamp to be away",
      async () =>
        (await devicesOf(gateway)).some(({ name, reachable }) => name === "Lamp of the hall" && !reachable) ||
        undefined,
    );
    expect(performance.now() - from).toBeLessThan(2000);
    expect(gateway.output()).not.toMatch(/a bug/);
    expect(mostMemory(gateway, "hostile LAN")).toBeLessThan(200 * megabyte);
  });
});
