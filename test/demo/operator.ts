// What the DM server of the operator hears, reads and writes.
import type { DeviceReport } from "../../daemon/gateway.ts";
import { reasonOf } from "../../tree/errors.ts";
import { get, replace } from "../fakes/dm-server/asks.ts";
import { boiler } from "../fakes/mqtt/announced-models.ts";
import { deskLamp } from "../fakes/mqtt/models.ts";
import { energyPlug } from "../fakes/mqtt/tasmota-models.ts";
import { deviceOf } from "./home.ts";
import { overheard, session } from "./session.ts";
import { operator } from "./stage.ts";
import type { Stage } from "./stage.ts";
import { chapter, claim, eventually, happened, say, show } from "./story.ts";

export async function operatorHears({ server, onBroker }: Stage): Promise<void> {
  chapter("The operator hears of it");
  say(`The operator's server cannot reach anything in this home. But it has asked to be told of changes below ./Devices, so the
    gateway has opened a session to it by itself. Both sides have proved who they are, each with a nonce.`);
  await eventually("the operator was told of all devices", () => {
    const told = new Set(server.alerts.map(({ source }) => source?.split("/")[2]));
    return told.size >= onBroker && server.sessions.every(({ end }) => end?.ok) ? true : undefined;
  });
  overheard.tell();
}

export async function operatorReads(all: Stage, lamp: DeviceReport): Promise<void> {
  chapter("The operator reads the lamp");
  say(
    `Now the server has a question. It is answered in the next session, which the installer in the home starts by hand.`,
  );
  const [light] = await session(all, [get(`${lamp.uri}/MQTT/light/power`), get(`${lamp.uri}/MQTT/light/brightness`)]);
  claim("the lamp is off", light?.results[0]?.data === "false");
}

export async function operatorWrites(all: Stage, lamp: DeviceReport): Promise<void> {
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

/** Four devices that have no language in common, in one package. */
export async function oneLanguage(all: Stage): Promise<void> {
  chapter("One language for all of them");
  const [plug, heating, tank, cistern] = [
    await deviceOf(all, `mqtt:tasmota:${energyPlug.mac.toLowerCase()}`),
    await deviceOf(all, `mqtt:ha:${boiler.id}`),
    await deviceOf(all, "mqtt:sparkplug:Home/Heat pump/Tank"),
    await deviceOf(all, "mqtt:map:cistern"),
  ];
  say(`A plug with the Tasmota firmware, a boiler's thermostat that Home Assistant's discovery describes, a metric of a Sparkplug edge node,
    and a pump that somebody built for the garden (config/mqtt-devices.example.yaml says which topics it has). To the server they are
    nodes:`);
  const outcomes = await session(all, [
    replace(`${plug.uri}/MQTT/POWER`, false),
    replace(`${heating.uri}/MQTT/heating/temperature`, 22.5),
    replace(`${tank.uri}/MQTT/Outputs/Setpoint`, 52.5),
    replace(`${cistern.uri}/MQTT/pump/on`, true),
  ]);
  const device = all.tasmota.devices.get(energyPlug.mac);
  const thermostat = all.devices.announced.get(boiler.id);
  const { edge } = all.sparkplug;
  const lastOf = (orders: readonly string[] = []) => orders.at(-1) ?? "nothing";
  happened("Tasmota", `the plug got "${lastOf(device?.orders)}", and answers with its state`);
  happened("Boiler", `got ${lastOf(thermostat?.orders)}, and reports it`);
  happened("Sparkplug", `the tank got ${lastOf(edge.orders)} in a DCMD, and reports it in a DDATA`);
  happened("Cistern", `got ${lastOf(all.cistern.orders)}, and says that its pump runs`);
  const states = [
    device?.state.power[0] === false,
    thermostat?.values.get("heating/temperature") === "22.5",
    edge.values.get("Tank:Outputs/Setpoint") === 52.5,
    all.cistern.pump(),
  ];
  claim(
    "each device did what it was told",
    states.every((isSo) => isSo),
  );
  claim(
    "every command was done",
    outcomes.every(({ status }) => status === 200),
  );
}

export async function lampReports({ server, devices }: Stage, lamp: DeviceReport): Promise<void> {
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

export async function rights(all: Stage, lamp: DeviceReport, other: DeviceReport): Promise<void> {
  const { gateway } = all;
  chapter("Who may see what?");
  say(`Every node has rights, inherited from above. The household asks what the operator may see, and why:`);
  const before = await gateway.cli("get", `${lamp.uri}/MQTT/light/power`, "--as", operator);
  show(`dmgw get ${lamp.uri}/MQTT/light/power --as ${operator}`, before);
  say(`The desk is nobody's business. From now on only the household itself may look at it:`);
  show(`dmgw acl ${lamp.uri} Get=nobody`, await gateway.cli("acl", lamp.uri, "Get=nobody"));
  const after = await gateway.cli("get", `${lamp.uri}/MQTT/light/power`, "--as", operator).catch(reasonOf);
  show(`dmgw get ${lamp.uri}/MQTT/light/power --as ${operator}`, after);
  const outcomes = await session(all, [get(`${lamp.uri}/MQTT/light/power`), get(`${other.uri}/DevInfo/Name`)]);
  claim("the operator is refused now, and elsewhere is not", outcomes.map(({ status }) => status).join() === "425,200");
}

async function pause(ms: number): Promise<undefined> {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return undefined;
}
