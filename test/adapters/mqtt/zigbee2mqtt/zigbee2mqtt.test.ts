import { afterEach, beforeEach, expect, test } from "vitest";
import { parseRel } from "../../../../tree/path.ts";
import { bool, chr, float, int, nul } from "../../../../tree/value.ts";
import { aCall, until } from "../../../fakes/host.ts";
import { colorLamp, contactSensor, meterPlug, radiatorValve } from "../../../fakes/mqtt/models.ts";
import { zigbeeBridge } from "../../../fakes/mqtt/zigbee-bridge.ts";
import type { ZigbeeBridge } from "../../../fakes/mqtt/zigbee-bridge.ts";
import { moOf, passing } from "../../contract.ts";
import { smallHome } from "../small-home.ts";
import type { SmallHome } from "../small-home.ts";

let home: SmallHome;
let bridge: ZigbeeBridge;
const all = [colorLamp, meterPlug, contactSensor, radiatorValve];
const [lamp, meter, window, valve] = all.map(({ address }) => `mqtt:z2m:${address}`) as [
  string,
  string,
  string,
  string,
];

beforeEach(async () => {
  home = await smallHome();
  bridge = await zigbeeBridge(home.broker.url, all);
  for (const id of [lamp, meter, window, valve]) await home.appears(id);
});
afterEach(async () => {
  await bridge.crash();
  await home.stop();
});
const face = (id: string) => home.host.face(id);
const reports = async (address: string, id: string, part: Record<string, unknown>) => {
  const before = face(id)?.seen ?? 0;
  await home.clock.advance(1000);
  await bridge.report(address, part);
  await until(() => (face(id)?.seen ?? 0) > before);
};

test("the nodes are the JSON paths of the state, below the node state; the coordinator is no device", async () => {
  expect(home.host.present).toEqual([window, meter, valve, lamp].sort());
  expect(await home.leaves(lamp)).toEqual([
    "state/state",
    "state/brightness",
    "state/color/x",
    "state/color/y",
    "state/color/hue",
    "state/color/saturation",
    "state/effect",
    "state/linkquality",
  ]);
  const schema = (id: string, rel: string) => moOf(home.host, id).schema(parseRel(rel));
  expect(schema(lamp, "state/state")).toMatchObject({
    format: "bool",
    access: new Set(["Get", "Replace"]),
    volatile: false,
  });
  expect(schema(lamp, "state/brightness")).toMatchObject({
    format: "int",
    description: "Brightness of this light; 0 to 254",
  });
  expect(schema(lamp, "state/effect")).toMatchObject({ format: "chr", access: new Set(["Replace"]) });
  expect(schema(valve, "state/occupied_heating_setpoint")).toMatchObject({
    format: "float",
    description: "°C; 5 to 35",
  });
  expect(schema(valve, "state/days")).toMatchObject({ format: "chr", type: "application/json" });
  expect(schema(window, "state/battery")).toMatchObject({ format: "float", volatile: true, description: "%" });
  expect(face(lamp)?.face).toMatchObject({
    facts: {
      name: "living room/lamp",
      maker: "IKEA",
      model: "LED1624G9",
      firmware: "1.3.009",
      serial: colorLamp.address,
    },
    addresses: [],
  });
});

test("reports become values by what the device exposes", async () => {
  await reports(contactSensor.address, window, { contact: false, battery: 87.5, unknown: 1 });
  await home.shows(window, "state/contact", bool(true));
  await home.shows(window, "state/battery", float(87.5));
  await reports(radiatorValve.address, valve, { days: ["monday", "friday"], local_temperature: null });
  await home.shows(valve, "state/days", {
    format: "chr",
    data: '["monday","friday"]',
    type: "application/json",
  });
  expect(await home.value(valve, "state/local_temperature")).toEqual(nul);
});

test("a mains-powered device is asked once for what nobody has heard; a sleeping one is left in peace", async () => {
  await passing(home.clock, () => bridge.orders.length >= 2, "both to be asked");
  await home.clock.advance(10_000);
  expect(bridge.orders.map((order) => order.split(" {")[0])).toEqual(["living room/lamp/get", "washing machine/get"]);
  await until(() => (face(lamp)?.changed.length ?? 0) > 1);
  await home.shows(lamp, "state/brightness", int(200));
  expect(await home.value(valve, "state/system_mode")).toEqual(nul);
});

test("a write goes out as one message, and is done when the state comes back", async () => {
  await moOf(home.host, lamp).apply(
    [
      { verb: "Replace", rel: parseRel("state/state"), value: bool(false) },
      { verb: "Replace", rel: parseRel("state/brightness"), value: int(12) },
    ],
    aCall(),
  );
  expect(bridge.orders.filter((order) => order.includes("/set "))).toEqual([
    'living room/lamp/set {"state":"OFF","brightness":12}',
  ]);
  expect(bridge.states.get(colorLamp.address)).toMatchObject({ state: "OFF", brightness: 12 });
});

test("one value of a colour is sent with the others of its kind, as they were", async () => {
  await reports(colorLamp.address, lamp, {});
  await home.replace(lamp, "state/color/x", float(0.5));
  expect(bridge.orders.at(-1)).toBe('living room/lamp/set {"color":{"x":0.5,"y":0.4}}');
  await home.replace(lamp, "state/color/hue", float(120));
  expect(bridge.orders.at(-1)).toBe('living room/lamp/set {"color":{"hue":120,"saturation":80}}');
});

test("a list is written as JSON, an effect is done when the broker has it", async () => {
  await home.replace(valve, "state/days", chr('["friday"]'));
  expect(bridge.states.get(radiatorValve.address)?.days).toEqual(["friday"]);
  await home.replace(lamp, "state/effect", chr("blink"));
  await until(() => bridge.orders.at(-1) === 'living room/lamp/set {"effect":"blink"}');
  await expect(home.replace(lamp, "state/effect", chr("explode"))).rejects.toMatchObject({ status: 400 });
});

test("a live read asks the device; one that cannot be asked is given its time", async () => {
  const live = (id: string, rel: string) => moOf(home.host, id).read(parseRel(rel), "deep", aCall({ live: true }));
  expect(await live(meter, "state/power")).toEqual(float(1.5));
  expect(await live(meter, "")).toMatchObject({ format: "node" });
  const failed = expect(live(window, "state/contact")).rejects.toMatchObject({ status: 504 });
  await passing(home.clock, () => home.clock.timers === 0, "the time to pass");
  await failed;
  const heard = live(window, "state/contact");
  await reports(contactSensor.address, window, { contact: false });
  expect(await heard).toEqual(bool(true));
});

test("availability, plain or JSON, says whether a device is there; the bridge speaks for all", async () => {
  await bridge.availability(colorLamp.address, false);
  await until(() => face(lamp)?.reachable === false);
  await home.publish("zigbee2mqtt/living room/lamp/availability", "online");
  await until(() => face(lamp)?.reachable === true);
  await home.publish("zigbee2mqtt/bridge/state", "offline");
  await until(() => [lamp, meter, window, valve].every((id) => face(id)?.reachable === false));
  await home.publish("zigbee2mqtt/bridge/state", '{"state":"online"}');
  await until(() => [lamp, meter, window, valve].every((id) => face(id)?.reachable === true));
  await bridge.crash();
  await until(() => [lamp, meter, window, valve].every((id) => face(id)?.reachable === false));
  expect(home.host.present).toHaveLength(4);
});

test("a renamed device is the same one by its new name", async () => {
  await bridge.rename(meterPlug.address, "büro/steckdose");
  await until(() => face(meter)?.face.facts.name === "büro/steckdose");
  await home.replace(meter, "state/state", bool(true));
  expect(bridge.orders.at(-1)).toBe('büro/steckdose/set {"state":"ON"}');
  expect(home.host.attachments).toHaveLength(4);
});

test("a removed device is detached, one that joins again is attached again", async () => {
  await bridge.remove(meterPlug.address);
  await until(() => face(meter) === undefined);
  await bridge.join(meterPlug);
  await until(() => face(meter) !== undefined);
  await home.replace(meter, "state/state", bool(true));
});

test("a device under interview waits; one that zigbee2mqtt does not support has a face without properties", async () => {
  const entry = { ieee_address: "0x00000000000000aa", type: "Router", friendly_name: "new", definition: null };
  await home.publish("zigbee2mqtt/bridge/devices", JSON.stringify([{ ...entry, interview_completed: false }]));
  await until(() => home.host.present.length === 0);
  await home.publish(
    "zigbee2mqtt/bridge/devices",
    JSON.stringify([{ ...entry, interview_completed: true, model_id: "TS0201" }]),
  );
  await until(() => home.host.present.length === 1);
  expect(face("mqtt:z2m:0x00000000000000aa")?.face.facts).toMatchObject({ name: "new", model: "TS0201" });
});
