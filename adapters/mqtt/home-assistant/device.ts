import type { Rel } from "../../../tree/path.ts";
import type { Face } from "../../adapter.ts";
import { relOf } from "../../device-nodes.ts";
import { printable } from "../../printable.ts";
import { MqttDevice } from "../device.ts";
import type { Surroundings } from "../device.ts";
import { Availability, availabilityOf } from "./availability.ts";
import type { Announcement, Thing } from "./claims.ts";
import { textIn } from "./config.ts";
import type { DeviceBlock, Entity } from "./config.ts";
import { aboutOf, faceOf, namesOf } from "./face.ts";
import { messagesOf, partsOf, pointOf } from "./points.ts";
import type { Point, TopicRules } from "./points.ts";
import { limits } from "../limits.ts";
import type { Voice } from "../property.ts";

/** A device, as it is announced now. */
export interface Known {
  readonly identity: string;
  readonly device: MqttDevice;
  /** By age. */
  readonly announcements: Set<Announcement<Known>>;
  readonly availability: Availability;
  points: ReadonlyMap<Rel, Point>;
  /** By the topic on which they are reported. */
  readers: ReadonlyMap<string, readonly Point[]>;
  /** The firmware that runs, as an entity of the kind "update" says. */
  installed?: string;
  cancel?: (() => void) | undefined;
  /** On the monotonic clock. */
  showBy?: number | undefined;
}

/** A device that nothing is known of yet but its name. */
export function newDevice(identity: string, around: Surroundings): Known {
  const voice: Voice = {
    tell: (orders, last) => messagesOf(known.points, orders, last),
    // The convention knows no question, and does not promise that states are retained.
    ask: () => [],
  };
  const known: Known = {
    identity,
    device: new MqttDevice(identity, voice, around),
    announcements: new Set(),
    availability: new Availability(),
    points: new Map(),
    readers: new Map(),
  };
  return known;
}

/** The entity as it is kept; undefined: its config has no topic that can be used. */
export function thingOf(entity: Entity, rules: TopicRules): Thing | undefined {
  const { component, nodeId, objectId, uniqueId, settings } = entity;
  const parts = partsOf(entity, rules);
  if (parts.length === 0) return undefined;
  const name = printable(textIn(settings, "name") ?? objectId, limits.name);
  const availability = availabilityOf(settings, rules.reads);
  return { component, nodeId, objectId, uniqueId, name, about: aboutOf(entity), parts, availability };
}

/** What a device's entities make of it: its properties, who reads which topic, and the nodes above them with what they are. */
export function arranged(things: readonly Thing[]): {
  readonly points: ReadonlyMap<Rel, Point>;
  readonly readers: ReadonlyMap<string, readonly Point[]>;
  readonly interiors: ReadonlyMap<Rel, string>;
} {
  const points = new Map<Rel, Point>();
  const readers = new Map<string, Point[]>();
  const interiors = new Map<Rel, string>();
  for (const [{ about, parts }, name] of namesOf(things)) {
    const top = relOf([name]);
    if (top !== undefined) interiors.set(top, about);
    for (const point of parts.map((part) => pointOf(part, name))) {
      if (point === undefined || points.has(point.rel)) continue;
      points.set(point.rel, point);
      if (point.state === undefined) continue;
      const { topic } = point.state;
      const others = readers.get(topic);
      if (others === undefined) readers.set(topic, [point]);
      else others.push(point);
    }
  }
  return { points, readers, interiors };
}

/** The block itself, or an equal one that the device has already: each entity repeats it. */
export function sameBlock({ announcements }: Known, block: DeviceBlock | undefined): DeviceBlock | undefined {
  const [first] = announcements;
  return JSON.stringify(first?.block) === JSON.stringify(block) ? first?.block : block;
}

/** The announcement that stands first says who it is. */
export function faceOfKnown({
  identity,
  announcements,
  installed,
}: Known): Pick<Face, "clues" | "addresses" | "facts"> {
  const all = [...announcements];
  const name = all.flatMap(({ things }) => things)[0]?.name ?? identity;
  const blocks = all.flatMap(({ block }) => block ?? []);
  return faceOf(identity, blocks, { name, firmware: installed });
}
