import type { Device } from "../devices/device.ts";
import type { Clue, ClueKey } from "./clues.ts";
import { keyOf } from "./clues.ts";

/** Finds devices by what they say: by the identity of a member, and by clue. */
export class DeviceIndex {
  readonly #byIdentity = new Map<string, Device>();
  readonly #byKey = new Map<ClueKey, Set<Device>>();
  /** What people gave to a device: identities and clues. */
  readonly #given = new Map<string, Device>();
  /** What stands of a device in the two above. */
  readonly #namesOf = new Map<Device, { readonly identities: readonly string[]; readonly given: readonly string[] }>();

  of(identity: string): Device | undefined {
    return this.#byIdentity.get(identity);
  }

  /** The device to which a person gave this identity, or one of these clues. */
  given(identity: string, clues: readonly Clue[]): Device | undefined {
    const direct = this.#given.get(identity);
    if (direct !== undefined) return direct;
    for (const clue of clues) {
      const device = this.#given.get(keyOf(clue));
      if (device !== undefined) return device;
    }
    return undefined;
  }

  /** Devices that have one of these clues. */
  sharing(keys: Iterable<ClueKey>): ReadonlySet<Device> {
    const found = new Set<Device>();
    for (const key of keys) for (const device of this.#byKey.get(key) ?? []) found.add(device);
    return found;
  }

  /** The device as it is now, in the place of what it was. */
  update(device: Device, before: ReadonlySet<ClueKey>): void {
    const { keys } = device.profile;
    for (const key of before) if (!keys.has(key)) this.#drop(key, device);
    for (const key of keys) {
      const devices = this.#byKey.get(key) ?? new Set();
      this.#byKey.set(key, devices.add(device));
    }
    this.#forgetNames(device);
    const identities = device.kept.members.map(({ identity }) => identity);
    const given = device.kept.given ?? [];
    for (const identity of identities) this.#byIdentity.set(identity, device);
    for (const name of given) this.#given.set(name, device);
    this.#namesOf.set(device, { identities, given });
  }

  remove(device: Device): void {
    for (const key of device.profile.keys) this.#drop(key, device);
    this.#forgetNames(device);
    this.#namesOf.delete(device);
  }

  #forgetNames(device: Device): void {
    const names = this.#namesOf.get(device);
    for (const name of names?.identities ?? [])
      if (this.#byIdentity.get(name) === device) this.#byIdentity.delete(name);
    for (const name of names?.given ?? []) if (this.#given.get(name) === device) this.#given.delete(name);
  }

  #drop(key: ClueKey, device: Device): void {
    const devices = this.#byKey.get(key);
    devices?.delete(device);
    if (devices?.size === 0) this.#byKey.delete(key);
  }
}
