import { DmError, Status } from "../../tree/errors.ts";
import type { WriteCall } from "../../tree/mo.ts";
import type { Inventory } from "../../tree/mos/inventory.ts";
import { deviceInventory } from "../../tree/mos/inventory.ts";
import { parsePath, parseRel } from "../../tree/path.ts";
import type { Undo } from "../../tree/properties.ts";
import type { Clock, Log, Store } from "../../tree/ports.ts";
import type { Tree } from "../../tree/tree.ts";
import type { Mounted } from "../../tree/shape.ts";
import { isHere, isManaged, newDevice, recordOf, reportOf, unknownDevice } from "./device.ts";
import type { Device, Member, StoredDevice } from "./device.ts";
import { DeviceRecords } from "./device-records.ts";
import { openGroups } from "./groups.ts";
import type { Groups } from "./groups.ts";
import { DeviceIndex } from "../identity/device-index.ts";
import { profileOf } from "../identity/profile.ts";
import { openTokens } from "../tokens.ts";

/** Things that were only seen: how many may be listed, and how fast new ones may come. Anyone on the LAN can invent them. */
const seenLimits = { listed: 512, burst: 256, perMinute: 5 } as const;

export interface RegistryPorts {
  readonly tree: Tree;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** Whose devices these are. */
  readonly gatewayId?: string;
}

/**
 * Every known device under its number, over restarts. A number is given once; what is shown upstream (a managed device) has been committed before.
 * It keeps ./GwMO/DeviceInventory in the tree.
 */
export class Registry {
  readonly inventory: Inventory = {
    ids: () => [...this.#devices.values()].filter(isRecorded).map((device) => device.id),
    record: (id) => {
      const device = this.#devices.get(id);
      return device !== undefined && isRecorded(device) ? recordOf(device) : undefined;
    },
    rename: (id, name, call) => this.rename(this.get(id), name, call),
  };
  readonly index = new DeviceIndex();
  readonly groups: Groups;
  readonly #records: DeviceRecords;
  readonly #devices = new Map<string, Device>();
  /** Numbers of devices that were merged into another one. */
  readonly #former = new Map<string, Device>();
  readonly #mounted: Mounted;
  readonly #mayCreate: () => boolean;
  #refused = 0;

  constructor(ports: RegistryPorts) {
    const written = (device: Device) => this.tell(device, []);
    this.#records = new DeviceRecords({ ...ports, log: ports.log.part("devices"), devices: this.#devices, written });
    this.#mayCreate = openTokens(ports.clock, seenLimits.burst, seenLimits.perMinute);
    ports.tree.branch(parsePath("./Devices"));
    this.groups = openGroups({
      tree: ports.tree,
      store: ports.store,
      devices: () => [...this.#devices.values()].filter(isWritten).map(reportOf),
      device: (id) => {
        const device = this.#devices.get(id);
        return device === undefined || !isWritten(device) ? undefined : reportOf(device);
      },
      resolve: (id) => this.resolve(id),
      tell: (rels) => this.#mounted.changed(rels),
    });
    const parts = { gatewayId: ports.gatewayId ?? "", groups: this.groups.nodes };
    this.#mounted = ports.tree.mount(parsePath("./GwMO/DeviceInventory"), deviceInventory(this.inventory, parts));
    for (const [id, kept] of this.#records.entries()) this.#load(id, kept, "yes");
  }

  /** Sightings that were refused because too many things were seen. */
  get refused(): number {
    return this.#refused;
  }

  all(): Iterable<Device> {
    return this.#devices.values();
  }

  /** By its number, or by one that it had before a merge. @throws DmError 404 */
  get(id: string): Device {
    const device = this.#devices.get(id) ?? this.#former.get(id);
    if (device === undefined) throw new DmError(Status.notFound, `there is no device ${id}`);
    return device;
  }

  /** The number under which a device is known now. */
  resolve(id: string): string | undefined {
    return (this.#devices.get(id) ?? this.#former.get(id))?.id;
  }

  has(device: Device): boolean {
    return this.#devices.get(device.id) === device;
  }

  /** A new device. It is in memory until it is committed. */
  create(): Device {
    return this.#load(this.#records.nextId(), unknownDevice, "not yet");
  }

  /** A new device for something that was only seen; undefined when too many are, or they come too fast. */
  createSeen(): Device | undefined {
    let unmanaged = 0;
    for (const device of this.#devices.values()) if (!isManaged(device)) unmanaged++;
    if ((unmanaged >= seenLimits.listed && !this.#dropOldest()) || !this.#mayCreate()) {
      this.#refused++;
      return undefined;
    }
    return this.create();
  }

  /** What is known of the device is different now. Written with the next flush, unless it is committed. */
  keep(device: Device, next: StoredDevice): void {
    device.kept = next;
    this.#records.isDirty(device);
  }

  /** Who belongs to it is different now: written at once, together with all that changes in the same turn. */
  setMembers(device: Device, members: readonly Member[]): void {
    const before = device.profile;
    this.keep(device, { ...device.kept, members });
    device.profile = profileOf(members);
    this.index.update(device, before.keys);
    this.#records.commitSoon(device).catch(() => undefined);
  }

  /** Written at the end of this turn, with all that changes in it; `must`: however much there is of it. @throws DmError 420, 510 */
  commitSoon(device: Device, must = false): Promise<void> {
    return this.#records.commitSoon(device, must);
  }

  /** Resolves when the devices and their numbers are on the disk. @throws DmError 420, 510 */
  commit(devices: readonly Device[]): Promise<void> {
    return this.#records.commit(devices);
  }

  /** The operator's name; "" takes it away. The answer undoes it in memory. */
  rename(device: Device, name: string, call: Pick<WriteCall, "batch">): Undo {
    if (Buffer.byteLength(name) > 255) throw new DmError(Status.tooLarge, "a name has at most 255 bytes");
    const before = device.kept;
    const next: { -readonly [Key in keyof StoredDevice]: StoredDevice[Key] } = { ...before };
    delete next.name;
    device.kept = name === "" ? next : { ...next, name };
    this.#records.put(call.batch, device);
    return () => {
      device.kept = before;
    };
  }

  /** Its record is gone from the disk when this resolves; then it is forgotten. @throws DmError 420, 510 */
  async forget(device: Device): Promise<void> {
    await this.#records.delete(device.id);
    this.#remove(device);
  }

  /** It is not a device of its own any more. Its number is never used again; written with the next commit of another. */
  retire(device: Device, into: Device | undefined): void {
    this.#remove(device, into);
    this.#records.retire(device.id);
  }

  /** Takes a number back out of retirement, for a merge that is taken back. */
  revive(id: string): Device {
    this.#former.delete(id);
    this.#records.revive(id);
    return this.#load(id, unknownDevice, "not yet");
  }

  /** Those who watch the tree hear that these parts of the device are different now. */
  tell(device: Device, parts: readonly ("DevInfo" | "State")[]): void {
    if (parts.includes("DevInfo")) device.info?.info.changed([parseRel("")]);
    if (parts.includes("State")) device.info?.state.changed([parseRel("Reachable")]);
    if (device.written !== "yes") return;
    this.#mounted.changed([parseRel(`Records/${device.id}`)]);
    this.groups.changed(device.id);
  }

  async stop(): Promise<void> {
    await this.#records.stop();
  }

  #load(id: string, kept: StoredDevice, written: Device["written"]): Device {
    const device = newDevice(id, kept, written);
    this.#devices.set(id, device);
    for (const former of kept.formerIds ?? []) this.#former.set(former, device);
    this.index.update(device, new Set());
    return device;
  }

  #remove(device: Device, into?: Device): void {
    this.#records.forget(device);
    this.#devices.delete(device.id);
    this.index.remove(device);
    // Its former numbers go where it goes.
    const numbers = [...this.#former].filter(([, one]) => one === device).map(([number]) => number);
    for (const number of numbers) this.#former.delete(number);
    if (into !== undefined) for (const number of [...numbers, device.id]) this.#former.set(number, into);
    this.groups.changed(device.id);
    this.#mounted.changed([parseRel(`Records/${device.id}`)]);
  }

  /** Makes room by forgetting the thing that was away the longest; false when everything listed is there. */
  #dropOldest(): boolean {
    let oldest: Device | undefined;
    for (const device of this.#devices.values()) {
      if (
        isManaged(device) ||
        isHere(device.state) ||
        device.kept.name !== undefined ||
        device.kept.given !== undefined
      )
        continue;
      if (oldest === undefined || device.kept.lastSeen < oldest.kept.lastSeen) oldest = device;
    }
    if (oldest === undefined) return false;
    this.retire(oldest, undefined);
    return true;
  }
}

function isRecorded(device: Device): boolean {
  return device.written === "yes" && device.kept.ignored !== true;
}

function isWritten({ written }: Device): boolean {
  return written !== "not yet";
}
