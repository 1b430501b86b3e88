// The first chapters: what is in this home, and how many things it is.
import type { DeviceReport, DeviceStory, StatusReport } from "../../daemon/gateway.ts";
import { deskLamp } from "../fakes/mqtt/models.ts";
import { cameras, mediaBox, mediaBoxNextDay, mediaBoxOnBroker, phone } from "./cast.ts";
import { devicesOf } from "./stage.ts";
import type { Stage } from "./stage.ts";
import { chapter, claim, eventually, happened, say, show } from "./story.ts";

export async function beginning({ onBroker, start }: Stage): Promise<void> {
  say(`A home on one machine: an MQTT broker with ${onBroker} devices on it that speak in six ways (Homie, zigbee2mqtt, Home Assistant's
    discovery, Tasmota, Sparkplug B, and one that somebody made up), a media box and two cameras that announce themselves on the LAN, a
    DHCP server's file of leases, dmgw on the gateway, and the DM server of an operator, which would be on the Internet. All of it is on
    loopback, with state of its own, and goes away at the end.`);
  chapter("The gateway starts");
  const { ready, startedIn } = await start();
  show("dmgw run", ready);
  say(`It was ready after ${startedIn.toFixed(0)} ms. It needs no database server and no root. No port of it is open but those that all
    who announce themselves on a LAN share: mDNS and SSDP.`);
}

export async function devicesAppear(all: Stage): Promise<DeviceReport> {
  const { gateway, sparkplug } = all;
  chapter("What is in this home?");
  await eventually("the broker's devices are managed, and those on the LAN are seen", async () => {
    // An edge node says who it is once. Who comes later hears that it speaks, and asks it.
    if (sparkplug.edge.orders.length === 0) await sparkplug.edge.report("Tank", "Inputs/Temperature", 48.6);
    const list = await devicesOf(all);
    const managed = list.filter((device) => device.managed && device.reachable);
    const isThere = (name: string) => list.some((device) => device.name === name && device.manufacturer !== "");
    const onLan =
      cameras.every(({ upnp }) => isThere(upnp?.name ?? "")) && list.some(({ name }) => name === phone.host);
    const [box] = managed.filter((device) => device.name === mediaBox.upnp?.name);
    return managed.length >= all.onBroker && onLan && box?.sources.length === 3 ? true : undefined;
  });
  happened("Heat pump", "says a temperature, and is asked who it is: a new birth, as Sparkplug calls it");
  show("dmgw devices", await gateway.cli("devices"));
  claim("the edge node was asked", sparkplug.edge.orders.includes("rebirth"));
  const lamp = await deviceOf(all, `mqtt:homie:${deskLamp.id}`);
  say(`Managed are the devices of the broker, which the owner has named. What only announces itself is seen, until a person approves it:
    anybody on the LAN can say anything. Of the phone only the DHCP server has heard. Each device has a number that it keeps for good, and
    the managed ones a subtree of the one management tree. This is the desk lamp:`);
  show(`dmgw get ${lamp.uri} --deep`, await gateway.cli("get", lamp.uri, "--deep"));
  say(`How all of it was found:`);
  show("dmgw status", await gateway.cli("status"));
  const { discovery } = (await gateway.ask("GET", "/v1/status")) as StatusReport;
  const states = ["mdns", "ssdp", "neighbours", "leases"].map((source) => discovery[source]?.state);
  claim(
    "every source listens",
    states.every((state) => state === "listening"),
  );
  claim("the gateway is found too", discovery["announce"]?.state === "announcing");
  return lamp;
}

export async function oneThing(all: Stage): Promise<DeviceReport> {
  const { gateway } = all;
  chapter("One thing, seen in five ways, is one device");
  const box = await deviceOf(all, `mqtt:ha:${mediaBoxOnBroker.id}`);
  say(`The media box announces two services by mDNS. It announces itself by SSDP too, and has a UPnP description. The DHCP server has given
    it an address. And on the broker it announces itself by Home Assistant's discovery. It is one device, and the gateway can say why:`);
  show(`dmgw device ${box.id} --why`, await gateway.cli("device", box.id, "--why"));
  const { members } = await storyOf(all, box);
  const ways = ["leases ", "ssdp ", "mdns ", "upnp:", "mqtt:ha:"];
  claim(
    "it was seen in all of these ways",
    ways.every((way) => members.some(({ identity }) => identity.startsWith(way))),
  );
  claim("it is there once", (await devicesOf(all)).filter(({ name }) => name === box.name).length === 1);
  return box;
}

export async function theNight(all: Stage, box: DeviceReport): Promise<void> {
  const { gateway, night } = all;
  chapter("Overnight it becomes somebody else");
  happened("Media box", `says goodbye at ${mediaBox.address}; its firmware is updated`);
  happened("DHCP", `${mediaBoxNextDay.host} has ${mediaBoxNextDay.address} now`);
  happened("Media box", `announces itself with another UUID: ${mediaBoxNextDay.upnp?.uuid}`);
  await night();
  const identity = `upnp:${mediaBoxNextDay.upnp?.uuid}`;
  const now = await eventually("the box is known at its new address under its new id", async () => {
    const found = (await devicesOf(all)).find(({ identities }) => identities.includes(identity));
    return found?.addresses.join() === mediaBoxNextDay.address ? found : undefined;
  });
  claim("it is the same device", now.id === box.id);
  claim("it is there once", (await devicesOf(all)).filter(({ name }) => name === box.name).length === 1);
  show(`dmgw device ${box.id}`, await gateway.cli("device", box.id));
  say(
    `It is ${box.id} still, with its name, its rights and its history: the network has it at the same hardware address.`,
  );
}

export async function twoCameras(all: Stage): Promise<void> {
  const { gateway } = all;
  chapter("Two cameras with one serial number are two");
  const [door, yard] = [await named(all, cameras[0].upnp?.name), await named(all, cameras[1].upnp?.name)];
  claim("they are two devices", door.id !== yard.id);
  const why = await gateway.cli("device", door.id, "--why");
  const [, others = ""] = /^(Other devices[^]*?)\n\n/m.exec(why) ?? [];
  say(`Their maker has given the same serial number to a whole batch. A serial number alone joins nothing:`);
  show(`dmgw device ${door.id} --why`, `…\n${others}\n…`);
  const { others: shared } = await storyOf(all, door);
  claim(
    "the gateway says which other one it is, and why it is another",
    shared.some(({ id }) => id === yard.id),
  );
  say(`They were only seen so far. The person who has put up the one at the door wants it to be managed:`);
  show(`dmgw device ${door.id} --approve`, await gateway.cli("device", door.id, "--approve"));
  show(`dmgw ls ${door.uri}/UPnP/Device`, await gateway.cli("ls", `${door.uri}/UPnP/Device`));
  const states = [await named(all, door.name), await named(all, yard.name)].map(({ state }) => state);
  claim("the one is managed now, the other is not", states.join() === "managed,seen");
}

/** The device with this identity. */
export async function deviceOf(all: Stage, identity: string): Promise<DeviceReport> {
  const found = (await devicesOf(all)).find(({ identities }) => identities.includes(identity));
  claim(`${identity} is one of the devices`, found !== undefined);
  return found;
}

export async function named(all: Stage, wanted: string | undefined): Promise<DeviceReport> {
  const found = (await devicesOf(all)).find(({ name }) => name === wanted);
  claim(`${wanted} is one of the devices`, found !== undefined);
  return found;
}

async function storyOf({ gateway }: Stage, { id }: DeviceReport): Promise<DeviceStory> {
  return (await gateway.ask("GET", `/v1/devices/${id}/why`)) as DeviceStory;
}
