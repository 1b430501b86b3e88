/** What a bench gives back: one table with a caption. The first column names the row. */
export interface Table {
  readonly caption: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

/**
 * How often a second `run` can be done, one call after the other; `n` counts the calls. Warm-up does not count. Ms: how long to measure.
 */
export async function rate(run: (n: number) => unknown, ms = 400): Promise<number> {
  let n = await repeat(run, 0, ms / 4);
  const began = performance.now();
  const first = n;
  n = await repeat(run, n, ms);
  return ((n - first) * 1000) / (performance.now() - began);
}

/** Calls `run` until `ms` have passed; the number of the next call. */
async function repeat(run: (n: number) => unknown, from: number, ms: number): Promise<number> {
  const until = performance.now() + ms;
  let n = from;
  do {
    const doing = run(n);
    if (doing instanceof Promise) await doing;
    n++;
  } while (performance.now() < until);
  return n;
}

/** The middle of some measurements, in ms. */
export async function median(run: (n: number) => unknown, times: number): Promise<number> {
  const taken: number[] = [];
  for (let n = 0; n < times; n++) {
    const began = performance.now();
    await run(n);
    taken.push(performance.now() - began);
  }
  return taken.sort((a, b) => a - b)[Math.floor(times / 2)] ?? 0;
}

/** Three digits that matter, thousands apart: 1234567 -> "1,230,000". */
export function round(figure: number): string {
  if (figure === 0) return "0";
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(figure))));
  const shown = figure >= 1000 ? Number(figure.toPrecision(3)) : figure;
  return shown.toLocaleString("en-US", { maximumFractionDigits: digits });
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1_048_576).toFixed(1)} MB`;
}
