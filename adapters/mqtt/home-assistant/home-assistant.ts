import { createHash } from "node:crypto";
import { printable } from "../../printable.ts";
import type { Convention } from "../convention.ts";
import type { Surroundings } from "../device.ts";
import { Claims, unread } from "./claims.ts";
import type { Announcement, Thing } from "./claims.ts";
import { components } from "./components.ts";
import { parseConfig, parseTopic } from "./config.ts";
import type { Config, ConfigTopic, Entity } from "./config.ts";
import { arranged, faceOfKnown, newDevice, sameBlock, thingOf } from "./device.ts";
import type { Known } from "./device.ts";
import { identityOf } from "./face.ts";
import { said, topicRules } from "./points.ts";
import type { TopicRules } from "./points.ts";
import { heard } from "./templates.ts";
import { limits } from "../limits.ts";
import type { MqttOptions } from "../options.ts";
import type { Report } from "../property.ts";
import { Topics } from "../topics.ts";

const times = {
  /** A device announces its entities one by one: those that come in one go are read in one go. */
  gather: 100,
  /** An announcement that has gone from the broker is kept as long; the broker may have lost its memory. */
  keep: 3_600_000,
  /** The longest that a device is waited for that goes on announcing. */
  patience: 1000,
} as const;

export function homeAssistant(options: MqttOptions, around: Surroundings): Convention {
  return new HomeAssistant(options.topics.homeassistant, around);
}

/**
 * Devices that announce themselves by Home Assistant's MQTT discovery, entity by entity or whole.
 *
 * Whoever may publish below the prefix can announce anything, for anyone. An announcement keeps its entities: another topic with the same ids
 * is refused until the first one is gone or migrates; after a start the first is the one that the broker hands over first. With the
 * identifier of a device another topic can add entities to that device, as in Home Assistant, and facts that the device lacks, but change
 * nothing that is there. An announcement can make the gateway listen to any topic that it names exactly and, when a server writes to the
 * property, publish there with the gateway's account: not on the broker's own topics, nor on those of the discovery. An access list at the
 * broker is what narrows that.
 *
 * Nothing is said on `<prefix>/status`: dmgw is not Home Assistant. A device that does not retain its announcement, and repeats it only when
 * Home Assistant says hello, is seen when that happens; after a broken line it is there again as soon as it speaks.
 *
 * A device without availability is there while the broker is and has its announcement, as behind zigbee2mqtt. What the broker retains is
 * never a sign of life.
 */
export class HomeAssistant implements Convention {
  readonly #prefix: string;
  readonly #around: Surroundings;
  readonly #rules: TopicRules;
  readonly #topics: Topics<Known>;
  readonly #claims = new Claims<Known>();
  readonly #known = new Map<string, Known>();
  #online = false;
  /** Counts the connections: what was announced in an earlier one only may be gone. */
  #connection = 0;
  #cancelKeep: (() => void) | undefined;

  constructor(prefix: string, around: Surroundings) {
    this.#prefix = prefix;
    this.#around = around;
    this.#rules = topicRules(prefix);
    this.#topics = new Topics(around.broker, around.holdings);
    around.broker.subscribe([`${prefix}/+/+/config`, `${prefix}/+/+/+/config`]);
  }

  up(): void {
    this.#online = true;
    this.#connection++;
  }

  settled(): void {
    const now = this.#around.host.clock.monotonic();
    for (const one of this.#claims.all()) if (one.connection !== this.#connection) one.missedSince ??= now;
    this.#keep();
    for (const known of this.#known.values()) this.#judge(known);
  }

  away(): void {
    this.#online = false;
    for (const known of this.#known.values()) this.#judge(known);
  }

  stop(): void {
    this.#cancelKeep?.();
    for (const known of this.#known.values()) known.cancel?.();
  }

  message(topic: string, payload: Buffer, retained: boolean): void {
    const at = parseTopic(this.#prefix, topic);
    if (at !== undefined) return this.#config(topic, at, payload.toString(), retained);
    const listeners = this.#topics.listeners(topic);
    if (listeners.size === 0 || payload.length > limits.payload) return;
    const message = heard(payload);
    for (const known of listeners) {
      const there = known.availability.hear(topic, message);
      if (there !== undefined) this.#judge(known);
      if (there === true && !retained) known.device.seen();
      const reports: Report[] = [];
      for (const point of known.readers.get(topic) ?? []) {
        const plain = said(point, message);
        if (plain === null) known.device.forget(point.rel);
        else if (plain !== undefined) reports.push([point.rel, plain]);
      }
      if (reports.length > 0) known.device.report(reports, retained);
      this.#installed(known, reports);
      if (!retained && (reports.length > 0 || there === true)) this.#speaks(known);
    }
  }

  /** A device that speaks is still there, although the broker could not hand over an announcement that was never retained. */
  #speaks(known: Known): void {
    let back = false;
    for (const one of known.announcements) {
      if (one.missedSince === undefined || one.retained) continue;
      Object.assign(one, { missedSince: undefined, connection: this.#connection });
      back = true;
    }
    if (back) this.#judge(known);
  }

  #config(topic: string, at: ConfigTopic, text: string, retained: boolean): void {
    const before = this.#claims.get(topic);
    if (text === "") return this.#withdraw(before);
    const digest = createHash("sha256").update(text).digest("base64");
    if (before !== undefined) {
      before.connection = this.#connection;
      before.missedSince = undefined;
      before.retained ||= retained;
      if (before.digest === digest) return this.#judge(before.owner);
    }
    const config = parseConfig(at, text);
    if (config === undefined) {
      this.#around.holdings.refuse("a Home Assistant config that cannot be read", { topic });
    } else if (config !== "migrate") this.#announce(topic, at, config, { digest, text: text.length, retained });
    else if (before !== undefined) Object.assign(before, { loose: true, digest });
  }

  #announce(
    topic: string,
    at: ConfigTopic,
    config: Config,
    about: { digest: string; text: number; retained: boolean },
  ): void {
    const things = config.entities.flatMap((entity) => this.#thing(topic, entity) ?? []);
    const [first] = things;
    const identity = first === undefined ? undefined : identityOf(at, config.device, first);
    let before = this.#claims.get(topic);
    if (before !== undefined && before.owner.identity !== identity) {
      this.#withdraw(before);
      before = undefined;
    }
    if (identity === undefined) return;
    if (!this.#room(topic, identity, before, about.text)) return this.#withdraw(before);
    const owner = before?.owner ?? this.#owner(identity);
    if (owner === undefined) return void this.#around.holdings.exchange(about.text, 0);
    const announcement: Announcement<Known> = before ?? { topic, owner, ...unread };
    const old = announcement.things;
    // One that was refused is looked at again when it comes again.
    const digest = config.entities.every((entity) => this.#claims.isFree(entity, topic)) ? about.digest : "";
    const block = sameBlock(owner, config.device);
    const retained = about.retained || announcement.retained;
    Object.assign(announcement, { ...about, retained, digest, block, connection: this.#connection, loose: false });
    const news = things.some(({ availability: one }) => one !== undefined && owner.availability.add(one) === one);
    announcement.things = things.map((thing) => ({
      ...thing,
      availability: thing.availability && owner.availability.add(thing.availability),
    }));
    for (const loser of this.#claims.put(announcement, old)) {
      if (loser.things.length === 0) this.#withdraw(loser);
      else this.#soon(loser.owner);
    }
    owner.announcements.add(announcement);
    // Heard before the device is shown, so that it is not called away at first.
    if (news) this.#listen(owner);
    this.#soon(owner);
  }

  /** undefined: it is another's, or nothing that can be shown. */
  #thing(topic: string, entity: Entity): Thing | undefined {
    const { component } = entity;
    const leave = (why: string) => void this.#around.holdings.refuse(`a Home Assistant ${why}`, { topic, component });
    if (!components.has(component)) return leave("component that dmgw does not show");
    if (!this.#claims.isFree(entity, topic)) return leave("entity that another topic has announced");
    return thingOf(entity, this.#rules) ?? leave("entity without a topic that dmgw can use");
  }

  #room(topic: string, identity: string, before: Announcement<Known> | undefined, text: number): boolean {
    const { holdings } = this.#around;
    const own = this.#known.get(identity)?.announcements.size ?? 0;
    const fits = before !== undefined || (this.#claims.size < limits.topics && own < limits.properties);
    if (fits && holdings.exchange(before?.text ?? 0, text)) return true;
    holdings.refuse("more Home Assistant configs than dmgw holds", { topic });
    return false;
  }

  #owner(identity: string): Known | undefined {
    const { holdings } = this.#around;
    const there = this.#known.get(identity);
    if (there !== undefined) return there;
    if (holdings.devices >= limits.devices) {
      holdings.refuse("more MQTT devices than dmgw takes", { device: identity });
      return undefined;
    }
    holdings.devices++;
    const known = newDevice(identity, this.#around);
    this.#known.set(identity, known);
    return known;
  }

  #withdraw(announcement: Announcement<Known> | undefined): void {
    if (announcement === undefined) return;
    this.#claims.remove(announcement);
    announcement.owner.announcements.delete(announcement);
    this.#around.holdings.exchange(announcement.text, 0);
    this.#soon(announcement.owner);
  }

  /** After what comes together now; but a device that never stops announcing is shown too. */
  #soon(known: Known): void {
    const { clock } = this.#around.host;
    const now = clock.monotonic();
    known.showBy ??= now + times.patience;
    known.cancel?.();
    known.cancel = clock.after(Math.max(0, Math.min(times.gather, known.showBy - now)), () => this.#show(known));
  }

  /** Puts the device, as it is announced now, into the tree. */
  #show(known: Known): void {
    known.cancel = known.showBy = undefined;
    const { device, availability } = known;
    const things = [...known.announcements].flatMap((announcement) => announcement.things);
    if (things.length === 0) return this.#remove(known);
    const { points, readers, interiors } = arranged(things);
    device.describe(
      [...points.values()].map(({ rel, property }) => [rel, property] as const),
      interiors,
    );
    const before = known.points;
    known.points = points;
    known.readers = readers;
    availability.set(things.flatMap((thing) => thing.availability ?? []));
    const fresh = [...points.values()].filter(({ rel, state }) => before.get(rel)?.state?.topic !== state?.topic);
    this.#listen(
      known,
      fresh.flatMap(({ state }) => state?.topic ?? []),
    );
    this.#judge(known);
    if (device.attached) device.update(faceOfKnown(known));
    else device.attach(faceOfKnown(known));
  }

  #listen(known: Known, again: readonly string[] = []): void {
    this.#topics.set(known, new Set([...known.availability.topics, ...known.readers.keys()]), new Set(again));
  }

  #installed(known: Known, reports: readonly Report[]): void {
    const version = reports.find(([rel]) => rel.endsWith("/installed_version"))?.[1];
    const installed = typeof version === "string" ? printable(version, limits.name) : "";
    if (installed === "" || installed === known.installed) return;
    known.installed = installed;
    known.device.update(faceOfKnown(known));
  }

  #remove(known: Known): void {
    this.#known.delete(known.identity);
    this.#topics.set(known, new Set());
    known.device.detach();
    this.#around.holdings.devices--;
  }

  /** What the broker does not have any more is given up after its time. */
  #keep(): void {
    const { clock } = this.#around.host;
    const missed = [...this.#claims.all()].filter((one) => one.missedSince !== undefined);
    for (const one of missed) if (clock.monotonic() - (one.missedSince ?? 0) >= times.keep) this.#withdraw(one);
    const [next] = missed.filter((one) => this.#claims.get(one.topic) === one);
    this.#cancelKeep?.();
    this.#cancelKeep = next === undefined ? undefined : clock.after(times.keep, () => this.#keep());
  }

  #judge({ device, announcements, availability }: Known): void {
    let [heardOf, there] = [false, false];
    for (const { connection, missedSince } of announcements) {
      heardOf ||= connection === this.#connection || missedSince !== undefined;
      there ||= missedSince === undefined;
      if (heardOf && there) break;
    }
    // After a reconnect nothing is said about those that had no time yet to be announced again.
    if (this.#online && !heardOf) return;
    device.setReachable(this.#online && there && (availability.says ?? true));
  }
}
