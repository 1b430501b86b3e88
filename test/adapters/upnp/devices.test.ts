import { beforeEach, describe, expect, test } from "vitest";
import { start } from "../../../adapters/upnp/index.ts";
import { parseRel, top } from "../../../tree/path.ts";
import { chr } from "../../../tree/value.ts";
import { minidlnaDescription } from "../../fixtures/discovery.ts";
import { aCall, fakeHost, until } from "../../fakes/host.ts";
import { moOf } from "../contract.ts";
import { identity, key, upnpScene } from "./scene.ts";
import { description, router } from "./small-home.ts";
import type { WebDevice } from "./small-home.ts";

const scene = upnpScene();
const { device, end, faceOf, pass, reachable, rest, see, status, comes } = scene;

describe("a device that announces itself", () => {
  test("is described, and is a face that a person approves", async () => {
    const media = await device();
    see(media.sighting(key));
    await comes(reachable);
    const { mo, ...face } = faceOf() ?? {};
    expect(face).toEqual({
      identity,
      name: "UPnP",
      access: "approve",
      reachable: true,
      clues: [
        { kind: "uuid", value: key.slice(5) },
        { kind: "serial", value: "12345678" },
      ],
      sightings: [{ source: "ssdp", key }],
      addresses: ["127.0.0.2"],
      facts: {
        name: "Lab Media",
        maker: "Justin Maggard",
        model: "Windows Media Connect compatible (MiniDLNA)",
        serial: "12345678",
      },
    });
    expect(mo?.urn).toBe("urn:dmgw:mo:upnp:1.0");
    expect(status()).toEqual({ state: "connected", detail: "1 device described" });
    expect(scene.host.statuses[0]).toEqual({ state: "waiting", detail: "0 devices described" });
    expect(scene.host.face(identity)?.seen).toBe(1);
  });

  test("is managed at once where the config says so", async () => {
    const open = fakeHost(scene.clock);
    const other = await start({ enabled: true, access: "open" }, open);
    other.consider?.((await device()).sighting(key));
    await comes(() => open.face(identity));
    expect(open.face(identity)?.face.access).toBe("open");
    await other.stop();
  });

  test("is asked once, however much it announces", async () => {
    const media = await device();
    for (let n = 0; n < 50; n++) see(media.sighting(key, {}, { NT: `${n}` }));
    await comes(reachable);
    for (let n = 0; n < 50; n++) see(media.sighting(key, {}, { NT: `x${n}` }));
    await pass(3_600_000);
    expect(media.requests).toBe(1);
  });

  test("is one face with the devices in it, whose announcements are its sightings", async () => {
    const igd = await device(router);
    const keys = [1, 2, 3, 4].map((n) => `uuid:75802409-0000-0000-0000-00000000000${n}`);
    for (const one of keys) see(igd.sighting(one));
    const root = "upnp:75802409-0000-0000-0000-000000000001";
    await comes(() => reachable(root));
    await pass(60_000);
    expect(scene.host.present).toEqual([root]);
    expect(igd.requests).toBe(1);
    expect(
      faceOf(root)
        ?.sightings?.map((one) => one.key)
        .sort(),
    ).toEqual(keys);
    expect(faceOf(root)?.clues).toEqual(keys.map((one) => ({ kind: "uuid", value: one.slice(5) })));
  });

  test("keeps the key that it announces, where its description has another name for it", async () => {
    const odd = await device();
    see(odd.sighting("uuid:other"));
    await comes(reachable);
    expect(faceOf()?.sightings?.map((one) => one.key)).toEqual([key, "uuid:other"]);
  });

  test("may not call the device of another host its own", async () => {
    const media = await device();
    see(media.sighting(key));
    await comes(reachable);
    const inner = `<deviceList><device><UDN>${key}</UDN></device></deviceList>`;
    const thief = await device(description({ UDN: "uuid:thief" }, inner), "127.0.0.3");
    see(thief.sighting("uuid:thief"));
    await comes(() => reachable("upnp:thief"));
    expect(faceOf("upnp:thief")?.clues).toEqual([{ kind: "uuid", value: "thief" }]);
    expect(faceOf("upnp:thief")?.sightings).toEqual([{ source: "ssdp", key: "uuid:thief" }]);
  });

  test("of another source, or without a place, is not asked", async () => {
    const media = await device();
    see(media.sighting(key, { source: "mdns" }));
    see(media.sighting(key, { text: new Map() }));
    await pass(60_000);
    expect([media.requests, scene.host.present, status()?.detail]).toEqual([0, [], "0 devices described"]);
  });

  test("at a place where it is not is not asked, counted, and forgotten with its end", async () => {
    const media = await device();
    see(media.sighting("uuid:a", { addresses: ["127.0.0.9"] }));
    see(media.sighting("uuid:b", { addresses: ["127.0.0.9"] }));
    see(media.sighting("uuid:c", { interface: "nowhere" }));
    expect(status()?.detail).toBe(
      "0 devices described; 2 not asked: the description is not on the device itself; 1 not asked: on this gateway",
    );
    for (const one of ["uuid:a", "uuid:b", "uuid:c"]) end(one);
    expect(status()?.detail).toBe("0 devices described");
    await rest();
    expect(media.requests).toBe(0);
  });
});

describe("a device that does not answer", () => {
  test("is asked again, less and less often, and found when its web server is up", async () => {
    const media = await device();
    await media.down();
    see(media.sighting(key));
    await until(() => status()?.detail.includes("without answer"));
    expect(status()).toEqual({ state: "waiting", detail: "0 devices described; 1 without answer" });
    await pass(2000);
    await media.up();
    await pass(9000);
    expect(media.requests).toBe(0);
    await comes(reachable);
    expect(status()?.detail).toBe("1 device described");
  });

  test("is asked five times in an hour and then hourly, although it announces itself all day", async () => {
    const media = await device();
    media.answers = (_, response) => response.writeHead(404).end();
    const asked: number[] = [];
    for (let minute = 1; minute <= 240; minute++) {
      see(media.sighting(key, {}, { NT: `${minute}` }));
      await pass(60_000);
      if (minute % 60 === 0) asked.push(media.requests);
    }
    expect(asked).toEqual([5, 6, 7, 8]);
  });

  test("and ends, is forgotten; no timer stays", async () => {
    const media = await device();
    await media.down();
    see(media.sighting(key));
    await until(() => status()?.detail.includes("without answer"));
    end(key);
    expect(scene.clock.timers).toBe(0);
    expect(status()?.detail).toBe("0 devices described");
  });

  test("with a description that is none, is no face", async () => {
    const media = await device("<html>");
    see(media.sighting(key));
    await until(() => status()?.detail.includes("without answer"));
    expect(scene.host.present).toEqual([]);
  });
});

describe("a device that goes and comes", () => {
  let media: WebDevice;
  beforeEach(async () => {
    media = await device();
    see(media.sighting(key));
    await comes(reachable);
  });

  test("is away, and still says what it said", async () => {
    end(key);
    expect(reachable()).toBe(false);
    expect(await moOf(scene.host, identity).read(parseRel("Device/FriendlyName"), "one", aCall())).toEqual(
      chr("Lab Media"),
    );
    expect(status()).toEqual({ state: "waiting", detail: "0 devices described, 1 away" });
    await scene.clock.advance(100 * 86_400_000);
    await rest();
    expect([media.requests, scene.host.present]).toEqual([1, [identity]]);
    see(media.sighting(key));
    await comes(reachable);
    expect(media.requests).toBe(2);
    expect(scene.host.attachments).toHaveLength(1);
  });

  test("that is back before its web server is, is away until it answers", async () => {
    end(key);
    await media.down();
    see(media.sighting(key));
    await comes(() => status()?.detail.includes("without answer"));
    expect(reachable()).toBe(false);
    await media.up();
    await comes(reachable);
  });

  test("is itself at another address and another port", async () => {
    await media.down();
    const moved = await device(minidlnaDescription, "127.0.0.3");
    see(moved.sighting(key));
    await comes(() => faceOf()?.addresses[0] === "127.0.0.3");
    expect(reachable()).toBe(true);
    expect(scene.host.attachments).toHaveLength(1);
    expect(scene.host.face(identity)?.changed).toEqual(["Device/Location"]);
    end(key);
    expect(reachable()).toBe(false);
  });

  test("is asked again when it, or its description, has started anew, and tells what is new", async () => {
    see(media.sighting(key, {}, { "BOOTID.UPNP.ORG": "1" }));
    await comes(() => media.requests === 2);
    await rest();
    expect(scene.host.face(identity)?.changed).toEqual([]);
    media.says(minidlnaDescription.replace("<modelNumber>1<", "<modelNumber>NAS-2000<"));
    see(media.sighting(key, {}, { "BOOTID.UPNP.ORG": "1", "CONFIGID.UPNP.ORG": "2" }));
    await comes(() => faceOf()?.facts.model?.endsWith("NAS-2000"));
    expect(scene.host.face(identity)?.changed).toEqual(["Device/ModelNumber"]);
    media.says(minidlnaDescription.replace("<serialNumber>12345678</serialNumber>", ""));
    see(media.sighting(key, {}, { "BOOTID.UPNP.ORG": "2", "CONFIGID.UPNP.ORG": "2" }));
    await comes(() => faceOf()?.clues.length === 1);
    expect(scene.host.face(identity)?.changed.at(-1)).toBe(top);
  });

  test("says that it starts anew as often as it likes, and is asked every two seconds at most", async () => {
    for (let boot = 0; boot < 100; boot++) {
      see(media.sighting(key, {}, { "BOOTID.UPNP.ORG": `${boot}` }));
      await scene.clock.advance(100);
      await rest(10);
    }
    expect(media.requests).toBeLessThan(8);
  });

  test("of which another device has taken the place, is away, and the other one is there", async () => {
    media.says(description({ UDN: "uuid:another" }));
    see(media.sighting(key, {}, { "BOOTID.UPNP.ORG": "9" }));
    await comes(() => reachable("upnp:another"));
    expect(reachable()).toBe(false);
    media.says(minidlnaDescription);
    see(media.sighting(key, {}, { "BOOTID.UPNP.ORG": "10" }));
    await comes(reachable);
    expect(reachable("upnp:another")).toBe(false);
  });

  test("of which another device took the place without a word is noticed by the new one's announcement", async () => {
    media.says(description({ UDN: "uuid:another" }));
    see(media.sighting("uuid:another"));
    await comes(() => reachable("upnp:another"));
    expect(reachable()).toBe(false);
    expect(faceOf("upnp:another")?.sightings).toEqual([{ source: "ssdp", key: "uuid:another" }]);
  });
});
