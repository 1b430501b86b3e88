import { spawn } from "node:child_process";
import type { ChildProcess, SpawnOptions } from "node:child_process";
import { expect } from "vitest";
import { openStore } from "../../../daemon/store.ts";
import { fakeClock } from "../../fakes/clock.ts";
import { fakeLog } from "../../fakes/log.ts";

/** What a store-writer.ts process has answered. */
export interface Answers {
  readonly kept: Set<string>;
  /** id -> DM status. */
  readonly refused: Map<string, string>;
  /** The other lines. */
  readonly said: string[];
  readonly signal: NodeJS.Signals | null;
  readonly code: number | null;
}

export interface Running {
  readonly child: ChildProcess;
  /** Commits that were acknowledged so far. */
  readonly acknowledged: () => number;
  readonly ended: Promise<Answers>;
}

/** Runs a command whose standard output is that of store-writer.ts. */
export function runWriter(command: string, args: readonly string[], options: SpawnOptions = {}): Running {
  const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "inherit"] });
  const answers = { kept: new Set<string>(), refused: new Map<string, string>(), said: [] as string[] };
  let rest = "";
  const take = (line: string) => {
    const [word, id = "", status = ""] = line.split(" ");
    if (word === "ok") answers.kept.add(id);
    else if (word === "no") answers.refused.set(id, status);
    else answers.said.push(line);
  };
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) take(line);
  });
  const ended = new Promise<Answers>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ ...answers, code, signal }));
  });
  return { child, acknowledged: () => answers.kept.size, ended };
}

/**
 * Opens the folder's store and compares: what was acknowledged is there, what was refused is not, and every commit is there whole or
 * not at all. `strays`: how many refused commits may be there all the same.
 */
export function checkState(folder: string, kept: ReadonlySet<string>, refused: ReadonlySet<string>, strays = 0): void {
  const store = openStore({ folder, clock: fakeClock(), log: fakeLog() });
  try {
    expect(store.degraded).toBeUndefined();
    const left = new Set([...store.entries("left")].map(([id]) => id));
    const right = new Set([...store.entries("right")].map(([id]) => id));
    expect([...left].filter((id) => !right.has(id))).toEqual([]);
    expect([...right].filter((id) => !left.has(id))).toEqual([]);
    expect([...kept].filter((id) => !left.has(id))).toEqual([]);
    expect([...refused].filter((id) => left.has(id)).length).toBeLessThanOrEqual(strays);
  } finally {
    store.close();
  }
}
