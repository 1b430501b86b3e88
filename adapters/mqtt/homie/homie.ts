import { createHash } from "node:crypto";
import type { Rel } from "../../../tree/path.ts";
import { relOf } from "../../device-nodes.ts";
import { MqttDevice } from "../device.ts";
import type { Surroundings } from "../device.ts";
import { Attributes, isId, parseDescription } from "./description.ts";
import type { HomieDescription } from "./description.ts";
import { faceOf, nodesOf } from "./face.ts";
import { payloadOf, plainOf } from "./rules.ts";
import type { Version } from "./rules.ts";
import type { Convention } from "../convention.ts";
import { limits } from "../limits.ts";
import type { MqttOptions } from "../options.ts";
import type { Voice } from "../property.ts";

const times = {
  /** Attributes that come in one go are read in one go. */
  gather: 100,
  /** A device that does not say everything that the convention demands is taken as it is after this. */
  patience: 3000,
  /** A device whose topics have gone from the broker is kept as long; the broker may have lost its memory. */
  keep: 3_600_000,
} as const;

/** Is the device there? A sleeping one takes no orders; a value that is none of these is no state. */
const states = new Map([
  ["init", true],
  ["ready", true],
  ["alert", true],
  ["sleeping", false],
  ["disconnected", false],
  ["lost", false],
]);

interface Known {
  readonly id: string;
  readonly version: Version;
  readonly base: string;
  readonly device: MqttDevice;
  readonly attributes: Attributes;
  /** Values that came before their description; a zero-length payload is not among them. */
  readonly early: Map<Rel, { readonly payload: string; readonly retained: boolean }>;
  /** Until it is shown. */
  description?: HomieDescription | undefined;
  /** Homie 5: id of the root device, for its children. */
  root?: string | undefined;
  /** Of the $description that was read last. */
  digest?: string;
  state?: string;
  /** The connection in which it was announced last. */
  connection: number;
  cancel?: () => void;
  cancelGone?: (() => void) | undefined;
}

export function homie(options: MqttOptions, around: Surroundings): Convention {
  return new Homie(options.topics.homie, around);
}

/** Devices of the Homie convention, versions 3 and 4 below `<root>/<id>`, version 5 below `<root>/5/<id>`. */
export class Homie implements Convention {
  readonly #root: string;
  readonly #around: Surroundings;
  readonly #known = new Map<string, Known>();
  #online = false;
  #connection = 0;

  constructor(root: string, around: Surroundings) {
    this.#root = root;
    this.#around = around;
    around.broker.subscribe([`${root}/+/$homie`, `${root}/5/+/$state`]);
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
    for (const known of this.#known.values()) {
      known.cancel?.();
      known.cancelGone?.();
    }
  }

  message(topic: string, payload: Buffer, retained: boolean): void {
    if (!topic.startsWith(`${this.#root}/`)) return;
    const [first = "", ...rest] = topic.slice(this.#root.length + 1).split("/");
    const version = first === "5" ? 5 : 4;
    const id = version === 5 ? (rest.shift() ?? "") : first;
    if (isId(id)) this.#heard(version, id, rest, payload, retained);
  }

  #heard(version: Version, id: string, levels: readonly string[], payload: Buffer, retained: boolean): void {
    const [first = "", second = "", third] = levels;
    const text = payload.toString();
    if (levels.length === 1 && first === (version === 4 ? "$homie" : "$state")) {
      if (!this.#announced(version, id, text)) return;
    }
    const known = this.#known.get(id);
    if (known?.version !== version) return;
    if (!retained) known.device.seen();
    if (levels.length === 1 && first === "$state") this.#stateIs(known, text);
    else if (levels.length === 1 && first === "$description" && version === 5) this.#described(known, text);
    else if (levels.length === 2 && isId(first) && isId(second)) this.#value(known, first, second, text, retained);
    else if (third === "$target" && levels.length === 3) this.#target(known, first, second, text);
    else if (version === 4 && known.attributes.take(levels, text)) this.#soon(known);
  }

  /** The topic that says that a device exists. false: it does not, or not here. */
  #announced(version: Version, id: string, text: string): boolean {
    let known = this.#known.get(id);
    if (text === "") {
      if (known?.version === version) this.#remove(known);
      return false;
    }
    if (version === 4 ? !/^[34]\./.test(text) : !states.has(text)) return false;
    if (known !== undefined && known.version < version) {
      this.#remove(known);
      known = undefined;
    }
    if (known === undefined) known = this.#add(version, id);
    if (known === undefined) return false;
    known.connection = this.#connection;
    known.cancelGone?.();
    known.cancelGone = undefined;
    return true;
  }

  #add(version: Version, id: string): Known | undefined {
    const { holdings, broker } = this.#around;
    if (holdings.devices >= limits.devices) {
      holdings.refuse("more MQTT devices than dmgw takes", { device: id });
      return undefined;
    }
    holdings.devices++;
    const base = version === 5 ? `${this.#root}/5/${id}` : `${this.#root}/${id}`;
    const voice: Voice = {
      tell: (orders) =>
        orders.map(({ property, plain }) => ({
          topic: `${base}/${property.name}/set`,
          payload: payloadOf(version, plain),
        })),
    };
    const known: Known = {
      id,
      version,
      base,
      device: new MqttDevice(`mqtt:${this.#root}:${id}`, voice, this.#around),
      attributes: new Attributes(holdings),
      early: new Map(),
      connection: this.#connection,
    };
    this.#known.set(id, known);
    broker.subscribe([`${base}/#`]);
    return known;
  }

  #remove(known: Known): void {
    known.cancel?.();
    known.cancelGone?.();
    this.#known.delete(known.id);
    this.#around.broker.unsubscribe([`${known.base}/#`]);
    this.#forgetEarly(known);
    known.attributes.release();
    known.device.detach();
    this.#around.holdings.devices--;
  }

  #stateIs(known: Known, state: string): void {
    if (!states.has(state)) return;
    known.state = state;
    if (!known.device.attached && known.version === 4) this.#soon(known);
    else if (!known.device.attached) this.#show(known);
    this.#judgeAll();
  }

  #described(known: Known, text: string): void {
    const digest = createHash("sha256").update(text).digest("base64");
    if (text === "" || digest === known.digest) return;
    const description = parseDescription(text);
    if (description === undefined) {
      this.#around.holdings.refuse("a Homie $description that cannot be read", { device: known.id });
      return;
    }
    known.digest = digest;
    known.description = description;
    this.#show(known);
  }

  /** Homie 4: after the attributes that come together now. */
  #soon(known: Known): void {
    known.cancel?.();
    const wait = known.device.attached || known.attributes.complete ? times.gather : times.patience;
    known.cancel = this.#around.host.clock.after(wait, () => {
      known.description = known.attributes.listed();
      this.#show(known);
    });
  }

  /** Puts the device, as it describes itself now, into the tree. */
  #show(known: Known): void {
    const { description, device } = known;
    if (description === undefined || known.state === undefined) return;
    const { properties, interiors } = nodesOf(known.version, description);
    device.describe(properties, interiors);
    known.description = undefined;
    known.root = description.root;
    for (const [rel, { payload, retained }] of known.early) this.#report(known, rel, payload, retained);
    this.#forgetEarly(known);
    const face = faceOf(known.id, device.identity, description);
    if (device.attached) device.update(face);
    else {
      device.setReachable(this.#there(known));
      device.attach(face);
    }
    this.#judgeAll();
  }

  #value(known: Known, nodeId: string, id: string, text: string, retained: boolean): void {
    const rel = relOf([nodeId, id]);
    if (rel === undefined) return;
    if (known.device.nodes.get(rel) !== undefined) return this.#report(known, rel, text, retained);
    const before = known.early.get(rel)?.payload.length ?? 0;
    const room = known.early.has(rel) || known.early.size < limits.undescribed;
    if (text === "" || text.length > limits.value || !room || !this.#around.holdings.exchange(before, text.length))
      return;
    known.early.set(rel, { payload: text, retained });
  }

  #report(known: Known, rel: Rel, payload: string, retained: boolean): void {
    const rule = known.device.nodes.get(rel)?.property.rule;
    if (rule === undefined) return;
    // Homie 5 writes an empty text as a zero octet, so that a zero-length payload always means: deleted. In Homie 4 a text may be empty.
    const deleted = payload === "" && (known.version === 5 || rule.kind !== "text");
    if (deleted) known.device.forget(rel);
    else known.device.report([[rel, plainOf(rule, known.version, payload)]], retained);
  }

  #target(known: Known, nodeId: string, id: string, text: string): void {
    const rel = relOf([nodeId, id]);
    const rule = rel === undefined ? undefined : known.device.nodes.get(rel)?.property.rule;
    if (rel !== undefined && rule !== undefined) known.device.accepted(rel, plainOf(rule, known.version, text));
  }

  #forgetEarly(known: Known): void {
    for (const { payload } of known.early.values()) this.#around.holdings.exchange(payload.length, 0);
    known.early.clear();
  }

  /** One state may decide over many: a root device that is lost takes its children with it. */
  #judgeAll(): void {
    for (const known of this.#known.values()) {
      // After a reconnect nothing is said about those that had no time yet to be announced again.
      const unheard = this.#online && known.connection !== this.#connection && known.cancelGone === undefined;
      if (known.device.attached && !unheard) known.device.setReachable(this.#there(known));
    }
  }

  #there(known: Known): boolean {
    if (!this.#online || known.cancelGone !== undefined) return false;
    const { root } = known;
    if (root !== undefined && this.#known.get(root)?.state === "lost") return false;
    return states.get(known.state ?? "") ?? false;
  }
}
