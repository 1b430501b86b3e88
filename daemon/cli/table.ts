import { printable } from "./print.ts";
import type { Job } from "./verb.ts";

/**
 * Prints a table. On a terminal it fits the width, and long cells go on below; piped it is plain: two spaces between columns, whole
 * cells, "-" for an empty one. Cells may hold anything.
 */
export async function printTable(
  job: Job,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): Promise<void> {
  const cells = rows.map((row) => row.map(printable));
  if (!job.io.tty) return plain(job, [head, ...cells]);
  const { default: Table } = await import("cli-table3");
  const table = new Table({
    head: [...head],
    colWidths: widths([head, ...cells], job.io.columns ?? 80),
    wordWrap: true,
    style: { head: [], border: [], compact: true },
  });
  table.push(...cells);
  job.line(table.toString());
}

function plain(job: Job, rows: readonly (readonly string[])[]): void {
  const wide = natural(rows);
  for (const row of rows) {
    const line = row.map((cell, n) => (cell === "" ? "-" : cell).padEnd(wide[n] ?? 0)).join("  ");
    job.line(line.trimEnd());
  }
}

function natural(rows: readonly (readonly string[])[]): number[] {
  return (rows[0] ?? []).map((_, n) => rows.reduce((most, row) => Math.max(most, [...(row[n] ?? "")].length), 1));
}

/** Widths with padding. The widest columns give way until the table fits; none gets narrower than its shortest useful width. */
function widths(rows: readonly (readonly string[])[], columns: number): number[] {
  const wide = natural(rows).map((width) => width + 2);
  const room = columns - wide.length - 1;
  const least = 8;
  for (let total = wide.reduce((a, b) => a + b, 0); total > room; total--) {
    const widest = wide.indexOf(Math.max(...wide));
    const width = wide[widest] ?? 0;
    if (width <= least) break;
    wide[widest] = width - 1;
  }
  return wide;
}

/** Prints names and values below each other. */
export function printPairs(job: Job, pairs: readonly (readonly [name: string, value: string])[]): void {
  const wide = Math.max(...pairs.map(([name]) => name.length));
  for (const [name, value] of pairs) job.line(`${name.padEnd(wide)}  ${printable(value)}`.trimEnd());
}
