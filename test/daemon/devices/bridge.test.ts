import { describe, expect, it } from "vitest";
import type { Face, Sighting } from "../../../adapters/adapter.ts";
import { Bridge } from "../../../daemon/devices/bridge.ts";
import { local, server } from "../../../tree/acl.ts";
import { Tree } from "../../../tree/tree.ts";
import { bool, chr } from "../../../tree/value.ts";
import { fakeClock } from "../../fakes/clock.ts";
import { fakeLog } from "../../fakes/log.ts";
import { fakeStore } from "../../fakes/store.ts";
import { Lamp, call, path } from "../../tree/small-home.ts";

function gateway(store = fakeStore(), clock = fakeClock()) {
  const tree = new Tree({ store, clock });
  const bridge = new Bridge({ tree, store, clock, log: fakeLog() });
  const host = bridge.host("mqtt", () => undefined);
  return { tree, bridge, host, store, clock };
}

function lampFace(identity = "mqtt:lamp", mo = new Lamp()): Face {
  const clues = identity === "mqtt:lamp" ? ([{ kind: "mac", value: "AA:BB:CC:00:11:22" }] as const) : [];
  return {
    identity,
    clues,
    addresses: ["192.168.1.7"],
    name: "MQTT",
    facts: { name: "Lamp", maker: "Acme" },
    mo,
    reachable: true,
  };
}

/** Of a host of its own for each key. */
const hosts = new Map<string, string>();

function sighting(key: string, more: Partial<Sighting> = {}): Sighting {
  const address = hosts.get(key) ?? `10.0.${hosts.size >> 8}.${hosts.size & 255}`;
  hosts.set(key, address);
  const addresses = [address];
  return {
    source: "mdns",
    key,
    name: key,
    addresses,
    service: "_ipp._tcp",
    text: new Map(),
    interface: "lan",
    expires: 0,
    ...more,
  };
}

const settle = (clock: { advance(ms: number): Promise<void> }) => clock.advance(1);

describe("a face", () => {
  it("becomes a managed device with a number, facts, state and its own nodes", async () => {
    const { tree, bridge, host, clock } = gateway();
    host.attach(lampFace());
    await settle(clock);
    expect(bridge.devices()[0]).toMatchObject({
      id: "d1",
      name: "Lamp",
      manufacturer: "Acme",
      mac: "aa:bb:cc:00:11:22",
      addresses: ["192.168.1.7"],
      identities: ["mqtt:lamp"],
      protocols: ["MQTT"],
      state: "managed",
      managed: true,
      reachable: true,
      uri: "./Devices/d1",
    });
    expect(await tree.get(path("./Devices/d1/MQTT/power"), "one", call(local))).toEqual(chr("off"));
    expect(await tree.get(path("./Devices/d1/DevInfo/Man"), "one", call(local))).toEqual(chr("Acme"));
    expect(await tree.get(path("./Devices/d1/State/Reachable"), "one", call(local))).toEqual(bool(true));
    expect(await tree.get(path("./GwMO/DeviceInventory/Records/d1/TreeRef"), "one", call(local))).toEqual(
      chr("./Devices/d1"),
    );
  });

  it("is not in the tree before its number is on the disk", async () => {
    const { tree, host, store, clock, bridge } = gateway();
    store.failNext();
    host.attach(lampFace());
    await settle(clock);
    expect(tree.has(path("./Devices/d1/MQTT"))).toBe(false);
    expect(bridge.devices()).toHaveLength(1);
    await clock.advance(31_000);
    expect(tree.has(path("./Devices/d1/MQTT"))).toBe(true);
  });

  it("keeps number and name over a restart, is listed at once, and answers 503 until it is found again", async () => {
    const first = gateway();
    first.host.attach(lampFace("mqtt:other"));
    first.host.attach(lampFace());
    await settle(first.clock);
    await first.bridge.name("d2", "Hall");
    await first.bridge.stop();

    const second = gateway(first.store);
    expect(second.bridge.devices()[1]).toMatchObject({ id: "d2", name: "Hall", state: "away", managed: true });
    await expect(second.tree.get(path("./Devices/d2/MQTT/power"), "one", call(local))).rejects.toMatchObject({
      status: 503,
    });
    second.host.attach(lampFace());
    await settle(second.clock);
    expect(await second.tree.get(path("./Devices/d2/MQTT/power"), "one", call(local))).toEqual(chr("off"));
    second.host.attach(lampFace("mqtt:new"));
    await settle(second.clock);
    expect(second.bridge.devices().map((device) => device.id)).toEqual(["d1", "d2", "d3"]);
  });

  it("never gets the number of a device that was forgotten, and comes back as a new one when it speaks", async () => {
    const { bridge, host, clock, store } = gateway();
    const attached = host.attach(lampFace());
    await settle(clock);
    await bridge.forget("d1");
    expect(bridge.devices()).toEqual([]);
    attached.seen();
    await settle(clock);
    expect(bridge.devices().map((device) => device.id)).toEqual(["d2"]);
    expect(
      gateway(store)
        .bridge.devices()
        .map((device) => device.id),
    ).toEqual(["d2"]);
  });

  it("is away while its adapter is stopped, and itself again when it is back", async () => {
    const { tree, bridge, host, clock } = gateway();
    const attached = host.attach(lampFace());
    await settle(clock);
    bridge.withdraw("mqtt");
    expect(bridge.devices()[0]).toMatchObject({ id: "d1", state: "away", managed: true });
    await expect(tree.get(path("./Devices/d1/MQTT"), "deep", call(local))).rejects.toMatchObject({ status: 503 });
    attached.reachable(false);
    host.attach(lampFace());
    await settle(clock);
    expect(bridge.devices()[0]).toMatchObject({ id: "d1", state: "managed" });
    await tree.get(path("./Devices/d1/MQTT"), "deep", call(local));
  });

  it("that leaves its network is not managed any more, but stays known", async () => {
    const { tree, bridge, host, clock } = gateway();
    const attached = host.attach(lampFace());
    await settle(clock);
    attached.detach();
    expect(bridge.devices()[0]).toMatchObject({ id: "d1", managed: false, state: "away" });
    expect(tree.has(path("./Devices/d1"))).toBe(false);
  });

  it("tells watchers when it falls silent, and writes nothing for what it reports", async () => {
    const { tree, bridge, host, store, clock } = gateway();
    const attached = host.attach(lampFace());
    await settle(clock);
    const commits = store.commits;
    const changes: string[] = [];
    tree.watch((all) => changes.push(...all.map((change) => change.at)));
    for (let n = 0; n < 1000; n++) attached.changed([path("./level").slice(2) as never]);
    attached.reachable(false);
    await settle(clock);
    expect(changes).toContain("./Devices/d1/State/Reachable");
    expect(bridge.devices()[0]).toMatchObject({ state: "away", reachable: false });
    expect(store.commits).toBe(commits);
  });

  it("can be named by a DM server that has the right, durably", async () => {
    const { tree, host, store, clock } = gateway();
    host.attach(lampFace());
    await settle(clock);
    await tree.setProperty(path("./Devices"), "ACL", "Get=s&Replace=s", call(local));
    await tree.change(
      [{ verb: "Replace", at: path("./Devices/d1/DevInfo/Name"), value: chr("Stairs") }],
      call(server("s")),
    );
    expect(gateway(store).bridge.devices()[0]).toMatchObject({ name: "Stairs" });
  });
});

describe("a sighting", () => {
  it("shows as seen, with the names that it gives itself, and never in ./Devices", async () => {
    const { tree, bridge, clock } = gateway();
    bridge.seen(sighting("printer", { text: new Map([["ty", "LaserJet"]]), name: "Kitchen Printer" }));
    await settle(clock);
    expect(bridge.devices()[0]).toMatchObject({
      name: "Kitchen Printer",
      model: "LaserJet",
      state: "seen",
      managed: false,
      reachable: true,
      sources: ["mdns"],
      protocols: ["ipp"],
    });
    expect(tree.has(path("./Devices/d1"))).toBe(false);
    expect(await tree.get(path("./GwMO/DeviceInventory/Records/d1/Mode"), "one", call(local))).toEqual(chr("none"));
    bridge.gone("mdns", "printer");
    expect(bridge.devices()[0]).toMatchObject({ state: "away", reachable: false });
    await expect(bridge.approve("d1")).rejects.toMatchObject({ status: 405 });
  });

  it("keeps its number over a restart", async () => {
    const { bridge, store, clock } = gateway();
    bridge.seen(sighting("a"));
    bridge.seen(sighting("b"));
    await settle(clock);
    const { bridge: again, clock: later } = gateway(store);
    expect(again.devices().map((device) => [device.id, device.state])).toEqual([
      ["d1", "away"],
      ["d2", "away"],
    ]);
    again.seen(sighting("b"));
    again.seen(sighting("c"));
    await settle(later);
    expect(again.devices().map((device) => device.id)).toEqual(["d1", "d2", "d3"]);
  });

  it("is told to nobody upstream before its number is on the disk, and is kept when the disk works again", async () => {
    const { tree, bridge, store, clock } = gateway();
    const records = () => tree.get(path("./GwMO/DeviceInventory/Records"), "one", call(local));
    bridge.seen(sighting("printer"));
    expect([bridge.devices(), await records()]).toEqual([[], { format: "node", children: new Map() }]);
    store.failNext();
    bridge.seen(sighting("scanner"));
    await settle(clock);
    const ids = bridge.devices().map((device) => device.id);
    expect(ids).toEqual(["d1", "d2"]);
    const known = await records();
    expect(known).toMatchObject({ format: "node" });
    expect("children" in known && known.children.size).toBe(1);
    await clock.advance(11 * 60_000);
    expect(
      gateway(store)
        .bridge.devices()
        .map((device) => device.id),
    ).toEqual(ids);
  });

  it("flood is bounded, in the list and on the disk, and does not push out what is there", async () => {
    const { bridge, store, clock } = gateway();
    bridge.seen(sighting("mine"));
    await settle(clock);
    for (let n = 0; n < 10_000; n++) bridge.seen(sighting(`flood ${n}`));
    await settle(clock);
    expect(bridge.devices().length).toBeLessThanOrEqual(512);
    expect(bridge.devices()[0]?.name).toBe("mine");
    expect(bridge.registry.refused).toBeGreaterThan(9000);
    expect(store.commits).toBeLessThan(300);
  });
});
