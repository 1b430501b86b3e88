import { beforeEach, describe, expect, test } from "vitest";
import { minidlnaDescription } from "../../fixtures/discovery.ts";
import { until } from "../../fakes/host.ts";
import { key, upnpScene } from "./scene.ts";
import { description } from "./small-home.ts";
import type { WebDevice } from "./small-home.ts";

const scene = upnpScene();
const { device, end, faceOf, pass, reachable, rest, see, status, comes } = scene;

describe("two hosts that say they are the same device", () => {
  let first: WebDevice;
  let second: WebDevice;
  beforeEach(async () => {
    first = await device();
    second = await device(minidlnaDescription.replace("Lab Media", "Evil Media"), "127.0.0.66");
    see(first.sighting(key));
    await comes(reachable);
  });
  const refused = "1 refused: another host that answers has the same id";

  test("the first one keeps it while it answers", async () => {
    see(second.sighting(key));
    await comes(() => status()?.detail.includes(refused));
    expect(faceOf()).toMatchObject({ addresses: ["127.0.0.2"], facts: { name: "Lab Media" } });
    expect(reachable()).toBe(true);
    expect(scene.host.log.lines.filter((line) => line.startsWith("warn"))).toHaveLength(1);
  });

  test("the farewell of the second one takes nothing from the first", async () => {
    see(second.sighting(key));
    await comes(() => status()?.detail.includes(refused));
    end(key);
    expect(reachable()).toBe(true);
    await pass(1_800_000);
    expect(first.requests).toBeLessThan(10);
    expect(reachable()).toBe(true);
    expect(status()?.detail).toBe("1 device described");
    expect(scene.host.log.lines.filter((line) => line.startsWith("warn"))).toHaveLength(1);
    // Nobody speaks for it any more: that it answers is all that is left.
    await first.down();
    await comes(() => reachable() === false);
  });

  test("the second one has it when the first does not answer any more", async () => {
    see(second.sighting(key));
    await comes(() => status()?.detail.includes(refused));
    await first.down();
    await comes(() => faceOf()?.facts.name === "Evil Media");
    expect(faceOf()?.addresses).toEqual(["127.0.0.66"]);
    await rest();
    expect(status()?.detail).toBe("1 device described");
  });

  test("neither is asked often, however they take turns", async () => {
    for (let n = 0; n < 100; n++) {
      see(second.sighting(key));
      await scene.clock.advance(250);
      await rest(10);
      see(first.sighting(key));
      await scene.clock.advance(250);
      await rest(10);
    }
    expect(reachable()).toBe(true);
    expect(first.requests + second.requests).toBeLessThan(12);
  });
});

describe("limits", () => {
  test("a host has 16 places at most; what it gives back others may take", async () => {
    const media = await device("<html>");
    const sighting = (n: number) => media.sighting(`uuid:${n}`, {}, { LOCATION: `${media.location}?${n}` });
    for (let n = 0; n < 40; n++) see(sighting(n));
    await until(() => status()?.detail === "0 devices described; 16 without answer; 24 left out: too many");
    for (let n = 0; n < 40; n++) end(`uuid:${n}`);
    expect(status()?.detail).toBe("0 devices described");
    expect(scene.clock.timers).toBe(0);
  });

  test("256 devices are known at most; one that has been away for a day makes room", { timeout: 30_000 }, async () => {
    const hosts = await Promise.all(Array.from({ length: 17 }, (_, n) => device("", `127.0.1.${n + 1}`)));
    for (const one of hosts) {
      one.answers = (request, response) =>
        response.end(description({ UDN: `uuid:${one.address}-${request.url?.split("?")[1] ?? ""}` }));
    }
    const announce = (n: number) => {
      const one = hosts[n >> 4];
      if (one === undefined) throw new Error("there are only so many hosts");
      const id = `${one.address}-${n}`;
      see(one.sighting(`uuid:${id}`, {}, { LOCATION: `${one.location}?${n}` }));
      return `upnp:${id}`;
    };
    const all = Array.from({ length: 256 }, (_, n) => announce(n));
    await until(() => scene.host.present.length === 256, undefined, 20_000);
    announce(256);
    await until(() => status()?.detail.includes("left out"));
    expect(status()?.detail).toBe("256 devices described; 1 left out: too many");
    end(all[7]?.replace("upnp:", "uuid:") ?? "");
    await scene.clock.advance(3_600_000);
    await rest();
    expect(scene.host.present.includes("upnp:127.0.1.17-256")).toBe(false);
    for (let hour = 0; hour < 25; hour++) {
      await scene.clock.advance(3_600_000);
      await rest();
    }
    await until(() => reachable("upnp:127.0.1.17-256"));
    expect(scene.host.present).toHaveLength(256);
    expect(scene.host.face(all[7] ?? "")).toBeUndefined();
  });
});
