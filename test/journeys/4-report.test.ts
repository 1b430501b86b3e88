import { afterEach, beforeEach, expect, test } from "vitest";
import { parsePath, parseRel } from "../../tree/path.ts";
import { chr, int } from "../../tree/value.ts";
import { startDmServer } from "../fakes/dm-server.ts";
import type { DmServer } from "../fakes/dm-server.ts";
import { replace } from "../fakes/dm-server/asks.ts";
import { Lamp } from "../tree/small-home.ts";
import {
  accountOf,
  asLocal,
  clientProof,
  pause,
  serverId,
  serverProof,
  startHome,
  stateFolder,
  until,
} from "./home.ts";
import type { StartedHome } from "./home.ts";

const never = new AbortController().signal;
const mqtt = "./Devices/d1/MQTT";
let state: ReturnType<typeof stateFolder>;
let server: DmServer;
let lamp: Lamp;
let home: StartedHome;
const start = (interval = 50) =>
  startHome(state.folder, accountOf(server.url, { report: { subtrees: [mqtt], interval } }), lamp);
const report = (name: string, value: number) => {
  lamp.values.set(name, int(value));
  home.attached.changed([parseRel(name)]);
};
const told = (name: string) => server.alerts.filter((one) => one.source === `${mqtt}/${name}`).map((one) => one.data);

beforeEach(async () => {
  state = stateFolder();
  lamp = new Lamp();
  server = await startDmServer({ client: clientProof, server: serverProof });
  home = await start();
  await home.upstream.connect(serverId, () => undefined, never);
});
afterEach(async () => {
  await home.stop();
  await server.stop();
  state.remove();
});

test("what a device reports reaches the server as a generic alert, merged, with the value of then, and no flash is written for it", async () => {
  const { outbox, store } = home;
  const before = store.usage();
  for (let value = 1; value <= 500; value++) report("lux", value);
  expect(outbox.state(serverId).length).toBe(1);
  expect(store.usage()).toMatchObject({ written: before.written, syncs: before.syncs });
  await until(() => told("lux").length > 0, "the alert");
  expect(server.alerts.at(-1)).toMatchObject({ code: 1226, type: "urn:dmgw:at:change", format: "int", data: "500" });
  await until(() => outbox.state(serverId).length === 0, "the delivery");
  expect(told("lux")).toEqual(["500"]);
  expect(server.violations).toEqual([]);
});

test("a server is not told what it wrote itself, and is told what others write", async () => {
  const asked = server.run([replace(`${mqtt}/power`, "on")]);
  await home.upstream.connect(serverId, () => undefined, never);
  expect((await asked)[0]?.status).toBe(200);
  await home.tree.change([{ verb: "Replace", at: parsePath(`${mqtt}/power`), value: chr("off") }], asLocal);
  await until(() => told("power").length > 0, "the alert");
  await pause(100);
  expect(told("power")).toEqual(["off"]);
});

test("what is pending survives a restart while the server is away, and is told when it is back", async () => {
  server.fail(...Array.from({ length: 4 }, () => ({ kind: "status", code: 503 }) as const));
  await home.tree.change([{ verb: "Replace", at: parsePath(`${mqtt}/level`), value: int(7) }], asLocal);
  await until(() => home.upstream.reports()[0]?.state === "waiting", "a failed session");
  await home.stop();
  home = await start();
  expect(home.outbox.state(serverId).length).toBeGreaterThan(0);
  await until(() => home.upstream.reports()[0]?.state === "waiting", "another failed session");
  for (let turn = 0; turn < 6 && told("level").length === 0; turn++)
    await home.upstream.connect(serverId, () => undefined, never).catch(() => undefined);
  expect(told("level")).toEqual(["7"]);
  expect(home.outbox.state(serverId).length).toBe(0);
});
