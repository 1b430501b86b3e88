import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { DeviceReport, DeviceStory, StatusReport } from "../../daemon/gateway.ts";
import { startGateway } from "../demo/gateway.ts";
import type { RunningGateway } from "../demo/gateway.ts";
import { startDmServer } from "../fakes/dm-server.ts";
import type { DmServer } from "../fakes/dm-server.ts";
import type { Outcome } from "../fakes/dm-server/answers.ts";
import { get, replace } from "../fakes/dm-server/asks.ts";
import type { Ask } from "../fakes/dm-server/asks.ts";
import { accountAt, client, operator, server } from "../fakes/dm-server/config-entry.ts";
import { startAvahi } from "./lib/avahi.ts";
import type { Avahi } from "./lib/avahi.ts";
import { startMosquitto } from "./lib/mosquitto.ts";
import type { Mosquitto } from "./lib/mosquitto.ts";
import { openHome } from "./lib/namespaces.ts";
import type { Device, Home } from "./lib/namespaces.ts";
import { until } from "./lib/process.ts";
import type { Peer } from "./lib/process.ts";
import { lamp, plugs } from "./lib/published.ts";
import { relay } from "./lib/relay.ts";
import { startMinidlna } from "./lib/upnp.ts";

// A whole home: the gateway with a broker on it, a LAN with things that others made, and a DM server out on the WAN. The tests are one story.

/** Ms from an announcement to the first `dmgw devices` that shows the device. */
const promised = 2000;
const measured: string[] = [];
const undo: (() => unknown)[] = [];
let home: Home;
let lan: Device;
let den: Device;
let broker: Mosquitto;
let avahi: Avahi;
let media: Peer;
let printer: Peer;
let dm: DmServer;
let gateway: RunningGateway;
let folder: string;

beforeAll(async () => {
  home = openHome(2);
  undo.push(() => home.close());
  [lan, den] = home.devices as [Device, Device];
  const wan = home.addWan();
  folder = mkdtempSync(join(tmpdir(), "dmgw-home-"));
  undo.push(() => rmSync(folder, { recursive: true, force: true }));
  broker = await startMosquitto({ namespace: home.gateway });
  undo.push(() => broker.stop());
  avahi = await startAvahi(lan.namespace, "kitchen");
  undo.push(() => avahi.stop());
  dm = await startDmServer({ client, server });
  undo.push(() => dm.stop());
  undo.push(await relay(wan.namespace, wan.address, 8080, dm.url));
  // Everything else is as it comes: discovery on the LAN, and the broker of this machine.
  const account = {
    ...accountAt(`http://${wan.address}:8080/dm`),
    report: { subtrees: ["./Devices"], interval: "1s" },
  };
  gateway = await startGateway(folder, { servers: [account] }, { namespace: home.gateway });
  undo.push(() => gateway.stop());
  await until("the broker to be connected", async () =>
    (await status()).adapters["mqtt"]?.state === "connected" ? true : undefined,
  );
});
afterAll(async () => {
  for (const one of undo.reverse()) await one();
  console.log(measured.join("\n"));
});

async function json<T>(...args: string[]): Promise<T> {
  return JSON.parse(await gateway.cli(...args, "--json")) as T;
}
const status = () => json<StatusReport>("status");
const devices = () => json<DeviceReport[]>("devices");

/** The first listing in which a device fits. */
function listed(what: string, fits: (device: DeviceReport) => boolean): Promise<DeviceReport> {
  return until(`${what} in dmgw devices`, async () => (await devices()).find(fits));
}

/** The same for what was announced at `from`: in the time that is promised. */
async function inTime(what: string, from: number, fits: (device: DeviceReport) => boolean): Promise<DeviceReport> {
  const device = await listed(what, fits);
  measured.push(`${what}: announced -> listed in ${ms(from)} ms`);
  expect(performance.now() - from).toBeLessThan(promised);
  return device;
}

const ms = (from: number) => (performance.now() - from).toFixed(0);

/** The server asks all of it in one session, which is started by hand. */
async function session(...asks: Ask[]): Promise<readonly Outcome[]> {
  let outcomes: readonly Outcome[] | undefined;
  const answered = dm.run(asks).then((all) => (outcomes = all));
  // A session that was on its way to its end already does not ask any more.
  await until("the answers", async () => {
    await gateway.cli("connect", operator);
    return outcomes;
  });
  return answered;
}

const mediaUuid = "4d696e69-444c-164e-9d41-0123456789ab";
it("shows a Homie device that mosquitto_pub announces, named, within two seconds", async () => {
  await broker.publishAll(lamp);
  const from = performance.now();
  await broker.publish("homie/hall-lamp/$state", "ready");
  const device = await inTime(
    "Homie device",
    from,
    ({ name, reachable, managed }) => name === "Hall lamp" && reachable && managed,
  );
  expect(device).toMatchObject({
    identities: ["mqtt:homie:hall-lamp"],
    protocols: ["MQTT"],
    state: "managed",
    managed: true,
  });
});

it("shows a device of zigbee2mqtt with its maker and model", async () => {
  await broker.publish("zigbee2mqtt/bridge/state", '{"state":"online"}');
  await broker.publish("zigbee2mqtt/kitchen plug/availability", '{"state":"online"}');
  const from = performance.now();
  await broker.publish("zigbee2mqtt/bridge/devices", plugs);
  await broker.publish("zigbee2mqtt/kitchen plug", '{"state":"OFF","power":0}', false);
  const device = await inTime("zigbee2mqtt device", from, (d) => d.name === "kitchen plug" && d.reachable);
  expect(device).toMatchObject({
    identities: ["mqtt:z2m:0x00158d00018255df"],
    manufacturer: "Xiaomi",
    model: "ZNCZ02LM",
    protocols: ["MQTT"],
    state: "managed",
  });
});

it("shows a service of avahi and a media server of minidlna as seen, not managed", async () => {
  printer = await avahi.publish("Kitchen Printer", "_ipp._tcp", 631, "ty=LaserThing 9");
  const established = performance.now();
  undo.push(() => printer.stop());
  const service = await inTime(
    "avahi service",
    established,
    (d) => d.name === "Kitchen Printer" && d.reachable && d.model !== "",
  );
  expect(service).toMatchObject({
    protocols: ["ipp"],
    state: "seen",
    managed: false,
    model: "LaserThing 9",
  });
  const from = performance.now();
  media = await startMinidlna(den.namespace, { name: "Lab Media", uuid: mediaUuid, serial: "12345678" });
  undo.push(() => media.stop());
  const upnp = await inTime("minidlna", from, (d) => d.name === "Lab Media" && d.reachable);
  expect(upnp).toMatchObject({
    addresses: [den.address],
    protocols: ["UPnP"],
    state: "seen",
    managed: false,
  });
  // The neighbour table supports what each of them says.
  for (const [name, sources] of [
    ["Kitchen Printer", ["mdns", "neighbours"]],
    ["Lab Media", ["neighbours", "ssdp"]],
  ] as const)
    await listed(`sources of ${name}`, (d) => d.name === name && [...d.sources].sort().join() === sources.join());
});
it("lets the DM server read and write the lamp: the command is on its set topic, and its new state comes back as an alert", async () => {
  const { uri } = await listed("the lamp", ({ name }) => name === "Hall lamp");
  const power = `${uri}/MQTT/light/power`;
  const brightness = `${uri}/MQTT/light/brightness`;
  const [read] = await session(get(power, brightness, `${uri}/DevInfo/Name`, `${uri}/State/Reachable`));
  expect(read?.results.map(({ data }) => data)).toEqual(["false", "40", "Hall lamp", "true"]);

  const orders = await broker.listen("homie/+/+/+/set");
  undo.push(() => orders.stop());
  const obeyed = until("the order", () => /light\/power\/set true$/m.test(orders.output()) || undefined).then(() =>
    broker.publish("homie/hall-lamp/light/power", "true"),
  );
  const changed = dm.alertSeen(({ source, data }) => source === power && data === "true");
  const [wrote, again] = await session(replace(power, true), get(power));
  await obeyed;
  expect([wrote?.status, again?.results[0]?.data]).toEqual([200, "true"]);
  expect(await changed).toMatchObject({ code: 1226, type: "urn:dmgw:at:change", format: "bool" });
});

it("tells the server what somebody did at the lamp itself", async () => {
  const { uri } = await listed("the lamp", ({ name }) => name === "Hall lamp");
  const before = dm.sessions.length;
  const changed = dm.alertSeen(({ source, data }) => source === `${uri}/MQTT/light/brightness` && data === "15");
  const from = performance.now();
  await broker.publish("homie/hall-lamp/light/brightness", "15");
  expect(await changed).toMatchObject({ code: 1226, type: "urn:dmgw:at:change", format: "int" });
  measured.push(`change at the lamp -> alert at the server, merged within 1 s: ${ms(from)} ms`);
  expect(dm.sessions.length).toBeGreaterThan(before);
});

it("writes a device of zigbee2mqtt, and says 504 when it does not answer", async () => {
  const { uri } = await listed("the plug", ({ name }) => name === "kitchen plug");
  const orders = await broker.listen("zigbee2mqtt/+/set");
  undo.push(() => orders.stop());
  const state = `${uri}/MQTT/state/state`;
  const obeyed = until(
    "the order",
    () => /^zigbee2mqtt\/kitchen plug\/set \{"state":"ON"\}$/m.test(orders.output()) || undefined,
  ).then(() => broker.publish("zigbee2mqtt/kitchen plug", '{"state":"ON","power":80.5}', false));
  const [wrote, read] = await session(replace(state, true), get(state, `${uri}/MQTT/state/power`));
  await obeyed;
  expect(wrote?.status).toBe(200);
  expect(read?.results.map(({ data }) => data)).toEqual(["true", "80.5"]);
  const [silent] = await session(replace(state, false));
  expect(silent?.status).toBe(504);
});

it("explains which ACL decided what the server may do", async () => {
  const { uri } = await listed("the lamp", ({ name }) => name === "Hall lamp");
  const power = `${uri}/MQTT/light/power`;
  const allowed = await gateway.call("get", power, "--as", operator);
  expect(allowed).toMatchObject({ code: 0, stderr: "" });
  expect(allowed.stdout).toMatch(
    new RegExp(`^${operator} may Get: the ACL ".*Get=${operator}.*" of \\./Devices decides$`, "m"),
  );
  expect(await json("get", power, "--as", operator)).toMatchObject({
    value: true,
    decision: { verb: "Get", allowed: true, from: "./Devices", server: operator },
  });

  await gateway.cli("acl", uri, "Get=nobody");
  const denied = await gateway.call("get", power, "--as", operator);
  expect(denied.code).toBe(1);
  expect(denied.stdout).toBe(`${operator} may not Get: the ACL "Get=nobody" of ${uri} decides\n`);
  expect(denied.stderr).toMatch(/^dmgw get: 425 permission denied/);
  const [read, wrote] = await session(get(power), replace(power, false));
  expect([read?.status, wrote?.status]).toEqual([425, 425]);
  expect(read?.results).toEqual([]);
  await gateway.cli("acl", uri, "");
  expect((await session(get(power)))[0]?.status).toBe(200);
});

it("shows what goes: a service of avahi, minidlna, a lamp with a last will, a broker that is not there any more", async () => {
  const away = async (name: string, go: () => Promise<unknown>, within: number) => {
    const from = performance.now();
    await go();
    const device = await listed(`${name} away`, (one) => one.name === name && !one.reachable);
    measured.push(`${name}: gone -> listed as away in ${ms(from)} ms`);
    expect(device.state).toBe("away");
    expect(performance.now() - from).toBeLessThan(within);
    return device;
  };
  /** The service ends, and its host goes on: the device is there, and --why says what of it is not. */
  const ends = async (name: string, service: string, go: () => Promise<unknown>, within: number) => {
    const { id } = await listed(name, (one) => one.name === name);
    const from = performance.now();
    await go();
    await until(`the end of ${service}`, async () => {
      const { members } = await json<DeviceStory>("device", id, "--why");
      return members.some(({ what, live }) => what.startsWith(service) && !live) || undefined;
    });
    measured.push(`${service} of ${name}: gone -> told by --why in ${ms(from)} ms`);
    expect(performance.now() - from).toBeLessThan(within);
    expect((await listed(name, (one) => one.id === id)).reachable).toBe(true);
  };
  // A goodbye counts after a second (RFC 6762 10.1).
  await ends("Kitchen Printer", "mDNS", () => printer.stop(), 3000);
  await ends("Lab Media", "UPnP: ", () => media.stop(), 4000);
  const { uri } = await away("Hall lamp", () => broker.publish("homie/hall-lamp/$state", "lost"), 2000);
  await dm.alertSeen(({ source, data }) => source === `${uri}/State/Reachable` && data === "false");
  await broker.publish("homie/hall-lamp/$state", "ready");
  await listed("the lamp again", ({ name, reachable, managed }) => name === "Hall lamp" && reachable && managed);

  // A restart of the broker is nothing to be told; after ten seconds it is.
  const plug = await away("kitchen plug", () => broker.stop(), 13_000);
  await listed("the lamp away", ({ name, reachable }) => name === "Hall lamp" && !reachable);
  const { adapters, devices: count } = await status();
  expect(adapters["mqtt"]).toMatchObject({ state: "error", error: expect.stringMatching(/127\.0\.0\.1/) as string });
  expect(count).toEqual({ total: 4, managed: 2, reachable: 2 });
  const [wrote, read] = await session(
    replace(`${plug.uri}/MQTT/state/state`, true),
    get(`${plug.uri}/State/Reachable`),
  );
  expect([wrote?.status, read?.results[0]?.data]).toEqual([503, "false"]);
});

it("has done nothing against the standard, and ends well", async () => {
  expect(dm.violations).toEqual([]);
  expect(dm.sessions.filter(({ end }) => end !== undefined && !end.ok)).toEqual([]);
  expect(gateway.output()).not.toMatch(/bug|error/i);
  expect(await gateway.stop()).toBe(0);
});
