import { DmError, Status } from "../../tree/errors.ts";
import { top } from "../../tree/path.ts";
import { mqttFaceUrn } from "../../tree/project-names.ts";
import { nul, sameValue } from "../../tree/value.ts";
import type { AclVerb } from "../../tree/acl.ts";
import type { Call, Mo, NodeSchema } from "../../tree/mo.ts";
import type { Rel } from "../../tree/path.ts";
import type { Clock } from "../../tree/ports.ts";
import type { Queue } from "../../tree/queue.ts";
import type { Value } from "../../tree/value.ts";
import type { Attached, Face, Host } from "../adapter.ts";
import { DeviceNodes } from "../device-nodes.ts";
import type { Alike } from "./alike.ts";
import type { Broker } from "./connection.ts";
import type { Holdings } from "./limits.ts";
import { limits } from "./limits.ts";
import type { Ear, Property, Reachable, Report, Slot, Voice } from "./property.ts";
import { heardAnew } from "./reading.ts";
import { allowed, formatOf, inFormat, read } from "./rules.ts";
import { writeAll } from "./writing.ts";

/** What all devices of one broker share. */
export interface Surroundings {
  readonly host: Host;
  readonly broker: Broker;
  readonly holdings: Holdings;
  readonly queue: Queue;
  readonly alike: Alike;
}

/** A device behind a broker: its properties with their last reports, and its face. Both conventions end here. */
export class MqttDevice implements Reachable {
  readonly identity: string;
  readonly nodes: DeviceNodes<Slot>;
  readonly mo: Mo;
  readonly #around: Surroundings;
  readonly #voice: Voice;
  readonly #ears = new Set<Ear>();
  #descriptions = new Map<Rel, string>();
  #attached: Attached | undefined;
  #reachable = false;
  #lastSeen = -Infinity;
  #held = { properties: 0, text: 0 };

  constructor(identity: string, voice: Voice, around: Surroundings) {
    this.identity = identity;
    this.#voice = voice;
    this.#around = around;
    this.nodes = new DeviceNodes({
      schema,
      value: (slot) => slot.value ?? nul,
      description: (rel) => this.#descriptions.get(rel),
    });
    this.mo = this.#mo();
  }

  get attached(): boolean {
    return this.#attached !== undefined;
  }
  get reachable(): boolean {
    return this.#reachable;
  }
  get clock(): Clock {
    return this.#around.host.clock;
  }
  get broker(): Broker {
    return this.#around.broker;
  }
  get voice(): Voice {
    return this.#voice;
  }

  attach(face: Pick<Face, "clues" | "addresses" | "facts">): void {
    this.#attached = this.#around.host.attach({
      ...face,
      identity: this.identity,
      name: "MQTT",
      mo: this.mo,
      reachable: this.#reachable,
    });
    if (this.#reachable) this.#attached.seen();
  }

  update(face: Pick<Face, "clues" | "addresses" | "facts">): void {
    this.#attached?.update(face);
  }

  /** Gone for good: taken out of the tree, and everything it held is given back. */
  detach(): void {
    this.#attached?.detach();
    this.#attached = undefined;
    this.#release();
    this.nodes.clear();
  }

  setReachable(now: boolean): void {
    if (now === this.#reachable) return;
    this.#reachable = now;
    this.#attached?.reachable(now);
  }

  /**
   * The device's properties from now on. A value stays where a property of the same format was before. What exceeds the limits is left out.
   * `interiors` describes nodes above them, and makes those that are empty.
   */
  describe(properties: Iterable<readonly [Rel, Property]>, interiors: ReadonlyMap<Rel, string>): void {
    const before = new Map(this.nodes.leaves());
    const { alike, holdings } = this.#around;
    this.#release();
    this.nodes.clear();
    this.#descriptions = new Map(interiors);
    for (const rel of interiors.keys()) this.nodes.addInterior(rel);
    for (const [ownRel, ownProperty] of properties) {
      const [rel, property] = [alike.rel(ownRel), alike.property(ownProperty)];
      const weight = weightOf(property);
      if (
        this.#held.properties >= limits.properties ||
        holdings.properties >= limits.allProperties ||
        !holdings.exchange(0, weight)
      ) {
        holdings.refuse("more MQTT properties than dmgw takes", { device: this.identity });
        break;
      }
      this.#held.text += weight;
      const slot: Slot = { property, format: formatOf(property.rule), value: undefined, at: undefined };
      if (!this.nodes.put(rel, slot)) continue;
      this.#held.properties++;
      holdings.properties++;
      const old = before.get(rel);
      const kept = old?.value === undefined ? undefined : inFormat(slot.format, old.value);
      if (kept !== undefined && this.#exchange(undefined, kept)) Object.assign(slot, { value: kept, at: old?.at });
    }
    this.#attached?.changed([top]);
  }

  /**
   * Values as the device tells them. `retained`: the broker's copy of something said earlier, so no sign of life.
   * A value that is nonsense by its own description is left out.
   */
  report(reports: readonly Report[], retained: boolean): void {
    const changed: Rel[] = [];
    for (const [rel, plain] of reports) {
      const slot = this.nodes.get(rel);
      if (slot?.property.reported !== true) continue;
      const value = read(slot.property.rule, plain);
      if (value === undefined) {
        this.#around.holdings.refuse("a value that is nonsense by its own description", { device: this.identity, rel });
        continue;
      }
      if (this.#take(slot, value, retained)) changed.push(rel);
      if (slot.value !== undefined && !retained) for (const ear of [...this.#ears]) ear(rel, slot.value, false);
    }
    if (!retained) this.seen();
    if (changed.length > 0) this.#attached?.changed(changed);
  }

  #take(slot: Slot, heard: Value, retained: boolean): boolean {
    let value = inFormat(slot.format, heard);
    if (value === undefined) {
      slot.format = heard.format === "float" && slot.format === "int" ? "float" : "chr";
      value = inFormat(slot.format, heard) ?? heard;
    }
    const same = slot.value !== undefined && sameValue(slot.value, value);
    if (!same && !this.#exchange(slot.value, value)) {
      this.#around.holdings.refuse("more MQTT text than dmgw holds", { device: this.identity });
      return false;
    }
    if (!same || !retained) slot.at = this.clock.now();
    slot.value = value;
    return !same;
  }

  /** The device has taken over what it shall become (Homie 5, $target), even where that needs a while. */
  accepted(rel: Rel, plain: unknown): void {
    const slot = this.nodes.get(rel);
    const value = slot === undefined ? undefined : read(slot.property.rule, plain);
    if (value !== undefined) for (const ear of [...this.#ears]) ear(rel, value, true);
  }

  /** The broker has forgotten the value (a retained message was deleted). */
  forget(rel: Rel): void {
    const slot = this.nodes.get(rel);
    if (slot?.value === undefined) return;
    this.#exchange(slot.value, undefined);
    slot.value = undefined;
    slot.at = undefined;
    this.#attached?.changed([rel]);
  }

  /** The device speaks. Passed on at most once a second. */
  seen(): void {
    const now = this.clock.monotonic();
    if (this.#attached === undefined || now - this.#lastSeen < 1000) return;
    this.#lastSeen = now;
    this.#attached.seen();
  }

  /** Hears every report, changed or not; the answer ends it. */
  listen(ear: Ear): () => void {
    this.#ears.add(ear);
    return () => this.#ears.delete(ear);
  }

  /** @throws DmError 503 when there is nobody to talk to. */
  mustAnswer(): void {
    if (!this.broker.connected) throw new DmError(Status.unavailable, "there is no connection to the MQTT broker now");
    if (!this.#reachable) throw new DmError(Status.unavailable, "the device is away: it, or its bridge, said so");
  }

  #mo(): Mo {
    const { queue } = this.#around;
    return {
      urn: mqttFaceUrn,
      schema: (rel) => this.nodes.schema(rel),
      has: (rel) => this.nodes.has(rel),
      age: (rel) => this.nodes.get(rel)?.at,
      read: async (rel, depth, call: Call) => {
        if (call.live === true) await queue(this.identity, () => heardAnew(this, rel, call.signal), call.signal);
        const snapshot = this.nodes.snapshot(rel, depth);
        if (snapshot === undefined) throw new DmError(Status.notFound, `the device has no ${rel}`);
        return snapshot;
      },
      apply: (changes, call) => writeAll(this, queue, changes, call.signal),
      exec: async () => {
        throw new DmError(Status.notAllowed, "nothing of an MQTT device takes Exec");
      },
    };
  }

  #exchange(before: Value | undefined, after: Value | undefined): boolean {
    const [less, more] = [lengthOf(before), lengthOf(after)];
    if (!this.#around.holdings.exchange(less, more)) return false;
    this.#held.text += more - less;
    return true;
  }

  #release(): void {
    this.#around.holdings.properties -= this.#held.properties;
    this.#around.holdings.exchange(this.#held.text, 0);
    this.#held = { properties: 0, text: 0 };
  }
}

const reads: ReadonlySet<AclVerb> = new Set(["Get"]);
const writes: ReadonlySet<AclVerb> = new Set(["Replace"]);
const both: ReadonlySet<AclVerb> = new Set(["Get", "Replace"]);

function schema({ property, format }: Slot): NodeSchema {
  const { title, unit, rule, settable, reported, volatile = !settable } = property;
  const words = settable || rule.kind === "enum" ? allowed(rule) : "";
  const description = [title, unit, words].filter((part) => part !== undefined && part !== "").join("; ");
  return {
    format,
    access: !settable ? reads : reported ? both : writes,
    permanent: true,
    // What only the device can change is a reading.
    volatile,
    ...(rule.kind === "json" ? { type: "application/json" } : {}),
    ...(description === "" ? {} : { description }),
  };
}

function lengthOf(value: Value | undefined): number {
  return value?.format === "chr" || value?.format === "bin" ? value.data.length : 0;
}

function weightOf({ name, title, unit, rule }: Property): number {
  const choices = rule.kind === "enum" ? rule.choices.reduce<number>((sum, one) => sum + String(one).length, 0) : 0;
  return name.length + (title?.length ?? 0) + (unit?.length ?? 0) + choices;
}
