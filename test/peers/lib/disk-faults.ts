import { execFileSync } from "node:child_process";
import { join } from "node:path";

/** Builds the library that makes calls to the disk fail (see iofault.c); its path. */
export function buildDiskFaults(folder: string): string {
  const library = join(folder, "iofault.so");
  const source = join(import.meta.dirname, "iofault.c");
  execFileSync("gcc", ["-Wall", "-Werror", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"]);
  return library;
}
