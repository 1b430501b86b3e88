import type { DeviceReport, DeviceStory, Gateway } from "../../daemon/gateway.ts";
import { openGroups } from "../../daemon/devices/groups.ts";
import { DmError } from "../../tree/errors.ts";
import type { InventoryRecord } from "../../tree/mos/inventory.ts";
import { deviceInventory } from "../../tree/mos/inventory.ts";
import { parseRel } from "../../tree/path.ts";
import type { Mounted } from "../../tree/shape.ts";
import { path } from "../tree/small-home.ts";
import type { smallHome } from "../tree/small-home.ts";

const since = "2026-01-01T00:00:00.000Z";

export function lampReport(id: string, more: Partial<DeviceReport> = {}): DeviceReport {
  return {
    id,
    name: `Lamp ${id}`,
    manufacturer: "Acme",
    model: "L1",
    firmware: "1.0",
    addresses: ["192.168.1.20"],
    mac: "02:00:00:00:00:01",
    identities: [`mqtt:homie:${id}`],
    sources: ["mdns"],
    protocols: ["MQTT"],
    state: "managed",
    since,
    reason: "it answers",
    managed: true,
    reachable: true,
    lastSeen: since,
    uri: `./Devices/${id}`,
    groups: [],
    ...more,
  };
}

/** Devices by number, which tell when tests change them. */
class Devices extends Map<string, DeviceReport> {
  told: ((id: string) => void) | undefined;
  override set(id: string, report: DeviceReport): this {
    super.set(id, report);
    this.told?.(id);
    return this;
  }
  override delete(id: string): boolean {
    const was = super.delete(id);
    this.told?.(id);
    return was;
  }
}

type Part = "devices" | "device" | "why" | "approve" | "merge" | "split" | "ignore" | "name" | "forget";

/** The inventory of a small gateway: devices as a plain list, real groups, and the real MO in the tree. */
export function smallInventory({ tree, store }: Pick<ReturnType<typeof smallHome>, "tree" | "store">) {
  const devices = new Devices();
  const former = new Map<string, string>();
  const merges: DeviceReport[] = [];
  const decided: { readonly at: string; readonly what: string }[] = [];
  const resolve = (id: string) => (devices.has(id) ? id : former.get(id));
  const groups = openGroups({
    tree,
    store,
    devices: () => devices.values(),
    device: (id) => devices.get(id),
    resolve,
    tell: (rels) => mounted.changed(rels),
  });
  const inventory = {
    ids: () => [...devices.values()].filter((device) => device.state !== "ignored").map((device) => device.id),
    record: (id: string) => recordOf(devices.get(id)),
    rename: (id: string, name: string) => {
      const before = device(id);
      devices.set(id, { ...before, name });
      return () => void devices.set(id, before);
    },
  };
  const mounted: Mounted = tree.mount(
    path("./GwMO/DeviceInventory"),
    deviceInventory(inventory, { gatewayId: "urn:uuid:1", groups: groups.nodes }),
  );
  groups.start();
  devices.told = (id) => {
    groups.changed(id);
    mounted.changed([parseRel(`Records/${id}`)]);
  };

  const device = (id: string): DeviceReport => {
    const found = devices.get(resolve(id) ?? "");
    if (found === undefined) throw new DmError(404, `there is no device "${id}"`);
    return { ...found, groups: groups.of(found.id) };
  };
  const change = (id: string, more: Partial<DeviceReport>) => {
    const next = { ...device(id), ...more };
    devices.set(next.id, next);
    return next;
  };
  const decide = (what: string) => void decided.push({ at: since, what });
  const split = (id: string, identities: readonly string[]) => {
    const old = device(id);
    const last = merges.pop();
    if (identities.length === 0 && last === undefined) {
      throw new DmError(
        412,
        `nothing was merged into ${id}; name what is another device: ${old.identities.join(", ")}`,
      );
    }
    const own = last?.identities ?? identities;
    const other = lampReport(`d${devices.size + former.size + 1}`, { identities: own });
    devices.set(other.id, other);
    decide(`${own.join(", ")} is another device: ${other.id}`);
    return [change(id, { identities: old.identities.filter((one) => !own.includes(one)) }), other] as const;
  };

  const gateway: Pick<Gateway, Part | "groups" | "setGroup" | "removeGroup"> = {
    devices: () => [...devices.keys()].map(device),
    device,
    why: (id) => storyOf(device(id), [...former.keys()], decided),
    approve: async (id) => {
      if (device(id).protocols.length === 0) throw new DmError(405, `no adapter speaks to ${id}`);
      return change(id, { managed: true, state: "managed" });
    },
    name: async (id, name) => change(id, { name }),
    forget: async (id) => void devices.delete(device(id).id),
    merge: async (id, other) => {
      const [one, two] = [device(id), device(other)];
      if (one.id === two.id) throw new DmError(409, `${id} and ${other} are one device already`);
      merges.push(two);
      former.set(two.id, one.id);
      devices.delete(two.id);
      decide(`${two.id} is part of it`);
      return change(one.id, { identities: [...one.identities, ...two.identities] });
    },
    split: async (id, identities) => split(id, identities),
    ignore: async (id, ignored) => change(id, { state: ignored ? "ignored" : "seen", managed: false }),
    groups: () => groups.list(),
    setGroup: (id, group) => groups.set(id, group),
    removeGroup: (id) => groups.remove(id),
  };
  return { devices, decided, gateway };
}

function recordOf(device: DeviceReport | undefined): InventoryRecord | undefined {
  if (device === undefined || device.state === "ignored") return undefined;
  const { id, name, manufacturer, model, firmware, protocols, state, addresses, mac, lastSeen, managed, uri } = device;
  const rest = { hardware: "", protocol: protocols.join(" "), address: addresses[0] ?? "" };
  return {
    deviceId: id,
    name,
    manufacturer,
    model,
    firmware,
    state,
    mac,
    lastSeen,
    treeRef: managed ? uri : "",
    ...rest,
  };
}

function storyOf(device: DeviceReport, formerIds: readonly string[], decisions: DeviceStory["decisions"]): DeviceStory {
  const { id, name, mac } = device;
  const members = device.identities.map((identity) => ({
    identity,
    what: `MQTT (Homie): ${name}`,
    live: device.reachable,
    since,
    because: ["it was the first thing that was seen of this device"],
  }));
  const clues = [{ kind: "mac", value: mac, said: "network", weight: "strong" }] as const;
  return { id, name, formerIds, members, clues, others: [], decisions };
}
