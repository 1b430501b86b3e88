import { afterEach, beforeEach, expect } from "vitest";
import type { Adapter, Sighting } from "../../../adapters/adapter.ts";
import { start } from "../../../adapters/upnp/index.ts";
import { minidlnaDescription } from "../../fixtures/discovery.ts";
import { fakeClock } from "../../fakes/clock.ts";
import type { FakeClock } from "../../fakes/clock.ts";
import { fakeHost } from "../../fakes/host.ts";
import type { FakeHost } from "../../fakes/host.ts";
import { passing } from "../contract.ts";
import { webDevice } from "./small-home.ts";
import type { WebDevice } from "./small-home.ts";

/** Of minidlnaDescription. */
export const key = "uuid:4d696e69-444c-164e-9d41-0123456789ab";
export const identity = "upnp:4d696e69-444c-164e-9d41-0123456789ab";

/** An adapter that runs on a fake host, made anew for each test of the file. */
export function upnpScene() {
  let clock: FakeClock;
  let host: FakeHost;
  let adapter: Adapter;
  let devices: WebDevice[];
  beforeEach(async () => {
    clock = fakeClock();
    host = fakeHost(clock);
    adapter = await start({ enabled: true, access: "approve" }, host);
    devices = [];
  });
  afterEach(async () => {
    await adapter.stop();
    expect(clock.timers).toBe(0);
    for (const device of devices) await device.down();
  });

  /** Turns of the event loop in which what is on the loopback comes to its end. */
  const rest = async (turns = 50) => {
    for (let n = 0; n < turns; n++) await new Promise((resolve) => setImmediate(resolve));
  };
  return {
    get clock() {
      return clock;
    },
    get host() {
      return host;
    },
    async device(xml: string = minidlnaDescription, address = "127.0.0.2"): Promise<WebDevice> {
      const made = await webDevice(xml, address);
      devices.push(made);
      return made;
    },
    see: (sighting: Sighting) => adapter.consider?.(sighting),
    end: (of: string) => adapter.ended?.({ source: "ssdp", key: of }),
    status: () => host.statuses.at(-1),
    reachable: (of = identity) => host.face(of)?.reachable,
    faceOf: (of = identity) => host.face(of)?.face,
    /** Until it holds, time passing meanwhile. */
    comes: (condition: () => unknown) => passing(clock, condition, String(condition)),
    rest,
    /** Time passes no faster than the loopback answers. */
    async pass(ms: number) {
      for (let passed = 0; passed < ms; passed += 500) {
        await clock.advance(500);
        await rest(clock.timers > 0 ? 10 : 0);
      }
    },
  };
}
