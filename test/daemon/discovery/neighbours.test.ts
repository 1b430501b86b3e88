import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Sighting } from "../../../adapters/adapter.ts";
import { hearKernel, runIp } from "../../../daemon/discovery/ip-command.ts";
import { startNeighbours } from "../../../daemon/discovery/neighbours.ts";
import type { Neighbours } from "../../../daemon/discovery/neighbours.ts";
import type { LanInterface } from "../../../daemon/lan.ts";
import { fakeClock } from "../../fakes/clock.ts";
import type { FakeClock } from "../../fakes/clock.ts";
import { fakeLog } from "../../fakes/log.ts";
import { until } from "./loopback.ts";

const lan: LanInterface = {
  name: "br-lan",
  address: "192.168.1.1",
  netmask: "255.255.255.0",
  ipv6: [{ address: "fe80::1", prefix: 64 }],
  mac: "02:00:00:00:ff:01",
};
const rowLine = (n: number, state: string) => `192.168.1.${n} dev br-lan lladdr 02:00:00:00:00:0${n} ${state}`;

let folder: string;
let program: string;
let clock: FakeClock;
let seen: Sighting[];
let left: string[];
let sent: string[];
let trouble: string | undefined;
let neighbours: Neighbours | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dmgw-ip-"));
  program = join(folder, "ip");
  clock = fakeClock();
  [seen, left, sent, trouble] = [[], [], [], undefined];
});
afterEach(async () => {
  await neighbours?.stop();
  neighbours = undefined;
  rmSync(folder, { recursive: true, force: true });
  expect(clock.timers).toBe(0);
});

/** An `ip` of our own: what it prints stands in a file, how it was called in another. */
function ip(body: string): void {
  writeFileSync(program, `#!/bin/sh\necho "$@" >> ${folder}/calls\n${body}\n`);
  chmodSync(program, 0o755);
}
const table = (...lines: string[]) => writeFileSync(join(folder, "table"), lines.map((line) => `${line}\n`).join(""));
const calls = () => readFileSync(join(folder, "calls"), "utf8").trimEnd().split("\n");

async function start(heard: boolean, where: string | undefined = program): Promise<Neighbours> {
  const io = { clock, log: fakeLog(), random: () => 0, admits: () => true };
  const prober = {
    send: (address: string, onInterface: string) => void sent.push(`${address}%${onInterface}`),
    refused: () => trouble !== undefined,
    trouble: () => trouble,
    close: async () => {},
  };
  neighbours = startNeighbours(
    { ...io, seen: (sighting) => seen.push(sighting), left: (key) => left.push(key) },
    { program: where, heard: () => heard, prober },
  );
  await neighbours.update([lan]);
  return neighbours;
}
/** Time passes, and every look that it brings comes to its end. */
async function pass(ms: number): Promise<void> {
  for (let gone = 0; gone < ms; gone += 1000) {
    await clock.advance(1000);
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}

describe("the table", () => {
  it("is read with its times; it is looked at every 15 s where the kernel says nothing by itself, else every minute", async () => {
    ip(`cat ${folder}/table`);
    table("192.168.1.5 dev br-lan lladdr 02:00:00:00:00:05 used 4/64/0probes 4 STALE");
    const { report } = await start(false);
    expect(calls()).toEqual(["-s neigh show"]);
    expect(seen[0]).toMatchObject({ key: "02:00:00:00:00:05%br-lan", expires: clock.monotonic() + (1800 - 64) * 1000 });
    expect(report()).toMatchObject({ state: "listening", detail: "on br-lan; looked at every 15 s" });
    await pass(31_000);
    expect(calls()).toHaveLength(3);
    await neighbours?.stop();
    writeFileSync(join(folder, "calls"), "");
    clock = fakeClock();
    await start(true);
    await pass(40_000);
    expect(calls()).toHaveLength(1);
  });

  it("of an ip that knows no times is read all the same", async () => {
    ip(`[ "$1" = -s ] && exit 1; cat ${folder}/table`);
    table(`${rowLine(5, "STALE").replace(" STALE", " used 0/0/0 probes 1 STALE")}`, rowLine(6, "REACHABLE"));
    await start(false);
    expect(seen.map(({ mac }) => mac)).toEqual(["02:00:00:00:00:06"]);
    expect(sent).toEqual(["192.168.1.5%br-lan"]);
    table(rowLine(5, "REACHABLE"));
    await pass(11_000);
    expect(seen.map(({ mac }) => mac)).toContain("02:00:00:00:00:05");
    expect(calls()).toEqual(["-s neigh show", "neigh show", "neigh show"]);
  });

  it("that cannot be read is an error on status, and is tried again", async () => {
    ip("exit 3");
    const { report } = await start(false);
    expect(report()).toMatchObject({ state: "error", error: expect.stringContaining("ended with 3") as string });
    ip(`echo ${rowLine(5, "REACHABLE")}`);
    await pass(16_000);
    expect(report()).toMatchObject({ state: "listening" });
    expect(report().error).toBeUndefined();
    expect(seen).toHaveLength(1);
  });

  it("without ip is that of /proc, for IPv4", async () => {
    neighbours = startNeighbours(
      { clock, log: fakeLog(), random: () => 0, admits: () => true, seen: () => {}, left: () => {} },
      { program: undefined, heard: () => false },
    );
    await neighbours.update([lan]);
    expect(neighbours.report()).toMatchObject({
      state: "listening",
      detail: expect.stringContaining("IPv4 only") as string,
    });
  });

  it("waits while there is no link", async () => {
    ip("exit 0");
    const { report, update } = await start(true);
    await update([]);
    expect(report()).toMatchObject({ state: "waiting", detail: expect.stringContaining("lan.interfaces") as string });
    await pass(120_000 / 10);
    expect(calls()).toHaveLength(1);
  });
});

it("a line of the kernel is seen at once, and what it forgets stays", async () => {
  ip("exit 0");
  const { line } = await start(true);
  line(rowLine(5, "REACHABLE"));
  line(`Deleted ${rowLine(5, "REACHABLE")}`);
  line("2: br-lan: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500");
  expect(seen.map(({ mac }) => mac)).toEqual(["02:00:00:00:00:05"]);
  expect(left).toEqual([]);
});

it("says when it asks next, on the wall clock, and that it cannot", async () => {
  ip("exit 0");
  const { line, nextProbe, report } = await start(true);
  line(rowLine(5, "REACHABLE"));
  expect(nextProbe("02:00:00:00:00:05%br-lan")).toBe(clock.now() + 300_000);
  expect(nextProbe("unknown")).toBeUndefined();
  trouble = "send EPERM";
  expect(report().detail).toContain("send EPERM");
});

describe("a question for somebody else", () => {
  it("is asked once in two seconds for an address, and the answer is looked for", async () => {
    ip("exit 0");
    const { probe } = await start(true);
    probe("192.168.1.9", "br-lan");
    probe("192.168.1.9", "br-lan");
    probe("fe80::9%br-lan", "br-lan");
    for (const address of ["8.8.8.8", "192.168.1.1", "kitchen.local", "", "192.168.2.9"]) probe(address, "br-lan");
    probe("192.168.1.9", "wan0");
    expect(sent).toEqual(["192.168.1.9%br-lan", "fe80::9%br-lan"]);
    await pass(2000);
    expect(calls()).toHaveLength(2);
    probe("192.168.1.9", "br-lan");
    expect(sent).toHaveLength(3);
  });

  it("is asked three hundred times a minute at most", async () => {
    ip("exit 0");
    const { probe } = await start(true);
    for (let n = 0; n < 1000; n++) probe(`fe80::${(n + 16).toString(16)}`, "br-lan");
    expect(sent).toHaveLength(300);
    await pass(61_000);
    probe("192.168.1.9", "br-lan");
    expect(sent).toHaveLength(301);
  });
});

describe("ip", () => {
  it("gets nothing of our environment", async () => {
    process.env["DMGW_SECRET"] = "hunter2";
    ip("env");
    expect((await runIp(program, ["x"], clock)).join()).not.toContain("hunter2");
    delete process.env["DMGW_SECRET"];
  });

  it("that prints without end is read to a limit", async () => {
    ip("yes 192.168.1.5 dev br-lan");
    const lines = await runIp(program, [], clock);
    expect(lines.length).toBeGreaterThan(10_000);
    expect(lines.length).toBeLessThan(50_000);
  });

  it("that hangs is ended", async () => {
    ip("exec sleep 60");
    const run = runIp(program, [], clock).catch((reason: unknown) => reason);
    await clock.advance(5000);
    expect(await run).toMatchObject({ status: 504 });
  });

  it("that is not there is said to be so", async () => {
    await expect(runIp(join(folder, "none"), [], clock)).rejects.toMatchObject({ status: 503 });
  });

  it("that ends instead of listening is started again, with growing gaps, and said once", async () => {
    ip("exit 1");
    const log = fakeLog();
    let began = 0;
    const news = hearKernel(program, { clock, log, random: () => 0 }, { line: () => {}, began: () => began++ });
    for (let n = 0; n < 120; n++) {
      await clock.advance(5000);
      await new Promise((resolve) => setTimeout(resolve, 4));
    }
    await news.stop();
    expect(began).toBeGreaterThan(2);
    expect(began).toBeLessThan(10);
    expect(log.lines).toHaveLength(1);
    expect(news.heard()).toBe(false);
  });

  it("that listens hands its lines on as they come, and ends with us", async () => {
    ip(`echo one; printf tw; sleep 0.1; echo o; exec sleep 60`);
    const lines: string[] = [];
    const news = hearKernel(
      program,
      { clock, log: fakeLog(), random: () => 0 },
      { line: (line) => lines.push(line), began: () => {} },
    );
    await until("two lines", () => (lines.length === 2 ? true : undefined));
    expect(lines).toEqual(["one", "two"]);
    expect(news.heard()).toBe(true);
    await news.stop();
    expect(news.heard()).toBe(false);
  });
});
