// Names and values come from devices and servers: nothing of theirs may steer a terminal, or look like a line of ours.

/** Controls (C0, DEL, C1), line and paragraph separators, marks that turn the writing direction, and what is not a character at all. */
const hostile = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu;

const short = new Map([
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
]);

/** The text on one line, with everything that a terminal would obey written as an escape. */
export function printable(text: string): string {
  return text.replace(hostile, (c) => short.get(c) ?? escaped(c));
}

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
}

/** JSON that is safe on a terminal too: what JSON leaves as it is gets its \u escape. */
export function jsonText(value: unknown, oneLine = false): string {
  const text = JSON.stringify(value, undefined, oneLine ? undefined : 2);
  return text.replace(hostile, (c) => (c === "\n" ? c : `\\u${(c.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`));
}

/** "12 s", "5 min", "3 h 20 min", "2 d 4 h". */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  const [big, small] = s < 86_400 ? ([3600, 60] as const) : ([86_400, 3600] as const);
  const [one, two] = s < 86_400 ? ["h", "min"] : ["d", "h"];
  const rest = Math.floor((s % big) / small);
  return `${Math.floor(s / big)} ${one}${rest === 0 ? "" : ` ${rest} ${two}`}`;
}

/** How long ago an ISO 8601 time was, or how long until then; "" for none. */
export function ago(iso: string | undefined, now = Date.now()): string {
  const time = Date.parse(iso ?? "");
  if (Number.isNaN(time)) return "";
  const seconds = (now - time) / 1000;
  if (seconds < -1) return `in ${duration(-seconds)}`;
  return seconds < 1 ? "now" : `${duration(seconds)} ago`;
}

export function bytes(count: number): string {
  if (count < 1000) return `${count} B`;
  const units = ["kB", "MB", "GB", "TB"];
  let value = count / 1000;
  let unit = 0;
  for (; value >= 999.5 && unit < units.length - 1; unit++) value /= 1000;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}
