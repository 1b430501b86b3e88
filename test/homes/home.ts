import type { Store } from "../../tree/ports.ts";
import type { FakeClock } from "../fakes/clock.ts";
import { Gateway } from "./gateway.ts";
import { physical } from "./kinds.ts";
import type { DeviceSeed } from "./kinds.ts";
import { Ledger } from "./ledger.ts";
import { leave, night, settleNames } from "./life.ts";
import { Network } from "./network.ts";
import { isHere, sourceNames } from "./physical.ts";
import type { Physical, SourceName } from "./physical.ts";
import { random } from "./random.ts";
import type { Random } from "./random.ts";
import { partOf, tracesOf } from "./traces.ts";
import type { Trace } from "./traces.ts";

export interface HomePlan {
  readonly seed: number;
  readonly devices: readonly DeviceSeed[];
  /** Restarts and power cuts, at any moment. Without them the gateway runs through. */
  readonly restarts?: boolean;
}

/** What the gateway was before and after a clean restart, for whoever wants to compare. */
export type AtRestart = (before: Gateway, how: "restart" | "kill") => (after: Gateway) => void;

const minute = 60_000;

/** A home and its gateway, day by day. The same plan is the same life. */
export class Home {
  readonly devices: readonly Physical[];
  readonly ledger = new Ledger();
  readonly gateway: Gateway;
  readonly network: Network;
  readonly #random: Random;
  readonly #plan: HomePlan;
  readonly #atRestart: AtRestart;
  #deaf: ReadonlySet<SourceName> = new Set();

  constructor(plan: HomePlan, store: Store, clock: FakeClock, atRestart: AtRestart = () => () => undefined) {
    this.#plan = plan;
    this.#atRestart = atRestart;
    this.#random = random("home", plan.seed);
    this.devices = plan.devices.map(physical);
    this.network = new Network(this.devices.length, random("network", plan.seed));
    this.gateway = new Gateway(store, clock);
    hide(this.devices);
    // Some are bought later.
    for (const device of this.devices) device.away = device.random.chance(0.2) ? device.random.between(1, 4) : 0;
    for (const device of this.devices)
      for (const hidden of device.hides) hidden.away = Math.max(hidden.away, device.away);
  }

  /** A night in which much changes, and the day after it, until everything is quiet. */
  async day(): Promise<void> {
    const chance = this.#random;
    await this.#time(3 * 60 * minute);
    for (const device of this.devices) night(device, this.network);
    this.#deaf = chance.chance(0.15) ? new Set([chance.pick(sourceNames)]) : new Set();
    this.#addresses(chance.chance(0.7));
    settleNames(this.devices);
    await this.#morning();
    await this.#noon();
    await this.#evening();
  }

  /** Hours in which everything that is there speaks now and then, and has no news. */
  async quiet(hours: number): Promise<void> {
    for (let turn = 0; turn < hours * 6; turn++) {
      await this.gateway.clock.advance(10 * minute);
      this.gateway.hear();
    }
  }

  /** Everybody is away for so many days, and those who come back do it with the next day. */
  async pause(days: number): Promise<void> {
    for (const trace of this.gateway.live) this.gateway.lose(trace);
    this.network.rows.clear();
    this.network.leases.clear();
    for (let day = 0; day < days; day++) await this.gateway.clock.advance(1440 * minute);
  }

  /** The DHCP server gives addresses out anew: yesterday's address of one is another's today. */
  #addresses(anew: boolean): void {
    const { network } = this;
    for (const [mac, lease] of network.leases) {
      const used = isHere(lease.owner) && lease.owner.active.includes(lease.leg);
      if (anew || (!used && lease.left-- <= 0)) network.release(mac);
    }
    const legs = this.devices.filter(isHere).flatMap((device) => device.active.map((leg) => ({ device, leg })));
    for (const { device, leg } of this.#random.shuffled(legs)) network.lease(device, leg);
  }

  /** Everything speaks, in any order; the table of neighbours is not right everywhere yet. */
  async #morning(): Promise<void> {
    const chance = this.#random;
    for (const device of this.devices.filter(isHere)) {
      device.known = true;
      for (const leg of device.active) if (chance.chance(0.7)) this.network.resolve(device, leg);
    }
    for (let pass = 0; pass < 4; pass++) {
      this.#speak(0.4, 0.3);
      await this.#time(chance.between(1, 45_000));
      if (this.#plan.restarts === true) await this.#breakdown(chance.between(0, 20));
    }
    this.#speak(1, 0);
    await this.#time(5000);
  }

  /** The table of neighbours is right; some go out, some come home; somebody says goodbye in the name of others. */
  async #noon(): Promise<void> {
    const chance = this.#random;
    for (const device of this.devices.filter(isHere))
      for (const leg of device.active) this.network.resolve(device, leg);
    this.#speak(1, 0);
    await this.#time(15 * minute);
    this.gateway.hear();
    for (const device of this.devices)
      if (device.roams && isHere(device) && device.random.chance(0.2)) leave(device, 1);
    this.network.expire(this.devices, () => chance.chance(0.6));
    const live = chance.shuffled(
      this.gateway.live.filter((trace) => "sighting" in trace && trace.sighting.source !== "leases"),
    );
    for (const trace of live.slice(0, live.length / 20)) this.gateway.lose(trace);
  }

  /** Everything is as it is, and has been said. */
  async #evening(): Promise<void> {
    this.network.expire(this.devices, () => true);
    this.#speak(1, 0);
    await this.#time(2 * minute);
    if (this.#plan.restarts === true && this.#random.chance(0.3)) {
      await this.#stop(this.#random.pick(["restart", "kill"]));
      this.#speak(1, 0);
      await this.#time(2 * minute);
    }
    // Whoever was refused, because too much came at once, is heard again.
    for (let turn = 0; turn < 4; turn++) {
      await this.gateway.clock.advance(11 * minute);
      this.gateway.hear();
    }
    this.ledger.settled(this.gateway.live);
  }

  /** A share of what the gateway does not know yet is said, and of what has ended is noticed; a share of the new things in part only. */
  #speak(share: number, partly: number): void {
    const chance = this.#random;
    // Of several that call themselves the same, one is heard last.
    const all = tracesOf(chance.shuffled(this.devices), this.network, this.#deaf);
    const wanted = new Map(all.map((trace) => [trace.identity, trace]));
    for (const { identity, owner, follows } of all)
      if (follows !== undefined && wanted.get(follows)?.owner !== owner) wanted.delete(identity);
    const ended = this.gateway.live.filter(({ identity }) => !wanted.has(identity));
    const news = [...wanted.values()].filter((trace) => !this.gateway.knows(trace));
    const known = new Set(this.gateway.live.map(({ identity }) => identity));
    // A face of UPnP is made of its announcement: never before it.
    const isMade = ({ follows }: Trace) => follows !== undefined;
    const mixed = chance.shuffled([...ended, ...news]);
    const acts = [...mixed.filter((trace) => !isMade(trace)), ...mixed.filter(isMade)];
    // Sometimes the power goes between two packets, before anything of the last ones is on the disk.
    const cutAt = this.#plan.restarts === true && share < 1 && chance.chance(0.05) ? chance.below(acts.length + 1) : -1;
    for (const [at, trace] of (share < 1 ? acts.slice(0, Math.ceil(acts.length * share)) : acts).entries()) {
      if (at === cutAt) return this.#cut();
      if (!wanted.has(trace.identity)) this.gateway.lose(trace);
      else this.#say(!known.has(trace.identity) && chance.chance(partly) ? partOf(trace) : trace);
    }
  }

  #say(trace: Trace): void {
    this.ledger.said(trace);
    this.gateway.say(trace);
  }

  async #time(ms: number): Promise<void> {
    await this.gateway.clock.advance(ms);
  }

  async #breakdown(dice: number): Promise<void> {
    if (dice < 2) await this.#stop(dice === 0 ? "restart" : "kill");
  }

  async #stop(how: "restart" | "kill"): Promise<void> {
    if (how === "kill") return this.#cut();
    const compare = this.#atRestart(this.gateway, how);
    await this.gateway.restart();
    compare(this.gateway);
  }

  #cut(): void {
    const compare = this.#atRestart(this.gateway, "kill");
    this.gateway.kill();
    compare(this.gateway);
  }
}

/** Each repeater has the next few devices of the home that use Wi-Fi behind it. */
function hide(devices: readonly Physical[]): void {
  for (const [at, repeater] of devices.entries()) {
    if (repeater.kind !== "repeater") continue;
    const near = devices.slice(at + 1, at + 8).filter((device) => canHide(device));
    for (const device of near.slice(0, repeater.random.between(2, 4))) {
      device.behind = repeater;
      repeater.hides.push(device);
    }
  }
}

function canHide(device: Physical): boolean {
  const plain = device.legs.length === 1 && !device.roams && device.legs[0]?.v6Only !== true;
  return plain && device.behind === undefined && device.kind !== "repeater" && device.kind !== "gateway";
}
