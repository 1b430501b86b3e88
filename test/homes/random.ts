/** Chance that can be repeated: the same seed gives the same home on every machine. */
export interface Random {
  /** A whole number in [0, n). */
  below(n: number): number;
  between(least: number, most: number): number;
  chance(share: number): boolean;
  pick<T>(list: readonly [T, ...T[]]): T;
  /** Lower case. */
  hex(digits: number): string;
  shuffled<T>(list: readonly T[]): T[];
}

/** `seed`: what it is for, in any number of words: streams of different words are independent of each other. */
export function random(...seed: readonly (string | number)[]): Random {
  let state = hashed(seed.join("/"));
  const next = () => {
    // A counter, and a hash of it: every 32-bit state is good, and near seeds give far streams.
    state = (state + 0x9e3779b9) >>> 0;
    return mixed(state);
  };
  const below = (n: number) => Math.floor((next() / 2 ** 32) * n);
  return {
    below,
    between: (least, most) => least + below(most - least + 1),
    chance: (share) => next() / 2 ** 32 < share,
    pick: (list) => list[below(list.length)] ?? list[0],
    hex: (digits) => Array.from({ length: digits }, () => below(16).toString(16)).join(""),
    shuffled<T>(list: readonly T[]) {
      const all = [...list];
      for (let at = all.length - 1; at > 0; at--) {
        const other = below(at + 1);
        [all[at], all[other]] = [all[other] as T, all[at] as T];
      }
      return all;
    },
  };
}

function hashed(text: string): number {
  let hash = 0;
  for (const octet of Buffer.from(text)) hash = mixed(hash ^ (octet + 0x85eb));
  return hash;
}

function mixed(word: number): number {
  let mix = Math.imul(word ^ (word >>> 16), 0x7feb352d);
  mix = Math.imul(mix ^ (mix >>> 15), 0x846ca68b);
  return (mix ^ (mix >>> 16)) >>> 0;
}
