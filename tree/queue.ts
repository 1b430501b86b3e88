import { DmError, Status, reasonOf } from "./errors.ts";

/** Runs a job when every earlier job of the same key has ended; jobs of different keys run side by side. */
export type Queue = <T>(key: string, job: () => Promise<T>, signal?: AbortSignal) => Promise<T>;

/**
 * One job at a time for each key, in order of arrival. A waiting job whose signal fires never runs, and its caller hears so at once.
 * @param limit jobs that may wait for one key; one more is refused with DmError 503.
 */
export function oneAtATime(limit = 64): Queue {
  const lines = new Map<string, { last: Promise<unknown>; length: number }>();
  return async (key, job, signal) => {
    const line = lines.get(key) ?? { last: Promise.resolve(), length: 0 };
    if (line.length > limit) throw new DmError(Status.unavailable, `${limit} calls already wait for this device`);
    lines.set(key, line);
    line.length++;
    const gaveUp = () => new DmError(Status.gatewayTimeout, `gave up waiting: ${reasonOf(signal?.reason)}`);
    let stopWaiting = (): void => undefined;
    const patience = new Promise<never>((_resolve, reject) => {
      const giveUp = () => reject(gaveUp());
      signal?.addEventListener("abort", giveUp, { once: true });
      stopWaiting = () => signal?.removeEventListener("abort", giveUp);
    });
    const turn = line.last.then(() => {
      stopWaiting();
      if (signal?.aborted) throw gaveUp();
      return job();
    });
    const settled = turn.then(
      () => undefined,
      () => undefined,
    );
    line.last = settled.then(() => {
      line.length--;
      if (line.length === 0 && lines.get(key) === line) lines.delete(key);
    });
    return Promise.race([turn, patience]);
  };
}
