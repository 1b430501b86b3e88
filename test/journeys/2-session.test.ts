import { afterEach, beforeEach, expect, test } from "vitest";
import { chr } from "../../tree/value.ts";
import { selfSigned } from "../fakes/certificate.ts";
import { startDmServer } from "../fakes/dm-server.ts";
import type { DmServer } from "../fakes/dm-server.ts";
import { add, atomic, get, replace } from "../fakes/dm-server/asks.ts";
import { Lamp } from "../tree/small-home.ts";
import { accountOf, clientProof, gatewayId, serverId, serverProof, startHome, stateFolder } from "./home.ts";
import type { StartedHome } from "./home.ts";

const tls = selfSigned(["127.0.0.1"]);
const never = new AbortController().signal;
const power = "./Devices/d1/MQTT/power";
let state: ReturnType<typeof stateFolder>;
let server: DmServer;
let lamp: Lamp;
let home: StartedHome;
const start = () => startHome(state.folder, accountOf(server.url, { tls: { ca: tls.cert }, insecure: false }), lamp);

beforeEach(async () => {
  state = stateFolder();
  lamp = new Lamp();
  server = await startDmServer({ client: clientProof, server: serverProof, tls });
  home = await start();
});
afterEach(async () => {
  await home.stop();
  await server.stop();
  state.remove();
});

test("a DM server reads and writes a device behind the gateway, over HTTPS, both having proven themselves", async () => {
  const first = server.run([get("./DevInfo/DevId", "./Devices/d1", power), replace(power, "on"), get(power)]);
  const lines: string[] = [];
  await home.upstream.connect(serverId, (line) => lines.push(line), never);
  const [read, wrote, again] = await first;
  expect(read?.results.map((one) => one.data)).toEqual([gatewayId, "DevInfo/State/MQTT", "off"]);
  expect([wrote?.status, again?.results[0]?.data, lamp.values.get("power")]).toEqual([200, "on", chr("on")]);
  expect(lines.at(-1)).toBe("ended well");
  expect(server.violations).toEqual([]);
});

test("what one member of an Atomic cannot do is done by none, and the server hears which it was", async () => {
  lamp.refuse = "power";
  const asked = server.run([atomic([add("./DevInfo/Ext/x", "1"), replace(power, "on")]), get("./DevInfo/Ext")]);
  await home.upstream.connect(serverId, () => undefined, never);
  const [outcome, ext] = await asked;
  expect([outcome?.status, ...(outcome?.inner ?? []).map((one) => one.status)]).toEqual([507, 216, 400]);
  expect([ext?.results[0]?.data, lamp.values.get("power")]).toEqual(["", chr("off")]);
  expect(server.violations).toEqual([]);
});

test("a silent device costs its own answer, not the session", async () => {
  lamp.silent = true;
  const asked = server.run([get(power), get("./DevInfo/Man")]);
  await home.upstream.connect(serverId, () => undefined, never);
  expect((await asked).map((one) => one.status)).toEqual([504, 200]);
});

test("after a restart nobody is challenged: the nonces were on the disk before the session was called ended", async () => {
  for (let turn = 0; turn < 3; turn++) {
    const asked = server.run([get(power)]);
    await home.upstream.connect(serverId, () => undefined, never);
    expect((await asked)[0]?.status).toBe(200);
    await home.stop();
    home = await start();
  }
  expect(server.sessions.map((one) => one.exchanges.length)).toEqual([2, 2, 2]);
  expect(server.violations).toEqual([]);
});
