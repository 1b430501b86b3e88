import type { Host, Sighting } from "../../adapters/adapter.ts";
import { bucket } from "../../tree/ports.ts";
import { attachFace } from "./attaching.ts";
import type { Device } from "./device.ts";
import { addressesOf, factsOf, isManaged, macOf, merged, reportOf } from "./device.ts";
import { Faces } from "./faces.ts";
import type { DeviceReport, DeviceStory } from "../gateway.ts";
import { sightingIdentity } from "../identity/traces.ts";
import { storyOf } from "../identity/story.ts";
import { Joining } from "./joining.ts";
import { Life } from "./life.ts";
import { People } from "./people.ts";
import { Registry } from "./registry.ts";
import type { RegistryPorts } from "./registry.ts";

export interface BridgePorts extends RegistryPorts {
  /** Asks the network who is at an address; the answer comes as a sighting. Absent: nobody can say. */
  readonly probe?: (address: string, onInterface: string) => void;
}

/** An adapter that looks at sightings. */
interface Watcher {
  readonly consider: (sighting: Sighting) => void;
  readonly ended: (sighting: Pick<Sighting, "source" | "key">) => void;
}

/** Sightings and faces become devices, each once, and faces come into the tree. A sighting proves nothing: its device is seen, not managed. */
export class Bridge {
  readonly registry: Registry;
  readonly #ports: BridgePorts;
  readonly #faces: Faces;
  readonly #joining: Joining;
  readonly #life: Life;
  readonly #people: People;
  readonly #watchers = new Set<Watcher>();
  /** Sightings that are there although their device was forgotten. */
  readonly #forgotten = new Map<string, Sighting>();
  #changed: () => void = () => undefined;

  constructor(ports: BridgePorts) {
    this.#ports = ports;
    const { clock, probe } = ports;
    this.registry = new Registry(ports);
    this.#faces = new Faces(ports, this.registry, (device) => this.#life.update(device));
    const joined = { registry: this.registry, faces: this.#faces, clock, probe };
    this.#joining = new Joining({ ...joined, changed: (device) => this.#refresh(device) });
    const canTell = (onInterface: string) => this.#joining.book.knows(onInterface);
    const reconsider = (device: Device) => this.#joining.reconsider(device);
    const review = () => this.#joining.review();
    this.#life = new Life({ registry: this.registry, clock, probe, canTell, reconsider, review });
    this.#people = new People({ ...joined, joining: this.#joining });
    this.#faces.restore();
    this.registry.groups.start();
  }

  /** Calls when any device may be different. */
  onChange(changed: () => void): void {
    this.#changed = changed;
  }

  /** All that are known, in the order of their numbers; those that a person ignores too. */
  devices(): readonly DeviceReport[] {
    const listed = [...this.registry.all()].filter((device) => device.written !== "not yet");
    return listed.map((device) => this.#report(device)).sort((a, b) => Number(a.id.slice(1)) - Number(b.id.slice(1)));
  }

  /** @throws DmError 404 */
  device(id: string): DeviceReport {
    return this.#report(this.registry.get(id));
  }

  /** @throws DmError 404 */
  why(id: string): DeviceStory {
    const device = this.registry.get(id);
    return storyOf(device, this.registry.index.sharing(device.profile.keys), (mac) =>
      this.#joining.book.carriesOthers(mac),
    );
  }

  /** An adapter that wants to look at sightings: those that are there, and all that come. */
  considerWith(watcher: Watcher): () => void {
    this.#watchers.add(watcher);
    for (const device of this.registry.all())
      for (const { sighting } of device.live.values()) if (sighting !== undefined) watcher.consider(sighting);
    return () => this.#watchers.delete(watcher);
  }

  seen(sighting: Sighting): void {
    this.#forgotten.delete(sightingIdentity(sighting));
    const device = this.#joining.seen(sighting);
    if (device !== undefined && sighting.source !== "leases")
      this.#heard(device, `heard by ${sourceNames[sighting.source]}`);
    for (const { consider } of this.#watchers) consider(sighting);
  }

  /** It spoke again, and said nothing new. */
  heard(source: Sighting["source"], key: string): void {
    const identity = sightingIdentity({ source, key });
    const forgotten = this.#forgotten.get(identity);
    if (forgotten !== undefined) return this.seen(forgotten);
    const device = this.#joining.heard(identity);
    if (device !== undefined && source !== "leases") this.#heard(device, `heard by ${sourceNames[source]}`);
  }

  gone(source: Sighting["source"], key: string, why: "goodbye" | "unanswered" | "expired" = "expired"): void {
    const identity = sightingIdentity({ source, key });
    this.#forgotten.delete(identity);
    const device = this.#joining.ended(identity);
    for (const { ended } of this.#watchers) ended({ source, key });
    if (device === undefined) return;
    this.#refresh(device);
    this.#life.update(device, endings[why](sourceNames[source]));
  }

  /** Everything that the adapter `name` gets. `status` hears what it says of itself. */
  host(name: string, status: Host["status"]): Host {
    const attaching = {
      registry: this.registry,
      joining: this.#joining,
      faces: this.#faces,
      log: this.#ports.log.part("devices"),
      heard: (device: Device, reason: string) => this.#heard(device, reason),
      settled: (device: Device, reason: string) => this.#settled(device, reason),
    };
    return {
      clock: this.#ports.clock,
      log: this.#ports.log.part(name),
      state: bucket(this.#ports.store, `adapter ${name}`),
      attach: (face) => attachFace(face, name, attaching),
      status,
    };
  }

  /** The adapter `name` has stopped: its devices stay known, and are away until it runs again. */
  withdraw(name: string): void {
    for (const device of [...this.registry.all()]) {
      for (const live of [...device.faces.values()]) {
        if (live.adapter !== name) continue;
        device.live.delete(live.face.identity);
        // Before the face leaves the tree: that tells of the new state, with this reason.
        device.cause = `the adapter ${name} was stopped`;
        this.#faces.withdraw(device, live);
        this.#life.update(device);
      }
    }
  }

  /** @throws DmError 404, 405 */
  async approve(id: string): Promise<DeviceReport> {
    const device = this.registry.get(id);
    if (isManaged(device) && device.kept.approved !== true) return this.#report(device);
    await this.#people.approve(id);
    return this.#after(device, device.cause);
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
    return this.#after(device, device.cause);
  }

  async merge(id: string, other: string): Promise<DeviceReport> {
    const device = await this.#people.merge(id, other);
    return this.#after(device, "merged by a person");
  }

  async split(id: string, identities: readonly string[]): Promise<readonly [DeviceReport, DeviceReport]> {
    const [first, second] = await this.#people.split(id, identities);
    return [this.#after(first, first.cause), this.#after(second, second.cause)];
  }

  async ignore(id: string, ignored: boolean): Promise<DeviceReport> {
    const device = await this.#people.ignore(id, ignored);
    return this.#after(device, device.cause);
  }

  /** Takes it out of the inventory; what is still there comes back under a new number when it speaks. @throws DmError 404, 420, 510 */
  async forget(id: string): Promise<void> {
    const device = this.registry.get(id);
    await this.registry.forget(device);
    for (const { trace, sighting } of [...device.live.values()]) {
      this.#joining.members.dropLive(device, trace.identity);
      if (sighting !== undefined) this.#forgotten.set(trace.identity, sighting);
    }
    this.#faces.clear(device);
    device.faces.clear();
    this.#changed();
  }

  async stop(): Promise<void> {
    this.#faces.stop();
    this.#life.stop();
    this.#joining.stop();
    await this.registry.stop();
  }

  #heard(device: Device, reason: string): void {
    this.#life.heard(device);
    this.#life.update(device, reason);
  }

  /** What its traces say of it is taken over; those who watch hear of it when it is news. */
  #refresh(device: Device): void {
    if (!this.registry.has(device)) return;
    const { kept } = device;
    const traces = [...device.live.values()].map(({ trace }) => trace);
    const sources = traces.map(({ source }) => source).filter((source) => source !== "face");
    const next = {
      ...factsOf(device),
      addresses: addressesOf(device),
      mac: macOf(device),
      sources: merged(kept.sources, sources),
      protocols: merged(
        kept.protocols,
        traces.flatMap(({ protocol }) => protocol ?? []),
      ),
    };
    const before = {
      facts: kept.facts,
      factsBy: kept.factsBy ?? {},
      addresses: kept.addresses,
      mac: kept.mac,
      sources: kept.sources,
      protocols: kept.protocols,
    };
    this.#changed();
    if (JSON.stringify(next) === JSON.stringify(before)) return;
    this.registry.keep(device, { ...kept, ...next });
    this.registry.tell(device, ["DevInfo"]);
  }

  #settled(device: Device, reason: string): void {
    this.#refresh(device);
    this.#life.update(device, reason);
  }

  #after(device: Device, reason: string): DeviceReport {
    this.#settled(device, reason);
    return this.#report(device);
  }

  #report(device: Device): DeviceReport {
    const next = this.#life.nextProbe(device);
    const groups = this.registry.groups.of(device.id);
    return { ...reportOf(device), groups, ...(next === undefined ? {} : { nextProbe: new Date(next).toISOString() }) };
  }
}

const endings = {
  goodbye: (source: string) => `it said goodbye by ${source}`,
  unanswered: () => "it does not answer",
  expired: (source: string) => `no more heard by ${source}`,
} as const;

const sourceNames: Readonly<Record<Sighting["source"], string>> = {
  mdns: "mDNS",
  ssdp: "SSDP",
  neighbours: "the neighbour table",
  leases: "a DHCP lease",
};
