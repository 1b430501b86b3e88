import type { Face, Sighting } from "../../../adapters/adapter.ts";
import { Bridge } from "../../../daemon/devices/bridge.ts";
import { Tree } from "../../../tree/tree.ts";
import { fakeClock } from "../../fakes/clock.ts";
import { fakeLog } from "../../fakes/log.ts";
import { fakeStore } from "../../fakes/store.ts";
import { Lamp } from "../../tree/small-home.ts";

const halfHour = 30 * 60_000;

/** A gateway whose neighbours are told by hand. */
export function home(store = fakeStore(), clock = fakeClock()) {
  const tree = new Tree({ store, clock });
  const probes: string[] = [];
  const bridge = new Bridge({ tree, store, clock, log: fakeLog(), probe: (address) => probes.push(address) });
  const host = bridge.host("mqtt", () => undefined);
  const base = (more: Partial<Sighting> & Pick<Sighting, "source" | "key">): Sighting => ({
    name: more.key,
    addresses: [],
    service: "",
    text: new Map(),
    interface: "lan",
    expires: clock.monotonic() + halfHour,
    ...more,
  });
  const tell = async (sighting: Sighting) => {
    bridge.seen(sighting);
    await clock.advance(1);
  };
  return {
    tree,
    bridge,
    host,
    store,
    clock,
    probes,
    neighbour: (mac: string, ...addresses: string[]) =>
      tell(base({ source: "neighbours", key: `${mac}%lan`, mac, name: mac, addresses })),
    lease: (mac: string, address: string, hostName: string, more: Partial<Sighting> = {}) =>
      tell(
        base({
          source: "leases",
          key: mac,
          mac,
          name: hostName,
          host: hostName,
          addresses: [address],
          text: new Map([["lease", "1"]]),
          ...more,
        }),
      ),
    ssdp: (uuid: string, address: string, text: Record<string, string> = {}) =>
      tell(
        base({
          source: "ssdp",
          key: `uuid:${uuid}`,
          name: "MediaServer",
          addresses: [address],
          service: "urn:schemas-upnp-org:device:MediaServer:1",
          text: new Map(Object.entries(text)),
        }),
      ),
    mdns: (
      label: string,
      service: string,
      address: string | readonly string[],
      text: Record<string, string> = {},
      hostName?: string,
    ) =>
      tell(
        base({
          source: "mdns",
          key: `${label}.${service}.local`.toLowerCase(),
          name: label,
          addresses: typeof address === "string" ? [address] : address,
          service,
          text: new Map(Object.entries(text)),
          ...(hostName === undefined ? {} : { host: hostName }),
        }),
      ),
    gone: (source: Sighting["source"], key: string) => bridge.gone(source, key, "goodbye"),
    /** Numbers and what belongs to them. */
    listed: () =>
      new Map(bridge.devices().map((device) => [device.id, bridge.why(device.id).members.map((m) => m.identity)])),
    ids: () => bridge.devices().map(({ id }) => id),
    /** kill -9 and a new start. */
    again: () => home(store, clock),
  };
}

export function face(identity: string, more: Partial<Face> = {}): Face {
  return {
    identity,
    clues: [],
    addresses: [],
    name: "MQTT",
    facts: { name: identity },
    mo: new Lamp(),
    reachable: true,
    ...more,
  };
}

export const uuid = (n: number) => `4d696e69-444c-164e-9d41-${String(n).padStart(12, "0")}`;
