import { printable } from "./print.ts";

// A terminal gives each character no, one or two columns (wcwidth). What is drawn over the letter before takes none; East Asian letters and emoji two.

const none = /[\p{Mn}\p{Me}\ufe00-\ufe0f]/u;
const two =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{16fe0}-\u{18cff}\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]|(?!\p{Regional_Indicator})\p{Emoji_Presentation}/u;

function columnsOf(character: string): number {
  if (character < "\u0300") return 1;
  return none.test(character) ? 0 : two.test(character) ? 2 : 1;
}

/** Columns that a printable text takes on a terminal. */
export function widthOf(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text) width += columnsOf(character);
  return width;
}

/** As padEnd, in columns. */
export function padded(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - widthOf(text)));
}

/** The beginning of a text that fits, and what is left of it. At least one character, so that whoever goes on gets to the end. */
export function cutAt(text: string, width: number): readonly [head: string, rest: string] {
  let [columns, end] = [0, 0];
  for (const character of text) {
    columns += columnsOf(character);
    if (columns > width && end > 0) break;
    end += character.length;
  }
  return [text.slice(0, end), text.slice(end)];
}

/** A text of somebody else, printable, with "…" for what goes beyond `width` columns. A name may have ten thousand letters. */
export function shortened(text: string, width: number): string {
  const most = 16 * width;
  const begin = printable(text.slice(0, most));
  if (text.length <= most && widthOf(begin) <= width) return begin;
  return `${cutAt(begin, width - 1)[0]}…`;
}
