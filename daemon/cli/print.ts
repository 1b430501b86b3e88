// Names and values come from devices and servers: nothing of theirs may steer a terminal, or look like a line of ours.

/**
 * Controls (C0, DEL, C1), line and paragraph separators, halves of characters; what cannot be seen (zero-width characters, marks that turn the writing
 * direction, fillers), for it makes two names look like one; more marks on a letter than any language puts there. A selector behind an emoji stays.
 */
const hostile =
  /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\ufff9-\ufffb]|(?!(?<=\p{Extended_Pictographic})\ufe0f)\p{Default_Ignorable_Code_Point}|(?<=\p{M}{8})\p{M}/gu;

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
  if (code < 0x100) return `\\x${hex(code, 2)}`;
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\u{${hex(code, 5)}}`;
}

/** JSON that is safe on a terminal too: what JSON leaves as it is gets its \u escape. */
export function jsonText(value: unknown, oneLine = false): string {
  const text = JSON.stringify(value, undefined, oneLine ? undefined : 2);
  const units = (c: string) => Array.from({ length: c.length }, (_, n) => `\\u${hex(c.charCodeAt(n), 4)}`).join("");
  return text.replace(hostile, (c) => (c === "\n" ? c : units(c)));
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, "0");
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
