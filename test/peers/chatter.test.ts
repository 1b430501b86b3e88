import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { DeviceReport, StatusReport } from "../../daemon/gateway.ts";
import { startGateway } from "../demo/gateway.ts";
import type { RunningGateway } from "../demo/gateway.ts";
import { fakeBroker } from "../fakes/mqtt/broker.ts";
import { contactSensor, meterPlug, thermostat } from "../fakes/mqtt/models.ts";
import { startMqttDevices } from "../fakes/mqtt-devices.ts";
import type { MqttDevices } from "../fakes/mqtt-devices.ts";
import { startPeer, until } from "./lib/process.ts";

const reports = 3000;
const undo: (() => unknown)[] = [];
let devices: MqttDevices;
let gateway: RunningGateway;

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), "dmgw-chatter-"));
  undo.push(() => rmSync(folder, { recursive: true, force: true }));
  const broker = await fakeBroker();
  undo.push(() => broker.stop());
  devices = await startMqttDevices(broker.url);
  undo.push(() => devices.stop());
  gateway = await startGateway(folder, {
    discovery: { ssdp: { enabled: false }, mdns: { enabled: false }, neighbours: { enabled: false } },
    adapters: { mqtt: { enabled: true, url: broker.url } },
  });
  undo.push(() => gateway.stop());
});
afterAll(async () => {
  for (const one of undo.reverse()) await one();
});

it(`writes nothing while devices report ${reports} changes, as it says itself and as the kernel sees it`, async () => {
  const all = await until("the devices to be managed", async () => {
    const found = (await gateway.ask("GET", "/v1/devices")) as DeviceReport[];
    return found.filter(({ managed, reachable }) => managed && reachable).length === devices.count ? found : undefined;
  });
  const warm = all.find(({ identities }) => identities.some((identity) => identity.includes(thermostat.id)));
  const temperature = `/v1/tree/Devices/${warm?.id}/MQTT/thermostat/current-temperature`;
  await until("the first values", () => value(temperature));

  const trace = join(gateway.state, "..", "trace");
  const calls = "write,writev,pwrite64,pwritev,fsync,fdatasync,sync_file_range,ftruncate,rename,unlink";
  const strace = await startPeer("strace", ["-f", "-y", "-e", `trace=${calls}`, "-o", trace, "-p", `${gateway.pid}`], {
    ready: /attached/,
  });
  undo.push(() => strace.stop());
  const toState = () =>
    readFileSync(trace, "utf8")
      .split("\n")
      .filter((line) => line.includes(gateway.state));

  const before = (await status()).flash;
  for (let n = 1; n <= reports; n++) await report(n);
  await until(
    "the last value",
    async () => ((await value(temperature)) === degrees(reports) ? true : undefined),
    60_000,
  );
  expect((await status()).flash).toMatchObject({ written: before.written, syncs: before.syncs });
  expect(toState()).toEqual([]);

  // Both do see a change that is kept.
  await gateway.ask("POST", "/v1/tree/DevInfo/Ext/kept", { value: "1" });
  expect((await status()).flash.syncs).toBe(before.syncs + 1);
  expect(toState().filter((line) => / f(data)?sync\(/.test(line))).toHaveLength(1);
});

/** Another one each time. */
const degrees = (n: number) => (15_000 + n) / 1000;

async function report(n: number): Promise<void> {
  const which = n === reports ? 0 : n % 3;
  if (which === 0) await devices.homie.get(thermostat.id)?.report("thermostat/current-temperature", `${degrees(n)}`);
  if (which === 1) await devices.bridge.report(meterPlug.address, { power: n / 10 });
  if (which === 2) await devices.bridge.report(contactSensor.address, { contact: n % 2 === 0 });
}

async function value(path: string): Promise<unknown> {
  return ((await gateway.ask("GET", path)) as { readonly value?: unknown }).value;
}

async function status(): Promise<StatusReport> {
  return (await gateway.ask("GET", "/v1/status")) as StatusReport;
}
