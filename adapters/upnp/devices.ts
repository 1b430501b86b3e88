import { DmError, Status, reasonOf } from "../../tree/errors.ts";
import type { Host, Sighting } from "../adapter.ts";
import { everyDevice, readDescription } from "./description.ts";
import type { Described } from "./description.ts";
import { UpnpDevice, identityOf } from "./device.ts";
import type { Found } from "./device.ts";
import { cluesOf } from "./facts.ts";
import { fetcher } from "./fetch.ts";
import { wayTo } from "./location.ts";
import type { Way } from "./location.ts";
import type { UpnpOptions } from "./options.ts";
import { Places } from "./places.ts";
import type { Known, Place } from "./places.ts";
import { inWords } from "./tally.ts";
import type { Unasked } from "./tally.ts";

const limits = { devices: 256, unasked: 1024 } as const;
/** One that has been away for so long makes room for a new one, when there is none. */
const forgottenAfterMs = 86_400_000;
/** A device that nobody announces any more although it did not say goodbye, and a double, are asked again after this. */
const doubtMs = 600_000;
/** It may only be moving to another address. */
const movingMs = 10_000;
/** When there is no room for a device it is looked for again after this. */
const fullMs = 3_600_000;

/**
 * The UPnP devices of the LAN, by their descriptions. An announcement proves nothing; what answers at the place that it names, on the host that
 * announced it, is the device. Of two hosts that say they are the same device the one that was there first keeps it as long as it answers.
 * Everything is in memory only.
 */
export class UpnpDevices {
  readonly #host: Host;
  readonly #access: UpnpOptions["access"];
  readonly #fetcher: ReturnType<typeof fetcher>;
  readonly #places: Places;
  readonly #placeOf = new Map<string, Place>();
  readonly #devices = new Map<string, Known>();
  readonly #unasked = new Map<string, Unasked>();
  #told: string | undefined;
  #stopped = false;

  constructor({ access }: UpnpOptions, host: Host) {
    this.#host = host;
    this.#access = access;
    this.#fetcher = fetcher(host.clock);
    this.#places = new Places(host.clock, (place) => void this.#ask(place));
    this.#tell();
  }

  consider(sighting: Sighting): void {
    if (this.#stopped || sighting.source !== "ssdp") return;
    const { key } = sighting;
    const way = wayTo(sighting);
    if (way === undefined) return;
    const place = typeof way === "string" ? way : (this.#places.at(way.url.href, way.address, sighting) ?? "crowded");
    if (typeof place === "string") {
      // A device that is known stays where it is: this may be somebody else's word.
      if (!this.#placeOf.has(key) && this.#unasked.size < limits.unasked) this.#unasked.set(key, place);
      return this.#tell();
    }
    this.#unasked.delete(key);
    const before = this.#placeOf.get(key);
    this.#placeOf.set(key, place);
    place.keys.add(key);
    place.sighting = sighting;
    place.version = versionOf(sighting);
    if (before !== undefined && before !== place) {
      before.keys.delete(key);
      this.#unannounced(before);
    }
    const isNew = before !== place;
    // A key that was not in the description: the address may be another device's now.
    const isOther = place.version !== place.fetched || (isNew && !place.described.has(key));
    const isWanted = isOther || place.known?.device.reachable === false;
    // What did not answer has its own time, unless somebody comes who was not there.
    const mayAnswer = isNew || place.failures === 0;
    if (isWanted && mayAnswer && !place.asking && place.doubleOf === undefined) this.#places.askSoon(place);
    this.#tell();
  }

  ended(key: string): void {
    this.#unasked.delete(key);
    const place = this.#placeOf.get(key);
    if (place === undefined) return this.#tell();
    this.#placeOf.delete(key);
    place.keys.delete(key);
    if (place.known !== undefined && (place.keys.size === 0 || key === place.known.rootKey)) {
      place.cancel();
      this.#away(place.known);
    } else this.#unannounced(place);
    this.#tell();
  }

  /** Resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#places.stop();
    await this.#fetcher.stop();
  }

  async #ask(place: Place): Promise<void> {
    if (place.asking) return;
    if (place.keys.size === 0 && place.known === undefined) return this.#places.remove(place);
    place.asking = true;
    place.askedAt = this.#host.clock.monotonic();
    const { version } = place;
    try {
      await this.#answered(place, await this.#describe(place));
      place.failures = 0;
      place.fetched = version;
    } catch (reason) {
      if (!this.#stopped) this.#failed(place, reason);
    }
    place.asking = false;
    if (this.#stopped) return;
    if (place.keys.size === 0) this.#unannounced(place, doubtMs);
    else if (place.failures === 0 && place.version !== version && place.doubleOf === undefined)
      this.#places.askSoon(place);
    this.#tell();
  }

  /** @throws DmError 502, 503, 504. */
  async #describe(place: Place, signal?: AbortSignal): Promise<Described> {
    // Anew each time: an address of ours that was there before may be another one now.
    const way: Way | string | undefined = wayTo(place.sighting);
    if (way === undefined || typeof way === "string")
      throw new DmError(Status.unavailable, `there is no way to ${place.address} on ${place.sighting.interface}`);
    return readDescription(await this.#fetcher.fetch(way, signal));
  }

  async #answered(place: Place, description: Described): Promise<void> {
    const identity = identityOf(description);
    const isDouble = await this.#isDouble(identity, place);
    if (this.#stopped || !this.#places.has(place)) return;
    place.described = new Set(everyDevice(description).map(keyOf));
    if (isDouble) return this.#refuse(place, identity);
    place.doubleOf = undefined;
    const here = place.known;
    if (here !== undefined && here.device.identity !== identity) {
      place.known = undefined;
      this.#away(here);
    }
    const known = this.#devices.get(identity);
    if (known === undefined) this.#add(place, description);
    else {
      this.#moveTo(known, place);
      known.device.take(this.#found(place, description));
      if (place.keys.size > 0) known.device.setReachable(true);
    }
  }

  /** Does another host that answers have this identity? */
  async #isDouble(identity: string, place: Place): Promise<boolean> {
    for (;;) {
      const other = this.#devices.get(identity);
      if (other === undefined || !other.device.reachable || other.place.address === place.address) return false;
      const first = other.place;
      const answers = await this.#describe(first).then(
        (description) => identityOf(description) === identity,
        () => false,
      );
      if (answers || this.#stopped) return true;
      // Meanwhile a third one may have taken it.
      if (other.place === first) return false;
    }
  }

  #refuse(place: Place, identity: string): void {
    if (place.doubleOf !== identity) {
      const fields = { identity, refused: place.address };
      this.#host.log.warn("two hosts say that they are one UPnP device: the first keeps it while it answers", fields);
    }
    place.doubleOf = identity;
    this.#places.askIn(place, doubtMs);
  }

  #add(place: Place, description: Described): void {
    if (place.keys.size === 0) return;
    if (this.#devices.size >= limits.devices && !this.#makeRoom()) return this.#places.askIn(place, fullMs);
    const identity = identityOf(description);
    const ids = everyDevice(description).filter(({ id }) => !this.#isElsewhere(id, place));
    // One that announces itself under other names than those of its description is there all the same.
    const isMisnamed = [...place.keys].every((key) => !place.described.has(key));
    const keys = [...ids.map(keyOf), ...(isMisnamed ? place.keys : [])];
    const device = new UpnpDevice(
      this.#host,
      this.#found(place, description),
      { access: this.#access, sightings: keys.map((key) => ({ source: "ssdp", key })) },
      (signal) => this.#refresh(identity, signal),
    );
    const known: Known = { device, rootKey: keyOf(description), place, awaySince: Infinity };
    this.#devices.set(identity, known);
    place.known = known;
  }

  #moveTo(known: Known, place: Place): void {
    const before = known.place;
    known.place = place;
    place.known = known;
    if (before === place || before.known !== known) return;
    before.known = undefined;
    for (const key of before.keys) this.#placeOf.delete(key);
    before.keys.clear();
    this.#places.remove(before);
  }

  /** Live, for whoever reads it. That it answers does not make it announce itself: whether it is there is not decided here. */
  async #refresh(identity: string, signal: AbortSignal): Promise<void> {
    const known = this.#devices.get(identity);
    if (known === undefined || known.place.known !== known)
      throw new DmError(Status.unavailable, "nobody knows where the device is now");
    const { place } = known;
    const description = await this.#describe(place, signal);
    if (identityOf(description) !== identity)
      throw new DmError(Status.unavailable, `${place.address} is another device now`);
    if (!this.#stopped) known.device.take(this.#found(place, description));
  }

  #failed(place: Place, reason: unknown): void {
    place.failures++;
    this.#host.log.debug(`no description: ${reasonOf(reason)}`, { location: place.href });
    if (place.keys.size > 0) this.#places.askAfterFailure(place);
    else if (place.known !== undefined) this.#away(place.known);
  }

  /** Nobody says any more that a description is there. That the device of it has gone nobody said either. */
  #unannounced(place: Place, again = movingMs): void {
    if (place.keys.size > 0 || place.asking) return;
    if (place.known?.device.reachable === true) this.#places.askIn(place, again);
    else if (place.known === undefined && place.doubleOf === undefined) this.#places.remove(place);
  }

  #away(known: Known): void {
    if (!known.device.reachable) return;
    known.awaySince = this.#host.clock.monotonic();
    known.device.setReachable(false);
    const { identity } = known.device;
    for (const place of [...this.#places.all()]) if (place.doubleOf === identity) this.#places.askSoon(place);
  }

  #makeRoom(): boolean {
    const until = this.#host.clock.monotonic() - forgottenAfterMs;
    const gone = [...this.#devices.values()].filter(({ device, awaySince }) => !device.reachable && awaySince < until);
    const [oldest] = gone.sort((a, b) => a.awaySince - b.awaySince);
    if (oldest === undefined) return false;
    this.#devices.delete(oldest.device.identity);
    if (oldest.place.known === oldest) this.#places.remove(oldest.place);
    oldest.device.detach();
    return true;
  }

  #found(place: Place, description: Described): Found {
    return {
      description,
      location: place.href,
      address: place.address,
      clues: cluesOf(description, (id) => this.#isElsewhere(id, place)),
    };
  }

  /** Another host announces that id: it is none of the devices that are described here, whatever the description says. */
  #isElsewhere(id: string, place: Place): boolean {
    const other = this.#placeOf.get(keyOf({ id }));
    return other !== undefined && other.address !== place.address;
  }

  #tell(): void {
    if (this.#stopped) return;
    const { state, detail } = inWords(this.#devices.values(), this.#places.all(), this.#unasked.values());
    if (`${state} ${detail}` === this.#told) return;
    this.#told = `${state} ${detail}`;
    this.#host.status(state, detail);
  }
}

/** As SSDP announces it. */
function keyOf({ id }: Pick<Described, "id">): string {
  return `uuid:${id}`;
}

function versionOf({ text }: Sighting): string {
  return `${text.get("BOOTID.UPNP.ORG") ?? ""} ${text.get("CONFIGID.UPNP.ORG") ?? ""}`;
}
