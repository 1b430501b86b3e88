import { ChangeError, DmError, Status } from "../../tree/errors.ts";
import { textOf } from "../../tree/value.ts";
import type { Change, Outcome } from "../../tree/mo.ts";
import type { Rel } from "../../tree/path.ts";
import type { Queue } from "../../tree/queue.ts";
import type { Value } from "../../tree/value.ts";
import type { Order, Reachable } from "./property.ts";
import { heardAnew, inTime } from "./reading.ts";
import { sameReading, write } from "./rules.ts";

/**
 * Writes to a device and waits until it reports what it was told: sent is not done. A property that never reports (a command, an event)
 * is done when the broker has taken the message. All or none: what was taken over before another one failed is written back.
 * @throws ChangeError: which of them; 400 with the allowed values, 503 nobody to talk to, 504 silent, 500 the device keeps another value, 516 the same and
 * something could not be written back.
 */
export async function writeAll(
  device: Reachable,
  queue: Queue,
  changes: readonly Change[],
  signal: AbortSignal,
): Promise<Outcome> {
  // A second order for the same property takes the place of the first.
  const orders = new Map<Rel, Order>();
  const indexes = new Map<Rel, number>();
  for (const [index, change] of changes.entries()) {
    try {
      orders.set(change.rel, orderOf(device, change));
      indexes.set(change.rel, index);
    } catch (error) {
      throw new ChangeError(index, true, error);
    }
  }
  return queue(device.identity, () => carryOut(device, [...orders.values()], indexes, signal), signal);
}

function orderOf(device: Reachable, change: Change): Order {
  const slot = device.nodes.get(change.rel);
  if (slot === undefined) throw new DmError(Status.notFound, `the device has no ${change.rel}`);
  const { property } = slot;
  if (change.verb !== "Replace" || !property.settable) {
    throw new DmError(Status.notAllowed, `${property.name} of an MQTT device does not take ${change.verb}`);
  }
  return { rel: change.rel, property, value: change.value, plain: write(property.rule, change.value, property.name) };
}

async function carryOut(
  device: Reachable,
  orders: readonly Order[],
  indexes: ReadonlyMap<Rel, number>,
  signal: AbortSignal,
): Promise<Outcome> {
  device.mustAnswer();
  // What is to be undone has to be known.
  for (const { rel, property } of orders.length > 1 ? orders : []) {
    if (property.askable && device.nodes.get(rel)?.value === undefined) await heardAnew(device, rel, signal);
  }
  const before = new Map(orders.map(({ rel }) => [rel, device.nodes.get(rel)?.value]));
  const failures = await tell(device, orders, signal);
  const [failed] = failures;
  if (failed === undefined) return { state: "done" };
  const [rel, first] = failed;
  const stuck = await putBack(
    device,
    orders.filter((order) => !failures.has(order.rel)),
    before,
  );
  const index = indexes.get(rel) ?? 0;
  if (stuck.length === 0) throw new ChangeError(index, true, first);
  const why = `${first.message}; not written back: ${stuck.join(", ")}`;
  throw new ChangeError(index, false, new DmError(Status.rollBackFailed, why, { cause: first }));
}

/** Sends the orders and listens. The answer: what failed, and why. @throws DmError 503 when the messages could not be sent. */
async function tell(device: Reachable, orders: readonly Order[], signal?: AbortSignal): Promise<Map<Rel, DmError>> {
  const open = new Map(orders.filter((order) => order.property.echoes).map((order) => [order.rel, order]));
  const other = new Map<Rel, Value>();
  const already = new Set([...open.values()].filter((order) => holds(device, order)).map((order) => order.rel));
  let complete: () => void = () => undefined;
  const verified = new Promise<void>((resolve) => (complete = resolve));
  if (open.size === 0) complete();
  const deaf = device.listen((rel, value, accepted) => {
    const order = open.get(rel);
    if (order === undefined) return;
    if (sameReading(order.property.rule, order.value, value)) open.delete(rel);
    else if (!accepted) other.set(rel, value);
    if (open.size === 0) complete();
  });
  try {
    const messages = device.voice.tell(orders, (rel) => device.nodes.get(rel)?.value);
    const sent = Promise.all(messages.map((message) => device.broker.publish(message.topic, message.payload, message)));
    const taken = sent.then(() => undefined);
    let delivered = false;
    void taken.then(
      () => (delivered = true),
      () => undefined,
    );
    const done = await inTime(device.clock, signal, Promise.all([taken, verified]));
    if (done) return new Map();
    if (!delivered) return new Map(orders.map((order) => [order.rel, silence("the broker took no message")]));
  } finally {
    deaf();
  }
  const failures = new Map<Rel, DmError>();
  for (const [rel, { property }] of open) {
    const kept = other.get(rel);
    const says = kept === undefined ? "" : textOf(kept).slice(0, 60);
    // A caller that gave up has not heard the device out: what it said meanwhile may be older than the order.
    if (kept !== undefined && signal?.aborted !== true) {
      failures.set(rel, new DmError(Status.failed, `the device kept ${says} for ${property.name}`));
    } else if (!already.has(rel)) {
      const still = says === "" ? "" : `, it still says ${says}`;
      failures.set(rel, silence(`the device did not say that it took ${property.name}${still}; it may follow later`));
    }
  }
  return failures;
}

/** Some devices say nothing when they are told what they already hold. */
function holds(device: Reachable, order: Order): boolean {
  const last = device.nodes.get(order.rel)?.value;
  return last !== undefined && sameReading(order.property.rule, order.value, last);
}

const silence = (what: string) => new DmError(Status.gatewayTimeout, `no answer in time: ${what}`);

/** The names of what could not be written back. The caller's signal may have fired already, so it does not count here. */
async function putBack(
  device: Reachable,
  orders: readonly Order[],
  before: ReadonlyMap<Rel, Value | undefined>,
): Promise<string[]> {
  const back: Order[] = [];
  const stuck: string[] = [];
  for (const { rel, property } of orders) {
    const value = before.get(rel);
    if (!property.echoes || value === undefined) {
      stuck.push(property.name);
      continue;
    }
    try {
      back.push({ rel, property, value, plain: write(property.rule, value, property.name) });
    } catch {
      stuck.push(property.name);
    }
  }
  if (back.length === 0) return stuck;
  const failures = await tell(device, back).catch(() => new Map(back.map((order) => [order.rel, undefined])));
  return [...stuck, ...back.filter((order) => failures.has(order.rel)).map((order) => order.property.name)];
}
