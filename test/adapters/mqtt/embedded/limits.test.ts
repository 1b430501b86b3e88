import fc from "fast-check";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Failures, Passwords } from "../../../../adapters/mqtt/embedded/access.ts";
import { embeddedLimits } from "../../../../adapters/mqtt/embedded/limits.ts";
import { EmbeddedMemory, matcher } from "../../../../adapters/mqtt/embedded/memory.ts";
import { fakeClock } from "../../../fakes/clock.ts";
import { until } from "../../../fakes/host.ts";
import { account, ownBroker } from "../own-broker.ts";
import type { OwnBroker } from "../own-broker.ts";

let own: OwnBroker;
beforeEach(async () => void (own = await ownBroker()));
afterEach(() => own.stop());

test("who tries passwords is not listened to for a minute", async () => {
  await own.started();
  for (let i = 0; i < embeddedLimits.failures; i++) expect(await own.refusedWith({ password: `wrong${i}` })).toBe(4);
  await expect(own.client({ connectTimeout: 1000 })).rejects.toThrow();
  expect(own.said("too many wrong passwords")).toBe(1);
  await own.clock.advance(embeddedLimits.lockout);
  expect(await own.refusedWith({})).toBe("taken");
});

test("topics of the broker itself, and topics that are none, are nobody's", async () => {
  await own.started();
  const one = await own.client();
  await expect(one.subscribeAsync("$SYS/#")).rejects.toThrow();
  const two = await own.client();
  const closed = new Promise<void>((resolve) => two.once("close", () => resolve()));
  two.publish("$SYS/x", "1");
  await closed;
  const three = await own.client();
  const cut = new Promise<void>((resolve) => three.once("close", () => resolve()));
  three.publish(`${"a/".repeat(embeddedLimits.levels)}a`, "1");
  await cut;
  const heard = await own.hears("#");
  const four = await own.client();
  four.publish("t".repeat(embeddedLimits.topic + 1), "1");
  await until(() => !four.connected);
  expect(heard).toEqual([]);
});

test("subscriptions, clients, connections and packets have limits", async () => {
  await own.started();
  const one = await own.client();
  for (let i = 0; i < embeddedLimits.subscriptions; i += 64)
    await one.subscribeAsync(Array.from({ length: 64 }, (_, k) => `t${i + k}`));
  await expect(one.subscribeAsync("one/more")).rejects.toThrow();
  await one.unsubscribeAsync("t0");
  await one.subscribeAsync("one/more");
  await one.subscribeAsync("one/more");

  const big = await own.client();
  const closed = new Promise<void>((resolve) => big.once("close", () => resolve()));
  big.publish("big", Buffer.alloc(embeddedLimits.packet));
  await closed;
  expect(own.said("a packet for the embedded broker above the limit")).toBe(1);

  let open = 0;
  for (let i = 0; i < 64; i += 16) {
    const some = Array.from({ length: 16 }, (_, k) => own.client({ clientId: `c${i + k}` }));
    open += (await Promise.allSettled(some)).filter(({ status }) => status === "fulfilled").length;
  }
  expect(open).toBe(embeddedLimits.clients - 1);
  // Its own name again takes the place of the connection before.
  expect(await own.refusedWith({ clientId: "c3" })).toBe("taken");
});

test("who sends garbage is cut off, before and after CONNECT, and nobody else", async () => {
  await own.started();
  const witness = await own.hears("safe/#", { clientId: "witness" });
  const speak = async (...parts: Buffer[]) => {
    const socket = own.socket().resume();
    const gone = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    for (const part of parts) socket.write(part);
    socket.end();
    await gone;
  };
  const hello = (i: number) => connectPacket(`g${i}`);
  const random = (n: number) => Buffer.from(Array.from({ length: n }, () => Math.floor(Math.random() * 256)));
  const types = [0x30, 0x32, 0x34, 0x40, 0x50, 0x62, 0x70, 0x82, 0xa2, 0xc0, 0xe0, 0xf0, 0x10];
  for (let i = 0; i < 40; i++) await speak(Buffer.from([types[i % types.length] ?? 0]), random(1 + (i % 50)));
  for (let i = 0; i < 200; i++) {
    const body = random(i % 60);
    await speak(hello(i), Buffer.from([types[i % types.length] ?? 0, body.length]), body);
  }
  // A topic of 10,000 levels, a filter of only wildcards, a length that never comes, CONNECT twice, CONNECT above the limit of strangers.
  const field = (text: string) =>
    Buffer.concat([Buffer.from([text.length >> 8, text.length & 255]), Buffer.from(text)]);
  const packet = (type: number, body: Buffer) =>
    Buffer.concat([Buffer.from([type, (body.length & 127) | 128, (body.length >> 7) & 127]), body]);
  await speak(hello(1), packet(0x30, field("/".repeat(10_000))));
  await speak(
    hello(2),
    packet(0x82, Buffer.concat([Buffer.from([0, 1]), field("+/".repeat(4000) + "#"), Buffer.from([2])])),
  );
  await speak(hello(3), Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f, 0x00]));
  await speak(hello(4), hello(4));
  await speak(Buffer.from([0x10, 0xff, 0xff, 0x7f]), Buffer.alloc(embeddedLimits.first));
  await (await own.client()).publishAsync("safe/still", "here", { qos: 1 });
  await until(() => witness.includes("safe/still here"));
  expect(own.said("a packet for the embedded broker above the limit")).toBeGreaterThan(0);
}, 30_000);

test("who connects and says nothing holds no more than a few sockets of an address", async () => {
  await own.started();
  let closed = 0;
  for (let i = 0; i < embeddedLimits.strangers + 5; i++) {
    const socket = own.socket();
    socket.on("close", () => closed++);
  }
  await until(() => closed === 5);
  expect(own.said("too many connections without a password")).toBeGreaterThan(0);
});

test("a flood of retained messages stays within the limits, and is passed on all the same", async () => {
  await own.started();
  const heard = await own.hears("flood/#");
  const one = await own.client();
  const payload = Buffer.alloc(200_000, "x");
  const most = Math.floor(embeddedLimits.retainedOctets / payload.length);
  for (let i = 0; i < most + 5; i++) await one.publishAsync(`flood/${i}`, payload, { qos: 1, retain: true });
  await until(() => heard.length === most + 5);
  expect(own.said("a retained message above the limit")).toBeGreaterThan(0);
  const late = await own.hears("flood/#", { clientId: "late" });
  await until(() => late.length >= most - 1);
  await one.publishAsync("flood/end", "", { qos: 1 });
  await until(() => late.at(-1) === "flood/end ");
  expect(late.length).toBeLessThanOrEqual(most + 1);
}, 30_000);

test("a client that does not read is cut off, and holds up nobody for long", async () => {
  await own.started();
  const deaf = own.socket();
  const gone = new Promise((resolve) => deaf.once("close", resolve));
  deaf.write(connectPacket("deaf"));
  await new Promise((resolve) => deaf.once("data", resolve));
  deaf.write(Buffer.from([0x82, 0x06, 0x00, 0x01, 0x00, 0x01, 0x23, 0x00]));
  await new Promise((resolve) => deaf.once("data", resolve));
  deaf.pause();
  const one = await own.client();
  const payload = Buffer.alloc(200_000, "x");
  let stopped = false;
  const flood = (async () => {
    while (!stopped) await one.publishAsync("loud", payload, { qos: 1 });
  })();
  await until(
    () => own.said("does not read") > 0 || own.said("is cut off") > 0,
    () => "the deaf one",
    20_000,
  );
  stopped = true;
  await flood;
  deaf.resume();
  await gone;
  const heard = await own.hears("quiet");
  await one.publishAsync("quiet", "now");
  await until(() => heard.length === 1);
}, 40_000);

test("topics fit filters as the standard says", () => {
  const fits = (filter: string, topic: string) => matcher(filter)(topic);
  const yes = [
    ["#", "a/b"],
    ["a/#", "a"],
    ["a/#", "a/b/c"],
    ["a/+", "a/b"],
    ["+", "a"],
    ["+/b", "a/b"],
    ["a/+/c", "a//c"],
    ["/+", "/a"],
  ];
  const no = [
    ["a/#", "ab"],
    ["a/+", "a"],
    ["a/+", "a/b/c"],
    ["+", "/a"],
    ["+", "a/b"],
    ["a/+/c", "a/c"],
    ["a/b/+", "a/c/d"],
  ];
  for (const [filter = "", topic = ""] of yes)
    expect([filter, topic, fits(filter, topic)]).toEqual([filter, topic, true]);
  for (const [filter = "", topic = ""] of no)
    expect([filter, topic, fits(filter, topic)]).toEqual([filter, topic, false]);
  const level = fc.constantFrom<string>("", "a", "b", "ab");
  fc.assert(
    fc.property(fc.array(level, { minLength: 1, maxLength: 5 }), fc.nat(4), (levels, at) => {
      const cut = Math.min(at, levels.length - 1);
      expect(fits(levels.with(cut, "+").join("/"), levels.join("/"))).toBe(true);
      expect(fits([...levels.slice(0, cut), "#"].join("/"), levels.join("/"))).toBe(true);
    }),
  );
});

test("the memory holds no more than its limits, and what was there before is never shown for what is true now", async () => {
  const refused: string[] = [];
  const memory = new EmbeddedMemory((topic) => void refused.push(topic));
  const put = (topic: string, octets: number) =>
    memory.storeRetained({ topic, payload: Buffer.alloc(octets, "x"), qos: 0 });
  for (let i = 0; i < embeddedLimits.retained + 3; i++) await put(`t${i}`, 1);
  expect(memory.retained).toBe(embeddedLimits.retained);
  expect(refused).toEqual(["t10000", "t10001", "t10002"]);
  await put("t5", embeddedLimits.retainedOctets);
  expect(await memory.createRetainedStreamCombi(["t5", "nothing"]).toArray()).toEqual([]);
  for (let i = 0; i < embeddedLimits.retained; i++) await put(`t${i}`, 0);
  await put("whole", embeddedLimits.retainedOctets - 1000);
  expect(memory.retained).toBe(1);
});

test("passwords are right for their own user only, and failures are forgotten after a while", async () => {
  const passwords = new Passwords([
    { name: "a", password: "1" },
    { name: "__proto__", password: "2" },
  ]);
  const right = (name?: string, password?: string) =>
    passwords.right(name, password === undefined ? undefined : Buffer.from(password));
  expect([right("a", "1"), right("__proto__", "2")]).toEqual([true, true]);
  expect([right("a", "2"), right("a"), right(), right("", ""), right("constructor", "1")].some(Boolean)).toBe(false);
  const clock = fakeClock();
  const failures = new Failures(clock);
  for (let i = 0; i < embeddedLimits.failures; i++) failures.add("10.0.0.9");
  expect([failures.tooMany("10.0.0.9"), failures.tooMany("10.0.0.8")]).toEqual([true, false]);
  await clock.advance(embeddedLimits.lockout);
  expect(failures.tooMany("10.0.0.9")).toBe(false);
});

/** CONNECT of MQTT 3.1.1 with the account of the tests. */
function connectPacket(id: string): Buffer {
  const field = (text: string) => Buffer.concat([Buffer.from([0, text.length]), Buffer.from(text)]);
  const body = Buffer.concat([
    field("MQTT"),
    Buffer.from([4, 0xc2, 0, 60]),
    ...[id, account.username, account.password].map(field),
  ]);
  return Buffer.concat([Buffer.from([0x10, body.length]), body]);
}
