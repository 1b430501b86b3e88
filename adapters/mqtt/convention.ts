import type { Surroundings } from "./device.ts";
import type { MqttOptions } from "./options.ts";

/** One way of laying out devices on a broker, while the adapter runs. It subscribes to what it needs through the broker that it was given. */
export interface Convention {
  /** Connected, for the first time or again: what the broker retains comes now, all of it. */
  up(): void;
  /** What the broker retains has come. */
  settled(): void;
  /** The line is broken, and was not back in time for nobody to notice. */
  away(): void;
  /** Every message that comes, whoever subscribed to it: conventions share topics. `retained`: the broker's copy of something said earlier. */
  message(topic: string, payload: Buffer, retained: boolean): void;
  stop(): void;
}

/** A line of the table in index.ts. */
export interface ConventionEntry {
  readonly name: MqttOptions["conventions"][number] | "mapping";
  /** Its code: loaded when it is enabled. */
  readonly load: () => Promise<(options: MqttOptions, around: Surroundings) => Convention>;
}
