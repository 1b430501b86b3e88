import { ProtocolError } from "../../../tree/errors.ts";
import type { Convention } from "../convention.ts";
import type { Surroundings } from "../device.ts";
import { limits } from "../limits.ts";
import type { MqttOptions } from "../options.ts";
import { Paced } from "../paced.ts";
import { rebirthMetric, sessionOf } from "./metrics.ts";
import { readPayload, writePayload } from "./payload.ts";
import type { Metric, Payload } from "./payload.ts";
import { Rebirth } from "./rebirth.ts";
import { Station } from "./station.ts";

const times = {
  /** After its own birth an edge node brings those of its devices; who is not among them then is away. */
  gather: 5000,
  /** An edge node that was asked for its birth after a reconnect answers in this time, or is away. */
  patience: 15_000,
  /** Between two edge nodes that are asked after a reconnect. */
  pace: 100,
} as const;

interface Edge {
  readonly group: string;
  readonly id: string;
  readonly rebirth: Rebirth;
  readonly devices: Map<string, Station>;
  /** Until its first birth. */
  node: Station | undefined;
  /** The connection of ours in which it was born last. */
  born: number;
  /** Its own session, as the birth numbered it: its death has the same number. */
  session: bigint | undefined;
  /** Number of its last message. */
  seq: number | undefined;
  cancelGather?: (() => void) | undefined;
}

export function sparkplug(options: MqttOptions, around: Surroundings): Convention {
  return new Sparkplug(options.topics.sparkplug, around);
}

/**
 * Edge nodes and devices of Sparkplug B (Eclipse Sparkplug 3.0; 2.2 is the same on the wire). Nothing is retained: what was not born while we
 * listened is asked to be born again as soon as it is heard. We are no primary host application, so no STATE is published.
 */
export class Sparkplug implements Convention {
  readonly #root: string;
  readonly #around: Surroundings;
  readonly #edges = new Map<string, Edge>();
  readonly #toAsk: Paced<Edge>;
  readonly #kinds: ReadonlyMap<string, (edge: Edge, payload: Payload, device: string) => void>;
  #online = false;
  #connection = 0;
  #cancelPatience: (() => void) | undefined;

  constructor(root: string, around: Surroundings) {
    this.#root = root;
    this.#around = around;
    this.#toAsk = new Paced(around.host.clock, times.pace, (edge) => {
      if (edge.born !== this.#connection) edge.rebirth.ask();
    });
    this.#kinds = new Map([
      ["NBIRTH", (edge, payload) => this.#nodeBorn(edge, payload)],
      ["DBIRTH", (edge, payload, device) => this.#deviceBorn(edge, device, payload)],
      ["NDATA", (edge, payload) => this.#data(edge, edge.node, payload)],
      ["DDATA", (edge, payload, device) => this.#data(edge, edge.devices.get(device), payload)],
      ["NDEATH", (edge, payload) => this.#nodeDied(edge, payload)],
      ["DDEATH", (edge, payload, device) => this.#deviceDied(edge, device, payload)],
    ]);
    const levels = [...this.#kinds.keys()].map((kind) => `${kind}/${kind.startsWith("N") ? "+" : "+/+"}`);
    around.broker.subscribe(levels.map((level) => `${root}/+/${level}`));
  }

  up(): void {
    this.#online = true;
    this.#connection++;
  }

  /** What happened while nobody listened is not known: each is asked, and away when it does not answer. */
  settled(): void {
    for (const edge of this.#edges.values()) if (edge.node !== undefined && this.#unheard(edge)) this.#toAsk.add(edge);
    this.#cancelPatience?.();
    const patience = times.patience + this.#edges.size * times.pace;
    this.#cancelPatience = this.#around.host.clock.after(patience, () => {
      for (const edge of this.#edges.values()) if (this.#unheard(edge)) this.#gone(edge);
    });
    this.#judgeAll();
  }

  away(): void {
    this.#online = false;
    this.#judgeAll();
  }

  stop(): void {
    this.#toAsk.stop();
    this.#cancelPatience?.();
    for (const edge of this.#edges.values()) this.#quiet(edge);
  }

  /** What is retained against the specification was true at some time, and proves nothing now. */
  message(topic: string, octets: Buffer, retained: boolean): void {
    if (retained || !topic.startsWith(`${this.#root}/`)) return;
    const [group = "", kind = "", id = "", device, more] = topic.slice(this.#root.length + 1).split("/");
    const take = this.#kinds.get(kind);
    if (take === undefined || kind.startsWith("N") !== (device === undefined) || more !== undefined) return;
    if (![group, id, device ?? id].every(isId)) {
      return this.#around.holdings.refuse("a Sparkplug device by a name that nobody can read", { topic });
    }
    let payload: Payload;
    try {
      payload = readPayload(octets);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      return this.#around.holdings.refuse(error.message, { topic });
    }
    const edge = this.#edges.get(`${group}/${id}`) ?? (kind === "NDEATH" ? undefined : this.#meet(group, id));
    if (edge !== undefined) take(edge, payload, device ?? "");
  }

  /** An edge node that is heard for the first time. Those that were never born make room. */
  #meet(group: string, id: string): Edge | undefined {
    if (this.#edges.size >= limits.devices) {
      const [key, unborn] = [...this.#edges].find(([, { node }]) => node === undefined) ?? [];
      if (key === undefined || unborn === undefined) {
        this.#around.holdings.refuse("more MQTT devices than dmgw takes", { device: `${group}/${id}` });
        return undefined;
      }
      this.#quiet(unborn);
      this.#edges.delete(key);
    }
    const topic = `${this.#root}/${group}/NCMD/${id}`;
    const edge: Edge = {
      group,
      id,
      rebirth: new Rebirth(this.#around.host.clock, () => this.#askForBirth(topic)),
      devices: new Map(),
      node: undefined,
      born: 0,
      session: undefined,
      seq: undefined,
    };
    this.#edges.set(`${group}/${id}`, edge);
    return edge;
  }

  #nodeBorn(edge: Edge, payload: Payload): void {
    // It has its session number at least.
    if (payload.metrics.length === 0) return this.#around.holdings.refuse("a Sparkplug birth with nothing in it");
    edge.node ??= this.#add(edge, []);
    if (edge.node === undefined) return;
    edge.rebirth.born();
    edge.born = this.#connection;
    edge.session = sessionOf(payload);
    edge.seq = payload.seq;
    // The births of its devices follow, and nothing that they say can be read until then.
    for (const station of edge.devices.values()) station.current = false;
    edge.cancelGather?.();
    edge.cancelGather = this.#around.host.clock.after(times.gather, () => {
      for (const station of edge.devices.values()) station.alive &&= station.current;
      this.#judge(edge);
    });
    this.#show(edge, edge.node, payload);
  }

  #deviceBorn(edge: Edge, id: string, payload: Payload): void {
    if (!this.#inOrder(edge, payload)) return;
    let station = edge.devices.get(id);
    if (station === undefined) {
      station = this.#add(edge, [id]);
      if (station === undefined) return;
      edge.devices.set(id, station);
    }
    this.#show(edge, station, payload);
  }

  #add(edge: Edge, below: readonly string[]): Station | undefined {
    const { holdings } = this.#around;
    const ids = [edge.group, edge.id, ...below];
    if (holdings.devices >= limits.devices) {
      holdings.refuse("more MQTT devices than dmgw takes", { device: ids.join("/") });
      return undefined;
    }
    holdings.devices++;
    const command = [this.#root, edge.group, below.length === 0 ? "NCMD" : "DCMD", edge.id, ...below].join("/");
    return new Station(ids, command, this.#around);
  }

  /** Puts the station, as its birth describes it, into the tree. */
  #show(edge: Edge, station: Station, payload: Payload): void {
    station.born(payload);
    station.show(payload, this.#there(edge, station));
    this.#judge(edge);
  }

  #data(edge: Edge, station: Station | undefined, payload: Payload): void {
    if (!this.#inOrder(edge, payload)) return;
    if (station?.current !== true || !station.report(payload.metrics)) edge.rebirth.ask();
  }

  /**
   * May this be read? Not before a birth. A message that is missing is asked for with all others, and this one is still read; one that came
   * already is not read twice.
   */
  #inOrder(edge: Edge, { seq }: Payload): boolean {
    if (this.#unheard(edge)) {
      edge.rebirth.ask();
      return false;
    }
    const last = edge.seq;
    edge.seq = seq;
    if (last === undefined || seq === undefined) return true;
    if (seq !== (last + 1) % 256 && seq !== last) edge.rebirth.ask();
    return seq !== last;
  }

  /** The last will of an older session may come late. */
  #nodeDied(edge: Edge, payload: Payload): void {
    if (edge.session === undefined || edge.session === sessionOf(payload)) this.#gone(edge);
  }

  #deviceDied(edge: Edge, id: string, payload: Payload): void {
    const station = edge.devices.get(id);
    if (!this.#inOrder(edge, payload) || station === undefined) return;
    end(station);
    this.#judge(edge);
  }

  /** An edge node takes its devices with it. */
  #gone(edge: Edge): void {
    edge.born = 0;
    this.#quiet(edge);
    for (const station of stationsOf(edge)) end(station);
    this.#judge(edge);
  }

  #quiet(edge: Edge): void {
    edge.rebirth.stop();
    edge.cancelGather?.();
  }

  #askForBirth(topic: string): void {
    const now = this.#around.host.clock.now();
    const birth: Metric = { name: rebirthMetric, timestamp: now, datatype: 11, value: { in: "bool", data: true } };
    const { broker } = this.#around;
    broker.publish(topic, writePayload({ timestamp: now, metrics: [birth] }), { qos: 0 }).catch(() => undefined);
  }

  #judgeAll(): void {
    for (const edge of this.#edges.values()) this.#judge(edge);
  }

  #judge(edge: Edge): void {
    for (const station of stationsOf(edge)) {
      // After a reconnect nothing is said about those that had no time yet to be born again.
      const unheard = this.#online && station.alive && this.#unheard(edge);
      if (station.device.attached && !unheard) station.device.setReachable(this.#there(edge, station));
    }
  }

  #there(edge: Edge, station: Station): boolean {
    return this.#online && !this.#unheard(edge) && station.alive;
  }

  #unheard(edge: Edge): boolean {
    return edge.born !== this.#connection;
  }
}

function end(station: Station): void {
  station.alive = false;
  station.current = false;
}

function* stationsOf({ node, devices }: Edge): Iterable<Station> {
  if (node !== undefined) yield node;
  yield* devices.values();
}

/** One level of a topic that can be shown. */
function isId(id: string): boolean {
  return id !== "" && id.length <= limits.name && !/[\p{Cc}\p{Cs}\ufffd]/u.test(id);
}
