import { createHash } from "node:crypto";
import { MqttDevice } from "../device.ts";
import type { Surroundings } from "../device.ts";
import type { Message, Order } from "../property.ts";
import { faceOf } from "./face.ts";
import { commandOf, plainOf, pointAt, pointsOf, propertyOf, takenOf } from "./metrics.ts";
import type { Points } from "./metrics.ts";
import { writePayload } from "./payload.ts";
import type { Metric, Payload } from "./payload.ts";
import type { Report } from "../property.ts";

/** An edge node, or a device of one: what has a face. */
export class Station {
  readonly device: MqttDevice;
  /** Its last birth or death was a birth. */
  alive = false;
  /** It was born in the session of now: what it says can be read. */
  current = false;
  readonly #ids: readonly string[];
  readonly #command: string;
  readonly #around: Surroundings;
  #points: Points = { byName: new Map(), byAlias: new Map(), byRel: new Map(), cut: false };
  #digest = "";
  /** Characters held for metrics that are no nodes. */
  #held = 0;

  /** `ids`: group, edge node, and device where it is one. `command`: the topic of its orders. */
  constructor(ids: readonly string[], command: string, around: Surroundings) {
    this.#ids = ids;
    this.#command = command;
    this.#around = around;
    this.device = new MqttDevice(
      `mqtt:sparkplug:${ids.join("/")}`,
      { tell: (orders) => [this.#message(orders)] },
      around,
    );
  }

  /** The device as its birth describes it. */
  born(payload: Payload): void {
    const points = pointsOf(payload);
    const shape = [...points.byRel.values()].map(({ name, datatype }) => [name, datatype]);
    const digest = createHash("sha256").update(JSON.stringify(shape)).digest("base64");
    if (digest !== this.#digest) {
      this.#digest = digest;
      this.device.describe(
        [...points.byRel.values()].map((point) => [point.rel, propertyOf(point)] as const),
        new Map(),
      );
    }
    const weight = [...points.byName].reduce(
      (sum, [name, point]) => sum + (point === undefined ? name.length + 16 : 0),
      0,
    );
    const remember = this.#around.holdings.exchange(this.#held, weight);
    if (!remember) this.#around.holdings.exchange(this.#held, 0);
    this.#held = remember ? weight : 0;
    this.#points = takenOf(points, (rel) => this.device.nodes.get(rel) !== undefined, remember);
    this.alive = true;
    this.current = true;
    this.report(payload.metrics);
  }

  /** Attaches it, or tells what is new of it. */
  show(payload: Payload, reachable: boolean): void {
    const face = faceOf(this.#ids, payload);
    if (this.device.attached) return this.device.update(face);
    this.device.setReachable(reachable);
    this.device.attach(face);
  }

  /** false: it spoke of something that its birth did not have. */
  report(metrics: readonly Metric[]): boolean {
    let known = true;
    const reports: Report[] = [];
    for (const metric of metrics) {
      const point = pointAt(this.#points, metric);
      if (point === "unknown") known = false;
      else if (point !== undefined && metric.historical !== true) {
        const plain = plainOf(point, metric);
        if (plain === undefined) this.device.forget(point.rel);
        else reports.push([point.rel, plain]);
      }
    }
    this.device.report(reports, false);
    return known;
  }

  #message(orders: readonly Order[]): Message {
    const now = this.#around.host.clock.now();
    const metrics = orders.flatMap(({ rel, plain }) => {
      const point = this.#points.byRel.get(rel);
      return point === undefined ? [] : [commandOf(point, plain, now)];
    });
    // Sparkplug 3.0, 6.4.18 and 6.4.23: commands go with QoS 0.
    return { topic: this.#command, payload: writePayload({ timestamp: now, metrics }), qos: 0 };
  }
}
