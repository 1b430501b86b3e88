import { readFileSync, statSync } from "node:fs";

/** The text of a file that belongs to the config, or what is wrong with it, in words that go behind its name. */
export type SmallFile =
  { readonly text: string; readonly mode: number } | { readonly fault: string; readonly absent: boolean };

const faults: ReadonlyMap<string | undefined, string> = new Map([
  ["ENOENT", "does not exist"],
  ["ENOTDIR", "does not exist"],
  ["EACCES", "may not be read by this user"],
  ["EPERM", "may not be read by this user"],
  ["ELOOP", "is a link that leads nowhere"],
  ["ENAMETOOLONG", "has too long a name"],
]);

/** Reads a regular file of at most `limit` octets that holds text (UTF-8). */
export function readSmallFile(path: string, limit: number): SmallFile {
  try {
    const stat = statSync(path);
    // A folder; or a device or pipe, whose end may never come.
    if (!stat.isFile()) return { fault: "is not a file", absent: false };
    const tooLarge: SmallFile = { fault: `is larger than ${Math.floor(limit / 1024)} kB`, absent: false };
    if (stat.size > limit) return tooLarge;
    const octets = readFileSync(path);
    if (octets.length > limit) return tooLarge;
    const text = textOf(octets);
    return text === undefined ? { fault: "is not text (UTF-8)", absent: false } : { text, mode: stat.mode };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return {
      fault: faults.get(code) ?? `cannot be read (${code ?? "unknown"})`,
      absent: code === "ENOENT" || code === "ENOTDIR",
    };
  }
}

function textOf(octets: Buffer): string | undefined {
  if (octets.includes(0)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(octets);
  } catch {
    return undefined;
  }
}
