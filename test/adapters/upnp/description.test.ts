import { describe, expect, test } from "vitest";
import { everyDevice, limits, readDescription } from "../../../adapters/upnp/description.ts";
import { DmError } from "../../../tree/errors.ts";
import { minidlnaDescription } from "../../fixtures/discovery.ts";
import { description, router } from "./small-home.ts";

const read = (text: string) => readDescription(Buffer.from(text));
const UDN = "uuid:4d696e69-444c-164e-9d41-0123456789ab";

describe("reading a description", () => {
  test("takes what minidlna says of itself", () => {
    const { id, texts, services, devices } = read(minidlnaDescription);
    expect({ id, texts, devices }).toEqual({
      id: "4d696e69-444c-164e-9d41-0123456789ab",
      texts: {
        UDN,
        deviceType: "urn:schemas-upnp-org:device:MediaServer:1",
        friendlyName: "Lab Media",
        manufacturer: "Justin Maggard",
        manufacturerURL: "http://www.netgear.com/",
        modelName: "Windows Media Connect compatible (MiniDLNA)",
        modelNumber: "1",
        modelDescription: "MiniDLNA on Linux",
        modelURL: "http://www.netgear.com",
        serialNumber: "12345678",
        presentationURL: "/",
      },
      devices: [],
    });
    expect(services).toHaveLength(3);
    expect(services[0]).toEqual({
      serviceType: "urn:schemas-upnp-org:service:ContentDirectory:1",
      serviceId: "urn:upnp-org:serviceId:ContentDirectory",
      SCPDURL: "/ContentDir.xml",
      controlURL: "/ctl/ContentDir",
      eventSubURL: "/evt/ContentDir",
    });
  });

  test("takes the devices in it, and those in them", () => {
    const ids = everyDevice(read(router)).map(({ id, texts }) => [id.at(-1), texts.deviceType?.split(":").at(-2)]);
    expect(ids).toEqual([
      ["1", "InternetGatewayDevice"],
      ["2", "WANDevice"],
      ["3", "WANConnectionDevice"],
      ["4", "WANDevice"],
    ]);
  });

  test("needs no namespace", () => {
    expect(read(`<root><device><UDN>${UDN}</UDN></device></root>`).id).toBe(UDN.slice(5));
  });

  test("leaves out what is empty, and cuts and cleans what is not", () => {
    const odd = {
      UDN,
      friendlyName: "  ",
      modelName: `${"m".repeat(9999)}`,
      manufacturer: "a\n\u0085\u202eb\u200f\u200bc",
    };
    expect(read(description(odd)).texts).toEqual({
      UDN,
      modelName: "m".repeat(256),
      manufacturer: "a \ufffd\ufffdb\ufffd\ufffdc",
    });
  });

  test("a firmware version is there when it is given, under any of its usual names", () => {
    expect(read(description({ UDN, softwareVersion: "83.1-61210", hardwareVersion: "1.8" }))).toMatchObject({
      firmware: "83.1-61210",
      hardware: "1.8",
    });
    expect(read(description({ UDN, firmwareVersion: "WW_2.00.1" })).firmware).toBe("WW_2.00.1");
    expect(read(description({ UDN }))).not.toHaveProperty("firmware");
  });

  test.each([
    ["UUID:ABC", "abc"],
    [" 4D69 ", "4d69"],
    ["uuid:upnp-Basic:1.0-x", "upnp-basic:1.0-x"],
    ["uuid:__proto__", "__proto__"],
  ])("a UDN that is no UUID is one all the same: %j", (udn, id) => {
    expect(read(description({ UDN: udn })).id).toBe(id);
  });

  test.each(["", "uuid:", "uuid:a b", "uuid:é", `uuid:${"a".repeat(69)}`])(
    "a UDN that no device could announce is none: %j",
    (udn) => {
      expect(() => read(description({ UDN: udn }))).toThrow("no usable UDN");
      const inner = `<deviceList><device><UDN>${udn}</UDN></device></deviceList>`;
      expect(read(description({ UDN }, inner)).devices).toEqual([]);
    },
  );

  test("takes so many devices and services, and no more generations", () => {
    const devices = (n: number) => `<device><UDN>uuid:${n}</UDN></device>`;
    const services = "<service><serviceId>s</serviceId></service>".repeat(300);
    const wide = Array.from({ length: 100 }, (_, n) => devices(n)).join("");
    const many = read(description({ UDN }, `<deviceList>${wide}</deviceList><serviceList>${services}</serviceList>`));
    expect([everyDevice(many).length, many.services.length]).toEqual([limits.devices, limits.services]);
    let deep = "";
    for (let n = 0; n < 8; n++) deep = `<deviceList><device><UDN>uuid:${n}</UDN>${deep}</device></deviceList>`;
    expect(everyDevice(read(description({ UDN }, deep)))).toHaveLength(limits.generations);
  });

  test.each([
    ["nothing", ""],
    ["no XML", "<html><br></html>"],
    ["another document", "<scpd/>"],
    ["no device", "<root/>"],
    ["a device elsewhere", `<root><x><device><UDN>${UDN}</UDN></device></x></root>`],
    [
      "an entity bomb",
      `<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><root><device><UDN>&b;</UDN></device></root>`,
    ],
    ["an entity of the outside", `<!DOCTYPE r SYSTEM "http://127.0.0.1/"><root><device><UDN>&x;</UDN></device></root>`],
    ["a NUL", "<root><device><UDN>a\u0000</UDN></device></root>"],
    ["depth", "<root>".repeat(50_000)],
    ["devices in one another", `<root>${"<device><deviceList>".repeat(3000)}`],
    ["many elements", `<root><device>${"<a/>".repeat(10_000)}</device></root>`],
    ["many attributes", `<root><device ${Array.from({ length: 99 }, (_, n) => `a${n}=""`).join(" ")}/></root>`],
    ["much", `<root><device><UDN>${"a".repeat(70_000)}</UDN></device></root>`],
    ["octets of Latin-1", Buffer.from(description({ UDN, friendlyName: "K\u00fcche" }), "latin1")],
  ])("refuses %s", (_, text) => {
    expect(() => readDescription(Buffer.from(text))).toThrow(DmError);
  });

  test("cut off anywhere it is refused", () => {
    for (let length = 0; length < minidlnaDescription.length; length += 7)
      expect(() => read(minidlnaDescription.slice(0, length))).toThrow(DmError);
  });
});
