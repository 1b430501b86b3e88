import type { Log } from "../../tree/ports.ts";

/** What a broker may make us hold: whoever can publish on it can publish anything. */
export const limits = {
  /** Octets of a message. */
  payload: 1 << 20,
  /** Octets of zigbee2mqtt's list of devices, some 8 kB each. */
  list: 8 << 20,
  devices: 1000,
  /** Of one device. */
  properties: 2000,
  /** Of all devices. */
  allProperties: 50_000,
  /** Of one Sparkplug message. */
  metrics: 4000,
  /** Topics that announce something one by one, and topics that are subscribed to for them, of all devices. */
  topics: 20_000,
  /** Topics of one device that nothing has described yet. */
  undescribed: 2000,
  /** Characters of one value. */
  value: 64 << 10,
  /** Octets of one value that is no text. */
  bytes: 16 << 10,
  /** Characters of names, units and descriptions; longer ones are cut. */
  name: 200,
  /** Characters of a Homie $format. */
  format: 8 << 10,
  /** Allowed values of an enumeration. */
  choices: 256,
  /** Characters of all values and formats of all devices together. */
  text: 16 << 20,
} as const;

/** What the adapter holds in all, against the limits; shared by all devices of one broker. */
export class Holdings {
  readonly #log: Log;
  readonly #refused = new Map<string, number>();
  devices = 0;
  properties = 0;
  text = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Something was left out. Said in the log at the 1st, 2nd, 4th, 8th … time: a flood does not become a flood of lines. */
  refuse(what: string, fields?: Record<string, unknown>): void {
    const count = (this.#refused.get(what) ?? 0) + 1;
    this.#refused.set(what, count);
    if ((count & (count - 1)) === 0) this.#log.warn(`${what}: left out`, { ...fields, times: count });
  }

  refused(what: string): number {
    return this.#refused.get(what) ?? 0;
  }

  /** May `after` characters be held where `before` were held until now? Counts them when they may. */
  exchange(before: number, after: number): boolean {
    if (after > before && this.text + after - before > limits.text) return false;
    this.text += after - before;
    return true;
  }
}

/** A name or a unit as it is kept: bounded. */
export function shortened(text: string): string {
  return text.length <= limits.name ? text : `${text.slice(0, limits.name - 1)}…`;
}
