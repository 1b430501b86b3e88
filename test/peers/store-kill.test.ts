import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { bundle } from "./lib/bundle.ts";
import { checkState, runWriter } from "./lib/store-process.ts";

let writer: Awaited<ReturnType<typeof bundle>>;
let folder: string;
beforeAll(async () => {
  writer = await bundle("test/peers/lib/store-writer.ts");
  folder = mkdtempSync(join(tmpdir(), "dmgw-kill-"));
});
afterAll(() => {
  writer.remove();
  rmSync(folder, { recursive: true, force: true });
});

const rounds = Number(process.env["DMGW_KILLS"] ?? 40);

it(`has every acknowledged commit, whole, after kill -9 at any moment (${rounds} times)`, async () => {
  const kept = new Set<string>();
  for (let round = 0; round < rounds; round++) {
    const running = runWriter(process.execPath, [writer.file, folder, "8", "0", `r${round}`]);
    // Some are killed while the file is still being opened, some in the middle of the work.
    const enough = round % 5 === 0 ? 0 : 1 + Math.floor(Math.random() * 400);
    while (running.child.exitCode === null && running.acknowledged() < enough) await pause(1);
    await pause(Math.random() * (enough === 0 ? 80 : 5));
    running.child.kill("SIGKILL");
    const answers = await running.ended;
    expect(answers.signal).toBe("SIGKILL");
    expect([...answers.refused]).toEqual([]);
    for (const id of answers.kept) kept.add(id);
    checkState(folder, kept, new Set());
  }
  expect(kept.size).toBeGreaterThan(rounds * 10);
});

it("is refused to a second process by name of the first, and free once that one was killed", async () => {
  const first = runWriter(process.execPath, [writer.file, folder, "1", "0", "first"]);
  while (first.acknowledged() === 0) await pause(5);
  const second = await runWriter(process.execPath, [writer.file, folder, "1", "1", "second"]).ended;
  expect(second.code).toBe(78);
  expect(second.said.join()).toContain(`in use by another dmgw (process ${first.child.pid})`);
  first.child.kill("SIGKILL");
  await first.ended;
  const third = await runWriter(process.execPath, [writer.file, folder, "1", "1", "third"]).ended;
  expect(third.said).toContain("closed");
});

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
