import type { Rel } from "../../../tree/path.ts";
import type { Convention } from "../convention.ts";
import { MqttDevice } from "../device.ts";
import type { Surroundings } from "../device.ts";
import { limits, shortened } from "../limits.ts";
import { Heard } from "./payload.ts";
import { faceOf, fill, messagesOf, patternOf, planOf, plainOf, questionsOf } from "./plan.ts";
import type { Plan, Text } from "./plan.ts";
import type { MqttOptions } from "../options.ts";
import { Paced } from "../paced.ts";
import { TopicIndex } from "./topic-index.ts";

/** Between two devices that are asked for their values, ms. */
const pace = 250;

interface Known {
  readonly id: string;
  readonly plan: Plan;
  readonly device: MqttDevice;
  /** What stands where its base leaves a level open, by name; and its id. */
  values: ReadonlyMap<string, string>;
  /** Facts that it told itself. */
  readonly told: Map<Text, string>;
  /** What its availability topic said last. */
  word: boolean | undefined;
  /** Anything at all came from it. */
  heard: boolean;
  /** Of its last live message, on the monotonic clock; undefined: silent for too long. */
  spoke: number | undefined;
  /** The connection in which it was asked last. */
  asked: number;
  cancelSilence?: (() => void) | undefined;
}

interface Tap {
  readonly plan: Plan;
  take(known: Known, heard: Heard, retained: boolean): void;
}

export function mapped(options: MqttOptions, around: Surroundings): Convention {
  return new Mapped(
    options.mapping.flatMap(({ devices }) => devices.map(planOf)),
    around,
  );
}

/** Devices that follow no convention, as mapping files describe them. */
export class Mapped implements Convention {
  readonly #plans: readonly Plan[];
  readonly #around: Surroundings;
  readonly #taps = new TopicIndex<Tap>();
  readonly #known = new Map<string, Known>();
  readonly #toAsk: Paced<Known>;
  #online = false;
  #connection = 0;

  constructor(plans: readonly Plan[], around: Surroundings) {
    this.#plans = plans;
    this.#around = around;
    this.#toAsk = new Paced(around.host.clock, pace, (known) => this.#ask(known));
    for (const plan of plans) this.#listen(plan);
  }

  up(): void {
    this.#online = true;
    this.#connection++;
    // A device with an id of its own is there for people to see before it has said anything.
    for (const plan of this.#plans) {
      const { id } = plan.entry;
      if (!plan.makes && id !== undefined && !this.#known.has(id)) this.#add(plan, id, new Map([["id", id]]));
    }
    this.#judgeAll();
  }

  settled(): void {
    this.#judgeAll();
  }

  away(): void {
    this.#online = false;
    this.#judgeAll();
  }

  stop(): void {
    this.#toAsk.stop();
    for (const known of this.#known.values()) known.cancelSilence?.();
  }

  message(topic: string, payload: Buffer, retained: boolean): void {
    let heard: Heard | undefined;
    for (const [tap, levels] of this.#taps.match(topic)) {
      heard ??= new Heard(payload);
      const known = this.#at(tap.plan, levels, heard);
      if (known === undefined) continue;
      this.#hears(known, retained);
      tap.take(known, heard, retained);
      this.#judge(known);
    }
  }

  #listen(plan: Plan): void {
    const { availability, facts } = plan.entry;
    const filters = new Set<string>();
    const tap = (topic: string, take: Tap["take"]) => {
      const levels = patternOf(plan, topic);
      this.#taps.add(levels, { plan, take });
      filters.add(levels.map((level) => level ?? "+").join("/"));
    };
    // Before the values: who is back takes them, and is shown so at once.
    if (availability?.topic !== undefined) {
      const { topic, path, online, offline } = availability;
      tap(topic, (known, heard) => {
        const word = heard.word(path);
        if (word === online) known.word = true;
        else if (word === offline || heard.empty) known.word = false;
      });
    }
    for (const { fact, topic, path } of facts) tap(topic, (known, heard) => this.#told(known, fact, heard.word(path)));
    const topics = new Map<string, Rel[]>();
    for (const [rel, { topic }] of plan.points) {
      if (topic !== undefined) topics.set(topic, [...(topics.get(topic) ?? []), rel]);
    }
    for (const [topic, rels] of topics)
      tap(topic, (known, heard, retained) => this.#report(known, rels, heard, retained));
    this.#around.broker.subscribe([...filters]);
  }

  /** Whose message this is. One that nobody has heard of yet is made, as far as its plan lets it. */
  #at(plan: Plan, levels: readonly string[], heard: Heard): Known | undefined {
    const { id: text = "", idPath } = plan.entry;
    const values = new Map(plan.open.map((name, index) => [name, levels[index] ?? ""]));
    const id = idPath === undefined ? fill(text, values) : heard.word(idPath);
    if (id === undefined || levels.some((level) => level.length > limits.name)) return undefined;
    values.set("id", id);
    const known = this.#known.get(id);
    if (known === undefined) return heard.empty ? undefined : this.#make(plan, id, values);
    const same = idPath !== undefined || plan.open.every((name) => known.values.get(name) === values.get(name));
    if (known.plan !== plan || !same) {
      this.#around.holdings.refuse("a mapped MQTT device by the id of another one", { id });
      return undefined;
    }
    known.values = values;
    return known;
  }

  #make(plan: Plan, id: string, values: ReadonlyMap<string, string>): Known | undefined {
    const { holdings } = this.#around;
    if (!/^[^\p{C}/+#]{1,100}$/u.test(id)) {
      holdings.refuse("a mapped MQTT device by an id that is too long or that nobody can read");
      return undefined;
    }
    if (plan.makes && plan.made >= plan.entry.most) {
      holdings.refuse("more MQTT devices than their mapping says at most", { id, most: plan.entry.most });
      return undefined;
    }
    return this.#add(plan, id, values);
  }

  #add(plan: Plan, id: string, values: ReadonlyMap<string, string>): Known | undefined {
    const { holdings } = this.#around;
    if (holdings.devices >= limits.devices) {
      holdings.refuse("more MQTT devices than dmgw takes", { device: id });
      return undefined;
    }
    holdings.devices++;
    plan.made++;
    const known: Known = {
      id,
      plan,
      device: new MqttDevice(
        `mqtt:map:${id}`,
        {
          tell: (orders) => messagesOf(plan, orders, known.values),
          ...(plan.asks ? { ask: (rels: readonly Rel[]) => questionsOf(plan, rels, known.values) } : {}),
        },
        this.#around,
      ),
      values,
      told: new Map(),
      word: undefined,
      heard: false,
      spoke: undefined,
      asked: 0,
    };
    this.#known.set(id, known);
    known.device.describe(plan.properties, new Map());
    known.device.attach(faceOf(plan, id, values, known.told));
    return known;
  }

  #hears(known: Known, retained: boolean): void {
    known.heard = true;
    if (retained) return;
    known.device.seen();
    known.spoke = this.#around.host.clock.monotonic();
    const { silence } = known.plan.entry.availability ?? {};
    if (silence !== undefined && known.cancelSilence === undefined) this.#await(known, silence);
  }

  /** One timer, set anew when it ends: a device may speak a hundred times a second. */
  #await(known: Known, ms: number): void {
    known.cancelSilence = this.#around.host.clock.after(ms, () => {
      known.cancelSilence = undefined;
      const { silence = 0 } = known.plan.entry.availability ?? {};
      const rest = (known.spoke ?? -Infinity) + silence - this.#around.host.clock.monotonic();
      if (rest > 0) return this.#await(known, rest);
      known.spoke = undefined;
      this.#judge(known);
    });
  }

  #told(known: Known, fact: Text, word: string | undefined): void {
    if (word === undefined || word === "" || known.told.get(fact) === shortened(word)) return;
    known.told.set(fact, shortened(word));
    known.device.update(faceOf(known.plan, known.id, known.values, known.told));
  }

  #report({ plan, device }: Known, rels: readonly Rel[], heard: Heard, retained: boolean): void {
    const reports: [Rel, unknown][] = [];
    for (const rel of rels) {
      const property = plan.points.get(rel);
      const plain = property === undefined ? undefined : plainOf(property, heard);
      if (plain === null) device.forget(rel);
      else if (plain !== undefined) reports.push([rel, plain]);
    }
    device.report(reports, retained);
  }

  #judgeAll(): void {
    for (const known of this.#known.values()) this.#judge(known);
  }

  #judge(known: Known): void {
    const there = this.#there(known);
    known.device.setReachable(there);
    if (!there || !known.plan.asks || known.asked === this.#connection) return;
    known.asked = this.#connection;
    this.#toAsk.add(known);
  }

  /** Who can be asked may retain nothing: each is asked once after a connect. */
  #ask({ plan, device, values }: Known): void {
    if (!device.reachable) return;
    const askable = plan.properties.filter(([, property]) => property.askable).map(([rel]) => rel);
    for (const { topic, payload } of questionsOf(plan, askable, values)) {
      this.#around.broker.publish(topic, payload).catch(() => undefined);
    }
  }

  #there({ plan, word, heard, spoke }: Known): boolean {
    const { availability, properties, facts } = plan.entry;
    if (!this.#online) return false;
    if (availability?.topic !== undefined && word !== true) return false;
    if (availability?.silence !== undefined) return spoke !== undefined;
    // Of a device that only takes orders nothing is ever heard.
    const mute = facts.length === 0 && properties.every(({ topic }) => topic === undefined);
    return heard || mute;
  }
}
