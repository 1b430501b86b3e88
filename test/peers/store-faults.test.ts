import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { bundle } from "./lib/bundle.ts";
import { buildDiskFaults } from "./lib/disk-faults.ts";
import { checkState, runWriter } from "./lib/store-process.ts";
import type { Answers } from "./lib/store-process.ts";

let writer: Awaited<ReturnType<typeof bundle>>;
let scratch: string;
let library: string;
let folder: string;
const unmounts: (() => void)[] = [];

beforeAll(async () => {
  writer = await bundle("test/peers/lib/store-writer.ts");
  scratch = mkdtempSync(join(tmpdir(), "dmgw-faults-"));
  chmodSync(scratch, 0o755);
  library = buildDiskFaults(scratch);
});
afterAll(() => {
  writer.remove();
  rmSync(scratch, { recursive: true, force: true });
});
beforeEach(() => {
  folder = join(scratch, "state");
  mkdirSync(folder);
});
afterEach(() => {
  for (const unmount of unmounts.splice(0)) unmount();
  rmSync(folder, { recursive: true, force: true });
});

const write = (args: readonly string[], env: Record<string, string> = {}): Promise<Answers> =>
  runWriter(process.execPath, [writer.file, folder, ...args], { env: { ...process.env, ...env } }).ended;

const all = (): Promise<Answers> => write(["2", "150", "sound"]);

describe("a disk that fails", () => {
  const EIO = "5";
  const ENOSPC = "28";
  const faults: [file: string, calls: string, errno: string, status: string, more?: Record<string, string>][] = [
    ["dmgw.db-wal", "write", EIO, "510"],
    ["dmgw.db-wal", "write", ENOSPC, "420"],
    ["dmgw.db-wal", "write", ENOSPC, "420", { IOFAULT_TORN: "1" }],
    ["dmgw.db-wal", "write", EIO, "510", { IOFAULT_TORN: "1" }],
    ["dmgw.db-wal", "sync", EIO, "510"],
    ["dmgw.db-wal", "write sync", EIO, "510"],
    ["dmgw.db", "write sync truncate open", EIO, "510"],
  ];
  const moments = [
    { IOFAULT_AFTER: "20", IOFAULT_TIMES: "1" },
    { IOFAULT_AFTER: "21", IOFAULT_TIMES: "1" },
    { IOFAULT_AFTER: "60", IOFAULT_TIMES: "3" },
    { IOFAULT_AFTER: "150" },
  ];
  const cases = faults.flatMap(([file, calls, errno, status, more]) =>
    moments.flatMap((moment) => ["", "die"].map((end) => ({ file, calls, errno, status, more, moment, end }))),
  );

  it.each(cases)(
    "keeps what it acknowledged and nothing that it refused: $calls of $file with errno $errno, $moment $more $end",
    async ({ file, calls, errno, status, more, moment, end }) => {
      const seen = join(scratch, "seen");
      rmSync(seen, { force: true });
      const before = await all();
      const answers = await write(["1", "200", "bad", end], {
        LD_PRELOAD: library,
        IOFAULT_FILE: join(folder, file),
        IOFAULT_CALLS: calls,
        IOFAULT_ERRNO: errno,
        IOFAULT_SEEN: seen,
        ...moment,
        ...more,
      });
      expect(existsSync(seen)).toBe(true);
      expect(answers.kept.size + answers.refused.size).toBe(200);
      expect(answers.refused.size).toBeGreaterThan(0);
      expect([...new Set(answers.refused.values())]).toEqual([status]);
      // It goes on when the disk does.
      if ("IOFAULT_TIMES" in moment) expect(answers.kept.size).toBeGreaterThan(190);
      // Written, not synced, and then not to be overwritten any more: the one thing that cannot be taken back.
      const strays = calls.includes("write sync") && !("IOFAULT_TIMES" in moment) ? 1 : 0;
      checkState(folder, new Set([...before.kept, ...answers.kept]), new Set(answers.refused.keys()), strays);
    },
  );

  it.each([0, 1, 2, 3, 4, 6, 8, 10, 12])(
    "starts, and says what is wrong, when the first start fails after %i calls",
    async (after) => {
      const answers = await write(["2", "5", "bad", "die"], {
        LD_PRELOAD: library,
        IOFAULT_FILE: join(folder, "dmgw.db"),
        IOFAULT_CALLS: "write sync truncate open",
        IOFAULT_AFTER: String(after),
      });
      expect(answers.kept.size + answers.refused.size).toBe(10);
      expect(answers.refused.size).toBeGreaterThan(0);
      checkState(folder, answers.kept, new Set(answers.refused.keys()));
    },
  );

  it("survives that a checkpoint cannot write to the file", async () => {
    const answers = await write(["8", "300", "bad", "die"], {
      LD_PRELOAD: library,
      IOFAULT_FILE: join(folder, "dmgw.db"),
      IOFAULT_CALLS: "truncate",
      IOFAULT_SEEN: join(scratch, "seen"),
    });
    checkState(folder, answers.kept, new Set(answers.refused.keys()));
  });

  it("sets a file aside that cannot be read", async () => {
    await all();
    const answers = await write(["1", "5", "fresh"], {
      LD_PRELOAD: library,
      IOFAULT_FILE: join(folder, "dmgw.db"),
      IOFAULT_CALLS: "read",
      IOFAULT_TIMES: "1",
    });
    expect(answers.said[0]).toMatch(/^open the state file was damaged \(disk I\/O error/);
    expect(answers.kept.size).toBe(5);
    expect(readdirSync(folder).some((name) => name.startsWith("dmgw.db.damaged-"))).toBe(true);
  });
});

describe("a small file system", () => {
  const mount = (options: string) => {
    execFileSync("mount", ["-t", "tmpfs", "-o", options, "none", folder]);
    unmounts.push(() => execFileSync("umount", ["-l", folder]));
  };

  it("answers 420 when it is full, keeps what it has, and goes on when there is room", async () => {
    mount("size=512k");
    const answers = await write(["4", "100", "bad"]);
    expect(answers.kept.size).toBeGreaterThan(10);
    expect([...new Set(answers.refused.values())]).toEqual(["420"]);
    expect(answers).toMatchObject({ code: 0, signal: null });
    expect(answers.said).toContain("closed");
    checkState(folder, answers.kept, new Set(answers.refused.keys()));
    execFileSync("mount", ["-o", "remount,size=16m", folder]);
    const later = await write(["4", "100", "good"]);
    expect(later.refused.size).toBe(0);
    checkState(folder, new Set([...answers.kept, ...later.kept]), new Set(answers.refused.keys()));
  });

  it("starts on a disk that is full to the last byte, without losing what is there", async () => {
    mount("size=4m");
    const before = await all();
    expect(before.refused.size).toBe(0);
    try {
      writeFileSync(join(folder, "filler"), Buffer.alloc(4 * 1024 * 1024));
    } catch {
      // As much as there was room for.
    }
    const answers = await write(["1", "5", "bad"]);
    expect([...answers.refused.values()].every((status) => status === "420" || status === "510")).toBe(true);
    expect(readdirSync(folder).some((name) => name.includes("damaged"))).toBe(false);
    rmSync(join(folder, "filler"));
    checkState(folder, new Set([...before.kept, ...answers.kept]), new Set(answers.refused.keys()));
  });

  it.each(["", "die"])(
    "reads the state of a read-only file system, and answers 510 (last run ended: %s)",
    async (end) => {
      mount("size=8m");
      const before = await write(["2", "50", "before", end]);
      execFileSync("mount", ["-o", "remount,ro", folder]);
      const answers = await write(["1", "3", "bad"]);
      expect(answers.said[0]).toMatch(/^open the state folder .* cannot be written: .*Nothing new is kept/);
      expect([...answers.refused.values()]).toEqual(["510", "510", "510"]);
      execFileSync("mount", ["-o", "remount,rw", folder]);
      checkState(folder, before.kept, new Set(answers.refused.keys()));
    },
  );
});

describe("a user without rights", () => {
  const nobody = 65534;
  const asNobody = (args: readonly string[]) =>
    runWriter(process.execPath, [writer.file, folder, ...args], { uid: nobody, gid: nobody, env: { HOME: "/" } }).ended;
  beforeEach(() => {
    chmodSync(join(writer.file, ".."), 0o755);
  });

  it("starts with a folder of somebody else, and answers 510", async () => {
    chmodSync(folder, 0o755);
    const answers = await asNobody(["1", "2", "bad"]);
    expect(answers.said[0]).toContain("cannot be written");
    expect([...answers.refused.values()]).toEqual(["510", "510"]);
  });

  it("sets a file aside that it may not read, and starts with a fresh one", async () => {
    await all();
    for (const name of readdirSync(folder)) if (name !== "dmgw.db") chownSync(join(folder, name), nobody, nobody);
    chownSync(folder, nobody, nobody);
    const answers = await asNobody(["1", "2", "fresh"]);
    expect(answers.said[0]).toMatch(/^open the state file was damaged/);
    expect(answers.kept.size).toBe(2);
    const aside = readdirSync(folder).find((name) => name.startsWith("dmgw.db.damaged-")) ?? "";
    expect(readFileSync(join(folder, aside)).subarray(0, 15).toString()).toBe("SQLite format 3");
  });
});
