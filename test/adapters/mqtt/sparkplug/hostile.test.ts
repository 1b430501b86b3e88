import { afterEach, beforeEach, expect, test } from "vitest";
import fc from "fast-check";
import { limits } from "../../../../adapters/mqtt/limits.ts";
import { pointsOf, plainOf, propertyOf } from "../../../../adapters/mqtt/sparkplug/metrics.ts";
import { read } from "../../../../adapters/mqtt/rules.ts";
import { parseRel } from "../../../../tree/path.ts";
import { int, nul } from "../../../../tree/value.ts";
import { until } from "../../../fakes/host.ts";
import { tahuEncode } from "../../../fakes/mqtt/sparkplug-edge.ts";
import { moOf } from "../../contract.ts";
import { smallHome } from "../small-home.ts";
import type { SmallHome } from "../small-home.ts";

type Payload = Parameters<typeof tahuEncode>[0];

let home: SmallHome;
beforeEach(async () => void (home = await smallHome()));
afterEach(() => home.stop());

const send = (topic: string, payload: Payload | Buffer) =>
  home.client.publishAsync(`spBv1.0/${topic}`, Buffer.isBuffer(payload) ? payload : tahuEncode(payload));
const number = (name: string, value = 1, alias?: number) => ({
  name,
  type: "Int32" as const,
  value,
  ...(alias === undefined ? {} : { alias }),
});
const one = { seq: 0, metrics: [number("n")] };
/** What has been sent so far has been heard. */
const heard = async (mark = "mark") => {
  await send(`Beacon/NBIRTH/${mark}`, one);
  await home.appears(`mqtt:sparkplug:Beacon/${mark}`);
};
const commands: string[] = [];
const listen = async () => {
  commands.splice(0);
  home.client.on("message", (topic) => commands.push(topic));
  await home.client.subscribeAsync("spBv1.0/+/NCMD/+");
};

test("ten thousand metrics are cut to what a device may have, and what was cut asks for nothing", async () => {
  await listen();
  const metrics = Array.from({ length: 10_000 }, (_, i) => number(`group${i % 10}/m${i}`, i, i + 1));
  await send("G/NBIRTH/big", { seq: 0, metrics });
  await home.appears("mqtt:sparkplug:G/big");
  expect(await home.leaves("mqtt:sparkplug:G/big")).toHaveLength(limits.properties);
  await send("G/NDATA/big", { seq: 1, metrics: [{ ...number("", 7, 9999), name: null }, number("group0/m0", 77)] });
  await home.shows("mqtt:sparkplug:G/big", "group0/m0", int(77));
  await heard();
  expect(commands).toEqual([]);
});

test("odd names become nodes of their own, or none", async () => {
  const names = [
    "/a",
    "a/",
    "a",
    "//",
    "__proto__",
    "constructor/__proto__",
    "+/#",
    "x\u0000y\u001b[31m",
    "..",
    "./..",
    "\u202egnp",
    "ü☃",
    "a".repeat(5000),
    "d/".repeat(60),
  ];
  await send("G/NBIRTH/odd", { seq: 0, metrics: [...names, ...names].map((name, i) => number(name, i)) });
  const id = "mqtt:sparkplug:G/odd";
  await home.appears(id);
  const leaves = await home.leaves(id);
  expect(leaves).toEqual([
    "_/a",
    "_/_/_",
    // "a" is where "a/" is already.
    "a/_",
    "__proto__",
    "constructor/__proto__",
    "+/%23",
    "x_y_%5B31m",
    "%2E%2E",
    "%2E/%2E%2E",
    "%E2%80%AEgnp",
    "%C3%BC%E2%98%83",
    expect.stringMatching(/^a{120}~[0-9a-f]{12}$/),
  ]);
  for (const rel of leaves) expect(moOf(home.host, id).has(parseRel(rel))).toBe(true);
  // What is said twice holds as it was said last.
  await home.shows(id, "__proto__", int(18));
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

test("ids that nobody can read are left out, those with __proto__ are names like others", async () => {
  await send("G/NBIRTH/\u0007bell", one);
  await send(`G/NBIRTH/${"x".repeat(300)}`, one);
  await send("G/NBIRTH/a/b", one);
  await send("G/DBIRTH/a", one);
  await send("G/XBIRTH/a", one);
  await send("__proto__/NBIRTH/constructor", one);
  await send("__proto__/DBIRTH/constructor/__proto__", { ...one, seq: 1 });
  await home.appears("mqtt:sparkplug:__proto__/constructor/__proto__");
  expect(home.host.present).toEqual([
    "mqtt:sparkplug:__proto__/constructor",
    "mqtt:sparkplug:__proto__/constructor/__proto__",
  ]);
});

test("huge texts, values of another type than announced, and numbers out of range leave the rest alone", async () => {
  const metrics = [
    { name: "huge", type: "String" as const, value: "x".repeat(limits.value + 1) },
    { name: "bytes", type: "Bytes" as const, value: new Uint8Array(limits.bytes + 1) },
    { name: "never", type: "Double" as const, value: Number.NaN },
    { name: "far", type: "DateTime" as const, value: Number.MAX_SAFE_INTEGER },
    number("good", 5),
  ];
  await send("G/NBIRTH/odd", { seq: 0, metrics });
  const id = "mqtt:sparkplug:G/odd";
  await home.appears(id);
  await home.shows(id, "good", int(5));
  for (const rel of ["huge", "bytes", "never", "far"]) expect(await home.value(id, rel)).toEqual(nul);
  await send("G/NDATA/odd", { seq: 1, metrics: [{ name: "good", type: "String", value: "text" }] });
  await send("G/NDATA/odd", { seq: 2, metrics: [number("good", 6)] });
  await home.shows(id, "good", int(6));
});

test("what is no payload is left out and counted", async () => {
  for (const octets of [[], [0xff], [0x12, 0x7f], [0x0b], Array.from({ length: 50 }, () => 0xff)])
    await send("G/NBIRTH/x", Buffer.from(octets));
  await heard();
  const lines = home.host.log.lines.join("\n");
  expect(lines).toContain("a Sparkplug payload that is no protobuf");
  expect(lines).toContain("a Sparkplug birth with nothing in it");
  expect(home.host.face("mqtt:sparkplug:G/x")).toBeUndefined();
});

test("ten thousand edge nodes that were never born make room for one that is", async () => {
  await listen();
  const octets = tahuEncode({ seq: 1, metrics: [number("n")] });
  for (let i = 0; i < 10_000; i++)
    void home.client.publishAsync(`spBv1.0/G/NDATA/ghost${i}`, octets, { qos: 0 }).catch(() => undefined);
  await heard();
  expect(home.host.present).toEqual(["mqtt:sparkplug:Beacon/mark"]);
  await until(() => commands.length > 0);
}, 30_000);

test("one that is born again and again with other metrics costs no more than it holds", async () => {
  for (let round = 0; round < 50; round++) {
    const metrics = Array.from({ length: 200 }, (_, i) => number(`m${round}/${i}`, round));
    await send("G/NBIRTH/restless", { seq: 0, metrics });
  }
  await heard();
  expect(await home.leaves("mqtt:sparkplug:G/restless")).toHaveLength(200);
  expect(home.host.attachments.filter((one) => one.face.identity.endsWith("restless"))).toHaveLength(1);
});

test("deaths and births of others than the devices they name change nothing", async () => {
  await send("G/NBIRTH/a", { seq: 0, metrics: [{ name: "bdSeq", type: "Int64", value: 3 }, number("n")] });
  await home.appears("mqtt:sparkplug:G/a");
  await send("G/NDEATH/b", { metrics: [{ name: "bdSeq", type: "Int64", value: 3 }] });
  await send("G/NDEATH/a", { metrics: [{ name: "bdSeq", type: "String", value: "3" }] });
  await send("G/NDEATH/a", { metrics: [] });
  await send("G/DDEATH/a/nobody", { seq: 1, metrics: [] });
  await heard();
  expect(home.host.face("mqtt:sparkplug:G/a")?.reachable).toBe(true);
});

test("whatever a birth holds: points, or none", () => {
  const value = fc.oneof(
    fc.record({ in: fc.constantFrom("int", "long"), data: fc.bigInt(0n, 2n ** 64n - 1n) }),
    fc.record({ in: fc.constantFrom("float", "double"), data: fc.double() }),
    fc.record({ in: fc.constant("bool"), data: fc.boolean() }),
    fc.record({ in: fc.constant("string"), data: fc.string() }),
    fc.record({ in: fc.constant("bytes"), data: fc.uint8Array() }),
  );
  const metric = fc.record(
    { name: fc.string({ unit: "binary" }), alias: fc.bigInt(0n, 4n), datatype: fc.nat({ max: 25 }), value },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.array(metric), (metrics) => {
      const payload = { metrics } as Parameters<typeof pointsOf>[0];
      const points = pointsOf(payload);
      for (const point of points.byRel.values()) {
        expect(parseRel(point.rel)).toBe(point.rel);
        const { rule } = propertyOf(point);
        for (const one of payload.metrics) {
          const plain = plainOf(point, one);
          if (plain !== undefined) expect(() => read(rule, plain)).not.toThrow();
        }
      }
    }),
  );
});
