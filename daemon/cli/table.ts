import { printable } from "./print.ts";
import type { Job } from "./verb.ts";

/** Blanks between two columns. */
const gap = 2;
/** A line below the head, and nothing else: what is drawn takes room from what is said. */
const oneRule = {
  ...{ top: "", "top-mid": "", "top-left": "", "top-right": "" },
  ...{ bottom: "", "bottom-mid": "", "bottom-left": "", "bottom-right": "" },
  ...{ left: "", "left-mid": "", right: "", "right-mid": "", middle: "", "mid-mid": "" },
};

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
  if (job.io.tty !== true) return plain(job, [head, ...cells]);
  const { default: Table } = await import("cli-table3");
  const wide = widths(head, cells, job.io.columns || 80);
  const style = { head: [], border: [], compact: true, "padding-left": 0, "padding-right": gap };
  const table = new Table({ head: [...head], colWidths: wide.map((width) => width + gap), style, chars: oneRule });
  table.push(...cells.map((row) => row.map((cell, n) => wrapped(cell, wide[n] ?? 1))));
  // Behind the last column there is no gap.
  job.line(table.toString().replace(/ +$|\u2500{2}$/gm, ""));
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
  return text.split(" ").reduce((longest, word) => (word.length > longest.length ? word : longest), "");
}

/** Lines of at most `width` characters, broken at blanks, and within a word only where it is longer than a line. */
function wrapped(text: string, width: number): string {
  const lines = [""];
  for (const word of text.split(" ")) {
    const letters = [...word];
    const last = lines.at(-1) ?? "";
    if (last === "") lines.pop();
    else if ([...last].length + 1 + letters.length <= width) {
      lines[lines.length - 1] = `${last} ${word}`;
      continue;
    }
    do lines.push(letters.splice(0, width).join(""));
    while (letters.length > 0);
  }
  return lines.join("\n");
}

/** Prints names and values below each other. */
export function printPairs(job: Job, pairs: readonly (readonly [name: string, value: string])[]): void {
  const wide = Math.max(...pairs.map(([name]) => name.length));
  for (const [name, value] of pairs) job.line(`${name.padEnd(wide)}  ${printable(value)}`.trimEnd());
}
