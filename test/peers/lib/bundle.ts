import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";

const root = join(import.meta.dirname, "../../..");

/**
 * Makes one JavaScript file of a TypeScript one, so that `node` alone runs it in a process of its own.
 * @param entry path from the project's root: "test/peers/lib/store-writer.ts".
 */
export async function bundle(entry: string): Promise<{ readonly file: string; remove(): void }> {
  const folder = mkdtempSync(join(tmpdir(), "dmgw-bundle-"));
  const file = join(folder, "main.mjs");
  await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile: file,
    bundle: true,
    platform: "node",
    format: "esm",
    // Native: stays where it is.
    alias: { "better-sqlite3": join(root, "node_modules/better-sqlite3/lib/index.js") },
    external: [join(root, "node_modules/*")],
    banner: {
      js: 'import { createRequire as makeRequire } from "node:module"; const require = makeRequire(import.meta.url);',
    },
    logLevel: "error",
  });
  return { file, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
