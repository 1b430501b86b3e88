import type { Attached, Face, Host, Sighting } from "../adapters/adapter.ts";
import { DmError, Status, reasonOf } from "../tree/errors.ts";
import { parsePath } from "../tree/path.ts";
import { bucket } from "../tree/ports.ts";
import type { Device, LiveFace, StoredDevice } from "./device.ts";
import { factsOf, isManaged, merged, protocolOf, reportOf } from "./device.ts";
import type { DeviceReport } from "./gateway.ts";
import { Registry } from "./registry.ts";
import type { RegistryPorts } from "./registry.ts";

/** A device that could not be written is tried again after this (ms). */
const retryAfter = 30_000;

/**
 * Sightings and faces become devices of the registry, and faces come into the tree. A sighting proves nothing: its device is seen, not managed.
 * Joining the faces of one physical device by clues is not done yet: one identity is one device.
 */
export class Bridge {
  readonly registry: Registry;
  readonly #ports: RegistryPorts;
  readonly #considering = new Set<(sighting: Sighting) => void>();
  #stopped = false;

  constructor(ports: RegistryPorts) {
    this.#ports = ports;
    this.registry = new Registry(ports);
  }

  devices(): readonly DeviceReport[] {
    const listed = [...this.registry.all()].filter((device) => device.written !== "not yet");
    return listed.map(reportOf).sort((a, b) => Number(a.id.slice(1)) - Number(b.id.slice(1)));
  }

  /** An adapter that wants to look at sightings: those that are there, and all that come. */
  considerWith(consider: (sighting: Sighting) => void): () => void {
    this.#considering.add(consider);
    for (const device of this.registry.all()) for (const sighting of device.sightings.values()) consider(sighting);
    return () => this.#considering.delete(consider);
  }

  seen(sighting: Sighting): void {
    const key = identityOf(sighting.source, sighting.key);
    const device = this.registry.of(key) ?? this.registry.createSeen(key);
    if (device === undefined) return;
    device.sightings.set(key, sighting);
    device.lastSeen = this.#ports.clock.now();
    const { kept } = device;
    this.registry.keep(device, {
      ...kept,
      facts: isManaged(device) ? kept.facts : { ...kept.facts, ...factsOf(sighting) },
      addresses: sighting.addresses.length > 0 ? sighting.addresses.slice(0, 8) : kept.addresses,
      sources: merged(kept.sources, [sighting.source]),
      protocols: merged(kept.protocols, [protocolOf(sighting)]),
    });
    for (const consider of this.#considering) consider(sighting);
  }

  /** It spoke again, and said nothing new. */
  heard(source: Sighting["source"], key: string): void {
    const device = this.registry.of(identityOf(source, key));
    if (device !== undefined) device.lastSeen = this.#ports.clock.now();
  }

  gone(source: Sighting["source"], key: string): void {
    const identity = identityOf(source, key);
    const device = this.registry.of(identity);
    if (device?.sightings.delete(identity)) this.registry.tell(device, ["State"]);
  }

  /** Everything that the adapter `name` gets. `status` hears what it says of itself. */
  host(name: string, status: Host["status"]): Host {
    return {
      clock: this.#ports.clock,
      log: this.#ports.log.part(name),
      state: bucket(this.#ports.store, `adapter ${name}`),
      attach: (face) => this.#attach(face, name),
      status,
    };
  }

  /** The adapter `name` has stopped: its devices stay known, and are away until it runs again. */
  withdraw(name: string): void {
    for (const device of this.registry.all()) {
      for (const live of [...device.faces.values()]) {
        if (live.adapter !== name) continue;
        live.mounted?.unmount(true);
        device.faces.delete(live.face.identity);
        this.registry.mountAbsent(device, live.face.identity);
        this.registry.tell(device, ["State"]);
      }
    }
  }

  /** @throws DmError 404, 405 */
  async approve(id: string): Promise<DeviceReport> {
    const device = this.registry.get(id);
    if (isManaged(device)) return reportOf(device);
    throw new DmError(Status.notAllowed, `${id} is only seen: no adapter that is enabled speaks its protocol`);
  }

  async name(id: string, name: string): Promise<DeviceReport> {
    const device = this.registry.get(id);
    const batch = this.#ports.store.batch();
    const undo = this.registry.rename(device, name, { batch });
    try {
      await this.#ports.store.commit(batch);
    } catch (error) {
      undo();
      throw error;
    }
    this.registry.tell(device, ["DevInfo"]);
    return reportOf(device);
  }

  async forget(id: string): Promise<void> {
    await this.registry.forget(this.registry.get(id));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.registry.stop();
  }

  #attach(first: Face, adapter: string): Attached {
    let face = first;
    let device: Device | undefined;
    let live: LiveFace | undefined;
    /** After `forget`, a face that speaks again is a new device. */
    const present = (): { device: Device; live: LiveFace } => {
      if (device === undefined || live === undefined || this.registry.of(face.identity) !== device) {
        device = this.registry.of(face.identity) ?? this.registry.create(face.identity);
        live = { face, adapter, reachable: live?.reachable ?? face.reachable, mounted: undefined };
        this.#join(device, live);
      }
      return { device, live };
    };
    present();
    return {
      changed: (rels) => {
        const { device, live } = present();
        device.lastSeen = this.#ports.clock.now();
        live.mounted?.changed(rels);
      },
      seen: () => {
        present().device.lastSeen = this.#ports.clock.now();
      },
      reachable: (now) => {
        if (!now && live !== undefined && this.registry.of(face.identity) !== device) {
          live.reachable = false;
          return;
        }
        const { device: here, live: there } = present();
        if (now) here.lastSeen = this.#ports.clock.now();
        if (there.reachable === now) return;
        there.reachable = now;
        this.registry.tell(here, ["State"]);
      },
      update: (news) => {
        face = { ...face, ...news };
        const { device } = present();
        this.registry.keep(device, { ...device.kept, ...saidBy(face, device.kept) });
      },
      finished: (correlator, status) =>
        this.#ports.log.part("devices").info("a deferred command has ended", { correlator, status }),
      detach: () => {
        if (device !== undefined && live !== undefined) this.#leave(device, live);
        device = undefined;
        live = undefined;
      },
    };
  }

  #join(device: Device, live: LiveFace): void {
    const { face } = live;
    if (device.faces.has(face.identity))
      throw new DmError(Status.alreadyExists, `${face.identity} is attached already`);
    device.faces.set(face.identity, live);
    if (live.reachable) device.lastSeen = this.#ports.clock.now();
    const { kept } = device;
    const known = kept.faces.find((one) => one.identity === face.identity);
    const mount = known?.mount ?? freeName(face.name, kept);
    this.registry.keep(device, {
      ...kept,
      ...saidBy(face, kept),
      identities: merged(kept.identities, [face.identity]),
      faces:
        known !== undefined ? kept.faces : [...kept.faces, { identity: face.identity, mount, protocol: face.name }],
      protocols: merged(kept.protocols, [face.name]),
    });
    if (known !== undefined) this.#show(device, live, mount);
    else void this.#showOnceKept(device, live, mount);
  }

  /** A number that was told must never be given again: the mount waits for the disk. */
  async #showOnceKept(device: Device, live: LiveFace, mount: string): Promise<void> {
    try {
      await this.registry.commit(device);
      this.#show(device, live, mount);
    } catch (error) {
      this.#ports.log.part("devices").error("a new device could not be kept, so it is not managed yet", {
        device: device.id,
        reason: reasonOf(error),
      });
      this.#ports.clock.after(retryAfter, () => void this.#showOnceKept(device, live, mount));
    }
  }

  #show(device: Device, live: LiveFace, mount: string): void {
    if (this.#stopped || device.faces.get(live.face.identity) !== live || live.mounted !== undefined) return;
    const quiet = device.absent.has(mount);
    device.absent.get(mount)?.unmount(true);
    device.absent.delete(mount);
    // A new State tells itself; one that was there is other only by a face that is reachable.
    const news = device.info !== undefined && live.reachable ? (["State"] as const) : [];
    this.registry.mountInfo(device);
    live.mounted = this.#ports.tree.mount(parsePath(`./Devices/${device.id}/${mount}`), live.face.mo, {
      key: live.face.identity,
      quiet,
    });
    this.registry.tell(device, news);
  }

  #leave(device: Device, live: LiveFace): void {
    live.mounted?.unmount();
    device.faces.delete(live.face.identity);
    const faces = device.kept.faces.filter((one) => one.identity !== live.face.identity);
    if (faces.length === 0) this.registry.unmountInfo(device);
    this.registry.keep(device, { ...device.kept, faces });
  }
}

function identityOf(source: Sighting["source"], key: string): string {
  return `${source} ${key}`;
}

/** "MQTT", and for a second face of the same protocol "MQTT2". */
function freeName(protocol: string, kept: StoredDevice): string {
  const taken = new Set(kept.faces.map((face) => face.mount));
  for (let n = 1; ; n++) {
    const name = n === 1 ? protocol : `${protocol}${n}`;
    if (!taken.has(name)) return name;
  }
}

function saidBy(face: Face, kept: StoredDevice): Pick<StoredDevice, "facts" | "addresses" | "mac"> {
  const mac = face.clues.find((clue) => clue.kind === "mac")?.value;
  return {
    facts: { ...kept.facts, ...face.facts },
    addresses: face.addresses.length > 0 ? face.addresses.slice(0, 8) : kept.addresses,
    mac: mac?.toLowerCase() ?? kept.mac,
  };
}
