import { reasonOf } from "../../tree/errors.ts";
import { bucket } from "../../tree/ports.ts";
import type { Batch, Bucket, Clock, FilledBatch, Log, Store } from "../../tree/ports.ts";
import type { Device, StoredDevice } from "./device.ts";
import { openTokens } from "../tokens.ts";

/** What devices say of themselves is written this seldom (ms): device chatter never reaches the flash. */
const flushEvery = 10 * 60_000;
/** Who is who is written at once, unless it changes as often as only somebody who plays with us makes it change. */
const identityWrites = { burst: 512, perMinute: 6 } as const;

export interface DeviceRecordsPorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** Those that there are. */
  readonly devices: ReadonlyMap<string, Device>;
  /** The number and what is known of it have reached the disk for the first time. */
  readonly written: (device: Device) => void;
}

/** The devices on the disk: what must survive is written at once, what they say of themselves now and then. */
export class DeviceRecords {
  readonly #ports: DeviceRecordsPorts;
  readonly #kept: Bucket<StoredDevice>;
  readonly #counters: Bucket<number>;
  readonly #dirty = new Set<Device>();
  /** Records to be taken from the disk with the next write. */
  readonly #retired = new Set<string>();
  readonly #mayWrite: () => boolean;
  #last: number;
  #soon: { readonly devices: Set<Device>; readonly written: Promise<void> } | undefined;
  #cancelFlush: () => void;

  constructor(ports: DeviceRecordsPorts) {
    this.#ports = ports;
    this.#kept = bucket(ports.store, "devices");
    this.#counters = bucket(ports.store, "counters");
    this.#last = this.#counters.get("device") ?? 0;
    this.#mayWrite = openTokens(ports.clock, identityWrites.burst, identityWrites.perMinute);
    this.#cancelFlush = ports.clock.after(flushEvery, () => this.#flushOften());
  }

  entries(): Iterable<readonly [id: string, kept: StoredDevice]> {
    return this.#kept.entries();
  }

  /** A number that was never given before. It is on the disk with the first commit of its device. */
  nextId(): string {
    return `d${++this.#last}`;
  }

  /** Different from what is on the disk: written with the next flush, unless it is committed. */
  isDirty(device: Device): void {
    this.#dirty.add(device);
  }

  /** Its record goes with the next write of any other. */
  retire(id: string): void {
    this.#retired.add(id);
  }

  revive(id: string): void {
    this.#retired.delete(id);
  }

  forget(device: Device): void {
    this.#dirty.delete(device);
  }

  put(batch: Batch, device: Device): void {
    this.#kept.put(batch, device.id, device.kept);
  }

  /** Resolves when the record is gone from the disk. @throws DmError 420, 510 */
  async delete(id: string): Promise<void> {
    const batch = this.#ports.store.batch();
    this.#kept.delete(batch, id);
    await this.#ports.store.commit(batch);
  }

  /**
   * Written at the end of this turn, together with all that changes in it. Too much of it waits for the next flush, unless it is told: `must`.
   * @throws DmError 420, 510
   */
  async commitSoon(device: Device, must = false): Promise<void> {
    if (this.#soon === undefined) {
      if (!must && device.written === "yes" && !this.#mayWrite()) return;
      const devices = new Set<Device>();
      const written = Promise.resolve().then(() => {
        this.#soon = undefined;
        return this.commit([...devices].filter((one) => this.#has(one)));
      });
      // Said once, however many wait for it.
      written.catch((error: unknown) => this.#failed("what was found could not be kept", error));
      this.#soon = { devices, written };
    }
    this.#soon.devices.add(device);
    await this.#soon.written;
  }

  /** Resolves when the devices and their numbers are on the disk. @throws DmError 420, 510 */
  async commit(devices: readonly Device[]): Promise<void> {
    const batch = this.#ports.store.batch();
    const retired = this.#write(batch, devices);
    try {
      await this.#ports.store.commit(batch);
    } catch (error) {
      this.#unwritten(devices, retired);
      throw error;
    }
    for (const device of devices) this.#isWritten(device);
  }

  async stop(): Promise<void> {
    this.#cancelFlush();
    for (const device of this.#ports.devices.values())
      if (device.lastSeen > device.kept.lastSeen) this.#dirty.add(device);
    await this.#flush();
  }

  /** @returns the records that it takes away. */
  #write(batch: FilledBatch, devices: readonly Device[]): readonly string[] {
    for (const device of devices) {
      device.kept = { ...device.kept, lastSeen: Math.max(device.lastSeen, device.kept.lastSeen) };
      this.#kept.put(batch, device.id, device.kept);
      this.#dirty.delete(device);
    }
    if (devices.some((device) => device.written !== "yes")) this.#counters.put(batch, "device", this.#last);
    const retired = [...this.#retired];
    for (const id of retired) this.#kept.delete(batch, id);
    this.#retired.clear();
    return retired;
  }

  #unwritten(devices: readonly Device[], retired: readonly string[]): void {
    for (const device of devices) {
      if (device.written === "not yet") device.written = "failed";
      if (this.#has(device)) this.#dirty.add(device);
    }
    for (const id of retired) if (!this.#ports.devices.has(id)) this.#retired.add(id);
  }

  #flushOften(): void {
    this.#cancelFlush = this.#ports.clock.after(flushEvery, () => this.#flushOften());
    void this.#flush();
  }

  async #flush(): Promise<void> {
    for (const device of this.#ports.devices.values()) if (device.written === "failed") this.#dirty.add(device);
    if (this.#dirty.size === 0 && this.#retired.size === 0) return;
    await this.commit([...this.#dirty]).catch((error: unknown) =>
      this.#failed("what devices say of themselves could not be kept", error),
    );
  }

  #isWritten(device: Device): void {
    if (device.written === "yes") return;
    device.written = "yes";
    if (this.#has(device)) this.#ports.written(device);
  }

  #has(device: Device): boolean {
    return this.#ports.devices.get(device.id) === device;
  }

  #failed(what: string, error: unknown): void {
    this.#ports.log.part("devices").error(what, { reason: reasonOf(error) });
  }
}
