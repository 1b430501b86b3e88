// What the people of the home decide, and that it stays.
import type { DeviceReport } from "../../daemon/gateway.ts";
import { get } from "../fakes/dm-server/asks.ts";
import { boiler } from "../fakes/mqtt/announced-models.ts";
import { meterPlug, plug } from "../fakes/mqtt/models.ts";
import { cameras, mediaBoxNextDay, phone } from "./cast.ts";
import { deviceOf, named } from "./home.ts";
import { session } from "./session.ts";
import { devicesOf } from "./stage.ts";
import type { Stage } from "./stage.ts";
import { chapter, claim, eventually, say, show } from "./story.ts";

const groups = "./GwMO/DeviceInventory/Groups";

/** What was decided, to be found again after the power cut. */
export interface Decided {
  readonly dryer: string;
  readonly phone: string;
}

export async function aPersonDecides(all: Stage): Promise<Decided> {
  const { gateway } = all;
  const tell = async (...args: readonly string[]) => {
    const typed = args.map((word) => (/[\s*|&<>]/.test(word) ? `'${word}'` : word)).join(" ");
    show(`dmgw ${typed}`, await gateway.cli(...args));
  };
  chapter("A person knows better");
  const dryer = await deviceOf(all, `mqtt:z2m:${meterPlug.address}`);
  say(`Two plugs of different makers are both called after the washing machine. One of them stands at the dryer:`);
  await tell("device", dryer.id, "name", "Dryer");

  const heating = await deviceOf(all, `mqtt:ha:${boiler.id}`);
  const tank = await deviceOf(all, "mqtt:sparkplug:Home/Heat pump/Tank");
  say(`Are the boiler and the tank one machine? No announcement says so, but a person may:`);
  await tell("device", heating.id, "merge", tank.id);
  await tell("device", tank.id);
  await tell("ls", heating.uri);
  const one = await deviceOf(all, "mqtt:sparkplug:Home/Heat pump/Tank");
  claim("they are one, under the number and the name of the first", one.id === heating.id && one.name === heating.name);
  say(`It was a mistake. What was merged is parted again, under the numbers of before:`);
  await tell("device", heating.id, "split");
  const back = await deviceOf(all, "mqtt:sparkplug:Home/Heat pump/Tank");
  claim("the tank has its number again", back.id === tank.id && back.reachable);

  const guest = await named(all, phone.host);
  say(`And the phone of the family is nobody's device:`);
  await tell("device", guest.id, "ignore");
  const isListed = (await devicesOf(all)).some(({ id }) => id === guest.id);
  claim("it is not listed any more", !isListed);
  return { dryer: dryer.id, phone: guest.id };
}

export async function groupOfLamps(all: Stage): Promise<void> {
  const { gateway } = all;
  chapter("A group that keeps itself up to date");
  const rule = "name=*lamp*";
  const set = ["groups", "set", "lamps", "--name", "Lamps of the home", "--rule", rule];
  show(`dmgw groups set lamps --name 'Lamps of the home' --rule '${rule}'`, await gateway.cli(...set));
  say(
    `Three lamps, of three conventions. The server reads the group where the standard has the gateway's own objects:`,
  );
  const [first] = await session(all, [get(`${groups}/lamps/Members`), get(`${groups}/lamps/Rule`)]);
  const lamps = membersOf(first?.results[0]?.data);
  claim("the lamps are in the group", lamps.length === 3);
  const garage = await deviceOf(all, `mqtt:homie:${plug.id}`);
  say(`In the garage somebody puts a lamp into the plug, and calls it so. Nobody has to touch the group:`);
  show(`dmgw device ${garage.id} name 'Garage lamp'`, await gateway.cli("device", garage.id, "name", "Garage lamp"));
  const [second] = await session(all, [get(`${groups}/lamps/Members`)]);
  const more = membersOf(second?.results[0]?.data);
  claim("the plug has joined the group", more.length === 4 && more.includes(garage.id));
}

export async function powerFails(all: Stage, lamp: DeviceReport, decided: Decided): Promise<void> {
  const { gateway, start, sparkplug } = all;
  chapter("The power fails");
  show(
    `dmgw device ${lamp.id} name "Grandmother's lamp"`,
    await gateway.cli("device", lamp.id, "name", "Grandmother's lamp"),
  );
  say(
    `What is acknowledged is on the disk. So the gateway is killed, at once and without a warning, and started again:`,
  );
  const before = (await devicesOf(all)).filter(isOurs);
  await gateway.kill();
  const again = await start();
  show("kill -9 dmgw; dmgw run", again.ready);
  await eventually("everybody is back", async () => {
    await sparkplug.edge.report("Tank", "Inputs/Temperature", 48.5);
    const list = await devicesOf(all);
    const isBack = ({ id, name, managed }: DeviceReport) =>
      list.some((device) => device.id === id && device.name === name && device.reachable && device.managed === managed);
    return before.every(isBack) ? true : undefined;
  });
  show("dmgw devices", await again.cli("devices"));
  const list = await devicesOf(all);
  const nameOf = (id: string) => list.find((device) => device.id === id)?.name;
  claim("the names are those of before", nameOf(lamp.id) === "Grandmother's lamp" && nameOf(decided.dryer) === "Dryer");
  claim("what was ignored is ignored", nameOf(decided.phone) === undefined);
  claim("nothing is there twice", list.filter(isOurs).length === before.length);
  const box = list.filter(({ name }) => name === mediaBoxNextDay.upnp?.name);
  claim("the media box is where it was", box.length === 1 && box[0]?.addresses[0] === mediaBoxNextDay.address);
  const acl = await again.cli("acl", lamp.uri);
  claim("the rights are those of before", acl.includes("Get=nobody"));
  claim("the group is that of before", (await again.cli("groups")).includes("lamps"));
  claim("the DM server saw nothing against the standard", all.server.violations.length === 0);
  say(`The same numbers, the same names, the same rights, and what people decided.`);
}

/** Whoever else announces himself on the loopback of this machine comes and goes as he likes. */
function isOurs({ managed, name }: DeviceReport): boolean {
  return managed || cameras.some(({ upnp }) => upnp?.name === name);
}

/** The names below an interior node, as a result of Get has them. */
function membersOf(data: string | undefined): readonly string[] {
  return (data ?? "").split("/").filter((name) => name !== "");
}
