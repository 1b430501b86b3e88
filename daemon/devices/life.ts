import type { Clock } from "../../tree/ports.ts";
import type { Device } from "./device.ts";
import { isHere, isShown } from "./device.ts";
import type { DeviceReport } from "../gateway.ts";
import { isMadeUp } from "../identity/clues.ts";
import type { Registry } from "./registry.ts";

const minute = 60_000;
const day = 24 * 60 * minute;
/** What nobody heard for so long is not there (the suggested time-out of the requirements, and the usual max-age of UPnP). */
export const silentFor = 30 * minute;
/** Away for so long is gone: still known, and itself again when it comes back. */
export const goneAfter = 30 * day;
/** Mostly we listen. What was silent for so long is asked for, first soon, then ever less often. */
const askAfter = 20 * minute;
const firstGap = 5 * minute;
const lastGap = 6 * 60 * minute;
const sweepEvery = minute;
/** Of one sweep: a home that falls silent at once is not asked for at once. */
const probesAtOnce = 32;
/** A device may turn out to be another one, that took a new hardware address, for so long. */
const youngFor = 60 * minute;

export interface LifePorts {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly probe?: ((address: string, onInterface: string) => void) | undefined;
  /** Can the network say on this interface whether somebody is there? */
  readonly canTell: (onInterface: string) => boolean;
  readonly reconsider: (device: Device) => void;
  /** Time has passed: what waits for the network to settle is looked at. */
  readonly review: () => void;
}

/**
 * The life of a device:
 *
 *   seen ─(face that is sure of itself, or a person approves)→ managed
 *   seen, managed ─(everything said goodbye, ended, or was silent for 30 min)→ away ─(30 days)→ gone
 *   away, gone ─(heard again)→ seen, managed          any ─(a person)→ ignored ─(a person)→ any
 *
 * Numbers stay in all of it. Only `forget`, or a merge, ends a device.
 */
export class Life {
  readonly #ports: LifePorts;
  #cancel: () => void;

  constructor(ports: LifePorts) {
    this.#ports = ports;
    for (const device of ports.registry.all()) device.state = this.#stateOf(device);
    this.#cancel = ports.clock.after(sweepEvery, () => this.#sweep());
  }

  /** It was heard. */
  heard(device: Device): void {
    device.lastSeen = this.#ports.clock.now();
    device.probeGap = 0;
  }

  /** The state as it is now; those who watch are told when it is another one. `reason`: why, in a few words; default: the last that was given. */
  update(device: Device, reason = device.cause): void {
    device.cause = reason;
    const state = this.#stateOf(device);
    if (state === device.state) return;
    const wasHere = isHere(device.state);
    device.state = state;
    device.reason = reason;
    device.since = this.#ports.clock.now();
    this.#ports.registry.tell(device, wasHere === isHere(state) ? [] : ["State"]);
  }

  /** Ms since 1970; undefined: it is not asked for, because nobody could answer. */
  nextProbe(device: Device): number | undefined {
    const { clock, probe } = this.#ports;
    const where = this.#where(device);
    if (probe === undefined || where === undefined || device.kept.ignored === true) return undefined;
    return clock.now() + Math.max(0, this.#dueAt(device) - clock.monotonic());
  }

  stop(): void {
    this.#cancel();
  }

  #stateOf(device: Device): DeviceReport["state"] {
    if (device.kept.ignored === true) return "ignored";
    if (this.#isThere(device)) return isShown(device) ? "managed" : "seen";
    const seen = Math.max(device.lastSeen, device.kept.lastSeen);
    return seen > 0 && this.#ports.clock.now() - seen > goneAfter ? "gone" : "away";
  }

  #isThere(device: Device): boolean {
    for (const face of device.faces.values()) if (face.reachable && face.face.access !== "approve") return true;
    const from = this.#ports.clock.monotonic() - silentFor;
    for (const { trace, heardAt, sighting } of device.live.values()) {
      if (!trace.presence || sighting === undefined) continue;
      // Where nobody can be asked, a sighting holds for as long as it says itself.
      if (heardAt > from || !this.#ports.canTell(sighting.interface)) return true;
    }
    return false;
  }

  #sweep(): void {
    const { clock, registry, probe } = this.#ports;
    this.#cancel = clock.after(sweepEvery, () => this.#sweep());
    const now = clock.monotonic();
    let left = probesAtOnce;
    for (const device of [...registry.all()]) {
      if (!registry.has(device)) continue;
      this.update(device, isHere(device.state) ? "not heard for 30 minutes" : "not heard for 30 days");
      if (probe !== undefined && left > 0 && device.kept.ignored !== true && this.#dueAt(device) <= now) {
        const where = this.#where(device);
        if (where === undefined) continue;
        left--;
        device.probedAt = now;
        device.probeGap = Math.min(lastGap, Math.max(firstGap, device.probeGap * 2));
        probe(where.address, where.onInterface);
      }
    }
    this.#ports.review();
    for (const device of [...registry.all()])
      if (registry.has(device) && this.#mayBeAnother(device)) this.#ports.reconsider(device);
  }

  #dueAt(device: Device): number {
    const silentSince = this.#ports.clock.monotonic() - (this.#ports.clock.now() - device.lastSeen);
    return Math.max(silentSince + askAfter, device.probedAt + device.probeGap);
  }

  /** Where it was heard last; undefined when no sighting says so since the start. */
  #where(device: Device): { readonly address: string; readonly onInterface: string } | undefined {
    for (const { sighting } of device.live.values()) {
      const [address] = sighting?.addresses ?? [];
      if (sighting !== undefined && address !== undefined && sighting.interface !== "")
        return { address, onInterface: sighting.interface };
    }
    return undefined;
  }

  /** New, at a hardware address that it made up: perhaps one that we know, with another address since today. */
  #mayBeAnother(device: Device): boolean {
    const { macs } = device.profile;
    const first = Math.min(...device.kept.members.map(({ since }) => since));
    return macs.size > 0 && this.#ports.clock.now() - first < youngFor && [...macs].every(isMadeUp);
  }
}
