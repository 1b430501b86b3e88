import { DmError, Status } from "../../tree/errors.ts";
import type { Rel } from "../../tree/path.ts";
import type { Clock } from "../../tree/ports.ts";
import type { Reachable } from "./property.ts";

/** How long a device may take to answer, ms; a call's own signal may end it earlier. */
export const answerTime = 5000;

/** Resolves true when `event` does, false when the time is up or the signal fires; rejects when `event` rejects. */
export async function inTime(clock: Clock, signal: AbortSignal | undefined, event: Promise<unknown>): Promise<boolean> {
  if (signal?.aborted === true) return false;
  let end: (inTime: boolean) => void = () => undefined;
  const late = new Promise<boolean>((resolve) => (end = resolve));
  const giveUp = () => end(false);
  const cancel = clock.after(answerTime, giveUp);
  signal?.addEventListener("abort", giveUp);
  try {
    return await Promise.race([event.then(() => true), late]);
  } finally {
    cancel();
    signal?.removeEventListener("abort", giveUp);
  }
}

/**
 * The device itself says again what stands at `rel` and below. Where its convention promises that the broker's copy is current, that is
 * enough. Below an interior node only what can be asked for is waited for.
 * @throws DmError 503 nobody to talk to, 504 silent.
 */
export async function heardAnew(device: Reachable, rel: Rel, signal: AbortSignal): Promise<void> {
  device.mustAnswer();
  if (device.voice.ask === undefined) return;
  const single = device.nodes.get(rel);
  const wanted = new Map(
    [...device.nodes.below(rel)].filter(
      ([, slot]) => slot.property.reported && (slot.property.askable || slot === single),
    ),
  );
  if (wanted.size === 0) return;
  const askable = [...wanted].filter(([, slot]) => slot.property.askable).map(([at]) => at);
  const messages = device.voice.ask(askable);
  let complete: () => void = () => undefined;
  const everything = new Promise<void>((resolve) => (complete = resolve));
  const deaf = device.listen((heard) => {
    wanted.delete(heard);
    if (wanted.size === 0) complete();
  });
  try {
    const sent = Promise.all(messages.map(({ topic, payload }) => device.broker.publish(topic, payload)));
    if (await inTime(device.clock, signal, Promise.all([sent, everything]))) return;
  } finally {
    deaf();
  }
  const missing = [...wanted.values()].map((slot) => slot.property);
  const why = missing.every((property) => !property.askable) ? ": it reports this only when it wants to" : "";
  throw new DmError(
    Status.gatewayTimeout,
    `the device did not say ${missing
      .map((property) => property.name)
      .slice(0, 5)
      .join(", ")} in time${why}`,
  );
}
