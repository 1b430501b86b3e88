import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import * as v from "valibot";
import { start } from "../../adapters/mqtt/index.ts";
import { mqttOptions } from "../../adapters/mqtt/options.ts";
import { systemClock } from "../../daemon/clock.ts";
import { parseRel } from "../../tree/path.ts";
import { bool } from "../../tree/value.ts";
import { selfSigned } from "../fakes/certificate.ts";
import { aCall, fakeHost } from "../fakes/host.ts";
import { tasmotaDevice } from "../fakes/mqtt/tasmota-device.ts";
import { energyPlug } from "../fakes/mqtt/tasmota-models.ts";
import { freePort } from "./lib/mosquitto.ts";
import { startPeer, until } from "./lib/process.ts";
import type { Peer } from "./lib/process.ts";

const cleanUp: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const undo of cleanUp.splice(0).reverse()) await undo();
});

/** dmgw with a broker of its own, and mosquitto's clients on it. */
async function home({ secure = false } = {}) {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), "dmgw-embedded-"));
  cleanUp.push(() => rm(folder, { recursive: true }));
  const tls = selfSigned(["localhost"]);
  await writeFile(join(folder, "ca.pem"), tls.cert);
  const host = fakeHost(systemClock);
  const users = [{ name: "home", password: "let me in" }];
  const embedded = { enabled: true, listen: `127.0.0.1:${port}`, users, ...(secure ? { tls } : {}) };
  const adapter = await start(v.parse(mqttOptions, { embedded }), host);
  cleanUp.push(() => adapter.stop());
  await until("the broker", () => host.log.lines.find((line) => line.includes("broker listens")));
  await until("dmgw on it", () => host.statuses.find(({ state }) => state === "connected"));
  const at = [
    "-h",
    secure ? "localhost" : "127.0.0.1",
    "-p",
    `${port}`,
    ...(secure ? ["--cafile", join(folder, "ca.pem")] : []),
  ];
  const login = ["-u", "home", "-P", "let me in"];
  return {
    host,
    port,
    cert: tls.cert,
    at,
    publish: (...args: string[]) => ends("mosquitto_pub", [...at, ...login, "-q", "1", ...args]),
    async listen(...args: string[]): Promise<Peer> {
      const peer = await startPeer(
        "stdbuf",
        ["-oL", "mosquitto_sub", ...at, ...login, "-d", "-F", "heard %t %p %r", ...args],
        { ready: /Subscribed/ },
      );
      cleanUp.push(() => peer.stop("SIGKILL"));
      return peer;
    },
  };
}

/** Runs a program to its end. */
function ends(command: string, args: readonly string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = execFile(command, args, { timeout: 20_000 }, (_error, out, err) =>
      resolve({ code: child.exitCode, output: `${out}${err}` }),
    );
  });
}

const hears = (peer: Peer, what: string, ms?: number) =>
  until(`"${what}" in ${peer.output()}`, () => peer.output().includes(`heard ${what}`) || undefined, ms);

test("mosquitto_pub and mosquitto_sub: live, retained, deleted, wildcards, QoS 2", async () => {
  const { publish, listen } = await home();
  const all = await listen("-t", "house/+/temp", "-q", "2");
  expect(await publish("-t", "house/hall/temp", "-m", "20.5")).toMatchObject({ code: 0 });
  await hears(all, "house/hall/temp 20.5 0");
  expect(await publish("-t", "house/bath/temp", "-m", "23", "-r", "-q", "2")).toMatchObject({ code: 0 });
  await hears(all, "house/bath/temp 23 0");
  const late = await listen("-t", "house/#");
  await hears(late, "house/bath/temp 23 1");
  await publish("-t", "house/bath/temp", "-n", "-r");
  await hears(all, "house/bath/temp  0");
  const later = await listen("-t", "house/#", "-t", "end");
  await publish("-t", "end", "-m", "x");
  await hears(later, "end x");
  expect(later.output()).not.toContain("heard house/bath");
});

test("a wrong password, no password, and MQTT 5 are refused in words that mosquitto's clients understand", async () => {
  const { at, publish, host } = await home();
  const wrong = await ends("mosquitto_pub", [...at, "-u", "home", "-P", "guess", "-t", "a", "-m", "b"]);
  expect(wrong.code).not.toBe(0);
  expect(wrong.output).toMatch(/bad user name or password/i);
  const none = await ends("mosquitto_pub", [...at, "-t", "a", "-m", "b"]);
  expect(none.output).toMatch(/not authori[sz]ed/i);
  const five = await publish("-V", "mqttv5", "-t", "a", "-m", "b");
  expect(five.code).not.toBe(0);
  expect(five.output).toMatch(/unsupported protocol version/i);
  expect((await publish("-V", "mqttv31", "-t", "a", "-m", "b")).code).toBe(0);
  expect(host.log.lines.join("\n")).toMatch(/speaks MQTT 5: it speaks 3\.1\.1/);
  expect(host.log.lines.join("\n")).not.toMatch(/guess|let me in/);
});

test("a client that falls silent is cut off after its keep-alive, and its will is published", async () => {
  const { listen } = await home();
  const watcher = await listen("-t", "wills/#");
  const frozen = await listen("-t", "x", "-k", "5", "--will-topic", "wills/frozen", "--will-payload", "gone");
  const killed = await listen("-t", "x", "-k", "60", "--will-topic", "wills/killed", "--will-payload", "gone");
  await killed.stop("SIGKILL");
  await hears(watcher, "wills/killed gone");
  frozen.process.kill("SIGSTOP");
  // stdbuf has become mosquitto_sub.
  await hears(watcher, "wills/frozen gone", 15_000);
  frozen.process.kill("SIGCONT");
});

test("TLS: with the certificate it works, without it the client leaves, and plain MQTT is not understood", async () => {
  const { publish, listen, port, cert, host } = await home({ secure: true });
  const ear = await listen("-t", "a");
  expect((await publish("-t", "a", "-m", "over TLS")).code).toBe(0);
  await hears(ear, "a over TLS");
  const login = ["-u", "home", "-P", "let me in", "-t", "a", "-m", "b"];
  const untrusting = await ends("mosquitto_pub", [
    "-h",
    "localhost",
    "-p",
    `${port}`,
    "--capath",
    "/etc/ssl/certs",
    ...login,
  ]);
  expect(untrusting.output).toMatch(/certificate|TLS/i);
  expect((await ends("mosquitto_pub", ["-h", "localhost", "-p", `${port}`, ...login])).code).not.toBe(0);
  const plug = await tasmotaDevice(`mqtts://localhost:${port}`, energyPlug, {
    username: "home",
    password: "let me in",
    ca: cert,
  });
  cleanUp.push(() => plug.leave());
  const id = "mqtt:tasmota:c44f33a1b0e7";
  await until("the plug", () => (host.face(id)?.reachable === true ? true : undefined));
  const change = { verb: "Replace", rel: parseRel("POWER"), value: bool(false) } as const;
  expect(await host.face(id)?.face.mo.apply([change], aCall())).toEqual({ state: "done" });
});

const paho = `
import sys, threading
import paho.mqtt.client as mqtt
port = int(sys.argv[1])
done = threading.Event()
heard = []
def on_connect(client, data, flags, code):
    print("connack", code, flags["session present"])
    if code != 0:
        return client.disconnect()
    client.subscribe([("py/+/a", 2), ("py/b/#", 1), ("$SYS/#", 0)])
def on_subscribe(client, data, mid, granted):
    print("granted", list(granted))
    for qos in (0, 1, 2):
        client.publish("py/%d/a" % qos, "x" * 1000 * qos, qos)
    client.publish("py/b/c/d", b"\\x00\\xff", 1, retain=True)
def on_message(client, data, message):
    heard.append((message.topic, len(message.payload)))
    if len(heard) == 4:
        done.set()
client = mqtt.Client(client_id="paho", clean_session=False, protocol=mqtt.MQTTv311)
client.username_pw_set("home", sys.argv[2])
client.on_connect, client.on_subscribe, client.on_message = on_connect, on_subscribe, on_message
client.connect("127.0.0.1", port, keepalive=10)
client.loop_start()
done.wait(8)
client.disconnect()
client.loop_stop()
print("heard", sorted(heard))
`;

test("paho, another client: every QoS, a persistent session that is none, a wrong password", async () => {
  const { port } = await home();
  const run = (password: string) => ends("/usr/bin/python3", ["-c", paho, `${port}`, password]);
  const good = await run("let me in");
  expect(good.output).toContain("connack 0 0");
  expect(good.output).toContain("granted [2, 1, 128]");
  expect(good.output).toContain("heard [('py/0/a', 0), ('py/1/a', 1000), ('py/2/a', 2000), ('py/b/c/d', 2)]");
  expect((await run("let me in")).output).toContain("connack 0 0");
  expect((await run("wrong")).output).toContain("connack 4 0");
});

test("a hundred sockets that say nothing keep nobody out for long", async () => {
  const { publish, port } = await home();
  const flood = spawn("/usr/bin/python3", [
    "-c",
    `import socket, time
socks = []
for i in range(100):
    s = socket.socket(); s.settimeout(1)
    try: s.connect(("127.0.0.1", ${port})); socks.append(s)
    except OSError: pass
print("open", flush=True); time.sleep(60)`,
  ]);
  cleanUp.push(() => Promise.resolve(flood.kill("SIGKILL")));
  await new Promise((resolve) => flood.stdout.once("data", resolve));
  // The silent ones of this address are cut off after ten seconds.
  await until(
    "a client to be let in",
    async () => ((await publish("-t", "a", "-m", "b")).code === 0 ? true : undefined),
    20_000,
  );
});
