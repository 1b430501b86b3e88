import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { StoreUsage } from "../../daemon/store.ts";
import { bundle } from "./lib/bundle.ts";

let writer: Awaited<ReturnType<typeof bundle>>;
let scratch: string;
beforeAll(async () => {
  writer = await bundle("test/peers/lib/store-writer.ts");
  scratch = mkdtempSync(join(tmpdir(), "dmgw-sync-"));
});
afterAll(() => {
  writer.remove();
  rmSync(scratch, { recursive: true, force: true });
});

interface Syscall {
  readonly call: "write" | "sync";
  readonly file: string;
  /** What a write to standard output said. */
  readonly said: string;
  readonly bytes: number;
}

/** Runs the writer under strace; the answer is what it did between "open" and "usage", and what it said of itself. */
function traced(...args: string[]): { calls: Syscall[]; usage: StoreUsage } {
  const folder = mkdtempSync(join(scratch, "state-"));
  const log = `${folder}.strace`;
  const trace = ["-f", "-y", "-e", "trace=write,pwrite64,fsync,fdatasync", "-o", log];
  const output = execFileSync("strace", [...trace, process.execPath, writer.file, folder, ...args], {
    encoding: "utf8",
  });
  const usage = JSON.parse(/^usage (.*)$/m.exec(output)?.[1] ?? "") as StoreUsage;

  const calls = readFileSync(log, "utf8")
    .split("\n")
    .flatMap((line): Syscall[] => {
      const match = /^\d+ +(\w+)\((\d+)<([^>]*)>(?:, "((?:[^"\\]|\\.)*)")?.* = (\d+)$/.exec(line);
      if (!match) return [];
      const [, name = "", fd, path = "", text = "", result] = match;
      const said = fd === "1" ? text : "";
      const file = fd === "1" ? "stdout" : path.startsWith(folder) ? path.slice(folder.length + 1) : "";
      if (file === "") return [];
      return [{ call: name.endsWith("sync") ? "sync" : "write", file, said, bytes: Number(result) }];
    });
  const from = calls.findIndex(({ said }) => said.startsWith("open"));
  const to = calls.findIndex(({ said }) => said.startsWith("usage"));
  return { calls: calls.slice(from + 1, to), usage };
}

const syncs = (calls: readonly Syscall[]) => calls.filter(({ call }) => call === "sync").length;

it("syncs once for 1000 batches of one turn", () => {
  const { calls, usage } = traced("1", "1000", "run", "turn");
  const acknowledged = calls.findIndex(({ said }) => said.startsWith("ok"));
  expect(calls.filter(({ said }) => said.startsWith("ok"))).toHaveLength(1000);
  // The commit; what follows it is the checkpoint, for more than 256 pages were written.
  const log = calls.slice(0, acknowledged).filter(({ file }) => file === "dmgw.db-wal");
  const checkpoint = calls.findIndex(({ file }) => file === "dmgw.db");
  expect(checkpoint).toBeGreaterThan(0);
  expect(syncs(log.slice(0, -1))).toBe(1);
  expect(syncs(calls)).toBe(usage.syncs);
  expect(usage.syncs).toBe(3);
});

it("acknowledges nothing that has not been synced before", () => {
  const { calls, usage } = traced("4", "200", "run");
  let unsynced = false;
  let acknowledged = 0;
  for (const { call, file, said } of calls) {
    if (file === "dmgw.db-wal") unsynced = call === "write";
    if (!said.startsWith("ok")) continue;
    acknowledged++;
    expect(unsynced).toBe(false);
  }
  expect(acknowledged).toBe(800);
  // Four writers that wait for their answers: four commits share a sync.
  expect(usage.syncs).toBeLessThan(800 / 2);
});

it("counts the syncs and bytes that the kernel sees", () => {
  const { calls, usage } = traced("1", "900", "run");
  expect(usage.syncs).toBe(syncs(calls));
  const written = calls.filter(({ call, file }) => call === "write" && file.startsWith("dmgw.db"));
  const bytes = written.reduce((sum, call) => sum + call.bytes, 0);
  // 32 bytes for each time that the log was begun anew are all that is left out.
  expect(bytes - usage.written).toBeGreaterThanOrEqual(0);
  expect(bytes - usage.written).toBeLessThan(bytes / 1000);
});
