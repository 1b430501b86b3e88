import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gatewayMessages, readSearch } from "../../../daemon/announce/ssdp-messages.ts";

const search = (...lines: string[]) => readSearch(Buffer.from(["M-SEARCH * HTTP/1.1", ...lines, "", ""].join("\r\n")));
const man = 'MAN: "ssdp:discover"';

describe("a search", () => {
  it("is read with bare line ends, lower case and no spaces too", () => {
    expect(search("HOST: 239.255.255.250:1900", man, "MX: 3", "ST: ssdp:all")).toEqual({ target: "ssdp:all", mx: 3 });
    expect(readSearch(Buffer.from('m-search * http/1.1\nman:"ssdp:discover"\nmx:2\nst:x\n\n'))).toEqual({
      target: "x",
      mx: 2,
    });
  });

  it("lets us wait five seconds at most, and one at least", () => {
    expect(search(man, "MX: 120", "ST: x")?.mx).toBe(5);
    expect(search(man, "MX: 0", "ST: x")?.mx).toBe(1);
  });

  it.each([
    ["without MX", [man, "ST: x"]],
    ["with an MX that is no number", [man, "MX: soon", "ST: x"]],
    ["without a target", [man, "MX: 1"]],
    ["without MAN", ["MX: 1", "ST: x"]],
  ])("%s is none", (_, lines) => {
    expect(search(...lines)).toBeUndefined();
  });

  it("is not what anything else is", () => {
    expect(readSearch(Buffer.from("NOTIFY * HTTP/1.1\r\n\r\n"))).toBeUndefined();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (octets) => readSearch(Buffer.from(octets)) === undefined),
    );
  });

  it("of 4,096 octets, whatever they are, is read in no time", () => {
    const before = performance.now();
    for (const filler of [" ", ":", "\r", "\n", "\t:", "MX"]) {
      readSearch(Buffer.from(`M-SEARCH * HTTP/1.1${filler.repeat(4000 / filler.length)}`));
      search(man, `MX:${filler.repeat(4000 / filler.length)}`);
    }
    expect(performance.now() - before).toBeLessThan(200);
  });
});

describe("the gateway's messages", () => {
  const facts = { version: "1.2.3", manufacturer: "Example", model: "dmgw", machine: "router" };
  const uuid = "uuid:5a3e9f0c-6a0b-4b8e-9a53-0c1d2e3f4a5b";
  const messages = gatewayMessages({ id: `urn:${uuid}`, ...facts });

  it("answer a search for everything, for its target and for its UUID, and for nothing else", () => {
    for (const target of ["ssdp:all", "urn:dmgw:service:gateway:1"])
      expect(messages.answer(target)).toContain(
        `ST: urn:dmgw:service:gateway:1\r\nUSN: ${uuid}::urn:dmgw:service:gateway:1\r\n`,
      );
    expect(messages.answer(uuid.toUpperCase())).toContain(`ST: ${uuid}\r\nUSN: ${uuid}\r\n`);
    for (const target of ["upnp:rootdevice", "urn:schemas-upnp-org:device:InternetGatewayDevice:1", "", "uuid:other"])
      expect(messages.answer(target)).toBeUndefined();
  });

  it("have no location: there is no description", () => {
    for (const text of [messages.alive, messages.byebye, messages.answer("ssdp:all")])
      expect(text).not.toMatch(/^LOCATION/im);
    expect(messages.alive).toMatch(/^NOTIFY \* HTTP\/1\.1\r\n.*NTS: ssdp:alive\r\n.*max-age=1800\r\n.*\r\n\r\n$/s);
  });

  it("are one header a line, whatever the id and the version hold", () => {
    const { alive } = gatewayMessages({ ...facts, id: "a\r\nLOCATION: http://evil/\r\n", version: "1\r\nX: y" });
    expect(alive.split("\r\n").some((line) => /^(LOCATION|X):/.test(line))).toBe(false);
  });
});
