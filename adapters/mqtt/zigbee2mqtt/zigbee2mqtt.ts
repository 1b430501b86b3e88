import { createHash } from "node:crypto";
import type { Rel } from "../../../tree/path.ts";
import type { Face } from "../../adapter.ts";
import { relOf } from "../../device-nodes.ts";
import { MqttDevice } from "../device.ts";
import type { Surroundings } from "../device.ts";
import type { Convention } from "../convention.ts";
import { limits, shortened } from "../limits.ts";
import type { MqttOptions } from "../options.ts";
import type { Message, Report, Voice } from "../property.ts";
import { parseExposes, stateNode } from "./exposes.ts";
import type { Exposed } from "../json.ts";
import { at, isObject, nested, ordered, parse, stateIn } from "../json.ts";

const times = {
  /** Devices are kept as long when the list of devices has gone from the broker; the broker may have lost its memory. */
  keep: 3_600_000,
  /** Between two devices that are asked for their first values: the radio is slow. */
  pace: 250,
} as const;

interface Known {
  readonly address: string;
  readonly device: MqttDevice;
  exposed: ReadonlyMap<Rel, Exposed>;
  /** Of the definition that was read last. */
  digest: string;
  name: string;
  /** Mains powered: answers at any time. */
  listening: boolean;
  disabled: boolean;
  available: boolean;
}

type Topic = readonly [known: Known, what: "state" | "availability"];

export function zigbee2mqtt(options: MqttOptions, around: Surroundings): Convention {
  return new Zigbee2mqtt(options.topics.zigbee2mqtt, around);
}

/** Zigbee devices behind zigbee2mqtt: its retained list of devices says which there are. */
export class Zigbee2mqtt implements Convention {
  readonly #base: string;
  readonly #around: Surroundings;
  readonly #known = new Map<string, Known>();
  readonly #topics = new Map<string, Topic>();
  readonly #toAsk: Known[] = [];
  #bridgeOnline = true;
  #online = false;
  /** Has the list come since the last connect? */
  #listed = false;
  #cancelKeep: (() => void) | undefined;
  #cancelAsk: (() => void) | undefined;

  constructor(base: string, around: Surroundings) {
    this.#base = base;
    this.#around = around;
    around.broker.subscribe([`${base}/bridge/state`, `${base}/bridge/devices`]);
  }

  up(): void {
    this.#online = true;
    this.#listed = false;
  }

  settled(): void {
    if (!this.#listed && this.#known.size > 0) {
      this.#cancelKeep ??= this.#around.host.clock.after(times.keep, () => this.#removeAll());
    }
    this.#judgeAll();
  }

  away(): void {
    this.#online = false;
    this.#judgeAll();
  }

  stop(): void {
    this.#cancelKeep?.();
    this.#cancelAsk?.();
  }

  message(topic: string, payload: Buffer, retained: boolean): void {
    if (!topic.startsWith(`${this.#base}/`)) return;
    if (topic === `${this.#base}/bridge/state`) {
      this.#bridgeOnline = stateIn(payload) !== "offline";
      this.#judgeAll();
    } else if (topic === `${this.#base}/bridge/devices`) this.#list(payload);
    else {
      const [known, what] = this.#topics.get(topic) ?? [];
      if (known !== undefined && what === "availability") {
        known.available = stateIn(payload) !== "offline";
        this.#judge(known);
      } else if (known !== undefined) this.#state(known, payload, retained);
    }
  }

  #list(payload: Buffer): void {
    const list = payload.length === 0 ? undefined : parse(payload);
    if (!Array.isArray(list)) {
      if (payload.length > 0) this.#around.holdings.refuse("a zigbee2mqtt list of devices that cannot be read");
      return;
    }
    this.#listed = true;
    this.#cancelKeep?.();
    this.#cancelKeep = undefined;
    const present = new Set<string>();
    for (const entry of list as unknown[]) {
      const address = isObject(entry) ? addressOf(entry) : undefined;
      if (!isObject(entry) || address === undefined || present.has(address) || entry.type === "Coordinator") continue;
      // Not ready yet, and there anew in the next list.
      if (entry.interview_completed === false && !this.#known.has(address)) continue;
      present.add(address);
      this.#entry(address, entry);
    }
    for (const known of [...this.#known.values()]) if (!present.has(known.address)) this.#remove(known);
    this.#judgeAll();
  }

  #entry(address: string, entry: Record<string, unknown>): void {
    const known = this.#known.get(address) ?? this.#add(address);
    if (known === undefined) return;
    const name = typeof entry.friendly_name === "string" ? entry.friendly_name : address;
    if (name !== known.name) this.#rename(known, name);
    known.listening = entry.type === "Router";
    known.disabled = entry.disabled === true;
    const definition = isObject(entry.definition) ? entry.definition : {};
    const about = [
      name,
      definition.vendor,
      definition.model,
      entry.model_id,
      entry.software_build_id,
      definition.exposes,
    ];
    const digest = createHash("sha256").update(JSON.stringify(about)).digest("base64");
    if (digest === known.digest) return;
    known.digest = digest;
    const exposed = parseExposes(definition.exposes);
    known.exposed = new Map(exposed.map((one) => [one.rel, one]));
    const top = relOf([stateNode]);
    known.device.describe(
      exposed.map(({ rel, property }) => [rel, property] as const),
      new Map(
        top === undefined
          ? []
          : [[top, typeof definition.description === "string" ? shortened(definition.description) : ""]],
      ),
    );
    const face = faceOf(known, entry, definition);
    if (known.device.attached) return known.device.update(face);
    known.device.setReachable(this.#there(known));
    known.device.attach(face);
    this.#askLater(known);
  }

  #add(address: string): Known | undefined {
    const { holdings } = this.#around;
    if (holdings.devices >= limits.devices) {
      holdings.refuse("more MQTT devices than dmgw takes", { device: address });
      return undefined;
    }
    holdings.devices++;
    const voice: Voice = {
      tell: (orders, last) => [this.#message(known, "set", ordered(known.exposed, orders, last))],
      ask: (rels) =>
        rels.length === 0
          ? []
          : [this.#message(known, "get", new Map(rels.map((rel) => [known.exposed.get(rel)?.keys ?? [], ""])))],
    };
    const known: Known = {
      address,
      device: new MqttDevice(`mqtt:z2m:${address}`, voice, this.#around),
      exposed: new Map(),
      digest: "",
      name: "",
      listening: false,
      disabled: false,
      available: true,
    };
    this.#known.set(address, known);
    return known;
  }

  #remove(known: Known): void {
    this.#known.delete(known.address);
    this.#rename(known, "");
    known.device.detach();
    this.#around.holdings.devices--;
  }

  #removeAll(): void {
    for (const known of [...this.#known.values()]) this.#remove(known);
  }

  /** The topics of a device hang on its name. A name that can be no topic, or is another device's, leaves it without. */
  #rename(known: Known, name: string): void {
    const { broker, holdings } = this.#around;
    const mine = [...this.#topics].filter(([, [owner]]) => owner === known).map(([topic]) => topic);
    for (const topic of mine) this.#topics.delete(topic);
    if (mine.length > 0) broker.unsubscribe(mine);
    known.name = name;
    known.available = true;
    if (name === "") return;
    const [state, availability] = [`${this.#base}/${name}`, `${this.#base}/${name}/availability`];
    const isTopic = !/[+#\u0000]/.test(name) && Buffer.byteLength(name) <= 1000 && !name.startsWith("bridge/");
    if (!isTopic || this.#topics.has(state) || this.#topics.has(availability)) {
      holdings.refuse("a zigbee2mqtt device by a name that is no topic of its own", { device: known.address });
      return;
    }
    this.#topics.set(state, [known, "state"]);
    this.#topics.set(availability, [known, "availability"]);
    broker.subscribe([state, availability]);
  }

  #state(known: Known, payload: Buffer, retained: boolean): void {
    const json = parse(payload);
    if (!isObject(json)) return;
    const reports: Report[] = [];
    for (const { rel, keys } of known.exposed.values()) {
      const plain = at(json, keys);
      // null: zigbee2mqtt does not know it yet.
      if (plain !== undefined && plain !== null) reports.push([rel, plain]);
    }
    known.device.report(reports, retained);
  }

  #message(known: Known, what: "set" | "get", entries: ReadonlyMap<readonly string[], unknown>): Message {
    return { topic: `${this.#base}/${known.name}/${what}`, payload: JSON.stringify(nested(entries)) };
  }

  /**
   * zigbee2mqtt does not retain states unless it is told to, so after a start nobody knows whether a lamp is on. Those that can be
   * asked at any time are asked once, one after another.
   */
  #askLater(known: Known): void {
    this.#toAsk.push(known);
    this.#cancelAsk ??= this.#around.host.clock.after(times.pace * 8, () => this.#askNext());
  }

  #askNext(): void {
    this.#cancelAsk = undefined;
    const known = this.#toAsk.shift();
    if (known === undefined) return;
    this.#cancelAsk = this.#around.host.clock.after(times.pace, () => this.#askNext());
    const slots = [...known.device.nodes.leaves()];
    const silent = known.listening && known.device.reachable && slots.every(([, slot]) => slot.value === undefined);
    const rels = slots.filter(([, slot]) => slot.property.askable).map(([rel]) => rel);
    if (!silent || rels.length === 0 || this.#known.get(known.address) !== known) return;
    for (const { topic, payload } of known.device.voice.ask?.(rels) ?? []) {
      this.#around.broker.publish(topic, payload).catch(() => undefined);
    }
  }

  #judgeAll(): void {
    for (const known of this.#known.values()) this.#judge(known);
  }

  #judge(known: Known): void {
    // Between a reconnect and the list nothing is said.
    if (this.#online && !this.#listed && this.#cancelKeep === undefined) return;
    if (known.device.attached) known.device.setReachable(this.#there(known));
  }

  #there(known: Known): boolean {
    return this.#online && this.#listed && this.#bridgeOnline && known.available && !known.disabled;
  }
}

function addressOf({ ieee_address: address }: Record<string, unknown>): string | undefined {
  return typeof address === "string" && /^0x[0-9a-f]{16}$/i.test(address) ? address.toLowerCase() : undefined;
}

function faceOf(
  { name, address }: Known,
  { model_id, software_build_id }: Record<string, unknown>,
  { vendor, model }: Record<string, unknown>,
): Pick<Face, "clues" | "addresses" | "facts"> {
  const facts = new Map<string, unknown>([
    ["name", name],
    ["maker", vendor],
    ["model", typeof model === "string" ? model : model_id],
    ["firmware", software_build_id],
    ["serial", address],
  ]);
  const texts = [...facts].filter(([, fact]) => typeof fact === "string" && fact !== "");
  return {
    clues: [{ kind: "protocol-id", value: `zigbee:${address}` }],
    addresses: [],
    facts: Object.fromEntries(texts.map(([key, fact]) => [key, shortened(fact as string)])),
  };
}
