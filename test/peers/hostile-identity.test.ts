import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect, it } from "vitest";
import { startGateway } from "../demo/gateway.ts";
import type { RunningGateway } from "../demo/gateway.ts";
import { startAvahi } from "./lib/avahi.ts";
import { inventoryOf } from "./lib/inventory.ts";
import { startMosquitto } from "./lib/mosquitto.ts";
import type { Mosquitto } from "./lib/mosquitto.ts";
import { openHome } from "./lib/namespaces.ts";
import type { Device, Home } from "./lib/namespaces.ts";
import { startPeer, until } from "./lib/process.ts";
import { startMinidlna } from "./lib/upnp.ts";

// Somebody on the LAN, or at the broker, wants an honest device to disappear, to be taken for another one, or the gateway to run for him.

const megabyte = 1 << 20;
const [honestMac, illMac, otherMac] = ["3c:2a:f4:5e:00:31", "3c:2a:f4:5e:00:32", "3c:2a:f4:5e:00:33"] as const;
const uuid = "4d696e69-444c-164e-9d41-3c2af45e0031";
const script = (name: string) => join(import.meta.dirname, "lib", name);
const measured: string[] = [];
const undo: (() => unknown)[] = [];
let home: Home;
let [honest, ill, other] = [] as unknown as [Device, Device, Device];
let folder: string;
let broker: Mosquitto;
let gateway: RunningGateway;
const { devices, json, listed, status, why } = inventoryOf(() => gateway);

beforeEach(async () => {
  home = openHome(3, [honestMac, illMac, otherMac]);
  undo.push(() => home.close());
  [honest, ill, other] = home.devices as [Device, Device, Device];
  folder = mkdtempSync(join(tmpdir(), "dmgw-hostile-"));
  undo.push(() => rmSync(folder, { recursive: true, force: true }));
  broker = await startMosquitto({ namespace: home.gateway });
  undo.push(() => broker.stop());
  const discovery = { neighbours: { enabled: true, leases: [join(folder, "dnsmasq.leases")] } };
  gateway = await startGateway(folder, { discovery }, { namespace: home.gateway });
  undo.push(() => gateway.kill());
});
afterEach(async () => {
  const output = gateway.output();
  for (const one of undo.splice(0).reverse()) await one();
  expect(output).not.toMatch(/a bug|mistake of ours/);
});
afterAll(() => console.log(measured.join("\n")));

/** A printer of avahi and a media server of minidlna on one host; its number when all of it is there. */
async function startHonest(): Promise<string> {
  const avahi = await startAvahi(honest.namespace, "kitchen");
  undo.push(() => avahi.stop());
  const printer = await avahi.publish("Kitchen Printer", "_ipp._tcp", 631);
  undo.push(() => printer.stop());
  const media = await startMinidlna(honest.namespace, { name: "Kitchen Media", uuid, serial: "31-20045" });
  undo.push(() => media.stop());
  const both = ["mdns kitchen printer._ipp._tcp.local", `upnp:${uuid}`];
  const { id } = await listed(
    "the honest device",
    ({ mac, identities }) => mac === honestMac && both.every((one) => identities.includes(one)),
  );
  return id;
}
/** Of the honest device: what is there now, of what announced itself. */
async function liveOf(id: string): Promise<readonly string[]> {
  const { members } = await why(id);
  return members.flatMap(({ identity, live }) => (live && !/^(neighbours|leases)/.test(identity) ? [identity] : []));
}
/** The most memory that the gateway had since its start, bytes. */
function mostMemory(after: string): number {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${gateway.pid}/status`, "utf8")) ?? [];
  measured.push(`${after}: RSS was ${(Number(kilobytes) / 1024).toFixed(0)} MB at most`);
  return Number(kilobytes) * 1024;
}
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

it("goodbyes and byebyes that another host says change nothing; said in the device's own name they are soon forgotten", async () => {
  const id = await startHonest();
  const before = [...(await liveOf(id))].sort();
  expect(before).toHaveLength(3);
  const farewell = async (address: string, mac: string) => {
    const args = [script("false-farewell.py"), address, mac, "Kitchen Printer", "_ipp._tcp", uuid];
    await startPeer("python3", args, { namespace: ill.namespace, ready: /sent/ });
  };
  for (let n = 0; n < 5; n++) await farewell(ill.address, illMac);
  // A goodbye counts after a second.
  await wait(2500);
  expect([...(await liveOf(id))].sort()).toEqual(before);

  await farewell(honest.address, illMac);
  const from = performance.now();
  // The service is announced again at once by avahi, which hears that it is said to be gone; of minidlna the next word has to be awaited.
  await until("the printer to be there", async () => {
    const live = await liveOf(id);
    return performance.now() - from > 2000 && live.some((one) => one.startsWith("mdns ")) ? true : undefined;
  });
  expect(await listed("the device", (device) => device.id === id)).toMatchObject({ reachable: true, mac: honestMac });
  measured.push(`byebye in its own name: live are ${(await liveOf(id)).join(", ")}`);
});

it("descriptions at loopback, at the gateway, behind a redirect, without an end, of 100 MB, and with evil names do no harm", async () => {
  const id = await startHonest();
  const trap = `import http.server
class Trap(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        print("trapped", self.client_address, self.path, flush=True)
        self.send_error(404)
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("", 8099), Trap)
print("ready", flush=True)
server.serve_forever()`;
  const trapped = await startPeer("python3", ["-c", trap], { namespace: home.gateway, ready: /ready/ });
  undo.push(() => trapped.stop());
  const bad = await startPeer("python3", [script("hostile-upnp.py"), ill.address, "8099"], {
    namespace: ill.namespace,
    ready: /ready/,
  });
  undo.push(() => bad.stop());
  for (const path of ["redirect", "endless", "huge", "names"])
    await until(`the description ${path}`, () => bad.output().includes(`asked for /${path}`) || undefined);
  await until("the end of what has none", () => /cut off \/endless/.test(bad.output()) || undefined, 40_000);
  expect(bad.output()).toContain("cut off /huge");
  expect(trapped.output()).not.toContain("trapped");
  // Who asks for what is not there asks less and less.
  const asked = bad.output().split("asked for /redirect").length - 1;
  measured.push(`a redirect was asked for ${asked} times; UPnP: ${(await status()).adapters["upnp"]?.detail ?? ""}`);
  expect(asked).toBeLessThan(8);

  const evil = await listed("the evil name", ({ name }) => name.includes("__proto__"));
  expect(evil.mac).toBe(illMac);
  for (const words of [["devices"], ["device", evil.id], ["device", evil.id, "--why"], ["status"]]) {
    for (const args of [words, [...words, "--json"]]) {
      const { code, stdout } = await gateway.call(...args);
      expect([args, code]).toEqual([args, 0]);
      expect(stdout).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u);
      expect(stdout.length).toBeLessThan(20_000);
    }
  }
  expect((await devices()).filter(({ mac }) => mac === illMac).length).toBe(1);
  expect(await liveOf(id)).toHaveLength(3);
  expect(mostMemory("hostile descriptions")).toBeLessThan(150 * megabyte);
});

it("of a hundred thousand USNs few are kept, and the honest device is there all the time", async () => {
  const id = await startHonest();
  const args = [script("usn-flood.py"), "100000", "8000"];
  const flood = await startPeer("python3", args, { namespace: ill.namespace });
  undo.push(() => flood.stop());
  let slowest = 0;
  await until(
    "the flood to end",
    async () => {
      const from = performance.now();
      const all = (await gateway.ask("GET", "/v1/devices")) as Awaited<ReturnType<typeof devices>>;
      slowest = Math.max(slowest, performance.now() - from);
      expect(all.find((device) => device.id === id)).toMatchObject({ reachable: true, mac: honestMac });
      expect(all.length).toBeLessThan(520);
      return /sent 100000/.test(flood.output()) || undefined;
    },
    90_000,
  );
  const after = await status();
  measured.push(
    `100,000 USNs, ${flood.output().trim()}: ${after.devices.total} devices listed; slowest answer ${slowest.toFixed(0)} ms`,
    `SSDP: ${after.discovery["ssdp"]?.sightings} sightings, ${after.discovery["ssdp"]?.detail}; ${after.warnings.join("; ")}`,
  );
  expect(await liveOf(id)).toHaveLength(3);
  // Somebody new is heard all the same.
  const late = await startAvahi(other.namespace, "late");
  undo.push(() => late.stop());
  const page = await late.publish("Late Page", "_http._tcp", 80);
  undo.push(() => page.stop());
  await broker.publish("tasmota/discovery/3C2AF45E0033/config", tasmota);
  await broker.publish("tele/late/LWT", "Online");
  await listed("the late one", ({ mac, protocols }) => mac === otherMac && protocols.includes("MQTT"));
  expect(mostMemory("100,000 USNs")).toBeLessThan(200 * megabyte);
});

const tasmota = JSON.stringify({
  ...{ ip: "10.77.0.4", dn: "Late plug", fn: ["Late plug"], hn: "late-0033", mac: "3C2AF45E0033", md: "Sonoff S20" },
  ...{ ty: 0, if: 0, ofln: "Offline", onln: "Online", state: ["OFF", "ON", "TOGGLE", "HOLD"], sw: "14.3.0" },
  ...{ t: "late", ft: "%prefix%/%topic%/", tp: ["cmnd", "stat", "tele"], rl: [1], swc: [-1], swn: [null], btn: [0] },
  ...{ so: {}, lk: 0, lt_st: 0, sho: [0], sht: [[0, 0, 0]], ver: 1 },
});

it("a file of leases that is half written, or full of nonsense, gives nobody a wrong name and ends nobody's lease", async () => {
  const file = join(folder, "dnsmasq.leases");
  const end = Math.floor(Date.now() / 1000) + 3600;
  const lines = [
    `${end} ${honestMac} ${honest.address} kitchen 01:${honestMac}`,
    `${end} ${otherMac} ${other.address} attic *`,
  ];
  writeFileSync(file, `${lines.join("\n")}\n`);
  const attic = await listed("the second", ({ mac }) => mac === otherMac);
  const named = async () => (await devices()).map(({ name, mac }) => `${mac} ${name}`).sort();
  const whole = await named();
  expect(whole).toEqual([`${honestMac} kitchen`, `${otherMac} attic`]);
  // What dnsmasq had written when the power went, or the card was full.
  writeFileSync(file, `${lines[0]}\n${(lines[1] ?? "").slice(0, 24)}`);
  await wait(3000);
  expect(await named()).toEqual(whole);
  writeFileSync(file, "");
  await wait(1500);
  appendFileSync(file, Buffer.alloc(2 * megabyte, "\0 \u001b[2J constructor __proto__ ff:ff:ff:ff:ff:ff 1.2.3\n"));
  await wait(3000);
  expect(await named()).toEqual(whole);
  writeFileSync(file, `${lines.join("\n")}\n`);
  await wait(2000);
  expect(await named()).toEqual(whole);
  expect((await status()).ready).toBe(true);
  expect((await json<{ id: string }>("device", attic.id)).id).toBe(attic.id);
  expect(mostMemory("a bad file of leases")).toBeLessThan(150 * megabyte);
});

it("who publishes or announces others' addresses and ids joins no two devices, and takes nobody's name or values", async () => {
  const id = await startHonest();
  await gateway.cli("device", id, "name", "Kitchen");
  const block = { identifiers: ["late"], name: "Late plug", manufacturer: "Lab", connections: [["mac", otherMac]] };
  const plug = { name: "Power", unique_id: "late_power", state_topic: "late/power", command_topic: "late/set" };
  await broker.publish("homeassistant/switch/late/power/config", JSON.stringify({ ...plug, device: block }));
  await broker.publish("late/power", "ON");
  const late = await listed("the plug", ({ name }) => name === "Late plug");
  home.run(other.namespace, "ping", "-q", "-c", "1", "-W", "2", "10.77.0.1");
  await listed("its row", (device) => device.id === late.id && device.sources.includes("neighbours"));
  const value = async () => (await gateway.call("get", `${late.uri}/MQTT`, "--deep")).stdout;
  expect(
    await until("its value", async () => ((await value()).includes("true") ? await value() : undefined)),
  ).toBeTruthy();
  const before = await value();

  // Another's ids, names of both, and its state from a topic of the attacker's.
  const claims = {
    identifiers: ["late", "kitchen"],
    name: "Mine now",
    manufacturer: "Evil",
    connections: [
      ["mac", honestMac],
      ["mac", otherMac],
      ["upnp", `uuid:${uuid}`],
    ],
  };
  await broker.publish("late/evil", "OFF");
  const evil = { ...plug, state_topic: "late/evil", command_topic: "late/evil/set", device: claims };
  await broker.publish("homeassistant/switch/evil/power/config", JSON.stringify(evil));
  await broker.publish(
    "homeassistant/sensor/bridge/config",
    JSON.stringify({
      name: "Bridge",
      unique_id: "bridge",
      state_topic: "late/evil",
      device: { ...claims, identifiers: ["x"] },
    }),
  );
  // And by mDNS, the hardware address of the printer.
  const avahi = await startAvahi(ill.namespace, "ill");
  undo.push(() => avahi.stop());
  const claim = await avahi.publish("Kitchen", "_airplay._tcp", 7000, `deviceid=${honestMac.toUpperCase()}`);
  undo.push(() => claim.stop());
  await listed("the attacker", ({ mac, protocols }) => mac === illMac && protocols.includes("airplay"));
  await wait(3000);

  const all = await devices();
  const one = (mac: string) => all.filter((device) => device.mac === mac);
  measured.push(...all.map(({ id: n, name, mac, identities }) => `${n} ${name} ${mac}: ${identities.join(", ")}`));
  expect(one(honestMac)).toMatchObject([{ id, name: "Kitchen" }]);
  expect(one(otherMac)).toMatchObject([{ id: late.id, name: "Late plug", manufacturer: "Lab" }]);
  expect(one(illMac)).toHaveLength(1);
  expect(await value()).toBe(before);
});
