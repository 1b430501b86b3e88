import { describe, expect, it } from "vitest";
import { oneAtATime } from "../../tree/queue.ts";

const later = () => {
  let done = (): void => undefined;
  const promise = new Promise<void>((resolve) => (done = resolve));
  return { promise, done };
};

describe("one job at a time", () => {
  it("keeps the order of one key, and lets other keys pass", async () => {
    const queue = oneAtATime();
    const order: string[] = [];
    const first = later();
    const a = queue("lamp", async () => {
      await first.promise;
      order.push("a");
    });
    const b = queue("lamp", async () => void order.push("b"));
    await queue("plug", async () => void order.push("other"));
    first.done();
    await Promise.all([a, b]);
    expect(order).toEqual(["other", "a", "b"]);
  });

  it("goes on after a job that failed", async () => {
    const queue = oneAtATime();
    await expect(queue("lamp", () => Promise.reject(new TypeError("no")))).rejects.toThrow("no");
    expect(await queue("lamp", async () => 1)).toBe(1);
  });

  it("tells a waiting caller at once when its time is up, and never runs its job", async () => {
    const queue = oneAtATime();
    const first = later();
    const running = queue("lamp", () => first.promise);
    const stop = new AbortController();
    let ran = false;
    const waiting = queue("lamp", async () => void (ran = true), stop.signal);
    stop.abort(new TypeError("time is up"));
    await expect(waiting).rejects.toMatchObject({ status: 504 });
    first.done();
    await running;
    await queue("lamp", async () => undefined);
    expect(ran).toBe(false);
  });

  it("refuses what is too much", async () => {
    const queue = oneAtATime(2);
    const first = later();
    const all = [1, 2, 3].map(() => queue("lamp", () => first.promise));
    await expect(queue("lamp", () => first.promise)).rejects.toMatchObject({ status: 503 });
    first.done();
    await Promise.all(all);
  });
});
