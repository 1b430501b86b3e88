import { execFileSync, spawn, spawnSync } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, it, vi } from "vitest";
import { systemClock } from "../../daemon/clock.ts";
import { openSystemd } from "../../daemon/systemd.ts";
import { fakeLog } from "../fakes/log.ts";
import { bundle } from "./lib/bundle.ts";

const unitFile = join(import.meta.dirname, "../../systemd/dmgw.service");
const sysusersFile = join(import.meta.dirname, "../../systemd/dmgw.sysusers");

let folder: string;
const children: ChildProcess[] = [];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "dmgw-unit-"));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The unit, with a program that exists on this machine: verify looks for it. */
function installed(): string {
  const path = join(folder, "dmgw.service");
  writeFileSync(path, readFileSync(unitFile, "utf8").replaceAll("/usr/bin/dmgw", process.execPath));
  return path;
}

it("has a unit in which systemd knows every line", () => {
  const { status, stdout, stderr } = spawnSync("systemd-analyze", ["verify", installed()], { encoding: "utf8" });
  // Unknown keys leave the exit code at 0.
  expect(stdout + stderr).toBe("");
  expect(status).toBe(0);
});

it("has a unit that systemd would complain about if a key were wrong", () => {
  const path = join(folder, "wrong.service");
  writeFileSync(path, readFileSync(installed(), "utf8").replace("NoNewPrivileges", "NoNewPrivilege"));
  expect(spawnSync("systemd-analyze", ["verify", path], { encoding: "utf8" }).stderr).toContain("NoNewPrivilege");
});

it("is exposed no more than Node and a gateway's work need", () => {
  const args = ["security", "--offline=true", "--no-pager", "--threshold=17", installed()];
  const { status, stdout } = spawnSync("systemd-analyze", args, { encoding: "utf8" });
  expect(stdout).toMatch(/Overall exposure level for dmgw\.service: 1\.[0-6] OK/);
  expect(status).toBe(0);
});

it("makes its user and group by sysusers", () => {
  const root = join(folder, "root");
  mkdirSync(join(root, "etc"), { recursive: true });
  execFileSync("systemd-sysusers", [`--root=${root}`, sysusersFile]);
  expect(readFileSync(join(root, "etc/passwd"), "utf8")).toMatch(
    /^dmgw:x:\d+:\d+:Device management gateway:\/var\/lib\/dmgw:\/usr\/sbin\/nologin$/m,
  );
  expect(readFileSync(join(root, "etc/group"), "utf8")).toMatch(/^dmgw:/m);
});

/** A notify socket, and the lines that its listener prints. */
async function notifySocket(): Promise<{ path: string; lines: string[] }> {
  const path = join(mkdtempSync(join(folder, "notify-")), "socket");
  const lines: string[] = [];
  const child = spawn("python3", [join(import.meta.dirname, "lib/notify-socket.py"), path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  let rest = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    lines.push(...parts.filter((line) => !line.startsWith("BARRIER=1")));
  });
  await vi.waitFor(() => expect(lines).toEqual(["listening"]), 10_000);
  lines.length = 0;
  return { path, lines };
}

it("tells a real notify socket, from a sender that is still there when it is heard", async () => {
  const { path, lines } = await notifySocket();
  const env = { NOTIFY_SOCKET: path, PATH: process.env["PATH"], WATCHDOG_USEC: "600000" };
  const log = fakeLog();
  const systemd = openSystemd({ clock: systemClock, log, env });
  systemd.ready("3 devices known");
  await vi.waitFor(() => expect(lines.filter((line) => line === "WATCHDOG=1").length).toBeGreaterThan(2), 10_000);
  systemd.reloading();
  await vi.waitFor(() => expect(lines).toContain("RELOADING=1"), 10_000);
  systemd.ready("4 devices known");
  systemd.stopping();
  await vi.waitFor(() => expect(lines.join()).toContain("STOPPING=1"), 10_000);
  systemd.close();
  expect(lines[0]).toBe("READY=1 STATUS=3 devices known");
  expect(lines.join()).toContain("STATUS=4 devices known");
  expect(lines.filter((line) => line.endsWith("gone"))).toEqual([]);
  expect(log.lines).toEqual([]);
});

it("runs with no system call that its unit forbids, and tells systemd when it is ready and when it stops", async () => {
  const daemon = await bundle("daemon/main.ts");
  try {
    const { path, lines } = await notifySocket();
    const state = join(folder, "state");
    const trace = join(folder, "trace");
    // In a network of its own, so that it discovers nothing of this machine's.
    const script = 'ip link set lo up && exec strace -f -qq -o "$0" "$@"';
    const args = ["--net", "sh", "-c", script, trace, process.execPath, daemon.file, "run"];
    const env = { PATH: process.env["PATH"], NOTIFY_SOCKET: path, STATE_DIRECTORY: state, RUNTIME_DIRECTORY: state };
    const child = spawn("unshare", args, { stdio: "ignore", env });
    children.push(child);
    const ended = new Promise((resolve) => child.on("exit", (code, signal) => resolve(code ?? signal)));
    await vi.waitFor(() => expect(lines[0]).toMatch(/^READY=1 STATUS=/), 30_000);
    const [pid] = /\d+/.exec(readFileSync(join(state, "dmgw.pid"), "utf8")) ?? [];
    process.kill(Number(pid), "SIGTERM");
    expect(await ended).toBe(0);
    await vi.waitFor(() => expect(lines.join()).toContain("STOPPING=1"), 10_000);

    const used = callsIn(trace);
    expect(used.size).toBeGreaterThan(30);
    const allowed = allowedCalls();
    expect([...used].filter((call) => !allowed.has(call))).toEqual([]);
  } finally {
    daemon.remove();
  }
});

it("lets ip read and watch the neighbour table, as the user that has no rights", () => {
  const trace = join(folder, "trace-of-ip");
  const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
  const strace = ["-f", "-qq", "-o", trace];
  const allowed = allowedCalls();
  for (const [name, limit] of [
    ["-s neigh show", "10"],
    ["-o monitor link address neigh", "1"],
  ] as const) {
    spawnSync("strace", [...strace, "timeout", limit, ...nobody, "/sbin/ip", ...name.split(" ")], { stdio: "ignore" });
    const own = readFileSync(trace, "utf8").split("\n");
    // From ip on: what drops the rights before is the test's.
    const from = own.findLastIndex((line) => line.includes('execve("/sbin/ip"'));
    writeFileSync(trace, own.slice(from).join("\n"));
    const used = callsIn(trace);
    expect([...used]).toContain("capset");
    expect([...used]).toContain("recvmsg");
    expect([...used].filter((call) => !allowed.has(call))).toEqual([]);
  }
});

/** The system calls that strace has written down. */
function callsIn(trace: string): Set<string> {
  const lines = readFileSync(trace, "utf8").split("\n");
  return new Set(lines.flatMap((line) => /^\d+ +(?:<\.\.\. )?([a-z_0-9]+)[( ]/.exec(line)?.[1] ?? []));
}

/** What the unit's SystemCallFilter lines come to. */
function allowedCalls(): Set<string> {
  const sets = new Map<string, string[]>();
  let members: string[] = [];
  for (const line of execFileSync("systemd-analyze", ["syscall-filter", "--no-pager"], { encoding: "utf8" }).split(
    "\n",
  )) {
    // Colours are left out when the output is no terminal.
    if (line.startsWith("@")) sets.set(line.trim(), (members = []));
    else if (/^ +[@a-z_0-9-]+$/.test(line)) members.push(line.trim());
  }
  const expand = (name: string): string[] => sets.get(name)?.flatMap(expand) ?? [name];
  const allowed = new Set(expand("@default"));
  for (const [, filter = ""] of readFileSync(unitFile, "utf8").matchAll(/^SystemCallFilter=(.*)$/gm)) {
    const calls = filter.replace(/^~/, "").split(" ").flatMap(expand);
    for (const call of calls) {
      if (filter.startsWith("~")) allowed.delete(call);
      else allowed.add(call);
    }
  }
  return allowed;
}
