import { afterEach, beforeEach, expect, test } from "vitest";
import { parseRel } from "../../../../tree/path.ts";
import { bool, chr, float, int, nul } from "../../../../tree/value.ts";
import { until } from "../../../fakes/host.ts";
import { sparkplugEdge, tahuDecode, tahuEncode } from "../../../fakes/mqtt/sparkplug-edge.ts";
import type { SparkplugEdge, SparkplugModel } from "../../../fakes/mqtt/sparkplug-edge.ts";
import { heatPump } from "../../../fakes/mqtt/sparkplug-models.ts";
import { moOf, passing } from "../../contract.ts";
import { smallHome } from "../small-home.ts";
import type { SmallHome } from "../small-home.ts";

const node = "mqtt:sparkplug:Home/Heat pump";
const tank = `${node}/Tank`;
let home: SmallHome;
let edges: SparkplugEdge[];
beforeEach(async () => {
  home = await smallHome();
  edges = [];
});
afterEach(async () => {
  for (const edge of edges) await edge.client.endAsync(true);
  await home.stop();
});
const start = async (model: SparkplugModel = heatPump, options: Parameters<typeof sparkplugEdge>[2] = {}) => {
  const edge = await sparkplugEdge(home.broker.url, model, options);
  edges.push(edge);
  for (const device of ["", ...Object.keys(model.devices)])
    await home.appears(`mqtt:sparkplug:${[model.group, model.id, ...(device === "" ? [] : [device])].join("/")}`);
  return edge;
};
const face = (identity: string) => home.host.face(identity);
const reachable = (identity: string, now: boolean) => until(() => face(identity)?.reachable === now);
const rebirths = (edge: SparkplugEdge) => edge.orders.filter((order) => order === "rebirth").length;
const send = (topic: string, payload: Parameters<typeof tahuEncode>[0]) =>
  home.client.publishAsync(`spBv1.0/${topic}`, tahuEncode(payload));
/** What has been sent so far has been heard. */
const heard = async () => {
  const before = home.host.attachments.length;
  await send(`Beacon/NBIRTH/b${before}`, { seq: 0, metrics: [{ name: "n", type: "Int32", value: 1 }] });
  await until(() => home.host.attachments.length > before);
};

test("an edge node and its device show their metrics by the levels of their names, and what they say of themselves", async () => {
  await start();
  expect(await home.leaves(node)).toEqual([
    "Node%20Control/Rebirth",
    "Node%20Control/Scan%20Rate",
    "Properties/Hardware%20Make",
    "Properties/Hardware%20Model",
    "Properties/OS%20Version",
    "Properties/Serial",
    "Properties/MAC",
    "Uptime",
  ]);
  await home.shows(node, "Uptime", chr("86400"));
  await home.shows(node, "Properties/Hardware%20Make", chr("Raspberry Pi"));
  await home.shows(tank, "Inputs/Temperature", float(48.5));
  await home.shows(tank, "Outputs/Mode", int(1));
  await home.shows(tank, "Last%20legionella%20run", chr("2026-01-01T00:00:00.000Z"));
  expect(face(node)?.face).toMatchObject({
    name: "MQTT",
    facts: {
      name: "Heat pump",
      maker: "Raspberry Pi",
      model: "4 Model B",
      firmware: "12",
      serial: "10000000a3f1c2d4",
    },
    clues: [
      { kind: "protocol-id", value: "sparkplug:Home/Heat%20pump" },
      { kind: "mac", value: "dc:a6:32:01:02:03" },
      { kind: "serial", value: "10000000a3f1c2d4" },
    ],
  });
  expect(face(tank)?.face.facts).toEqual({ name: "Tank", serial: "TANK-0042" });
  const schema = (rel: string) => moOf(home.host, tank).schema(parseRel(rel));
  expect(schema("Inputs/Temperature")).toMatchObject({ access: new Set(["Get"]), volatile: true });
  expect(schema("Outputs/Mode")).toMatchObject({ access: new Set(["Get", "Replace"]), description: "-32768 to 32767" });
});

test("what is reported by alias is shown", async () => {
  const edge = await start();
  await edge.report("Tank", "Inputs/Temperature", 51.25);
  await home.shows(tank, "Inputs/Temperature", float(51.25));
  await edge.report("", "Uptime", 90_000);
  await home.shows(node, "Uptime", chr("90000"));
  await edge.report("Tank", "Inputs/Temperature", null);
  await home.shows(tank, "Inputs/Temperature", nul);
  expect(rebirths(edge)).toBe(0);
});

test("an order is typed as in the birth, and done when the device says the new value", async () => {
  const edge = await start();
  const write = (rel: string, value: Parameters<SmallHome["replace"]>[2]) => home.replace(tank, rel, value);
  expect(await write("Outputs/Setpoint", float(52.3))).toEqual({ state: "done" });
  expect(await write("Outputs/Pump", bool(true))).toEqual({ state: "done" });
  expect(await write("Outputs/Mode", int(-2))).toEqual({ state: "done" });
  expect(await write("Last%20legionella%20run", chr("2026-02-01T00:00:00Z"))).toEqual({ state: "done" });
  expect(await home.replace(node, "Node%20Control/Scan%20Rate", int(500))).toEqual({ state: "done" });
  expect(edge.orders).toEqual([
    expect.stringMatching(/^Tank:Outputs\/Setpoint=52\.29999/),
    "Tank:Outputs/Pump=true",
    "Tank:Outputs/Mode=-2",
    `Tank:Last legionella run=${Date.UTC(2026, 1, 1)}`,
    ":Node Control/Scan Rate=500",
  ]);
  await home.shows(tank, "Outputs/Setpoint", float(52.3));
  await expect(write("Outputs/Mode", int(40_000))).rejects.toMatchObject({ status: 400 });
  await expect(write("Inputs/Temperature", float(1))).rejects.toMatchObject({ status: 405 });
});

test("an order that the device does not take is not done", async () => {
  const edge = await start();
  edge.obey = () => false;
  const call = home.replace(tank, "Outputs/Pump", bool(true));
  const failed = expect(call).rejects.toMatchObject({ status: 504 });
  await until(() => edge.orders.length > 0);
  await home.clock.advance(6000);
  await failed;
});

test("a rebirth can be ordered: it takes true, is never a reading, and everything is said anew", async () => {
  const edge = await start();
  const schema = moOf(home.host, node).schema(parseRel("Node%20Control/Rebirth"));
  expect(schema).toMatchObject({ access: new Set(["Replace"]) });
  expect(await home.replace(node, "Node%20Control/Rebirth", bool(true))).toEqual({ state: "done" });
  await until(() => rebirths(edge) === 1);
  await heard();
  expect(home.host.attachments.filter((one) => one.face.identity === tank)).toHaveLength(1);
  expect(face(tank)?.reachable).toBe(true);
});

test("a death takes the edge node and its devices, and only the death of this session does", async () => {
  const edge = await start(heatPump, { session: 7 });
  const death = (session: number) =>
    send("Home/NDEATH/Heat pump", { metrics: [{ name: "bdSeq", type: "Int64", value: session }] });
  await death(6);
  await heard();
  expect([face(node)?.reachable, face(tank)?.reachable]).toEqual([true, true]);
  await edge.crash();
  await reachable(tank, false);
  expect(face(node)?.reachable).toBe(false);
  await expect(home.replace(tank, "Outputs/Pump", bool(true))).rejects.toMatchObject({ status: 503 });
  await start(heatPump, { session: 8 });
  await reachable(tank, true);
  expect(face(node)?.reachable).toBe(true);
});

test("a device that dies alone leaves its edge node where it is, and comes back with its next birth", async () => {
  const edge = await start();
  await edge.deviceDies("Tank");
  await reachable(tank, false);
  expect(face(node)?.reachable).toBe(true);
  await edge.birth();
  await reachable(tank, true);
});

test("a device that is not born again with its edge node is away", async () => {
  await start();
  await send("Home/NBIRTH/Heat pump", {
    seq: 0,
    metrics: [
      { name: "bdSeq", type: "Int64", value: 0 },
      { name: "Uptime", type: "UInt64", value: 1 },
    ],
  });
  await home.shows(node, "Uptime", chr("1"));
  expect(face(tank)?.reachable).toBe(true);
  await home.clock.advance(5000);
  expect([face(node)?.reachable, face(tank)?.reachable]).toEqual([true, false]);
});

test("an edge node that was born before we listened is asked for its birth as soon as it speaks", async () => {
  const model = { ...heatPump, group: "Early" };
  await home.adapter.stop();
  const edge = await sparkplugEdge(home.broker.url, model);
  edges.push(edge);
  const late = await smallHome({ url: home.broker.url });
  try {
    await edge.report("Tank", "Inputs/Temperature", 50);
    await late.appears("mqtt:sparkplug:Early/Heat pump/Tank");
    await late.shows("mqtt:sparkplug:Early/Heat pump/Tank", "Inputs/Temperature", float(50));
    expect(rebirths(edge)).toBe(1);
  } finally {
    await late.stop();
  }
});

test("a gap in the numbers, and a metric that no birth had, ask for a new birth, at most every ten seconds and ever more rarely", async () => {
  const edge = await start();
  edge.skip();
  await edge.report("Tank", "Inputs/Temperature", 49);
  await home.shows(tank, "Inputs/Temperature", float(49));
  await until(() => rebirths(edge) === 1);
  await heard();
  const alien = (seq: number) =>
    send("Home/DDATA/Heat pump/Tank", { seq, metrics: [{ alias: 999, type: "Int32", value: 1 }] });
  // The birth was 0 and 1.
  await alien(2);
  await alien(3);
  await heard();
  expect(rebirths(edge)).toBe(1);
  await home.clock.advance(9999);
  expect(rebirths(edge)).toBe(1);
  await home.clock.advance(1);
  await until(() => rebirths(edge) === 2);
  await heard();
  await alien(2);
  await heard();
  await home.clock.advance(19_000);
  await heard();
  expect(rebirths(edge)).toBe(2);
  await home.clock.advance(1000);
  await until(() => rebirths(edge) === 3);
});

test("what comes twice is read once, and what is retained proves nothing", async () => {
  const edge = await start();
  const data = (seq: number, value: number) =>
    tahuEncode({ seq, metrics: [{ name: "Outputs/Mode", type: "Int16", value }] });
  await home.publish("spBv1.0/Home/DDATA/Heat pump/Tank", data(2, 5), false);
  await home.publish("spBv1.0/Home/DDATA/Heat pump/Tank", data(2, 6), false);
  await heard();
  await home.shows(tank, "Outputs/Mode", int(5));
  expect(rebirths(edge)).toBe(0);
  const birth = tahuEncode({ seq: 0, metrics: [{ name: "x", type: "Int32", value: 1 }] });
  // Live it is a birth; what the broker says again after the reconnect is none.
  await home.publish("spBv1.0/Old/NBIRTH/ghost", birth, true);
  await home.appears("mqtt:sparkplug:Old/ghost");
  home.broker.breakLines();
  await passing(home.clock, () => face("mqtt:sparkplug:Old/ghost")?.reachable === false, "the ghost to be away");
  expect(home.host.statuses.at(-1)?.state).toBe("connected");
});

test("after a reconnect an edge node is asked, and is away when it does not answer", async () => {
  const silent: SparkplugModel = { group: "G", id: "silent", metrics: { a: { type: "Int32", value: 1 } }, devices: {} };
  const lost = await start(silent);
  await lost.client.endAsync();
  await start();
  home.broker.breakLines();
  await until(() => home.broker.clients === 0);
  const again = await sparkplugEdge(home.broker.url, heatPump, { session: 1 });
  edges.push(again);
  await passing(home.clock, () => home.host.statuses.at(-1)?.state === "connected", "the line");
  await passing(home.clock, () => rebirths(again) > 0, "the request");
  await until(() => face(tank)?.reachable === true);
  expect(face("mqtt:sparkplug:G/silent")?.reachable).toBe(true);
  await passing(home.clock, () => face("mqtt:sparkplug:G/silent")?.reachable === false, "the silent one to be away");
  expect([face(node)?.reachable, face(tank)?.reachable]).toEqual([true, true]);
});

test("a command names its metric, by alias too, and carries the times of the gateway", async () => {
  const edge = await start();
  const seen: Buffer[] = [];
  await home.client.subscribeAsync("spBv1.0/Home/DCMD/Heat pump/Tank");
  home.client.on("message", (_topic, payload) => seen.push(payload));
  await home.replace(tank, "Outputs/Mode", int(3));
  await until(() => seen.length > 0);
  const { metrics, timestamp, seq } = tahuDecode(seen[0] ?? Buffer.alloc(0));
  expect(Number(timestamp)).toBe(home.clock.now());
  expect(metrics?.[0]).toMatchObject({ name: "Outputs/Mode", type: "Int16", value: 3 });
  expect(Number(metrics?.[0]?.alias)).toBeGreaterThan(0);
  expect(Number(seq ?? 0)).toBe(0);
  expect(edge.orders).toEqual(["Tank:Outputs/Mode=3"]);
});
