/** Chance that can be had again: the same seed gives the same numbers (mulberry32). */
export interface Random {
  /** 0 <= n < 1. */
  number(): number;
  /** 0 <= n < below, whole. */
  below(below: number): number;
  chance(share: number): boolean;
  /** One of them; they are not empty. */
  one<T>(of: readonly T[]): T;
}

export function seeded(seed: number): Random {
  let state = seed >>> 0;
  const number = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (limit: number) => Math.floor(number() * limit);
  return {
    number,
    below,
    chance: (share) => number() < share,
    one: <T>(of: readonly T[]) => of[below(of.length)] as T,
  };
}

/** DMGW_TEST_SEED, or another one each time. */
export const testSeed = Number(process.env["DMGW_TEST_SEED"] ?? Math.floor(Math.random() * 1e9));
