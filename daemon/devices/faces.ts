import type { Face } from "../../adapters/adapter.ts";
import { absentFace, deviceInfo, deviceState } from "../../tree/mos/device.ts";
import { parsePath } from "../../tree/path.ts";
import type { Clock } from "../../tree/ports.ts";
import { absentFaceUrn } from "../../tree/project-names.ts";
import type { Tree } from "../../tree/tree.ts";
import { displayName, isHere, isManaged } from "./device.ts";
import type { Device, KeptFace, LiveFace } from "./device.ts";
import type { Registry } from "./registry.ts";

/** A device that could not be written is tried again after this (ms). */
const retryAfter = 30_000;

/** What devices have in the tree: DevInfo, State, and a mount for each face. */
export class Faces {
  readonly #tree: Tree;
  readonly #registry: Registry;
  readonly #clock: Clock;
  readonly #settled: (device: Device) => void;
  /** Faces whose place is on the disk: only those are shown. */
  readonly #kept = new WeakSet<LiveFace>();
  #stopped = false;

  /** `settled`: something of the device has come into the tree, or has left it. */
  constructor({ tree, clock }: { tree: Tree; clock: Clock }, registry: Registry, settled: (device: Device) => void) {
    this.#settled = settled;
    this.#tree = tree;
    this.#registry = registry;
    this.#clock = clock;
  }

  /** Devices that are known from before a restart are there at once; their faces are held until they are found again. */
  restore(): void {
    for (const device of this.#registry.all()) this.settle(device);
  }

  /** A face is there. A place that it had before is its own again. */
  join(device: Device, live: LiveFace): void {
    const { face } = live;
    device.faces.set(face.identity, live);
    const { kept } = device;
    const known = kept.faces.find((one) => one.identity === face.identity);
    const access = face.access === "approve" ? { access: "approve" as const } : {};
    if (known !== undefined && known.access === access.access) {
      this.#kept.add(live);
      return this.settle(device);
    }
    const before = known ?? this.#successionOf(device, face);
    if (before !== undefined && before !== known) this.#putAway(device, before);
    const fresh: KeptFace = {
      identity: face.identity,
      mount: before?.mount ?? freeName(face.name, kept.faces),
      protocol: face.name,
      ...access,
    };
    const others = kept.faces.filter((one) => one !== before);
    this.#registry.keep(device, { ...kept, faces: [...others, fresh] });
    void this.#settleOnceKept(device);
  }

  /** It is not there any more, for good. */
  leave(device: Device, live: LiveFace): void {
    live.mounted?.unmount();
    live.mounted = undefined;
    device.faces.delete(live.face.identity);
    const faces = device.kept.faces.filter((one) => one.identity !== live.face.identity);
    this.#registry.keep(device, { ...device.kept, faces });
    this.settle(device);
  }

  /** Its adapter has stopped: the place is held. */
  withdraw(device: Device, live: LiveFace): void {
    live.mounted?.unmount(true);
    live.mounted = undefined;
    device.faces.delete(live.face.identity);
    this.settle(device);
    this.#registry.tell(device, ["State"]);
  }

  /** These faces of one device are another's from now on, under names that are free there. */
  move(from: Device, to: Device, identities: ReadonlySet<string>): void {
    const moving = from.kept.faces.filter(({ identity }) => identities.has(identity));
    if (moving.length === 0) return;
    let faces = to.kept.faces;
    for (const one of moving) {
      faces = [...faces, { ...one, mount: freeName(one.protocol, faces) }];
      from.absent.get(one.mount)?.unmount();
      from.absent.delete(one.mount);
      const live = from.faces.get(one.identity);
      if (live === undefined) continue;
      live.mounted?.unmount();
      live.mounted = undefined;
      this.#kept.delete(live);
      from.faces.delete(one.identity);
      to.faces.set(one.identity, live);
    }
    this.#registry.keep(from, { ...from.kept, faces: from.kept.faces.filter((one) => !moving.includes(one)) });
    this.#registry.keep(to, { ...to.kept, faces });
    this.settle(from);
    void this.#settleOnceKept(to);
  }

  /** Brings the tree in line with what the device is now: managed or not, its faces there or away. */
  settle(device: Device): void {
    if (this.#stopped) return;
    if (!isManaged(device) || !this.#registry.has(device)) return this.clear(device);
    if (device.written !== "yes") return void this.#settleOnceKept(device);
    // What was known before a restart is no news; neither is a face that takes the place that was held for it.
    const known = device.lastSeen === 0;
    this.#mountInfo(device, known);
    for (const { identity, mount } of device.kept.faces) {
      const live = device.faces.get(identity);
      if (live === undefined) this.#hold(device, identity, mount);
      else if (live.mounted === undefined && this.#kept.has(live)) this.#show(device, live, mount);
    }
    this.#settled(device);
  }

  /** Nothing of it is in the tree any more. */
  clear(device: Device): void {
    for (const live of device.faces.values()) {
      live.mounted?.unmount();
      live.mounted = undefined;
    }
    for (const mounted of device.absent.values()) mounted.unmount();
    device.absent.clear();
    if (device.info === undefined) return;
    device.info.info.unmount();
    device.info.state.unmount();
    device.info = undefined;
    this.#settled(device);
  }

  stop(): void {
    this.#stopped = true;
  }

  /**
   * The face whose place a new one takes: of the same protocol, not proven by anybody either, and not there any more. A box whose UUID changes with each update
   * stays at `UPnP`, where servers look for it.
   */
  #successionOf({ kept, faces }: Device, { name, access }: Face): KeptFace | undefined {
    if (access !== "approve") return undefined;
    const isGone = ({ identity }: KeptFace) => faces.get(identity)?.reachable !== true;
    return kept.faces.find((one) => one.protocol === name && one.access === "approve" && isGone(one));
  }

  #putAway(device: Device, { identity, mount }: KeptFace): void {
    const live = device.faces.get(identity);
    live?.mounted?.unmount();
    if (live !== undefined) live.mounted = undefined;
    device.faces.delete(identity);
    device.absent.get(mount)?.unmount();
    device.absent.delete(mount);
  }

  /** A number or a name that was told must never be given again: the mount waits for the disk. */
  async #settleOnceKept(device: Device): Promise<void> {
    const waiting = [...device.faces.values()];
    try {
      await this.#registry.commitSoon(device, true);
    } catch {
      // It was said already.
      this.#clock.after(retryAfter, () => this.#registry.has(device) && void this.#settleOnceKept(device));
      return;
    }
    for (const live of waiting) if (device.faces.get(live.face.identity) === live) this.#kept.add(live);
    this.settle(device);
  }

  #show(device: Device, live: LiveFace, mount: string): void {
    const quiet = device.absent.has(mount);
    device.absent.get(mount)?.unmount(true);
    device.absent.delete(mount);
    live.mounted = this.#tree.mount(parsePath(`./Devices/${device.id}/${mount}`), live.face.mo, {
      key: live.face.identity,
      quiet,
    });
    this.#registry.tell(device, []);
  }

  /** Its nodes answer 503, not 404. */
  #hold(device: Device, identity: string, mount: string): void {
    if (device.absent.has(mount)) return;
    const at = parsePath(`./Devices/${device.id}/${mount}`);
    device.absent.set(mount, this.#tree.mount(at, absentFace(absentFaceUrn), { key: identity, quiet: true }));
  }

  #mountInfo(device: Device, quiet: boolean): void {
    if (device.info !== undefined) return;
    const { id } = device;
    const { inventory } = this.#registry;
    const state = deviceState(id, inventory, () => isHere(device.state));
    const info = deviceInfo(id, inventory);
    device.info = {
      info: this.#tree.mount(parsePath(`./Devices/${id}/DevInfo`), info, { title: displayName(device), quiet }),
      state: this.#tree.mount(parsePath(`./Devices/${id}/State`), state, { quiet }),
    };
  }
}

/** "MQTT", and for a second face of the same protocol "MQTT2". */
function freeName(protocol: string, faces: readonly KeptFace[]): string {
  const taken = new Set(faces.map((face) => face.mount));
  for (let n = 1; ; n++) {
    const name = n === 1 ? protocol : `${protocol}${n}`;
    if (!taken.has(name)) return name;
  }
}
