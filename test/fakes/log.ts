import type { Log } from "../../tree/ports.ts";

export interface FakeLog extends Log {
  /** Every line so far: "part: warn message key=value". */
  readonly lines: readonly string[];
}

/** A log that keeps its lines. */
export function fakeLog(): FakeLog {
  const lines: string[] = [];
  const at = (part: string): Log => {
    const write = (level: string) => (message: string, fields?: Record<string, unknown>) => {
      const more = Object.entries(fields ?? {}).map(([key, value]) => ` ${key}=${String(value)}`);
      lines.push(`${part}${level} ${message}${more.join("")}`);
    };
    return {
      debug: write("debug"),
      info: write("info"),
      warn: write("warn"),
      error: write("error"),
      part: (name) => at(`${name}: `),
    };
  };
  return { ...at(""), lines };
}
