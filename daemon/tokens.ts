import type { Clock } from "../tree/ports.ts";

/** A token bucket: true while there is one to take. `burst` at most, `perMinute` come back. */
export function openTokens(clock: Clock, burst: number, perMinute: number): () => boolean {
  let tokens: number = burst;
  let last = clock.monotonic();
  return () => {
    const now = clock.monotonic();
    tokens = Math.min(burst, tokens + ((now - last) / 60_000) * perMinute);
    last = now;
    if (tokens < 1) return false;
    tokens--;
    return true;
  };
}
