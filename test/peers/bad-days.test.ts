import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { truncateSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import type { IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { DeviceReport, StatusReport } from "../../daemon/gateway.ts";
import { run, startGateway } from "../demo/gateway.ts";
import type { RunningGateway } from "../demo/gateway.ts";
import { startDmServer } from "../fakes/dm-server.ts";
import { accountAt, client, operator, server } from "../fakes/dm-server/config-entry.ts";
import { startMosquitto } from "./lib/mosquitto.ts";
import { until } from "./lib/process.ts";
import { lamp } from "./lib/published.ts";

// What happens to the daemon as a process, and to what it keeps.

const quiet = {
  lan: { interfaces: ["lo"] },
  discovery: {
    ssdp: { enabled: false },
    mdns: { enabled: false },
    neighbours: { enabled: false },
    announce: { enabled: false },
  },
  adapters: { mqtt: { enabled: false } },
};
const undo: (() => unknown)[] = [];
let folder: string;
let state: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dmgw-bad-"));
  state = join(folder, "state");
  undo.push(() => rmSync(folder, { recursive: true, force: true }));
});
afterEach(async () => {
  for (const one of undo.splice(0).reverse()) await one();
});

async function start(config: object = quiet): Promise<RunningGateway> {
  const gateway = await startGateway(folder, config);
  undo.push(() => gateway.kill());
  return gateway;
}
async function json<T>(gateway: RunningGateway, ...args: string[]): Promise<T> {
  return JSON.parse(await gateway.cli(...args, "--json")) as T;
}
const statusOf = (gateway: RunningGateway) => json<StatusReport>(gateway, "status");

describe("a second daemon", () => {
  it("does not start on the state of the first, says whose it is, and leaves the first alone", async () => {
    const first = await start();
    const { code, stderr, stdout } = await run(["run", "--config", first.file, "--set", `control.socket=${folder}/2`]);
    expect(code).toBe(78);
    expect(stderr).toMatch(
      new RegExp(`^dmgw: .*${state}: in use by another dmgw \\(process ${first.pid}\\): stop that one, or set another`),
    );
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(stdout).toBe("");
    await first.cli("add", "./DevInfo/Ext/Note", "still here");
    expect((await statusOf(first)).warnings).toEqual([]);
  });

  it("does not take the control socket of the first, nor a file that is no socket", async () => {
    const first = await start();
    const other = ["run", "--config", first.file, "--set", `state=${folder}/other`];
    const taken = await run(other);
    expect(taken.code).toBe(78);
    expect(taken.stderr).toContain(`dmgw: control.socket: another dmgw runs here: it answers at ${first.socket}`);
    expect((await statusOf(first)).ready).toBe(true);

    const plain = join(folder, "plain");
    writeFileSync(plain, "mine");
    const wrong = await run([...other, "--set", `control.socket=${plain}`]);
    expect(wrong.code).toBe(78);
    expect(wrong.stderr).toContain(`${plain} is not a socket; it is left as it is`);
    expect(readFileSync(plain, "utf8")).toBe("mine");
  });
});

describe("state that is damaged", () => {
  const damages: [what: string, damage: (file: string) => void][] = [
    ["overwritten at its beginning", (file) => writeFileSync(file, "x".repeat(100), { flag: "r+" })],
    ["cut off in the middle", (file) => truncateSync(file, Math.floor(statSync(file).size / 2) + 100)],
    [
      "a folder in its place",
      (file) => {
        rmSync(file);
        mkdirSync(file);
      },
    ],
  ];
  it.each(damages)("%s is set aside, the daemon runs on, and status says so", async (_what, damage) => {
    const before = await start();
    await before.cli("add", "./DevInfo/Ext/Note", "x".repeat(20_000));
    expect(await before.stop()).toBe(0);
    damage(join(state, "dmgw.db"));

    const gateway = await start();
    const aside = readdirSync(state).filter((name) => name.startsWith("dmgw.db.damaged-"));
    expect(aside).toHaveLength(1);
    const { warnings, ready } = await statusOf(gateway);
    expect(ready).toBe(true);
    expect(warnings.join()).toContain(join(state, aside[0] ?? ""));
    expect(await gateway.cli("status")).toMatch(/What to do:\n {2}- the state file was damaged/);
    // Empty, and good again.
    expect((await gateway.call("get", "./DevInfo/Ext/Note")).stderr).toContain("404");
    await gateway.cli("add", "./DevInfo/Ext/Note", "anew");
    await gateway.kill();
    const again = await start();
    expect(await again.cli("get", "./DevInfo/Ext/Note")).toBe("./DevInfo/Ext/Note => anew\n");
  });
});

it("a full disk refuses what cannot be kept, half of nothing is there, and room heals it", async () => {
  mkdirSync(state);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "none", state]);
  undo.push(() => execFileSync("umount", ["-l", state]));
  const gateway = await start();
  await gateway.cli("add", "./DevInfo/Ext/Before", "kept");
  const filler = join(state, "filler");
  try {
    writeFileSync(filler, Buffer.alloc(1 << 20));
  } catch {
    // As much as there was room for.
  }
  const refused = await gateway.call("add", "./DevInfo/Ext/Full/A", "x".repeat(60_000));
  expect(refused.code).toBe(1);
  expect(refused.stderr).toMatch(/^dmgw add: (420 no room left|510 could not be written)/);
  const problem = await gateway.call("set", "./DevInfo/Ext/Before", "y".repeat(60_000), "--json");
  expect(JSON.parse(problem.stdout)).toMatchObject({ status: 420, detail: expect.stringContaining(state) as string });
  expect((await gateway.call("get", "./DevInfo/Ext/Full")).stderr).toContain("404");
  expect(await gateway.cli("get", "./DevInfo/Ext/Before")).toBe("./DevInfo/Ext/Before => kept\n");
  expect((await statusOf(gateway)).warnings.join()).toContain("no room is left");

  rmSync(filler);
  await gateway.cli("add", "./DevInfo/Ext/After", "kept too");
  expect((await statusOf(gateway)).warnings).toEqual([]);
  await gateway.kill();
  const again = await start();
  expect((await again.cli("get", "./DevInfo/Ext", "--deep")).trimEnd().split("\n").sort()).toEqual([
    "./DevInfo/Ext/After => kept too",
    "./DevInfo/Ext/Before => kept",
  ]);
});

it("SIGHUP with a bad file changes nothing and says where it is wrong; with a good one it is taken", async () => {
  const gateway = await start();
  const before = await statusOf(gateway);
  writeFileSync(gateway.file, readFileSync(gateway.file, "utf8").replace("enabled: false", "enabled: perhaps"));
  process.kill(gateway.pid, "SIGHUP");
  await until("the refusal", () => /the config was not taken/.test(gateway.output()) || undefined);
  expect(gateway.output()).toMatch(new RegExp(`the config was not taken: .*perhaps.*${gateway.file}:\\d+:\\d+`));
  const reload = await gateway.call("reload");
  expect(reload.code).toBe(78);
  expect(reload.stderr).toMatch(new RegExp(`nothing was changed\n {2}${gateway.file}:\\d+:\\d+: .*true or false`));
  expect((await statusOf(gateway)).discovery).toEqual(before.discovery);

  gateway.configure({ ...quiet, log: { level: "debug" }, servers: [accountAt("http://127.0.0.1:9/dm")] });
  process.kill(gateway.pid, "SIGHUP");
  await until("the good file", async () => (await statusOf(gateway)).servers[0]?.id === operator || undefined);
  expect(gateway.output()).toMatch(/the config was taken changes=.*log\.level: taken/);
});

it("SIGTERM ends it within two seconds, in the middle of a session, with a reader of events and a broker", async () => {
  const broker = await startMosquitto();
  undo.push(() => broker.stop());
  const dm = await startDmServer({ client, server });
  undo.push(() => dm.stop());
  dm.fail({ kind: "silent" });
  const config = { ...quiet, adapters: { mqtt: { url: broker.url } }, servers: [accountAt(dm.url)] };
  const gateway = await start(config);
  await until("the broker", async () => (await statusOf(gateway)).adapters["mqtt"]?.state === "connected" || undefined);
  const reader = await new Promise<IncomingMessage>((resolve, reject) => {
    request({ socketPath: gateway.socket, path: "/v1/events" }, resolve).on("error", reject).end();
  });
  const read = new Promise((resolve) => reader.on("end", resolve).on("error", resolve).resume());
  const session = gateway.call("connect", operator);
  await until("the session", async () => (await statusOf(gateway)).servers[0]?.state === "in session" || undefined);

  const from = performance.now();
  expect(await gateway.stop()).toBe(0);
  expect(performance.now() - from).toBeLessThan(2000);
  console.log(`SIGTERM -> ended in ${(performance.now() - from).toFixed(0)} ms`);
  await read;
  const { code, stderr } = await session;
  expect(code).toBe(1);
  expect(stderr).toMatch(/the gateway stops|the daemon stops/);
  expect(existsSync(gateway.socket)).toBe(false);
});

it("kill -9 loses no device, no name, no right; the left socket is replaced; what is known is listed at once", async () => {
  const broker = await startMosquitto();
  undo.push(() => broker.stop());
  await broker.publishAll({ ...lamp, "homie/hall-lamp/$state": "ready" });
  const config = { ...quiet, adapters: { mqtt: { url: broker.url } } };
  const gateway = await start(config);
  const [device] = await until("the lamp", async () => {
    const all = await json<DeviceReport[]>(gateway, "devices");
    return all[0]?.reachable === true ? all : undefined;
  });
  await gateway.cli("device", "d1", "name", "Lamp of the hall");
  await gateway.cli("acl", "./Devices/d1", "Get=nobody");
  await gateway.kill();
  expect(existsSync(gateway.socket)).toBe(true);
  await broker.stop();

  const again = await start(config);
  expect(again.ready).toMatch(/1 devices? (is|are) known from before|devices=1/);
  expect(await json<DeviceReport[]>(again, "devices")).toEqual([
    {
      ...device,
      name: "Lamp of the hall",
      state: "away",
      since: "",
      reason: "not heard of since the gateway started",
      reachable: false,
      lastSeen: expect.any(String) as string,
    },
  ]);
  expect(await again.cli("acl", "./Devices/d1")).toContain("Get=nobody");
  const gone = await again.call("get", "./Devices/d1/MQTT/light/power");
  expect([gone.code, gone.stderr]).toEqual([1, expect.stringMatching(/^dmgw get: 503 not reachable/) as string]);
});
