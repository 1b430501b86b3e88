import type { Rel } from "../../tree/path.ts";
import type { Clock } from "../../tree/ports.ts";
import type { LeafFormat, Value } from "../../tree/value.ts";
import type { DeviceNodes } from "../device-nodes.ts";
import type { Broker, Manner } from "./connection.ts";
import type { Rule } from "./rules.ts";

/** One property, as its convention describes it. */
export interface Property {
  /** What the convention calls it: "thermostat/target", "color.x". */
  readonly name: string;
  readonly rule: Rule;
  readonly settable: boolean;
  /** It changes by itself, and so is a reading. Default: what cannot be set is one. */
  readonly volatile?: boolean;
  /** The device tells its value. */
  readonly reported: boolean;
  /** What was written comes back as a report: a write can be verified. */
  readonly echoes: boolean;
  /** The device can be asked for it. */
  readonly askable: boolean;
  readonly title?: string;
  readonly unit?: string;
}

/** A property with its last report. */
export interface Slot {
  readonly property: Property;
  /** The one of the rule, until the device reports something that needs a wider one. */
  format: LeafFormat;
  value: Value | undefined;
  /** When it was reported, ms since 1970. */
  at: number | undefined;
}

export interface Message extends Manner {
  readonly topic: string;
  readonly payload: string | Uint8Array;
}

/** A value that a device shall take; `plain` in the words of its convention. */
export interface Order {
  readonly rel: Rel;
  readonly property: Property;
  readonly value: Value;
  readonly plain: unknown;
}

/** How one speaks to a device in its convention. */
export interface Voice {
  /** The messages that carry these orders. */
  tell(orders: readonly Order[], last: (rel: Rel) => Value | undefined): readonly Message[];
  /** The messages that ask for these properties. Absent: what the broker holds is always current. */
  ask?(rels: readonly Rel[]): readonly Message[];
}

/** What a device says: `plain` is the text of a Homie payload, or a value of zigbee2mqtt's JSON. */
export type Report = readonly [rel: Rel, plain: unknown];

/** Hears each report. `accepted`: not the value yet, but what it shall become. */
export type Ear = (rel: Rel, value: Value, accepted: boolean) => void;

/** A device that can be talked to. */
export interface Reachable {
  readonly identity: string;
  readonly nodes: DeviceNodes<Slot>;
  readonly clock: Clock;
  readonly broker: Broker;
  readonly voice: Voice;
  /** Hears every report, changed or not; the answer ends it. */
  listen(ear: Ear): () => void;
  /** @throws DmError 503 when there is nobody to talk to. */
  mustAnswer(): void;
}
