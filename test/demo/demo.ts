// npm run demo: a whole home on loopback in one terminal. It ends by itself, with exit code 1 when anything was not as told.
import type { DeviceReport, StatusReport } from "../../daemon/gateway.ts";
import { reasonOf } from "../../tree/errors.ts";
import { get, replace } from "../fakes/dm-server/asks.ts";
import type { Ask } from "../fakes/dm-server/asks.ts";
import { deskLamp } from "../fakes/mqtt/models.ts";
import { overhear } from "./overheard.ts";
import { operator, setStage } from "./stage.ts";
import type { Stage } from "./stage.ts";
import { chapter, claim, eventually, happened, say, show } from "./story.ts";

const overheard = overhear();
const stage = await setStage(overheard.hear);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => void leave(130));
setTimeout(() => void fail(new Error("it takes longer than two minutes")), 110_000).unref();
await play(stage).then(() => leave(0), fail);

async function play(all: Stage): Promise<void> {
  await beginning(all);
  const lamp = await devicesAppear(all);
  await operatorHears(all);
  await operatorReads(all, lamp);
  await operatorWrites(all, lamp);
  await lampReports(all, lamp);
  await rights(all, lamp);
  await powerFails(all, lamp);
  chapter("The end");
  say(`Now with your own home: npm start in one terminal, npx dmgw devices in another. npx dmgw --help lists the rest, and the README has
    a tour of ten minutes.`);
}

async function beginning({ devices, start }: Stage): Promise<void> {
  say(`A home on one machine: an MQTT broker with ${devices.count} devices on it (Homie and zigbee2mqtt), dmgw on the gateway, and the DM
    server of an operator, which would be on the Internet. All of it is on loopback, with state of its own, and goes away at the end.`);
  chapter("The gateway starts");
  const { ready, startedIn } = await start();
  show("dmgw run", ready);
  say(`It was ready after ${startedIn.toFixed(0)} ms. It needs no database server, no root, and listens on no port.`);
}

async function devicesAppear({ gateway, devices }: Stage): Promise<DeviceReport> {
  chapter("What is in this home?");
  await eventually(`all ${devices.count} devices are reachable`, async () => {
    const status = JSON.parse(await gateway.cli("status", "--json")) as StatusReport;
    return status.devices.reachable === devices.count ? true : undefined;
  });
  show("dmgw devices", await gateway.cli("devices"));
  const list = JSON.parse(await gateway.cli("devices", "--json")) as DeviceReport[];
  const lamp = list.find((device) => device.identities.includes(`mqtt:homie:${deskLamp.id}`));
  claim("the desk lamp is one of the devices", lamp !== undefined);
  say(
    `Each device has a number that it keeps for good, and a subtree of the one management tree. This is the desk lamp:`,
  );
  show(`dmgw get ${lamp.uri} --deep`, await gateway.cli("get", lamp.uri, "--deep"));
  return lamp;
}

async function operatorHears({ server, devices }: Stage): Promise<void> {
  chapter("The operator hears of it");
  say(`The operator's server cannot reach anything in this home. But it has asked to be told of changes below ./Devices, so the
    gateway has opened a session to it by itself. Both sides have proved who they are, each with a nonce.`);
  await eventually("the operator was told of all devices", () => {
    const told = new Set(server.alerts.map(({ source }) => source?.split("/")[2]));
    return told.size >= devices.count && server.sessions.every(({ end }) => end?.ok) ? true : undefined;
  });
  overheard.tell();
}

async function operatorReads(all: Stage, lamp: DeviceReport): Promise<void> {
  chapter("The operator reads the lamp");
  say(
    `Now the server has a question. It is answered in the next session, which the installer in the home starts by hand.`,
  );
  const [light] = await session(all, [get(`${lamp.uri}/MQTT/light/power`), get(`${lamp.uri}/MQTT/light/brightness`)]);
  claim("the lamp is off", light?.results[0]?.data === "false");
}

async function operatorWrites(all: Stage, lamp: DeviceReport): Promise<void> {
  chapter("The operator switches it on");
  const outcomes = await session(all, [
    replace(`${lamp.uri}/MQTT/light/power`, true),
    replace(`${lamp.uri}/MQTT/light/brightness`, 80),
    get(`${lamp.uri}/MQTT/light/power`),
  ]);
  const device = all.devices.homie.get(deskLamp.id);
  for (const order of device?.orders ?? []) happened("Desk lamp", `got the order ${order}, and says that it is done`);
  claim(
    "the lamp was told",
    device?.values.get("light/power") === "true" && device.values.get("light/brightness") === "80",
  );
  claim(
    "every command was done",
    outcomes.every(({ status }) => status === 200),
  );
  say(`200 means more than that the order was sent: the gateway waited until the lamp itself said so.`);
}

async function lampReports({ server, devices }: Stage, lamp: DeviceReport): Promise<void> {
  chapter("Somebody turns the knob of the lamp");
  happened("Desk lamp", "says by itself: light/brightness is 15");
  const alert = server.alertSeen(({ source, data }) => source === `${lamp.uri}/MQTT/light/brightness` && data === "15");
  await devices.homie.get(deskLamp.id)?.report("light/brightness", "15");
  await eventually("the operator hears of it", () => Promise.race([alert, pause(200)]));
  await eventually("the session has ended", () => (server.sessions.at(-1)?.end?.ok === true ? true : undefined));
  overheard.tell();
  say(`The change was on the gateway's disk before it was told, and stays there until the server has taken it: a cut line or a power cut
    in between loses nothing.`);
}

async function rights(all: Stage, lamp: DeviceReport): Promise<void> {
  const { gateway } = all;
  chapter("Who may see what?");
  say(`Every node has rights, inherited from above. The household asks what the operator may see, and why:`);
  const before = await gateway.cli("get", `${lamp.uri}/MQTT/light/power`, "--as", operator);
  show(`dmgw get ${lamp.uri}/MQTT/light/power --as ${operator}`, before);
  say(`The desk is nobody's business. From now on only the household itself may look at it:`);
  show(`dmgw acl ${lamp.uri} Get=nobody`, await gateway.cli("acl", lamp.uri, "Get=nobody"));
  const after = await gateway.cli("get", `${lamp.uri}/MQTT/light/power`, "--as", operator).catch(reasonOf);
  show(`dmgw get ${lamp.uri}/MQTT/light/power --as ${operator}`, after);
  const outcomes = await session(all, [get(`${lamp.uri}/MQTT/light/power`), get("./Devices/d1/DevInfo/Name")]);
  claim("the operator is refused now, and elsewhere is not", outcomes.map(({ status }) => status).join() === "425,200");
}

async function powerFails(all: Stage, lamp: DeviceReport): Promise<void> {
  const { gateway, start } = all;
  chapter("The power fails");
  show(
    `dmgw device ${lamp.id} name "Grandmother's lamp"`,
    await gateway.cli("device", lamp.id, "name", "Grandmother's lamp"),
  );
  say(
    `What is acknowledged is on the disk. So the gateway is killed, at once and without a warning, and started again:`,
  );
  await gateway.kill();
  const again = await start();
  show("kill -9 dmgw; dmgw run", again.ready);
  await eventually("the lamp is back", async () => {
    const list = JSON.parse(await again.cli("devices", "--json")) as DeviceReport[];
    const same = list.find(({ id }) => id === lamp.id);
    return same?.name === "Grandmother's lamp" && same.reachable ? true : undefined;
  });
  show("dmgw devices", await again.cli("devices"));
  const acl = await again.cli("acl", lamp.uri);
  claim("the rights are those of before", acl.includes("Get=nobody"));
  claim("the DM server saw nothing against the standard", all.server.violations.length === 0);
  say(`The same numbers, the same name, the same rights.`);
}

/** The server asks, the installer starts the session, and it is told how it went. */
async function session({ server, gateway }: Stage, asks: readonly Ask[]) {
  const answered = server.run(asks);
  await gateway.cli("connect", operator);
  show(`dmgw connect ${operator}`);
  const outcomes = await answered;
  overheard.tell();
  return outcomes;
}

async function pause(ms: number): Promise<undefined> {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return undefined;
}

async function fail(error: unknown): Promise<void> {
  overheard.tell();
  console.error(`\nThe demo failed: ${reasonOf(error)}`);
  for (const violation of stage.server.violations) console.error(`The DM server saw: ${violation}`);
  await leave(1);
}

async function leave(code: number): Promise<void> {
  await stage.clear().catch((error: unknown) => console.error(`The demo could not tidy up: ${String(error)}`));
  process.exit(code);
}
