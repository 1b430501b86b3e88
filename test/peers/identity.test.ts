import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DeviceReport, GroupReport } from "../../daemon/gateway.ts";
import { startGateway } from "../demo/gateway.ts";
import type { RunningGateway } from "../demo/gateway.ts";
import { startAvahi } from "./lib/avahi.ts";
import { startDnsmasq } from "./lib/dhcp.ts";
import type { Dnsmasq, Lease } from "./lib/dhcp.ts";
import { inventoryOf } from "./lib/inventory.ts";
import { startMosquitto } from "./lib/mosquitto.ts";
import type { Mosquitto } from "./lib/mosquitto.ts";
import { openHome } from "./lib/namespaces.ts";
import type { Device, Home } from "./lib/namespaces.ts";
import { until } from "./lib/process.ts";
import type { Peer } from "./lib/process.ts";
import { startMinidlna } from "./lib/upnp.ts";

// One box that is seen in five ways is one device, two boxes with one serial number are two, and what a person says stays. The tests are one story.

const boxMac = "00:11:32:c6:67:06";
const twinMacs = ["3c:2a:f4:5e:00:11", "3c:2a:f4:5e:00:12"] as const;
const boxUuids = ["4d696e69-444c-164e-9d41-001132c66706", "4d696e69-444c-164e-9d41-00113200beef"] as const;
const twinUuids = ["4d696e69-444c-164e-9d41-3c2af45e0011", "4d696e69-444c-164e-9d41-3c2af45e0012"] as const;
const measured: string[] = [];
const undo: (() => unknown)[] = [];
let home: Home;
let [box, first, second]: Device[] = [];
let folder: string;
let broker: Mosquitto;
let dhcp: Dnsmasq;
let lease: Lease;
let media: Peer;
const twins: Peer[] = [];
let gateway: RunningGateway;
const { devices, listed, json, why, story } = inventoryOf(() => gateway);
/** The number of the box. */
let id: string;

const config = () => ({ discovery: { neighbours: { enabled: true, leases: [dhcp.leases] } } });
const startAgain = async () => {
  gateway = await startGateway(folder, config(), { namespace: home.gateway });
};
const playBox = (uuid: string) =>
  startMinidlna(box?.namespace ?? "", { name: "Den Media", uuid, serial: "2040QWE771234" });
const playTwin = (device: Device | undefined, name: string, uuid: string) =>
  startMinidlna(device?.namespace ?? "", { name, uuid, serial: "A7-200145" });
const byMac = (all: readonly DeviceReport[], mac: string) => all.filter((device) => device.mac === mac);
/** What it has of things that were announced, of faces, and of what the network knows. */
const isLive = async (number: string, identity: string) =>
  (await why(number)).members.some((member) => member.identity === identity && member.live) || undefined;

beforeAll(async () => {
  home = openHome(3, [boxMac, ...twinMacs]);
  undo.push(() => home.close());
  [box, first, second] = home.devices;
  folder = mkdtempSync(join(tmpdir(), "dmgw-identity-"));
  undo.push(() => rmSync(folder, { recursive: true, force: true }));
  broker = await startMosquitto({ namespace: home.gateway });
  undo.push(() => broker.stop());
  dhcp = await startDnsmasq(home, folder);
  undo.push(() => dhcp.stop());
  await startAgain();
  undo.push(() => gateway.kill());
});
afterAll(async () => {
  for (const one of undo.reverse()) await one();
  console.log(measured.join("\n"));
});

describe("a box with a lease, mDNS, UPnP and MQTT", () => {
  /** From `from` until one device has it. */
  const comes = async (what: string, from: number, fits: (device: DeviceReport) => boolean) => {
    await listed(what, fits);
    measured.push(`${what}: announced -> listed in ${(performance.now() - from).toFixed(0)} ms`);
  };

  it("is one device with all its protocols and sources, whatever of it comes when", async () => {
    const { namespace } = box as Device;
    const from = performance.now();
    lease = await dhcp.lease(box as Device, "den-box");
    undo.push(() => lease.client.stop());
    const leased = performance.now();
    measured.push(`lease: asked for -> given in ${(leased - from).toFixed(0)} ms`);
    await comes("lease and neighbour row", leased, ({ mac, sources }) => mac === boxMac && sources.includes("leases"));
    const avahi = await startAvahi(namespace, "den-box");
    undo.push(() => avahi.stop());
    const share = await avahi.publish("Den Box", "_smb._tcp", 445);
    const established = performance.now();
    undo.push(() => share.stop());
    await comes("avahi", established, ({ protocols }) => protocols.includes("smb"));
    const started = performance.now();
    media = await playBox(boxUuids[0]);
    undo.push(() => media.stop());
    await comes("minidlna", started, ({ name }) => name === "Den Media");
    const told = performance.now();
    await broker.publish(
      "homeassistant/sensor/den-box/temperature/config",
      JSON.stringify({
        name: "Temperature",
        unique_id: "den_box_temperature",
        state_topic: "den-box/temperature",
        unit_of_measurement: "°C",
        device: { identifiers: ["den-box"], name: "Den box sensors", connections: [["mac", boxMac.toUpperCase()]] },
      }),
    );
    await comes("Home Assistant discovery", told, ({ protocols }) => protocols.includes("MQTT"));

    const whole = await listed("all of it", ({ sources, protocols }) => sources.length === 4 && protocols.length === 3);
    expect(await devices()).toHaveLength(1);
    expect([...whole.sources].sort()).toEqual(["leases", "mdns", "neighbours", "ssdp"]);
    expect([...whole.protocols].sort()).toEqual(["MQTT", "UPnP", "smb"]);
    expect([...whole.identities].sort()).toEqual(
      ["mdns den box._smb._tcp.local", "mqtt:ha:den-box", `ssdp uuid:${boxUuids[0]}`, `upnp:${boxUuids[0]}`].sort(),
    );
    expect(whole).toMatchObject({ mac: boxMac, state: "managed", managed: true, reachable: true });
    expect(whole.addresses[0]).toBe(lease.address);
    id = whole.id;
    expect(await gateway.cli("ls", `./Devices/${id}`)).toMatch(/MQTT/);
  });

  it("--why tells it so that an installer understands", async () => {
    const text = await story(id);
    measured.push(text);
    const at = `the network has it at the hardware address ${boxMac}, as this device`;
    const kept = (await why(id)).members;
    const because = (start: string) => kept.find(({ what }) => what.startsWith(start))?.because ?? [];
    expect(because("mDNS: Den Box (_smb._tcp)")).toContain(at);
    expect(because("MQTT: Den box sensors")).toContain(
      `it says that its hardware address is ${boxMac}, which is this device's`,
    );
    expect(because("UPnP: Den Media")).toContain("it was made from a sighting that belongs here");
    for (const sentence of [
      `${id} is "Den Media", made by Justin Maggard`,
      "It is managed",
      "DHCP lease: den-box (there now",
      `neighbour table: ${boxMac} (there now`,
      `hardware address ${boxMac}: the network says so; enough by itself`,
      "host name den-box: the network says so; not enough by itself",
      `unique id ${boxUuids[0]}: it says so itself; enough by itself`,
      "serial number 2040qwe771234: it says so itself; not enough by itself",
    ])
      expect(text).toContain(sentence);
    expect(text).toMatch(/What people decided\n {2}nothing\n/);
  });
});

describe("two boxes of one make with the same serial number", () => {
  it("are two devices, and --why says what they have in common and why they are two all the same", async () => {
    twins.push(await playTwin(first, "Shelf Media", twinUuids[0]), await playTwin(second, "Attic Media", twinUuids[1]));
    undo.push(() => Promise.all(twins.map((twin) => twin.stop())));
    const shelf = await listed("the first", (d) => d.name === "Shelf Media" && d.mac === twinMacs[0]);
    const attic = await listed("the second", (d) => d.name === "Attic Media" && d.mac === twinMacs[1]);
    expect(attic.id).not.toBe(shelf.id);
    expect(await devices()).toHaveLength(3);
    const text = await until("the story", async () => {
      const now = await story(shelf.id);
      return now.includes("Attic Media") ? now : undefined;
    });
    measured.push(text);
    expect(text).toContain(`${attic.id} "Attic Media" is another device:`);
    expect(text).toContain("both have the serial number a7-200145");
    expect(text).toContain("the network has them at different hardware addresses");
  });

  it("stay two when a person approves one: what it says of itself is in the tree then", async () => {
    const shelf = await listed("the first", ({ name }) => name === "Shelf Media");
    expect((await gateway.call("get", `${shelf.uri}/UPnP`)).stderr).toContain("404");
    await gateway.cli("device", shelf.id, "--approve");
    expect(await gateway.cli("get", `${shelf.uri}/UPnP/Device/FriendlyName`)).toContain("=> Shelf Media");
    expect(await gateway.cli("get", `${shelf.uri}/UPnP/Services`, "--deep")).toContain("ContentDirectory");
    expect(await listed("it", ({ name }) => name === "Shelf Media")).toMatchObject({ managed: true, state: "managed" });
    expect(await devices()).toHaveLength(3);
  });
});

describe("what changes overnight", () => {
  it("another address and another UPnP UUID leave the box what it is, under its number", async () => {
    await Promise.all([lease.client.stop(), media.stop()]);
    const before = lease.address;
    lease = await dhcp.lease(box as Device, "den-box", "10.77.0.149");
    expect(lease.address).not.toBe(before);
    media = await playBox(boxUuids[1]);
    const from = performance.now();
    const again = await listed(
      "its new id",
      ({ identities, addresses }) => identities.includes(`upnp:${boxUuids[1]}`) && addresses.includes(lease.address),
      60_000,
    );
    measured.push(`new address and UUID -> the same device in ${(performance.now() - from).toFixed(0)} ms`);
    expect([again.id, again.mac]).toEqual([id, boxMac]);
    expect(await devices()).toHaveLength(3);
  });

  it("and so does a kill -9 of the gateway: all are known at once, and nothing new comes of hearing them again", async () => {
    const before = await devices();
    await gateway.kill();
    await startAgain();
    const kept = (all: readonly DeviceReport[]) => all.map(({ id: number, mac }) => `${number} ${mac}`);
    const atOnce = await devices();
    const stories = async () => (await Promise.all(atOnce.map(({ id: number }) => story(number)))).join("\n");
    expect(kept(atOnce), await stories()).toEqual(kept(before));
    expect(atOnce.map(({ name }) => name)).toEqual(before.map(({ name }) => name));
    for (const { id: number } of before) await listed(`${number} again`, (d) => d.id === number && d.reachable);
    await until("the box to be whole", () => isLive(id, `upnp:${boxUuids[1]}`));
    await until("its service", () => isLive(id, "mdns den box._smb._tcp.local"), 30_000);
    expect(kept(await devices())).toEqual(kept(before));
  });
});

describe("what a person says", () => {
  const shelfAndAttic = async () => {
    const all = await devices();
    return [byMac(all, twinMacs[0])[0]?.id ?? "", byMac(all, twinMacs[1])[0]?.id ?? ""] as const;
  };
  let [shelf, attic] = ["", ""];

  it("stays over a kill -9 and over being found again: two are one", async () => {
    [shelf, attic] = await shelfAndAttic();
    await gateway.cli("device", shelf, "name", "Media upstairs");
    expect(await gateway.cli("device", shelf, "merge", attic)).toContain(`${attic} is part of ${shelf} now`);
    await gateway.kill();
    await startAgain();
    await until("both there again", async () => {
      const there = await Promise.all(twinUuids.map((uuid) => isLive(shelf, `upnp:${uuid}`)));
      return there.every((one) => one === true) || undefined;
    });
    const all = await devices();
    expect(all.map((device) => device.id).sort()).toEqual([id, shelf].sort());
    expect(all.find((device) => device.id === shelf)?.name).toBe("Media upstairs");
    expect(await gateway.cli("device", attic)).toMatch(new RegExp(`^device +${shelf} Media upstairs\\n`));
    expect(await story(shelf)).toMatch(
      /What people decided\n.*\n? {2}.*: d\d+ \(Attic Media\) is d\d+ \(Media upstairs\)\n/,
    );
  });

  it("two again are two, under their numbers, over a kill -9 and with another UUID", async () => {
    await gateway.cli("device", shelf, "split");
    expect(await shelfAndAttic()).toEqual([shelf, attic]);
    await gateway.kill();
    await twins[1]?.stop();
    twins[1] = await playTwin(second, "Attic Media", "4d696e69-444c-164e-9d41-3c2af45effff");
    await startAgain();
    await until("the second again", () => isLive(attic, "upnp:4d696e69-444c-164e-9d41-3c2af45effff"));
    await until("the first again", () => isLive(shelf, `upnp:${twinUuids[0]}`));
    const known = (await devices()).map((device) => device.id);
    expect(known.sort(), (await Promise.all(known.map(story))).join()).toEqual([id, shelf, attic].sort());
    expect(await story(shelf)).toContain("a person said that they are two");
  });

  it("what is ignored stays so, however often it comes", async () => {
    await gateway.cli("device", attic, "ignore");
    await gateway.kill();
    await twins[1]?.stop();
    await startAgain();
    twins[1] = await playTwin(second, "Attic Media", twinUuids[1]);
    await until("it", () => isLive(attic, `upnp:${twinUuids[1]}`));
    expect((await gateway.call("devices")).stdout).not.toContain("Attic");
    expect((await json<DeviceReport>("device", attic)).state).toBe("ignored");
    expect((await gateway.cli("ls", "./Devices")).split(/\s+/)).not.toContain(attic);
    await gateway.cli("device", attic, "ignore", "off");
    await listed("it", (device) => device.id === attic && device.reachable);
  });

  it("a group by rule has its members, also in the tree, and changes with them", async () => {
    await gateway.cli("groups", "set", "media", "--rule", "protocol=UPnP & name!=den*", "--name", "All media");
    const members = async () => (await json<GroupReport>("groups", "show", "media")).members;
    expect([...(await members())].sort()).toEqual([shelf, attic].sort());
    const inTree = "./GwMO/DeviceInventory/Groups/media";
    expect(await gateway.cli("get", `${inTree}/Name`)).toContain("=> All media");
    expect((await gateway.cli("ls", `${inTree}/Members`)).trim().split(/\s+/)).toHaveLength(2);
    expect(await gateway.cli("get", `${inTree}/Members`, "--deep")).toContain(shelf);
    await gateway.cli("device", attic, "name", "Den cinema");
    expect(await members()).toEqual([shelf]);
    await gateway.kill();
    await startAgain();
    expect(await members()).toEqual([shelf]);
    expect((await devices()).find((device) => device.id === attic)?.name).toBe("Den cinema");
  });

  it("and nothing of all that was a mistake of the gateway's", async () => {
    expect(gateway.output()).not.toMatch(/a bug|mistake of ours/);
    expect(await gateway.stop()).toBe(0);
  });
});
