import { afterEach, beforeEach, expect, test } from "vitest";
import { limits } from "../../../../adapters/mqtt/limits.ts";
import { parseRel } from "../../../../tree/path.ts";
import { bool } from "../../../../tree/value.ts";
import { until } from "../../../fakes/host.ts";
import { configOf, tasmotaDevice } from "../../../fakes/mqtt/tasmota-device.ts";
import { energyPlug } from "../../../fakes/mqtt/tasmota-models.ts";
import { moOf, passing } from "../../contract.ts";
import { heard, smallHome } from "../small-home.ts";
import type { SmallHome } from "../small-home.ts";

let home: SmallHome;
beforeEach(async () => void (home = await smallHome()));
afterEach(() => home.stop());

const victim = "mqtt:tasmota:c44f33a1b0e7";
const config = (part: object) => JSON.stringify({ ...configOf(energyPlug), ...part });
const discovered = (mac: string, part: object) =>
  home.publish(`tasmota/discovery/${mac}/config`, config({ mac, ...part }));
const counted = (what: string) => home.host.log.lines.some((line) => line.includes(what));

test("a config below another's MAC, and one with another's topics, take nothing from a device", async () => {
  const device = await tasmotaDevice(home.broker.url, energyPlug);
  await passing(home.clock, () => home.host.face(victim)?.reachable, "the plug");
  await home.publish("tasmota/discovery/020000000001/config", config({ dn: "stolen" }));
  await home.publish("tasmota/discovery/C44F33A1B0E7/config", config({ mac: "020000000001", dn: "stolen" }));
  await discovered("020000000002", { dn: "the same topics" });
  await discovered("020000000003", { tp: ["mine", "cmnd", "mine"] });
  await heard(home);
  expect(counted("a Tasmota config below another device's MAC")).toBe(true);
  expect(counted("a Tasmota device by topics that are another device's")).toBe(true);
  expect(home.host.face("mqtt:tasmota:020000000001")).toBeUndefined();
  expect(home.host.face(victim)).toMatchObject({ reachable: true, face: { facts: { name: "Washing machine" } } });
  await home.appears("mqtt:tasmota:020000000002");
  expect(home.host.face("mqtt:tasmota:020000000002")?.reachable).toBe(false);
  const before = device.orders.length;
  await expect(home.replace("mqtt:tasmota:020000000002", "POWER", bool(false))).rejects.toMatchObject({ status: 503 });
  expect(device.orders).toHaveLength(before);
  await home.shows(victim, "POWER", bool(true));
  // Its own go free with it.
  await device.hide();
  await until(() => home.host.face(victim) === undefined);
  await discovered("020000000002", { dn: "the same topics, again" });
  await home.publish("tele/tasmota_A1B0E7/LWT", "Online");
  await passing(home.clock, () => home.host.face("mqtt:tasmota:020000000002")?.reachable, "the other one");
  await device.leave();
});

test("nothing is ever published outside of a device's own command topic", async () => {
  const published: string[] = [];
  home.client.on("message", (topic) => void published.push(topic));
  await home.client.subscribeAsync("#");
  for (const [i, part] of [
    { t: "#" },
    { t: "+/x" },
    { ft: "homie/%topic%" },
    { tp: ["zigbee2mqtt/bridge/request", "s", "t"] },
    { t: "a/../b" },
    { ft: "$SYS/%topic%/%prefix%" },
  ].entries()) {
    await discovered(`02000000010${i}`, part);
  }
  await discovered("020000000110", { t: "own", ft: "place/%topic%/%prefix%/" });
  await home.publish("place/own/tele/LWT", "Online");
  await passing(home.clock, () => home.host.face("mqtt:tasmota:020000000110")?.reachable, "the good one");
  await passing(home.clock, () => published.includes("place/own/cmnd/STATUS"), "its questions");
  const own = new Set(["place/own/cmnd/STATE", "place/own/cmnd/STATUS"]);
  const others = published.filter((topic) => !/^(tasmota\/discovery\/|place\/own\/tele\/|homie\/beacon)/.test(topic));
  expect(others.filter((topic) => !own.has(topic))).toEqual([]);
});

test("messages of every wrong kind change nothing", async () => {
  const device = await tasmotaDevice(home.broker.url, energyPlug);
  await passing(home.clock, () => home.host.face(victim)?.reachable, "the plug");
  await passing(home.clock, () => home.host.face(victim)?.changed.includes(parseRel("POWER")), "its first answer");
  const deep = `{"ENERGY":${"[".repeat(100_000)}${"]".repeat(100_000)}}`;
  const wrong = [
    "",
    "{",
    "[]",
    "null",
    "7",
    '"x"',
    deep,
    '{"POWER":{"a":1}}',
    '{"POWER":"BLINK"}',
    '{"__proto__":{"POWER":"OFF"}}',
  ];
  for (const payload of wrong) {
    for (const leaf of ["stat/tasmota_A1B0E7/RESULT", "tele/tasmota_A1B0E7/SENSOR", "stat/tasmota_A1B0E7/STATUS10"])
      await home.publish(leaf, payload, false);
  }
  await home.publish("tele/tasmota_A1B0E7/LWT", "Perhaps", false);
  await home.publish("tele/tasmota_A1B0E7/SENSOR", Buffer.alloc(limits.payload + 1, "x"), false);
  for (const payload of ["{", "null", "[]", "7", deep]) {
    await home.publish("tasmota/discovery/C44F33A1B0E7/config", payload);
    await home.publish("tasmota/discovery/C44F33A1B0E7/sensors", payload);
  }
  for (const topic of ["x", "C44F33A1B0E7", "C44F33A1B0E7/config/x", "C44F33A1B0EZ/config", "../config"])
    await home.publish(`tasmota/discovery/${topic}`, config({}));
  await heard(home);
  expect(home.host.present).toEqual([victim]);
  expect(home.host.face(victim)?.reachable).toBe(true);
  expect(await home.value(victim, "POWER")).toEqual(bool(true));
  expect(moOf(home.host, victim).has(parseRel("SENSOR/ENERGY/Total"))).toBe(true);
  expect(({} as Record<string, unknown>).POWER).toBeUndefined();
  await device.leave();
});

test("a thousand devices are taken, and no more; their sensors stay within the limits of all", async () => {
  const sensors = JSON.stringify({
    sn: Object.fromEntries(Array.from({ length: 900 }, (_, i) => [`sensor-${i}`, { value: i }])),
  });
  const send = (topic: string, payload: string) => home.client.publishAsync(topic, payload, { qos: 0, retain: true });
  const macOf = (i: number) => `02AA0000${i.toString(16).toUpperCase().padStart(4, "0")}`;
  for (let i = 0; i < limits.devices + 20; i++) {
    if (i < 200) await send(`tasmota/discovery/${macOf(i)}/sensors`, sensors);
    await send(`tasmota/discovery/${macOf(i)}/config`, config({ mac: macOf(i), t: `plug${i}` }));
  }
  await until(
    () => {
      void home.clock.advance(50);
      return home.host.present.length >= limits.devices;
    },
    () => `${home.host.present.length} devices to be a thousand`,
    40_000,
  );
  expect(home.host.present).toHaveLength(limits.devices);
  expect(counted("more MQTT devices than dmgw takes")).toBe(true);
  expect(counted("more MQTT properties than dmgw takes")).toBe(true);
}, 60_000);
