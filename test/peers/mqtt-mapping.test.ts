import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { start } from "../../adapters/mqtt/index.ts";
import { loadConfig } from "../../config/load.ts";
import { systemClock } from "../../daemon/clock.ts";
import { parseRel } from "../../tree/path.ts";
import { bool, chr, float, int } from "../../tree/value.ts";
import type { Value } from "../../tree/value.ts";
import { aCall, fakeHost } from "../fakes/host.ts";
import { root } from "../rules/sources.ts";
import { startMosquitto } from "./lib/mosquitto.ts";
import { until } from "./lib/process.ts";

const cistern = "mqtt:map:cistern";
const climate = "mqtt:map:kitchen-climate";

const cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const undo of cleanUp.splice(0).reverse()) await undo();
});

/** The gateway's adapter with the example of a mapping file, as the config reader gives it. */
async function home() {
  const mosquitto = await startMosquitto();
  cleanUp.push(() => mosquitto.stop());
  const folder = await mkdtemp(join(tmpdir(), "dmgw-mapping-"));
  cleanUp.push(() => rm(folder, { recursive: true }));
  const file = join(folder, "dmgw.yaml");
  const example = join(root, "config/mqtt-devices.example.yaml");
  await writeFile(file, `adapters: { mqtt: { url: "${mosquitto.url}", mapping: ${example} } }\n`);
  const { config } = await loadConfig({ file, env: {} });
  const host = fakeHost(systemClock);
  const adapter = await start(config.adapters.mqtt, host);
  cleanUp.push(() => adapter.stop());
  const value = (id: string, rel: string) => host.face(id)?.face.mo.read(parseRel(rel), "one", aCall());
  return {
    mosquitto,
    host,
    face: (id: string, reachable = true) =>
      until(`${id}; there are ${host.present.join()}`, () => {
        const face = host.face(id);
        return face?.reachable === reachable ? face : undefined;
      }),
    shows: (id: string, rel: string, wanted: Value) =>
      until(`${rel} to be ${JSON.stringify(wanted)}`, async () =>
        JSON.stringify(await value(id, rel)) === JSON.stringify(wanted) ? true : undefined,
      ),
    replace: (id: string, rel: string, to: Value) =>
      host.face(id)?.face.mo.apply([{ verb: "Replace", rel: parseRel(rel), value: to }], aCall()),
  };
}

test("the devices of the example file, played with mosquitto_pub, are in the tree", async () => {
  const { mosquitto, face, shows } = await home();
  await face(cistern, false);
  await mosquitto.publishAll({
    "garden/cistern/status": "up",
    "garden/cistern/level": "73",
    "garden/cistern/pump": "ON",
    "garden/cistern/info": '{"fw":{"version":"1.4"}}',
  });
  const { face: shown } = await face(cistern);
  expect(shown.facts).toMatchObject({ name: "Cistern", maker: "Home-made" });
  await shows(cistern, "level", int(73));
  await shows(cistern, "pump/on", bool(true));
  await mosquitto.publish("home/kitchen/climate/state", '{"t":21.5,"rh":48,"relay":{"state":false}}', false);
  await face(climate);
  await shows(climate, "temperature", float(21.5));
  await mosquitto.publish("rtl_433/events", '{"id":137,"model":"LaCrosse-TX29","temperature_C":4.2}', false);
  await shows("mqtt:map:137", "temperature", float(4.2));
  await mosquitto.publish("garden/cistern/status", "down");
  await face(cistern, false);
});

test("mosquitto_sub sees each order in the words of the file, and it is done when the device has answered", async () => {
  const { mosquitto, face, replace } = await home();
  const orders = await mosquitto.listen("+/#");
  cleanUp.push(() => orders.stop());
  const ordered = (what: string) => until(what, () => orders.output().includes(what) || undefined);
  await mosquitto.publish("garden/cistern/status", "up");
  await face(cistern);
  await mosquitto.publish("home/kitchen/climate/state", '{"t":21.5}', false);
  await face(climate);
  const pump = replace(cistern, "pump/on", bool(true));
  await ordered("garden/cistern/pump/set ON");
  await mosquitto.publish("garden/cistern/pump", "ON");
  expect(await pump).toEqual({ state: "done" });
  const relay = replace(climate, "relay", bool(true));
  await ordered('home/kitchen/climate/set {"relay":{"state":true}}');
  await mosquitto.publish("home/kitchen/climate/state", '{"relay":{"state":true}}', false);
  expect(await relay).toEqual({ state: "done" });
  await expect(replace(cistern, "pump/mode", chr("holiday"))).rejects.toMatchObject({ status: 504 });
  await ordered("garden/cistern/pump/command mode holiday");
});

test("a restart of the broker loses nothing that it retains, and makes no device twice", async () => {
  const { mosquitto, host, face, shows } = await home();
  await mosquitto.publishAll({ "garden/cistern/status": "up", "garden/cistern/level": "10" });
  await face(cistern);
  await mosquitto.restart(500);
  await mosquitto.publish("garden/cistern/level", "11");
  await shows(cistern, "level", int(11));
  await face(cistern);
  expect(host.attachments).toHaveLength(1);
});
