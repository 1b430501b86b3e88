import { createHash } from "node:crypto";
import type { Rel } from "../../../tree/path.ts";
import type { Convention } from "../convention.ts";
import { MqttDevice } from "../device.ts";
import type { Surroundings } from "../device.ts";
import { limits } from "../limits.ts";
import type { MqttOptions } from "../options.ts";
import { Paced } from "../paced.ts";
import type { Message } from "../property.ts";
import { faceOf, parseConfig } from "./discovery.ts";
import type { TasmotaConfig } from "./discovery.ts";
import { nodesOf } from "./nodes.ts";
import type { Tap } from "./nodes.ts";
import { parseSensors } from "./sensors.ts";
import { commandsOf, questionsOf, spoken, understood } from "./speech.ts";
import type { Command, Speech } from "./speech.ts";
import { parse } from "../json.ts";

const times = {
  /** The description of the sensors comes right after the config, where there is one. */
  gather: 300,
  /** A device whose config has gone from the broker is kept as long; the broker may have lost its memory. */
  keep: 3_600_000,
  /** Between two devices that are asked how they are. */
  pace: 100,
} as const;

interface Known {
  config: TasmotaConfig;
  readonly device: MqttDevice;
  readonly sensorsTopic: string;
  /** Of the config that was read last. */
  digest: string;
  sensors: readonly Tap[];
  /** Of the sensors: their values come with them, and change nothing. */
  shape: string;
  taps: ReadonlyMap<Rel, Tap>;
  /** The topics are its own: no other device has them. */
  heard: boolean;
  /** What its last will, or its speaking, says. */
  there: boolean;
  /** The connection in which it was announced last, and in which it was asked last. */
  connection: number;
  asked: number;
  cancel?: () => void;
  cancelGone?: (() => void) | undefined;
}

export function tasmota(options: MqttOptions, around: Surroundings): Convention {
  return new Tasmota(options.topics.tasmota, around);
}

/**
 * Devices with the Tasmota firmware, by its own discovery (SetOption19 0): `<root>/<MAC>/config` and `/sensors`. What a device says it says
 * on `stat` and `tele`, orders go below its `cmnd`; their answer is the proof that they were taken.
 */
export class Tasmota implements Convention {
  readonly #root: string;
  readonly #around: Surroundings;
  /** By MAC. */
  readonly #known = new Map<string, Known>();
  /** By each of the first levels that a device speaks or listens on. */
  readonly #bases = new Map<string, Known>();
  readonly #toAsk: Paced<Known>;
  #online = false;
  #connection = 0;

  constructor(root: string, around: Surroundings) {
    this.#root = root;
    this.#around = around;
    this.#toAsk = new Paced(around.host.clock, times.pace, (known) => this.#ask(known));
    around.broker.subscribe([`${root}/+/config`]);
  }

  up(): void {
    this.#online = true;
    this.#connection++;
  }

  /** What was not announced again has left while nobody listened, or the broker has forgotten it. */
  settled(): void {
    for (const known of [...this.#known.values()]) {
      if (known.connection === this.#connection) continue;
      known.cancelGone ??= this.#around.host.clock.after(times.keep, () => this.#remove(known));
    }
    this.#judgeAll();
  }

  away(): void {
    this.#online = false;
    this.#judgeAll();
  }

  stop(): void {
    this.#toAsk.stop();
    for (const known of this.#known.values()) {
      known.cancel?.();
      known.cancelGone?.();
    }
  }

  message(topic: string, payload: Buffer, retained: boolean): void {
    if (topic.startsWith(`${this.#root}/`)) {
      const [mac = "", what, more] = topic.slice(this.#root.length + 1).split("/");
      if (more === undefined && /^[0-9a-f]{12}$/i.test(mac)) {
        if (what === "config") this.#configured(mac, topic, payload);
        else if (what === "sensors") this.#sensed(mac, topic, payload);
      }
      return;
    }
    const at = topic.lastIndexOf("/") + 1;
    const known = this.#bases.get(topic.slice(0, at));
    // Orders of others are no reports.
    if (known !== undefined && topic.slice(0, at) !== known.config.topics.command)
      this.#said(known, topic.slice(at), payload, retained);
  }

  #configured(mac: string, topic: string, payload: Buffer): void {
    let known = this.#known.get(mac.toLowerCase());
    if (payload.length === 0) return known === undefined ? undefined : this.#remove(known);
    const config = parseConfig(parse(payload), mac);
    if (typeof config === "string") return this.#around.holdings.refuse(config, { topic });
    const digest = createHash("sha256").update(payload).digest("base64");
    known ??= this.#add(config, `${topic.slice(0, -"config".length)}sensors`);
    if (known === undefined) return;
    known.connection = this.#connection;
    known.cancelGone?.();
    known.cancelGone = undefined;
    if (known.digest !== digest || !known.heard) {
      known.digest = digest;
      this.#claim(known, config);
      if (known.device.attached) this.#show(known);
      else known.cancel ??= this.#around.host.clock.after(times.gather, () => this.#show(known));
    }
    this.#judge(known);
  }

  #add(config: TasmotaConfig, sensorsTopic: string): Known | undefined {
    const { holdings, broker } = this.#around;
    if (holdings.devices >= limits.devices) {
      holdings.refuse("more MQTT devices than dmgw takes", { device: config.mac });
      return undefined;
    }
    holdings.devices++;
    const known: Known = {
      config,
      device: new MqttDevice(
        `mqtt:tasmota:${config.mac}`,
        {
          tell: (orders) => this.#messages(known, commandsOf(known.taps, orders)),
          ask: (rels) => this.#messages(known, questionsOf(known.taps, rels)),
        },
        this.#around,
      ),
      sensorsTopic,
      digest: "",
      sensors: [],
      shape: "",
      taps: new Map(),
      heard: false,
      there: false,
      connection: this.#connection,
      asked: 0,
    };
    this.#known.set(config.mac, known);
    broker.subscribe([sensorsTopic]);
    return known;
  }

  #remove(known: Known): void {
    known.cancel?.();
    known.cancelGone?.();
    this.#toAsk.delete(known);
    this.#known.delete(known.config.mac);
    this.#release(known);
    this.#around.broker.unsubscribe([known.sensorsTopic]);
    known.device.detach();
    this.#around.holdings.devices--;
  }

  /** Takes the topics of a config, or none of them when one is another device's: then nobody would know who speaks there. */
  #claim(known: Known, config: TasmotaConfig): void {
    const { broker, holdings } = this.#around;
    const { command, stat, tele } = config.topics;
    const before = known.config.topics;
    known.config = config;
    if (known.heard && JSON.stringify(before) === JSON.stringify(config.topics)) return;
    this.#release(known, before);
    if ([command, stat, tele].some((base) => this.#bases.has(base)))
      return holdings.refuse("a Tasmota device by topics that are another device's", { device: config.mac });
    for (const base of [command, stat, tele]) this.#bases.set(base, known);
    known.heard = true;
    known.asked = 0;
    broker.subscribe(heardOn(config.topics));
  }

  #release(known: Known, topics = known.config.topics): void {
    if (!known.heard) return;
    for (const base of Object.values(topics)) this.#bases.delete(base);
    this.#around.broker.unsubscribe(heardOn(topics));
    known.heard = false;
    known.there = false;
  }

  #sensed(mac: string, topic: string, payload: Buffer): void {
    const known = this.#known.get(mac.toLowerCase());
    if (known === undefined || topic !== known.sensorsTopic) return;
    const sensors = parseSensors(payload, known.config);
    if (sensors === undefined) return this.#around.holdings.refuse("a Tasmota list of sensors that cannot be read");
    if (sensors.shape !== known.shape) {
      known.shape = sensors.shape;
      known.sensors = sensors.taps;
      this.#show(known);
    }
    this.#report(known, spoken(known.taps.values(), sensors.values), true);
  }

  /** Puts the device, as it describes itself now, into the tree. */
  #show(known: Known): void {
    known.cancel?.();
    const { device, config, sensors } = known;
    const { taps, interiors } = nodesOf(config, sensors);
    device.describe(
      taps.map(({ rel, property }) => [rel, property] as const),
      interiors,
    );
    // What exceeds the limits is not in the tree, and not held here either.
    known.taps = new Map(taps.filter(({ rel }) => device.nodes.get(rel) !== undefined).map((tap) => [tap.rel, tap]));
    known.sensors = sensors.filter(({ rel }) => known.taps.has(rel));
    if (device.attached) device.update(faceOf(config));
    else {
      device.setReachable(this.#there(known));
      device.attach(faceOf(config));
    }
    if (known.there) this.#askLater(known);
  }

  #said(known: Known, leaf: string, payload: Buffer, retained: boolean): void {
    if (leaf === "LWT") return this.#will(known, payload.toString("utf8", 0, 200), retained);
    if (!retained) {
      known.device.seen();
      // Who speaks is there, although nobody has heard its will.
      if (!known.there) this.#will(known, known.config.online, retained);
    }
    this.#report(known, understood(known.taps.values(), leaf, payload), retained);
  }

  #report(known: Known, { reports, targets }: Speech, retained: boolean): void {
    if (reports.length > 0) known.device.report(reports, retained);
    if (!retained) for (const [rel, target] of targets) known.device.accepted(rel, target);
  }

  #will(known: Known, word: string, retained: boolean): void {
    const { online, offline } = known.config;
    if (word !== online && word !== offline) return;
    const was = known.there;
    known.there = word === online;
    if (!retained && known.there) known.device.seen();
    this.#judge(known);
    if (known.there && (!was || known.asked !== this.#connection)) this.#askLater(known);
  }

  #messages({ config }: Known, commands: readonly Command[]): readonly Message[] {
    return commands.map(([name, payload]) => ({ topic: `${config.topics.command}${name}`, payload }));
  }

  /** Nothing of what it is like now is retained, so each is asked after a connect. */
  #askLater(known: Known): void {
    if (!known.device.attached) return;
    known.asked = this.#connection;
    this.#toAsk.add(known);
  }

  #ask(known: Known): void {
    if (!known.heard || !known.there) return;
    for (const { topic, payload } of this.#messages(known, questionsOf(known.taps, []))) {
      this.#around.broker.publish(topic, payload).catch(() => undefined);
    }
  }

  #judgeAll(): void {
    for (const known of this.#known.values()) this.#judge(known);
  }

  #judge(known: Known): void {
    // After a reconnect nothing is said about those that had no time yet to be announced again.
    const unheard = this.#online && known.connection !== this.#connection && known.cancelGone === undefined;
    if (known.device.attached && !unheard) known.device.setReachable(this.#there(known));
  }

  #there(known: Known): boolean {
    return this.#online && known.heard && known.there && known.cancelGone === undefined;
  }
}

/** What is subscribed to: one level below where it speaks. */
function heardOn({ stat, tele }: TasmotaConfig["topics"]): string[] {
  return [...new Set([`${stat}+`, `${tele}+`])];
}
