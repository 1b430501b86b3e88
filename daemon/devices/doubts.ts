import type { Clock } from "../../tree/ports.ts";
import type { Device } from "./device.ts";
import type { Verdict } from "../identity/decide.ts";
import { isAnnounced } from "../identity/traces.ts";
import type { Trace } from "../identity/traces.ts";
import type { Whereabouts } from "../identity/whereabouts.ts";
import type { Registry } from "./registry.ts";

const minute = 60_000;
/** So long the network must say the same before what was known is joined or moved because of where it is. */
const settleFor = 7 * minute;
/** So long, when what it says of itself was at home elsewhere: by then everything that is not there any more has ended (the longest life of an announcement is 75 min). */
const idSettleFor = 80 * minute;
/** A row of the neighbour table that was not confirmed for so long may be out of date. */
const rowTrustedFor = minute;
/** A device that was not heard at its hardware address for so long has perhaps taken another one. */
export const quietAfter = 6 * minute;
/** A device is new for so long. */
const newFor = 10 * minute;

export interface DoubtsPorts {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly where: Whereabouts;
  readonly probe?: ((address: string, onInterface: string) => void) | undefined;
}

/** What would be joined or moved if the network is right about where it is, and waits until that is sure: rows and leases outlive whom they were made for. */
export class Doubts {
  readonly #ports: DoubtsPorts;
  /** Trace -> what the network says, and since when (monotonic ms). */
  readonly #unsure = new Map<string, { readonly since: number; readonly macs: string }>();

  constructor(ports: DoubtsPorts) {
    this.#ports = ports;
  }

  identities(): readonly string[] {
    return [...this.#unsure.keys()];
  }

  forget(identity: string): void {
    this.#unsure.delete(identity);
  }

  /**
   * May this be carried out now? What only its place says, and what would move or join what was known before, waits: rows and leases outlive whom they
   * were made for. It is done when the network has said the same for a while, and has confirmed it where it can be asked.
   */
  isSure(
    trace: Trace,
    macs: readonly string[],
    heardAt: number,
    verdict: Verdict<Device>,
    now: Device | undefined,
    isNamed: boolean,
  ): boolean {
    const { identity, addresses, interface: onInterface } = trace;
    const { probe, clock, where } = this.#ports;
    const before = this.#unsure.get(identity);
    this.#unsure.delete(identity);
    if (!isAnnounced(trace)) return true;
    const isRow = verdict.by === "place" && trace.places.some((place) => where.book.isRow(place));
    const confirmedAt = Math.max(...macs.map((mac) => this.#heardAt(`neighbours ${mac}%${onInterface}`)));
    const [address] = addresses;
    const ask = () => probe !== undefined && address !== undefined && probe(address, onInterface);
    // A new device that the network had nowhere yet loses nothing.
    const isPlaced = (device: Device) => device.profile.macs.size > 0 || !this.#isNew(device);
    const joins = verdict.to !== undefined && isPlaced(verdict.to) && verdict.same.some(isPlaced);
    const moves = verdict.by === "place" && now !== undefined && now !== verdict.to && isPlaced(now);
    if (!joins && !moves) {
      if (isRow && now === undefined && clock.monotonic() - confirmedAt > rowTrustedFor) ask();
      return true;
    }
    const said = macs.join(" ");
    const since = before?.macs === said ? before.since : clock.monotonic();
    const enough = moves && !joins && isNamed ? idSettleFor : settleFor;
    const isConfirmed = !isRow || probe === undefined || confirmedAt > since;
    if (clock.monotonic() - since >= enough && isConfirmed) return true;
    this.#unsure.set(identity, { since, macs: said });
    if (isRow && confirmedAt <= heardAt) ask();
    return false;
  }

  #isNew({ kept }: Device): boolean {
    const from = this.#ports.clock.now() - newFor;
    return kept.members.every(({ since }) => since > from);
  }

  #heardAt(identity: string): number {
    return this.#ports.registry.index.of(identity)?.live.get(identity)?.heardAt ?? -Infinity;
  }
}
