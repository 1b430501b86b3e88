import { afterEach, expect, it, vi } from "vitest";
import { systemClock } from "../../daemon/clock.ts";
import { fakeClock } from "../fakes/clock.ts";

afterEach(() => vi.useRealTimers());

it("calls once, and not before the time is over", async () => {
  const start = systemClock.monotonic();
  await new Promise<void>((resolve) => systemClock.after(20, resolve));
  // Node counts its timers in whole milliseconds.
  expect(systemClock.monotonic() - start).toBeGreaterThan(19);
});

it("does not call what was cancelled", async () => {
  let called = false;
  const cancel = systemClock.after(5, () => (called = true));
  cancel();
  cancel();
  await new Promise<void>((resolve) => systemClock.after(15, resolve));
  expect(called).toBe(false);
});

it("waits longer than a Node timer can", () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  const month = 40 * 24 * 3_600_000;
  const run = vi.fn();
  const cancelled = vi.fn();
  systemClock.after(month, run);
  const cancel = systemClock.after(month, cancelled);
  vi.advanceTimersByTime(month - 1);
  expect(run).not.toHaveBeenCalled();
  cancel();
  vi.advanceTimersByTime(1);
  expect(run).toHaveBeenCalledTimes(1);
  expect(cancelled).not.toHaveBeenCalled();
});

it("does not keep the process alive", () => {
  const timer = vi.spyOn(globalThis, "setTimeout");
  systemClock.after(60_000, () => {})();
  expect((timer.mock.results[0]?.value as NodeJS.Timeout).hasRef()).toBe(false);
  timer.mockRestore();
});

it("tells the wall clock in ms since 1970", () => {
  expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1000);
});

it("has a fake that runs timers in order, each at its own time, and those that promises set on the way", async () => {
  const clock = fakeClock(1000);
  const seen: string[] = [];
  const note = (name: string) => () => void seen.push(`${name} at ${clock.monotonic()}, ${clock.now()}`);
  clock.after(20, note("b"));
  clock.after(10, () => {
    note("a")();
    void Promise.resolve().then(() => clock.after(5, note("set by a promise")));
  });
  clock.after(20, note("c"));
  clock.after(30, note("d"))();
  clock.after(100, note("later"));
  clock.jump(500);
  await clock.advance(50);
  expect(seen).toEqual(["a at 10, 1510", "set by a promise at 15, 1515", "b at 20, 1520", "c at 20, 1520"]);
  expect(clock.monotonic()).toBe(50);
  expect(clock.timers).toBe(1);
});
