import { spawn } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openLog } from "../../daemon/log.ts";
import type { LogFormat, LogLevel } from "../../daemon/log.ts";
import { fakeClock } from "../fakes/clock.ts";

function opened(format: LogFormat = "text", level: LogLevel = "debug") {
  const lines: string[] = [];
  const clock = fakeClock();
  const log = openLog({ level, format }, (line) => lines.push(line), clock);
  return { log, lines, clock };
}

const time = "2026-01-01T00:00:00.000Z";

it("writes a line as time, level, part, message and pairs", () => {
  const { log, lines } = opened();
  log.info("ready", { devices: 3, path: "/run/dmgw/control.sock", name: "Living room", left: undefined, none: null });
  log.part("mqtt").warn("lost", { error: new Error("no route") });
  log.part("mqtt").part("z2m").error("odd");
  expect(lines).toEqual([
    `${time} info ready devices=3 path=/run/dmgw/control.sock name="Living room" none=null\n`,
    `${time} warn mqtt: lost error="no route"\n`,
    `${time} error mqtt.z2m: odd\n`,
  ]);
});

it("writes JSON that keeps types, and its own keys against any field", () => {
  const { log, lines } = opened("json");
  log.part("tree").info("changed", { n: 1, ok: true, level: "mine", ["__proto__"]: "p", list: [1, { a: 2 }] });
  const pairs = `"n":1,"ok":true,"level_":"mine","__proto__":"p","list":"[1,{\\"a\\":2}]"`;
  expect(lines[0]).toBe(`{"time":"${time}","level":"info","part":"tree","message":"changed",${pairs}}\n`);
});

it("leaves out what is below the level, for every part, also when the level changes", () => {
  const { log, lines } = opened("text", "warn");
  const part = log.part("p");
  part.info("no");
  part.warn("yes");
  log.setLevel("debug");
  part.debug("now");
  log.setLevel("error");
  part.warn("no more");
  expect(lines.map((line) => line.slice(time.length + 1))).toEqual(["warn p: yes\n", "debug p: now\n"]);
});

it("can be changed to JSON while it runs", () => {
  const { log, lines } = opened();
  const part = log.part("p");
  log.setFormat("json");
  part.info("x");
  expect(JSON.parse(lines[0] ?? "")).toEqual({ time, level: "info", part: "p", message: "x" });
});

it.each<LogFormat>(["text", "json", "auto"])("lets no text begin a line or reach the terminal (%s)", (format) => {
  const hostile = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom(
      "\n2026 error forged",
      "\x1b[2J\x1b]0;x\x07",
      "\r",
      "\u2028",
      "\u009b31m",
      "\u202e",
      "\ud800",
      '" level="error',
      "a=b",
    ),
  );
  fc.assert(
    fc.property(hostile, hostile, hostile, (message, key, value) => {
      const { log, lines } = opened(format);
      log.part("p").info(message, { [key]: value });
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatch(/^[^\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]*\n$/);
      expect(lines[0]?.isWellFormed()).toBe(true);
      if (format === "json") expect(JSON.parse(lines[0] ?? "")).toMatchObject({ level: "info", part: "p" });
    }),
    { numRuns: 300 },
  );
});

it("quotes a value that could be taken for another pair", () => {
  const { log, lines } = opened();
  log.info("seen", { name: 'x level=error why="y"', other: "a=b", empty: "" });
  expect(lines[0]).toBe(`${time} info seen name="x level=error why=\\"y\\"" other="a=b" empty=""\n`);
});

it("cuts long texts, and bounds the number of fields", () => {
  const { log, lines } = opened();
  log.info("m".repeat(5000), { value: "v".repeat(100_000), bytes: new Uint8Array(70_000) });
  expect(lines[0]?.length).toBeLessThan(2300);
  expect(lines[0]).toContain("(99000 more)");
  expect(lines[0]).toContain('bytes="(70000 bytes)"');
  log.info("many", Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`k${index}`, index])));
  expect(lines[1]?.split(" ").length).toBeLessThan(40);
});

it("takes whatever it is given", () => {
  const { log, lines } = opened("json");
  const circle: { self?: unknown } = {};
  circle.self = circle;
  log.info("odd", { circle, big: 10n, fn: () => 1, nan: Number.NaN, date: new Date(0), symbol: Symbol("s") });
  expect(JSON.parse(lines[0] ?? "")).toMatchObject({ circle: "(object)", big: "(bigint)", nan: "NaN" });
});

it("leaves out secrets that fields and URLs are made of", () => {
  const { log, lines } = opened();
  log.warn("cannot connect to mqtt://home:hunter2@10.0.0.1:1883", {
    password: "hunter2",
    clientSecret: "hunter2",
    nonce: "hunter2",
    url: "https://user:hunter2@example.com/dm",
    error: new Error("connect mqtt://home:hunter2@10.0.0.1 failed"),
  });
  expect(lines[0]).not.toContain("hunter2");
  expect(lines[0]).toContain("example.com/dm");
});

it("counts a line that repeats instead of writing it, and tells the count after a minute", async () => {
  const { log, lines, clock } = opened();
  for (let round = 0; round < 500; round++) log.warn("refused", { from: "10.0.0.7" });
  log.warn("refused", { from: "10.0.0.8" });
  expect(lines).toHaveLength(4);
  await clock.advance(60_000);
  expect(lines).toHaveLength(5);
  expect(lines[4]).toContain("warn refused (497 more times within a minute) from=10.0.0.7");
  log.warn("refused", { from: "10.0.0.7" });
  expect(lines).toHaveLength(6);
  await clock.advance(600_000);
  expect(lines).toHaveLength(6);
  expect(clock.timers).toBe(0);
});

it("bounds the lines of a minute, however different they are", async () => {
  const { log, lines, clock } = opened();
  for (let round = 0; round < 100_000; round++) log.info("seen", { name: round });
  expect(lines).toHaveLength(600);
  await clock.advance(60_000);
  expect(lines.at(-1)).toContain("warn log: 99400 more lines within a minute are left out");
  log.info("again");
  expect(lines).toHaveLength(602);
});

describe("a process of its own", () => {
  let folder: string;
  let program: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "dmgw-log-"));
    program = join(folder, "main.mjs");
    const source = `import { openLog } from ${JSON.stringify(join(import.meta.dirname, "../../daemon/log.ts"))};
      const log = openLog({ level: "info", format: process.argv[2] });
      for (let n = 0; n < Number(process.argv[3]); n++) log.part("p").error("line", { n, text: "x".repeat(900) });
      process.exit(0);`;
    const stdin = { contents: source, resolveDir: import.meta.dirname, loader: "ts" as const };
    const { outputFiles } = await build({ stdin, bundle: true, platform: "node", format: "esm", write: false });
    writeFileSync(program, outputFiles[0]?.text ?? "");
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const run = (format: string, lines: number, stderr: "pipe" | number, env: Record<string, string> = {}) =>
    spawn(process.execPath, [program, format, String(lines)], { stdio: ["ignore", "ignore", stderr], env });
  const exitOf = (child: ReturnType<typeof run>) =>
    new Promise((resolve) => child.on("exit", (code, signal) => resolve(code ?? signal)));

  it("has written every line when it exits", async () => {
    const child = run("json", 500, "pipe");
    let text = "";
    child.stderr?.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    await new Promise((resolve) => child.on("close", resolve));
    expect(
      text
        .trimEnd()
        .split("\n")
        .map((line) => (JSON.parse(line) as { n: number }).n),
    ).toEqual([...Array(500).keys()]);
  });

  it("does its work when nobody reads", async () => {
    const child = run("text", 500, "pipe");
    child.stderr?.destroy();
    expect(await exitOf(child)).toBe(0);
  });

  it("gives the journal its priorities, and leaves the time to it", async () => {
    const file = join(folder, "journal");
    const handle = openSync(file, "w");
    const { dev, ino } = statSync(file);
    expect(await exitOf(run("auto", 1, handle, { JOURNAL_STREAM: `${dev}:${ino}` }))).toBe(0);
    // A service that was started by a unit inherits the variable; the stream is not its own then.
    expect(await exitOf(run("auto", 1, handle, { JOURNAL_STREAM: `${dev}:1` }))).toBe(0);
    closeSync(handle);
    const [first, second] = readFileSync(file, "utf8").split("\n");
    expect(first).toMatch(/^<3>p: line n=0 /);
    expect(second).toMatch(/^\d{4}-\S+Z error p: line n=0 /);
  });
});
