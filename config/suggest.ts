/** The candidate that was probably meant; undefined when none is near. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = word.slice(0, 64).toLowerCase();
  let best: string | undefined;
  // One slip in short words, two in longer ones, three in the longest.
  let least = 1 + Math.min(3, Math.ceil(wanted.length / 4));
  for (const candidate of candidates) {
    const distance = slips(wanted, candidate.toLowerCase());
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

/** Letters left out, put in, exchanged, or swapped with their neighbour, to get from one word to the other. */
function slips(from: string, to: string): number {
  let [before, last]: number[][] = [[], Array.from({ length: to.length + 1 }, (_, column) => column)];
  for (let row = 1; row <= from.length; row++) {
    const now = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      const ways = [at(last, column) + 1, at(now, column - 1) + 1, at(last, column - 1) + (same ? 0 : 1)];
      now.push(Math.min(...ways, swapped ? at(before, column - 2) + 1 : Infinity));
    }
    [before, last] = [last, now];
  }
  return at(last, to.length);
}

const at = (row: readonly number[] | undefined, column: number): number => row?.[column] ?? Infinity;
