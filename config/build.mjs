// Makes dist/bundle/: what ships. One start file and chunks beside it, so that import() of an adapter, of a discovery source or of a CLI
// verb still loads only when it is asked for. better-sqlite3 stays outside: it is native.
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const outdir = process.env.DMGW_BUNDLE_DIR ?? join(root, "dist/bundle");
const entry = process.argv[2] ?? join(root, "daemon/main.ts");
/** Rarely used or heavy: never on the way from the command line to a running daemon. */
const lazy = ["mqtt", "aedes", "pbf", "multicast-dns", "node-ssdp", "yargs"];

// `npm ci --omit=dev` runs this too (it is npm's "prepare"): without the bundler there is nothing to do, and nothing wrong.
const bundler = await import("esbuild").catch(() => undefined);
if (bundler === undefined) {
  console.log("dist/bundle is left as it is: esbuild, a development package, is not installed");
  process.exit(0);
}

/** The npm package that a bundled file belongs to, as its folder; undefined for our own files. */
function packageOf(input) {
  return (
    /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(input)?.[0] ?? /^config\/shims\/[^/]+/.exec(input)?.[0]
  );
}

/** The inputs that are loaded as soon as `output` is: its own and those of its static imports. */
function startPath(outputs, output, seen = new Set()) {
  if (seen.has(output)) return [];
  seen.add(output);
  const { inputs, imports } = outputs[output];
  const below = imports.filter((i) => i.kind === "import-statement" && !i.external);
  return [...Object.keys(inputs), ...below.flatMap((i) => startPath(outputs, i.path, seen))];
}

/** Every licence that has to travel with the bundle, one text. */
async function notices(inputs) {
  const packages = [...new Set(Object.keys(inputs).map(packageOf))].filter((p) => p !== undefined).sort();
  const parts = [];
  for (const folder of packages) {
    const about = JSON.parse(await readFile(join(root, folder, "package.json"), "utf8"));
    const file = (await readdir(join(root, folder))).find((name) => /^(licen[cs]e|copying)/i.test(name));
    const text = file === undefined ? "" : `\n\n${(await readFile(join(root, folder, file), "utf8")).trim()}`;
    parts.push(`${about.name} ${about.version} (${about.license ?? "see its package"})${text}\n`);
  }
  return parts.join(`\n${"-".repeat(80)}\n\n`);
}

const bundled = bundler.build({
  absWorkingDir: root,
  entryPoints: { dmgw: entry },
  outdir,
  bundle: true,
  splitting: true,
  chunkNames: "[name]-[hash]",
  format: "esm",
  platform: "node",
  target: "node20.19",
  external: ["better-sqlite3"],
  // CommonJS packages inside an ES module still ask for these.
  banner: {
    js: 'import { createRequire as makeRequire } from "node:module"; const require = makeRequire(import.meta.url);',
  },
  define: { __dirname: "import.meta.dirname", __filename: "import.meta.filename" },
  // Names stay as they are: a stack trace from the field has to be readable.
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: "none",
  metafile: true,
  write: false,
  logLevel: "warning",
});
// esbuild has said what is wrong.
const { metafile, outputFiles } = await bundled.catch(() => process.exit(1));

// Only now: a build that failed leaves the last good one alone.
await rm(outdir, { recursive: true, force: true });
await mkdir(outdir, { recursive: true });
const start = join(outdir, "dmgw.js");
for (const { path, text } of outputFiles) {
  if (path !== start) await writeFile(path, text);
  else await writeFile(path, text.startsWith("#!") ? text : `#!/usr/bin/env node\n${text}`, { mode: 0o755 });
}
await writeFile(join(outdir, "THIRD-PARTY.txt"), await notices(metafile.inputs));

// What stands between the command and a running daemon: main.ts, and what it loads when it is to run.
const runs = ["daemon/main.ts", "daemon/daemon.ts", "config/load.ts"];
const starts = Object.keys(metafile.outputs).filter((path) => runs.includes(metafile.outputs[path].entryPoint));
const inputs = starts.flatMap((path) => startPath(metafile.outputs, path));
const loaded = new Set(inputs.map((input) => packageOf(input)?.replace(/^.*node_modules\//, "")));
loaded.delete(undefined);
const kilobytes = (bytes) => Math.ceil(bytes / 1024);
const total = Object.values(metafile.outputs).reduce((sum, output) => sum + output.bytes, 0);
console.log(
  `dist/bundle: ${Object.keys(metafile.outputs).length} files, ${kilobytes(total)} kB, of which dmgw.js ${kilobytes(metafile.outputs[relative(root, start)].bytes)} kB; ` +
    `packages loaded at start: ${[...loaded].sort().join(", ") || "none"}`,
);
const early = lazy.filter((name) => loaded.has(name));
if (early.length > 0) {
  console.error(`${early.join(", ")} would be loaded at every start: reach it through import() only`);
  process.exitCode = 1;
}
