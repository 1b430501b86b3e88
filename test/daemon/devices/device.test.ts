import { describe, expect, it } from "vitest";
import { factsOf, newDevice, unknownDevice } from "../../../daemon/devices/device.ts";
import type { Device } from "../../../daemon/devices/device.ts";
import type { Trace } from "../../../daemon/identity/traces.ts";

function trace(identity: string, source: Trace["source"], name: string): Trace {
  const nothing = { what: identity, clues: [], addresses: [], places: [], interface: "", follows: [] };
  return { ...nothing, identity, source, facts: { name }, protocol: undefined, presence: true, gateway: false };
}

/** A device whose traces spoke in the given order, and have belonged to it since the given times. */
function deviceOf(spoke: readonly Trace[], since: Readonly<Record<string, number>>): Device {
  const members = Object.entries(since).map(([identity, at]) => {
    return { identity, what: identity, clues: [], since: at, because: [] };
  });
  const device = newDevice("d1", { ...unknownDevice, members }, "yes");
  for (const one of spoke) device.live.set(one.identity, { trace: one, heardAt: 0, macs: [] });
  return device;
}

describe("what a device is called", () => {
  const upnp = trace("upnp:1", "face", "Den Media");
  const mqtt = trace("mqtt:ha:den", "face", "Den sensors");
  const share = trace("mdns den box._smb._tcp.local", "mdns", "Den Box");

  it("is what the one says that knows most, whoever spoke first", () => {
    expect(factsOf(deviceOf([share, upnp], { [share.identity]: 1, "upnp:1": 2 })).facts.name).toBe("Den Media");
  });

  it("is, of two that know as much, what the older part says, in whatever order they speak", () => {
    const since = { "upnp:1": 1, "mqtt:ha:den": 2 };
    expect(factsOf(deviceOf([upnp, mqtt], since)).facts.name).toBe("Den Media");
    expect(factsOf(deviceOf([mqtt, upnp], since)).facts.name).toBe("Den Media");
  });

  it("is what the one says into which a person has merged the other, although that one is older", () => {
    const device = deviceOf([mqtt, upnp], { "upnp:1": 2, "mqtt:ha:den": 1 });
    const faces = ["upnp:1", "mqtt:ha:den"].map((identity) => ({ identity, mount: identity, protocol: "" }));
    expect(factsOf({ ...device, kept: { ...device.kept, faces } }).facts.name).toBe("Den Media");
  });

  it("does not hang on who spoke last either when both came at the same time", () => {
    const since = { "upnp:1": 1, "mqtt:ha:den": 1 };
    expect(factsOf(deviceOf([upnp, mqtt], since))).toEqual(factsOf(deviceOf([mqtt, upnp], since)));
  });

  it("stays, while the one that knows most was not heard again since a start, and not when that one is no part of it any more", () => {
    const heard = deviceOf([share, upnp], { [share.identity]: 1, "upnp:1": 2 });
    const after = deviceOf([share], { [share.identity]: 1, "upnp:1": 2 });
    const known = { ...after, kept: { ...after.kept, ...factsOf(heard) } };
    expect(factsOf(known)).toMatchObject({ facts: { name: "Den Media" }, factsBy: { name: "upnp:1" } });
    const parted = { ...known, kept: { ...known.kept, members: known.kept.members.slice(0, 1) } };
    expect(factsOf(parted)).toMatchObject({ facts: { name: "Den Box" }, factsBy: { name: share.identity } });
  });
});
