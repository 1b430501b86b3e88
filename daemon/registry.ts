import { DmError, Status, reasonOf } from "../tree/errors.ts";
import type { WriteCall } from "../tree/mo.ts";
import { absentFace, deviceInfo, deviceState } from "../tree/mos/device.ts";
import type { Inventory } from "../tree/mos/inventory.ts";
import { deviceInventory } from "../tree/mos/inventory.ts";
import { parsePath, parseRel } from "../tree/path.ts";
import { bucket } from "../tree/ports.ts";
import type { Undo } from "../tree/properties.ts";
import type { Bucket, Clock, FilledBatch, Log, Store } from "../tree/ports.ts";
import { absentFaceUrn } from "../tree/project-names.ts";
import type { Tree } from "../tree/tree.ts";
import type { Mounted } from "../tree/shape.ts";
import type { Device, StoredDevice } from "./device.ts";
import { displayName, isManaged, isReachable, recordOf, stateOf, unknownDevice } from "./device.ts";
import { openTokens } from "./tokens.ts";

/** Things that were only seen: how many may be listed, and how fast new ones may come. Anyone on the LAN can invent them. */
const seenLimits = { listed: 512, burst: 256, perMinute: 5 } as const;
/** What devices say of themselves is written this seldom (ms): device chatter never reaches the flash. */
const flushEvery = 10 * 60_000;

export interface RegistryPorts {
  readonly tree: Tree;
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Every known device under its number, over restarts. A number is given once; what is shown upstream (a managed device) has been committed before.
 * It keeps ./GwMO/DeviceInventory and the DevInfo and State of managed devices in the tree.
 */
export class Registry {
  readonly inventory: Inventory = {
    ids: () => [...this.#devices.values()].filter((device) => device.written === "yes").map((device) => device.id),
    record: (id) => {
      const device = this.#devices.get(id);
      return device?.written === "yes" ? recordOf(device) : undefined;
    },
    rename: (id, name, call) => this.rename(this.get(id), name, call),
  };
  readonly #ports: RegistryPorts;
  readonly #kept: Bucket<StoredDevice>;
  readonly #counters: Bucket<number>;
  readonly #devices = new Map<string, Device>();
  readonly #byIdentity = new Map<string, Device>();
  readonly #dirty = new Set<Device>();
  readonly #mounted: Mounted;
  readonly #tokens: () => boolean;
  #last: number;
  #refused = 0;
  #cancelFlush: () => void;

  constructor(ports: RegistryPorts) {
    this.#ports = ports;
    this.#kept = bucket(ports.store, "devices");
    this.#counters = bucket(ports.store, "counters");
    this.#last = this.#counters.get("device") ?? 0;
    this.#tokens = openTokens(ports.clock, seenLimits.burst, seenLimits.perMinute);
    ports.tree.branch(parsePath("./Devices"));
    this.#mounted = ports.tree.mount(parsePath("./GwMO/DeviceInventory"), deviceInventory(this.inventory));
    for (const [id, kept] of this.#kept.entries()) this.#restore(id, kept);
    this.#cancelFlush = ports.clock.after(flushEvery, () => this.#flushOften());
  }

  /** Sightings that were refused because too many things were seen. */
  get refused(): number {
    return this.#refused;
  }

  all(): Iterable<Device> {
    return this.#devices.values();
  }

  /** @throws DmError 404 */
  get(id: string): Device {
    const device = this.#devices.get(id);
    if (device === undefined) throw new DmError(Status.notFound, `there is no device ${id}`);
    return device;
  }

  of(identity: string): Device | undefined {
    return this.#byIdentity.get(identity);
  }

  /** A new device, known under this identity. It is in memory until {@link commit}. */
  create(identity: string): Device {
    return this.#load(`d${++this.#last}`, { ...unknownDevice, identities: [identity] }, "not yet");
  }

  /** A new device for something that was only seen; undefined when too many are, or they come too fast. */
  createSeen(identity: string): Device | undefined {
    let unmanaged = 0;
    for (const device of this.#devices.values()) if (!isManaged(device)) unmanaged++;
    if ((unmanaged >= seenLimits.listed && !this.#dropOldest()) || !this.#tokens()) {
      this.#refused++;
      return undefined;
    }
    const device = this.create(identity);
    // Committed with what is learned in the same turn. If the power goes before, nobody upstream has heard of it.
    queueMicrotask(() => {
      this.commit(device).catch((error: unknown) => this.#failed("a sighting could not be kept", error));
    });
    return device;
  }

  /** What is known of the device is different now. Written with the next flush, unless it is committed. */
  keep(device: Device, next: StoredDevice): void {
    if (JSON.stringify(next) === JSON.stringify(device.kept)) return;
    const before = stateOf(device);
    device.kept = next;
    for (const identity of next.identities) this.#byIdentity.set(identity, device);
    this.#dirty.add(device);
    this.tell(device, before === stateOf(device) ? ["DevInfo"] : ["DevInfo", "State"]);
  }

  /** Resolves when the device and its number are on the disk. @throws DmError 420, 510 */
  async commit(device: Device): Promise<void> {
    const batch = this.#ports.store.batch();
    this.#put(batch, device);
    this.#counters.put(batch, "device", this.#last);
    try {
      await this.#ports.store.commit(batch);
    } catch (error) {
      if (device.written === "not yet") device.written = "failed";
      throw error;
    }
    this.#isWritten(device);
  }

  /** The operator's name; "" takes it away. The answer undoes it in memory. */
  rename(device: Device, name: string, call: Pick<WriteCall, "batch">): Undo {
    if (Buffer.byteLength(name) > 255) throw new DmError(Status.tooLarge, "a name has at most 255 bytes");
    const before = device.kept;
    const next: { -readonly [Key in keyof StoredDevice]: StoredDevice[Key] } = { ...before };
    delete next.name;
    device.kept = name === "" ? next : { ...next, name };
    this.#kept.put(call.batch, device.id, device.kept);
    return () => {
      device.kept = before;
    };
  }

  async forget(device: Device): Promise<void> {
    const batch = this.#ports.store.batch();
    this.#kept.delete(batch, device.id);
    await this.#ports.store.commit(batch);
    this.#remove(device);
  }

  /** Those who watch the tree hear that these parts of the device are different now. */
  tell(device: Device, parts: readonly ("DevInfo" | "State")[]): void {
    if (parts.includes("DevInfo")) device.info?.info.changed([parseRel("")]);
    if (parts.includes("State")) device.info?.state.changed([parseRel("Reachable")]);
    if (device.written === "yes") this.#mounted.changed([parseRel(`Records/${device.id}`)]);
  }

  /** @param quiet it is known from before the restart */
  mountInfo(device: Device, quiet = false): void {
    if (device.info !== undefined) return;
    const { id } = device;
    const { tree } = this.#ports;
    const state = deviceState(id, this.inventory, () => isReachable(device));
    const info = deviceInfo(id, this.inventory);
    device.info = {
      info: tree.mount(parsePath(`./Devices/${id}/DevInfo`), info, { title: displayName(device), quiet }),
      state: tree.mount(parsePath(`./Devices/${id}/State`), state, { quiet }),
    };
  }

  /** Holds the place of a face that is known, but not attached: its nodes answer 503, not 404. */
  mountAbsent(device: Device, identity: string): void {
    const mount = device.kept.faces.find((face) => face.identity === identity)?.mount;
    if (mount === undefined) return;
    const at = parsePath(`./Devices/${device.id}/${mount}`);
    device.absent.set(mount, this.#ports.tree.mount(at, absentFace(absentFaceUrn), { key: identity, quiet: true }));
  }

  unmountInfo(device: Device): void {
    device.info?.info.unmount();
    device.info?.state.unmount();
    device.info = undefined;
  }

  async stop(): Promise<void> {
    this.#cancelFlush();
    for (const device of this.#devices.values()) if (device.lastSeen > device.kept.lastSeen) this.#dirty.add(device);
    await this.#flush();
  }

  #restore(id: string, kept: StoredDevice): void {
    const device = this.#load(id, kept, "yes");
    if (!isManaged(device)) return;
    this.mountInfo(device, true);
    for (const { identity } of kept.faces) this.mountAbsent(device, identity);
  }

  #load(id: string, kept: StoredDevice, written: Device["written"]): Device {
    const device: Device = {
      id,
      kept,
      written,
      lastSeen: 0,
      sightings: new Map(),
      faces: new Map(),
      info: undefined,
      absent: new Map(),
    };
    this.#devices.set(id, device);
    for (const identity of kept.identities) this.#byIdentity.set(identity, device);
    return device;
  }

  #remove(device: Device): void {
    this.#dirty.delete(device);
    this.#devices.delete(device.id);
    for (const identity of device.kept.identities) {
      if (this.#byIdentity.get(identity) === device) this.#byIdentity.delete(identity);
    }
    for (const live of device.faces.values()) live.mounted?.unmount();
    for (const mounted of device.absent.values()) mounted.unmount();
    device.faces.clear();
    this.unmountInfo(device);
    this.#mounted.changed([parseRel(`Records/${device.id}`)]);
  }

  /** Makes room by forgetting the thing that was away the longest; false when everything listed is there. */
  #dropOldest(): boolean {
    let oldest: Device | undefined;
    for (const device of this.#devices.values()) {
      if (isManaged(device) || isReachable(device) || device.kept.name !== undefined) continue;
      if (oldest === undefined || device.kept.lastSeen < oldest.kept.lastSeen) oldest = device;
    }
    if (oldest === undefined) return false;
    this.forget(oldest).catch((error: unknown) => this.#failed("a sighting could not be dropped", error));
    this.#remove(oldest);
    return true;
  }

  #put(batch: FilledBatch, device: Device): void {
    device.kept = { ...device.kept, lastSeen: Math.max(device.lastSeen, device.kept.lastSeen) };
    this.#kept.put(batch, device.id, device.kept);
    this.#dirty.delete(device);
  }

  #flushOften(): void {
    this.#cancelFlush = this.#ports.clock.after(flushEvery, () => this.#flushOften());
    void this.#flush();
  }

  async #flush(): Promise<void> {
    const batch = this.#ports.store.batch();
    for (const device of this.#devices.values()) if (device.written === "failed") this.#dirty.add(device);
    const flushed = [...this.#dirty];
    for (const device of flushed) this.#put(batch, device);
    if (flushed.some((device) => device.written !== "yes")) this.#counters.put(batch, "device", this.#last);
    try {
      await this.#ports.store.commit(batch);
      for (const device of flushed) this.#isWritten(device);
    } catch (error) {
      for (const device of flushed) this.#dirty.add(device);
      this.#failed("what devices say of themselves could not be kept", error);
    }
  }

  #isWritten(device: Device): void {
    if (device.written === "yes") return;
    device.written = "yes";
    this.tell(device, []);
  }

  #failed(what: string, error: unknown): void {
    this.#ports.log.part("devices").error(what, { reason: reasonOf(error) });
  }
}
