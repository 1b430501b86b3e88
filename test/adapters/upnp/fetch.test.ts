import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fetcher } from "../../../adapters/upnp/fetch.ts";
import type { Fetcher } from "../../../adapters/upnp/fetch.ts";
import type { Way } from "../../../adapters/upnp/location.ts";
import { systemClock } from "../../../daemon/clock.ts";
import { until } from "../../fakes/host.ts";
import { webDevice } from "./small-home.ts";
import type { WebDevice } from "./small-home.ts";

let device: WebDevice;
let others: WebDevice[];
let hunter: Fetcher;
beforeEach(async () => {
  device = await webDevice("<root/>");
  others = [];
  hunter = fetcher(systemClock);
});
afterEach(async () => {
  await hunter.stop();
  for (const one of [device, ...others]) await one.down();
});
const wayOf = ({ location, address }: WebDevice): Way => ({ url: new URL(location), address, from: "127.0.0.1" });
const fetched = async (signal?: AbortSignal) => Buffer.from(await hunter.fetch(wayOf(device), signal)).toString();
const refusal = (status: number) => expect(fetched()).rejects.toMatchObject({ name: "DmError", status });

test("a description is fetched by one plain GET on a connection of its own", async () => {
  device.answers = (request, response) => {
    const { method, url, headers } = request;
    expect([method, url, headers.connection, headers["accept-encoding"]]).toEqual([
      "GET",
      "/d.xml",
      "close",
      "identity",
    ]);
    response.end("<root/>");
  };
  expect(await fetched()).toBe("<root/>");
  expect(device.requests).toBe(1);
});

test("what it calls its content does not matter", async () => {
  for (const type of ["text/html", "application/octet-stream", "", "\u00ff"]) {
    device.answers = (_, response) => response.setHeader("content-type", type).end("<root/>");
    expect(await fetched()).toBe("<root/>");
  }
});

test.each([
  ["another host", "http://127.0.0.3/"],
  ["the loopback", "http://127.0.0.1/"],
  ["the same host", "/elsewhere"],
])("a redirect to %s is not followed", async (_, location) => {
  device.answers = (_request, response) => response.writeHead(302, { location }).end();
  await refusal(502);
  expect(device.requests).toBe(1);
});

test("a body of 100 MB, an endless one and one without a length end at 64 kB", async () => {
  let sent = 0;
  const pour = (response: NodeJS.WritableStream & { destroyed?: boolean }, total: number) => {
    const more = () => {
      while (sent < total && response.destroyed !== true) {
        sent += 65_536;
        if (!response.write(Buffer.alloc(65_536, 32))) return void response.once("drain", more);
      }
    };
    more();
  };
  device.answers = (_, response) => {
    response.setHeader("content-length", 100_000_000);
    pour(response, 100_000_000);
  };
  await refusal(502);
  expect(sent).toBeLessThan(50_000_000);
  device.answers = (_, response) => pour(response, Infinity);
  sent = 0;
  await refusal(502);
  expect(sent).toBeLessThan(50_000_000);
});

test("it has 2 s in all, even if an octet comes now and then, in the body or in the head", async () => {
  const drip = (write: () => void, until: NodeJS.EventEmitter) => {
    const more = setInterval(write, 100);
    until.on("close", () => clearInterval(more));
  };
  device.answers = (_, response) => drip(() => response.write(" "), response);
  const began = performance.now();
  await refusal(504);
  device.answers = ({ socket }) => {
    socket.write("HTTP/1.1 200 OK\r\n");
    drip(() => socket.writable && socket.write("X-A: b\r\n"), socket);
  };
  await refusal(504);
  expect(performance.now() - began).toBeLessThan(8000);
});

test("what is packed is not unpacked", async () => {
  device.answers = (_, response) =>
    response.setHeader("content-encoding", "gzip").end(gzipSync(Buffer.alloc(50_000_000)).subarray(0, 60_000));
  await refusal(502);
});

test("a device that breaks off, or answers with endless headers, or with no HTTP, speaks nonsense", async () => {
  device.answers = (_, response) => {
    response.writeHead(200, { "content-length": "5000" });
    response.write("<root>", () => response.destroy());
  };
  await refusal(502);
  device.answers = (_, response) => response.writeHead(200, { "x-a": "a".repeat(20_000) }).end();
  await refusal(502);
  device.answers = ({ socket }) => socket.end("SSH-2.0-dropbear\r\n");
  await refusal(502);
  device.answers = ({ socket }) => void socket.write("HTTP/1.1 100 Continue\r\n\r\n".repeat(1000));
  await refusal(504);
});

test("where nobody listens the device is not available", async () => {
  await device.down();
  await refusal(503);
});

test("of one device it is one at a time, of all devices four", async () => {
  let [open, most] = [0, 0];
  const slow: WebDevice["answers"] = (_, response) => {
    most = Math.max(most, ++open);
    setTimeout(() => (open--, response.end("<root/>")), 10);
  };
  device.answers = slow;
  await Promise.all(Array.from({ length: 10 }, () => fetched()));
  expect(most).toBe(1);
  for (let n = 3; n < 13; n++) others.push(await webDevice("", `127.0.0.${n}`));
  for (const one of others) one.answers = slow;
  await Promise.all(others.map((one) => hunter.fetch(wayOf(one))));
  expect(most).toBe(4);
});

test("more than 512 that wait are refused, and the others are not", async () => {
  const results = await Promise.allSettled(Array.from({ length: 600 }, () => fetched()));
  expect(results.filter(({ status }) => status === "rejected")).toHaveLength(600 - 513);
  expect(results.find(({ status }) => status === "rejected")).toMatchObject({ reason: { status: 503 } });
});

test("its signal ends it, waiting or under way, and nobody else's", async () => {
  let asked = 0;
  device.answers = (_, response) => void (++asked > 1 && response.end("<root/>"));
  const [first, second] = [new AbortController(), new AbortController()];
  const [running, waiting, last] = [fetched(first.signal), fetched(second.signal), fetched()];
  second.abort();
  await expect(waiting).rejects.toMatchObject({ status: 504 });
  await until(() => asked === 1);
  first.abort();
  await expect(running).rejects.toMatchObject({ status: 504 });
  expect(await last).toBe("<root/>");
  await expect(fetched(AbortSignal.abort())).rejects.toMatchObject({ status: 504 });
});

test("its stop ends those that run and those that wait", async () => {
  device.answers = () => undefined;
  const settled = Promise.allSettled(Array.from({ length: 5 }, () => fetched()));
  await hunter.stop();
  expect((await settled).every(({ status }) => status === "rejected")).toBe(true);
  await refusal(503);
});
