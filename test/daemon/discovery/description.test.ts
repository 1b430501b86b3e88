import { once } from "node:events";
import { createServer } from "node:http";
import type { RequestListener, Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../daemon/clock.ts";
import { descriptions, descriptionUrl, readDescription } from "../../../daemon/discovery/description.ts";
import type { Descriptions } from "../../../daemon/discovery/description.ts";
import { DmError } from "../../../tree/errors.ts";
import { minidlnaDescription } from "../../fixtures/discovery.ts";

const uuid = "uuid:4d696e69-444c-164e-9d41-0123456789ab";

describe("reading a description", () => {
  const read = (text: string, of = uuid) => readDescription(Buffer.from(text), of);

  it("takes what minidlna says of itself", () => {
    expect(read(minidlnaDescription)).toEqual({
      deviceType: "urn:schemas-upnp-org:device:MediaServer:1",
      friendlyName: "Lab Media",
      manufacturer: "Justin Maggard",
      modelName: "Windows Media Connect compatible (MiniDLNA)",
      modelNumber: "1",
      serialNumber: "12345678",
    });
  });

  it("takes the embedded device that was asked for, else the root", () => {
    const inner = "<deviceList><device><UDN> UUID:wan </UDN><friendlyName>WAN</friendlyName></device></deviceList>";
    const router = `<root xmlns="urn:schemas-upnp-org:device-1-0"><device><UDN>uuid:root</UDN><friendlyName>Router</friendlyName>${inner}</device></root>`;
    expect(read(router, "uuid:wan").friendlyName).toBe("WAN");
    expect(read(router, "uuid:unknown").friendlyName).toBe("Router");
  });

  it("leaves out what is empty, and cuts and cleans what is not", () => {
    const odd = `<root><device><friendlyName>  </friendlyName><modelName>${"m".repeat(9999)}\u202e</modelName></device></root>`;
    expect(read(odd)).toEqual({ modelName: "m".repeat(256) });
  });

  it.each([
    ["nothing", ""],
    ["no XML", "<html><br></html>"],
    ["another document", "<scpd/>"],
    ["no device", "<root/>"],
    [
      "an entity bomb",
      '<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><root><device><friendlyName>&b;</friendlyName></device></root>',
    ],
    ["depth", `<root>${"<device><deviceList>".repeat(5000)}`],
    ["many elements", `<root><device>${"<a/>".repeat(10_000)}</device></root>`],
    ["much", `<root><device><friendlyName>${"a".repeat(70_000)}</friendlyName></device></root>`],
  ])("refuses %s", (_, text) => {
    expect(() => read(text)).toThrow(DmError);
  });

  it("cut off anywhere is refused", () => {
    for (let length = 0; length < minidlnaDescription.length; length += 7)
      expect(() => read(minidlnaDescription.slice(0, length))).toThrow(DmError);
  });
});

describe("fetching a description", () => {
  let device: Server;
  let answers: RequestListener;
  let requests: number;
  let url: URL;
  let fetcher: Descriptions;
  beforeEach(async () => {
    requests = 0;
    device = createServer((request, response) => {
      requests++;
      answers(request, response);
    }).listen(0, "127.0.0.1");
    await once(device, "listening");
    url = new URL(`http://127.0.0.1:${(device.address() as AddressInfo).port}/d.xml`);
    fetcher = descriptions(systemClock);
  });
  afterEach(async () => {
    fetcher.stop();
    device.closeAllConnections();
    await new Promise((resolve) => device.close(resolve));
  });
  const fetched = () => fetcher.describe(uuid, url, "127.0.0.1");
  const refusal = (status: number) => expect(fetched()).rejects.toMatchObject({ name: "DmError", status });

  it("is one plain GET on a connection of its own", async () => {
    answers = (request, response) => {
      expect([request.method, request.url, request.headers.connection]).toEqual(["GET", "/d.xml", "close"]);
      response.end(minidlnaDescription);
    };
    expect((await fetched()).friendlyName).toBe("Lab Media");
    expect(requests).toBe(1);
  });

  it("follows no redirect", async () => {
    answers = (_, response) => response.writeHead(302, { location: "/elsewhere" }).end();
    await refusal(502);
    expect(requests).toBe(1);
  });

  it("ends at 64 KB, said or unsaid", async () => {
    answers = (_, response) => response.end("a".repeat(1_000_000));
    await refusal(502);
    answers = (_, response) => {
      const more = setInterval(() => response.write("a".repeat(8192)), 1);
      response.on("close", () => clearInterval(more));
    };
    await refusal(502);
  });

  it("ends after 2 s, even if an octet comes now and then", async () => {
    answers = (_, response) => {
      const more = setInterval(() => response.write(" "), 100);
      response.on("close", () => clearInterval(more));
    };
    const began = performance.now();
    await refusal(504);
    expect(performance.now() - began).toBeLessThan(4000);
  });

  it("ends when the device breaks off, is not there, or answers with endless headers", async () => {
    answers = (_, response) => {
      response.writeHead(200, { "content-length": "5000" });
      response.write("<root>", () => response.destroy());
    };
    await refusal(502);
    answers = (_, response) => response.writeHead(200, { "x-a": "a".repeat(20_000) }).end();
    await refusal(502);
    device.closeAllConnections();
    await new Promise((resolve) => device.close(resolve));
    await refusal(502);
  });

  it("is one at a time from one device, and refused when too many wait", async () => {
    let open = 0;
    let most = 0;
    answers = (_, response) => {
      most = Math.max(most, ++open);
      setTimeout(() => {
        open--;
        response.end(minidlnaDescription);
      }, 2);
    };
    const results = await Promise.allSettled(Array.from({ length: 200 }, fetched));
    expect(most).toBe(1);
    expect(results.filter(({ status }) => status === "rejected").length).toBeGreaterThan(50);
    expect(results[0]?.status).toBe("fulfilled");
  });

  it("ends with its stop, those that wait included", async () => {
    answers = () => {};
    const all = Array.from({ length: 5 }, fetched);
    const settled = Promise.allSettled(all);
    fetcher.stop();
    expect((await settled).every(({ status }) => status === "rejected")).toBe(true);
    await refusal(503);
  });
});

it("is only ever fetched from the sender itself", () => {
  expect(descriptionUrl("http://10.77.0.2:8200/d.xml?x=1#y", "10.77.0.2")?.href).toBe(
    "http://10.77.0.2:8200/d.xml?x=1#y",
  );
  // The parser of URLs writes every spelling of an address in one way.
  expect(descriptionUrl("http://0x0a4d0002/d.xml", "10.77.0.2")?.hostname).toBe("10.77.0.2");
  expect(descriptionUrl("http://10.77.0.2:0/d.xml", "10.77.0.2")).toBeUndefined();
});
