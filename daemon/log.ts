import { fstatSync, writeSync } from "node:fs";
import { isatty } from "node:tty";
import { reasonOf } from "../tree/errors.ts";
import type { Clock, Log } from "../tree/ports.ts";
import { systemClock } from "./clock.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";
/** auto: as text; to systemd's journal without the time, which the journal has, and with the level as the journal reads it. */
export type LogFormat = "auto" | "json" | "text";

export interface OpenedLog extends Log {
  /** From now on, for every part. */
  setLevel(level: LogLevel): void;
  setFormat(format: LogFormat): void;
}

/** Where lines go: one call a line, with its end. It never throws. */
export type LogOutput = (line: string) => void;

const levels: readonly LogLevel[] = ["debug", "info", "warn", "error"];
/** The priorities of syslog(3), which the journal takes from the start of a line (sd-daemon(3)). */
const priorities = { debug: 7, info: 6, warn: 4, error: 3 } as const;

/** Characters of a message, and of one value. */
const longestText = 1000;
const mostFields = 24;
/** Of one and the same line, and of all lines, within the window: a device that shouts must not fill a flash or hide the others. */
const mostRepeats = 3;
const mostLines = 600;
const window = 60_000;

/**
 * The log of the daemon, on standard error: one line each, `time level part: message key=value` or JSON.
 *
 * Names and values come from devices and servers: control characters are written as escapes, so none of them can begin a line of its own or speak to
 * a terminal; long ones are cut; passwords in URLs, and fields that are named after a secret, are left out. Lines that repeat are
 * counted instead of written, and so is everything beyond {@link mostLines} a minute.
 *
 * Written here rather than with pino, which takes 22 ms and 2.7 MB of private memory (9 MB RSS) at the start.
 */
export function openLog(
  options: { readonly level: LogLevel; readonly format: LogFormat },
  output: LogOutput = standardError,
  clock: Clock = systemClock,
): OpenedLog {
  let least = levels.indexOf(options.level);
  let render = renderer(options.format);
  const write = limited((line) => output(`${render(line, clock.now())}\n`), clock);

  const at = (part: string): Log => {
    const log =
      (level: LogLevel) =>
      (message: string, fields: Record<string, unknown> = {}) => {
        if (levels.indexOf(level) >= least)
          write({ level, part, message: plain(message), fields: plainFields(fields) });
      };
    return {
      debug: log("debug"),
      info: log("info"),
      warn: log("warn"),
      error: log("error"),
      part: (name) => at(part === "" ? name : `${part}.${name}`),
    };
  };
  return {
    ...at(""),
    setLevel: (level) => void (least = levels.indexOf(level)),
    setFormat: (format) => void (render = renderer(format)),
  };
}

/** Values are bare: short, without secrets, and JSON. */
interface Line {
  readonly level: LogLevel;
  readonly part: string;
  readonly message: string;
  readonly fields: readonly (readonly [key: string, value: string | number | boolean | null])[];
}

function renderer(format: LogFormat): (line: Line, now: number) => string {
  if (format === "json") return asJson;
  if (format === "auto" && isJournal()) return (line) => `<${priorities[line.level]}>${asText(line)}`;
  return (line, now) => `${new Date(now).toISOString()} ${line.level} ${asText(line)}`;
}

function asText({ part, message, fields }: Line): string {
  const pairs = fields.map(
    ([key, value]) => ` ${bareOrQuoted(key)}=${typeof value === "string" ? bareOrQuoted(value) : value}`,
  );
  return escaped(`${part === "" ? "" : `${part}: `}${message}${pairs.join("")}`);
}

/** Quoted, wherever a value could be taken for another pair. */
function bareOrQuoted(text: string): string {
  return /^[^\s"=\\]+$/u.test(text) ? text : JSON.stringify(text);
}

function asJson({ level, part, message, fields }: Line, now: number): string {
  // Built from parts: a field may have the name of one of ours, or of something that JavaScript gives to every object.
  const pairs: (readonly [string, unknown])[] = [
    ["time", new Date(now).toISOString()],
    ["level", level],
    ...(part === "" ? [] : [["part", part] as const]),
    ["message", message],
  ];
  const taken = new Set(pairs.map(([key]) => key));
  for (const [key, value] of fields) pairs.push([taken.has(key) ? `${key}_` : key, value]);
  return escaped(`{${pairs.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(",")}}`);
}

// Control characters of C0 and C1, line and paragraph separators, and what turns the direction of writing round.
const unsafe = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/g;

/** As JSON escapes, which are right in both formats: inside JSON these characters only stand in strings. */
function escaped(text: string): string {
  return text
    .replace(unsafe, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .toWellFormed();
}

const secretKey = /secret|passw|passphrase|psk|token|credential|authorization|cookie|nonce|private/i;
const urlPassword = /(\/\/[^\s/@:]*):[^\s/@]+@/g;

function plainFields(fields: Record<string, unknown>): Line["fields"] {
  const known = Object.entries(fields).filter(([, value]) => value !== undefined);
  return known
    .slice(0, mostFields)
    .map(([key, value]) => [plain(key), secretKey.test(key) ? "(hidden)" : plainValue(value)]);
}

function plainValue(value: unknown): string | number | boolean | null {
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value === "string") return plain(value);
  if (value instanceof Error) return plain(reasonOf(value));
  if (value instanceof Uint8Array) return `(${value.byteLength} bytes)`;
  try {
    return plain(JSON.stringify(value) ?? typeof value);
  } catch {
    return `(${typeof value})`;
  }
}

function plain(text: string): string {
  // First the password, then the cut: half a password is one too many.
  const open = text.replace(urlPassword, "$1:(hidden)@");
  return open.length <= longestText ? open : `${open.slice(0, longestText)}…(${open.length - longestText} more)`;
}

/** Passes on what is new, and counts the rest; what was counted is told when its window ends. */
function limited(write: (line: Line) => void, clock: Clock): (line: Line) => void {
  /** The lines of this window, at most {@link mostLines} of them. */
  const seen = new Map<string, { readonly line: Line; times: number }>();
  let passed = 0;
  let dropped = 0;
  let open = false;

  const endWindow = () => {
    open = false;
    for (const { line, times } of seen.values()) {
      const more = times - mostRepeats;
      if (more > 0) write({ ...line, message: `${line.message} (${more} more times within a minute)` });
    }
    if (dropped > 0) {
      const message = `${dropped} more lines within a minute are left out`;
      write({ level: "warn", part: "log", message, fields: [] });
    }
    seen.clear();
    passed = dropped = 0;
  };

  return (line) => {
    if (!open) {
      open = true;
      clock.after(window, endWindow);
    }
    const key = JSON.stringify(line);
    const known = seen.get(key);
    if (known) known.times++;
    if (known && known.times > mostRepeats) return;
    if (passed >= mostLines) {
      dropped++;
      return;
    }
    if (!known) seen.set(key, { line, times: 1 });
    passed++;
    write(line);
  };
}

/** Whether standard error is the journal's, as systemd tells (systemd.exec(5), JOURNAL_STREAM). */
function isJournal(): boolean {
  const stream = process.env["JOURNAL_STREAM"];
  if (stream === undefined || isatty(2)) return false;
  try {
    const { dev, ino } = fstatSync(2);
    return stream === `${dev}:${ino}`;
  } catch {
    return false;
  }
}

/** Synchronous, so that the last lines before an exit or a crash are there. */
function standardError(line: string): void {
  try {
    let rest = Buffer.from(line);
    while (rest.length > 0) rest = rest.subarray(writeSync(2, rest));
  } catch {
    // A reader that is gone or does not keep up loses lines; the daemon does its work without.
  }
}
