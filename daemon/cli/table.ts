import { printable } from "./print.ts";
import type { Job } from "./verb.ts";
import { cutAt, padded, widthOf } from "./width.ts";

/** Blanks between two columns. */
const gap = 2;

/**
 * Prints a table. On a terminal it fits the width, and long cells go on below; piped it is plain: two spaces between columns, whole
 * cells, "-" for an empty one. Cells may hold anything.
 */
export function printTable(job: Job, head: readonly string[], rows: readonly (readonly string[])[]): void {
  for (const line of tableLines(job.io, head, rows)) job.line(line);
}

/** The lines of a table, as {@link printTable} prints it. */
export function tableLines(
  { tty, columns }: Job["io"],
  head: readonly string[],
  rows: readonly (readonly string[])[],
): readonly string[] {
  const cells = rows.map((row) => row.map(printable));
  if (tty !== true) {
    const all = [head, ...cells.map((row) => row.map((cell) => (cell === "" ? "-" : cell)))];
    const wide = natural(all);
    return all.map((row) => line(row, wide));
  }
  const wide = widths(head, cells, columns || 80);
  const rule = "\u2500".repeat(wide.reduce((sum, width) => sum + width + gap, -gap));
  return [line(head, wide), rule, ...cells.flatMap((row) => rowLines(row, wide))];
}

function line(row: readonly string[], wide: readonly number[]): string {
  return row
    .map((cell, n) => padded(cell, wide[n] ?? 0))
    .join(" ".repeat(gap))
    .trimEnd();
}

function rowLines(row: readonly string[], wide: readonly number[]): string[] {
  const parts = row.map((cell, n) => wrapped(cell, wide[n] ?? 1));
  const height = Math.max(...parts.map((part) => part.length));
  return Array.from({ length: height }, (_, n) =>
    line(
      parts.map((part) => part[n] ?? ""),
      wide,
    ),
  );
}

function natural(rows: readonly (readonly string[])[]): number[] {
  return (rows[0] ?? []).map((_, n) => rows.reduce((most, row) => Math.max(most, widthOf(row[n] ?? "")), 1));
}

/** The widest columns give way until the table fits: first by breaking at blanks, then within words, but none below its name. */
function widths(head: readonly string[], rows: readonly (readonly string[])[], columns: number): number[] {
  const wide = natural([head, ...rows]);
  const names = head.map((name) => Math.max(name.length, 6));
  const words = natural([head, ...rows.map((row) => row.map(longestWord))]);
  const room = columns - gap * (wide.length - 1);
  for (const floor of [words.map((width, n) => Math.max(names[n] ?? 0, Math.min(width, 20))), names]) {
    for (let total = wide.reduce((a, b) => a + b, 0); total > room; total--) {
      const spare = wide.map((width, n) => (width > (floor[n] ?? 0) ? width : 0));
      const widest = spare.indexOf(Math.max(...spare));
      if (spare[widest] === 0) break;
      wide[widest] = (wide[widest] ?? 0) - 1;
    }
  }
  return wide;
}

function longestWord(text: string): string {
  return text.split(" ").reduce((longest, word) => (widthOf(word) > widthOf(longest) ? word : longest), "");
}

/** Lines of at most `width` columns, broken at blanks, and within a word only where it is longer than a line. */
function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  let last = "";
  for (const word of text.split(" ")) {
    const more = last === "" ? word : `${last} ${word}`;
    if (widthOf(more) <= width) {
      last = more;
      continue;
    }
    if (last !== "") lines.push(last);
    for (last = word; widthOf(last) > width && last.length > 1;) {
      const [head, rest] = cutAt(last, width);
      if (rest === "") break;
      lines.push(head);
      last = rest;
    }
  }
  return [...lines, last];
}

/** Prints names and values below each other. */
export function printPairs(job: Job, pairs: readonly (readonly [name: string, value: string])[]): void {
  const wide = Math.max(...pairs.map(([name]) => name.length));
  for (const [name, value] of pairs) job.line(`${name.padEnd(wide)}  ${printable(value)}`.trimEnd());
}
