import type { Socket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openMulticast } from "../../../daemon/discovery/multicast.ts";
import { minidlnaAlive, minidlnaAnswer, minidlnaBye, rendererAlive } from "../../fixtures/discovery.ts";
import { loopback, onlyOpen, openSockets, startOnLoopback, until } from "./loopback.ts";
import type { Loopback } from "./loopback.ts";

const group = "239.255.255.250";
const key = "uuid:4d696e69-444c-164e-9d41-0123456789ab";

let before: number;
let web: Server;
let visits: number;
let device: Socket;
let searches: { readonly text: string; readonly port: number }[];
let home: Loopback;
beforeEach(async () => {
  before = openSockets();
  visits = 0;
  web = createServer((line) => {
    visits++;
    line.destroy();
  }).listen(0, "127.0.0.1");
  await once(web, "listening");
  searches = [];
  ({ socket: device } = await openMulticast(group, 1900, 1, loopback()));
  device.on("message", (bytes, { port }) => {
    if (bytes.toString().startsWith("M-SEARCH")) searches.push({ text: bytes.toString(), port });
  });
  home = await startOnLoopback("ssdp");
});
afterEach(async () => {
  await home.discovery.stop();
  await new Promise<void>((resolve) => device.close(resolve));
  await new Promise((resolve) => web.close(resolve));
  await onlyOpen(before);
});

const here = (message: string) =>
  message.replaceAll("10.77.0.2:8200", `127.0.0.1:${(web.address() as AddressInfo).port}`);
const say = (message: string | Buffer) => device.send(message, 1900, group);

it("searches for everything, and again a second later", async () => {
  const first = await until("a search", () => searches[0]);
  expect(first.text).toMatch(/^M-SEARCH \* HTTP\/1\.1\r\n/);
  for (const line of ["HOST: 239.255.255.250:1900", "ST: ssdp:all", 'MAN: "ssdp:discover"', "MX: 3"])
    expect(first.text.split("\r\n")).toContain(line);
  await until("another", () => searches.slice(1).find(({ port }) => port === first.port));
});

it("an announcement is a sighting that says what the packets say and no more, and its farewell ends it", async () => {
  say(here(minidlnaAlive));
  say(here(minidlnaAlive).replaceAll("upnp:rootdevice", "urn:schemas-upnp-org:device:MediaServer:1"));
  expect(await home.sighting(key)).toMatchObject({ name: "MiniDLNA 1.3.0", addresses: ["127.0.0.1"], interface: "lo" });
  await home.sighting(key, (s) => s.service === "urn:schemas-upnp-org:device:MediaServer:1");
  for (let n = 0; n < 10; n++) say(here(minidlnaAlive));
  say(minidlnaBye);
  await until("its end", () => home.gone.includes(`${key} goodbye`) || undefined);
  expect(visits).toBe(0);
});

it("an answer to a search is a sighting", async () => {
  const { port } = await until("a search", () => searches[0]);
  device.send(here(minidlnaAnswer), port, "127.0.0.1");
  await home.sighting(key);
});

it("a device that ends its lines with LF alone is heard as well", async () => {
  say(here(minidlnaAlive).replaceAll("\r\n", "\n"));
  await home.sighting(key);
});

it("an announcement of a place elsewhere is dropped", async () => {
  say(minidlnaAlive);
  say(rendererAlive);
  say(here(minidlnaAlive));
  await home.sighting(key);
  expect(home.seen.some((s) => s.key.includes("12345678-1234"))).toBe(false);
});

it("garbage of every kind is dropped in no time, and it listens on", async () => {
  const alive = here(minidlnaAlive);
  const blanks = `NOTIFY * HTTP/1.1\r\nNTS: ssdp:alive\r\nA:${" ".repeat(3900)}\nx\n\r\n\r\n`;
  const began = performance.now();
  for (let n = 0; n < 10; n++) say(blanks);
  for (const message of [
    "",
    "\r\n",
    "NOTIFY",
    "HTTP/1.1 200",
    "NOTIFY * HTTP/1.1\r\n:::\r\n\r\n",
    "M-SEARCH * HTTP/1.1\r\nMAN: x\r\nMX: 1\r\nST: ((((\r\n\r\n",
  ])
    say(message);
  say(Buffer.alloc(60_000, 0x41));
  say(Buffer.from([0xff, 0x00, 0x80]));
  for (let length = 0; length < alive.length - 4; length += 5) say(alive.slice(0, length).replaceAll(key, "uuid:cut"));
  say(alive);
  await home.sighting(key);
  expect(performance.now() - began).toBeLessThan(2000);
});
