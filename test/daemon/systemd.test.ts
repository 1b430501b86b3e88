import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { openSystemd } from "../../daemon/systemd.ts";
import type { Systemd } from "../../daemon/systemd.ts";
import { fakeClock } from "../fakes/clock.ts";
import { fakeLog } from "../fakes/log.ts";

let folder: string;
let systemd: Systemd | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "dmgw-systemd-"));
});
afterEach(() => {
  systemd?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A `systemd-notify` on the path that writes down how it was called. */
function program(body = ""): Record<string, string> {
  const path = join(folder, "systemd-notify");
  writeFileSync(
    path,
    `#!/bin/sh\n${body}\nprintf '%s|' "$@" >> ${folder}/said; echo >> ${folder}/said; env > ${folder}/env\n`,
  );
  chmodSync(path, 0o755);
  return { NOTIFY_SOCKET: "/run/systemd/notify", PATH: `${folder}:/usr/bin:/bin` };
}

const said = (): string[] => {
  try {
    return readFileSync(join(folder, "said"), "utf8").trimEnd().split("\n");
  } catch {
    return [];
  }
};

function open(env: Record<string, string>, clock = fakeClock(), log = fakeLog()) {
  systemd = openSystemd({ clock, log, env });
  return { systemd, clock, log };
}

it("does nothing without a notify socket", async () => {
  const { systemd, clock } = open({ ...program(), NOTIFY_SOCKET: "", WATCHDOG_USEC: "1000000" });
  systemd.ready("up");
  systemd.stopping();
  await clock.advance(10_000);
  expect(clock.timers).toBe(0);
  expect(said()).toEqual([]);
});

it("says that it is ready, with a status of one line", async () => {
  const { systemd } = open(program());
  systemd.ready("ready\nMAINPID=1");
  await vi.waitFor(() => expect(said()).toEqual(["READY=1|STATUS=ready MAINPID=1|"]), 5000);
});

it("gives the program nothing of its own environment", async () => {
  const { systemd } = open({ ...program(), DMGW_SECRET: "hunter2" });
  systemd.status("x");
  await vi.waitFor(() => expect(readFileSync(join(folder, "env"), "utf8")).toContain("NOTIFY_SOCKET"), 5000);
  expect(readFileSync(join(folder, "env"), "utf8")).not.toContain("hunter2");
});

it("runs one program at a time, and tells of what came meanwhile only the latest", async () => {
  const { systemd } = open(program("sleep 0.3"));
  systemd.ready("a");
  for (let round = 0; round < 100; round++) systemd.status(`round ${round}`);
  await vi.waitFor(() => expect(said()).toHaveLength(2), 5000);
  expect(said()).toEqual(["READY=1|STATUS=a|", "STATUS=round 99|"]);
});

it("says that it stops without waiting for what it said before, since the process may end", async () => {
  const { systemd } = open(program(`[ "$1" != READY=1 ] || exec sleep 3`));
  systemd.ready("a");
  systemd.stopping();
  await vi.waitFor(() => expect(said()).toEqual(["STOPPING=1|"]), 5000);
});

it("feeds the watchdog in half of its time, from ready on", async () => {
  const { systemd, clock } = open({ ...program(), WATCHDOG_USEC: "60000000", WATCHDOG_PID: String(process.pid) });
  await clock.advance(100_000);
  expect(said()).toEqual([]);
  systemd.ready("up");
  await vi.waitFor(() => expect(said().join("")).toBe("READY=1|STATUS=up|WATCHDOG=1|"), 5000);
  await clock.advance(29_999);
  await settle();
  expect(said()).toHaveLength(2);
  await clock.advance(1);
  await vi.waitFor(() => expect(said()).toHaveLength(3), 5000);
  systemd.ready("reloaded");
  await vi.waitFor(() => expect(said()).toHaveLength(4), 5000);
  await clock.advance(30_000);
  await vi.waitFor(() => expect(said().slice(3)).toEqual(["READY=1|STATUS=reloaded|", "WATCHDOG=1|"]), 5000);
  systemd.close();
  await clock.advance(100_000);
  expect(clock.timers).toBe(0);
});

it("leaves the watchdog alone that is meant for another process", async () => {
  const { systemd, clock } = open({ ...program(), WATCHDOG_USEC: "60000000", WATCHDOG_PID: "1" });
  systemd.ready("up");
  await vi.waitFor(() => expect(said()).toHaveLength(1), 5000);
  await clock.advance(600_000);
  await settle();
  expect(said()).toHaveLength(1);
});

it("lives without the program, and says so once", async () => {
  const { systemd, log, clock } = open({
    NOTIFY_SOCKET: "/run/systemd/notify",
    PATH: folder,
    WATCHDOG_USEC: "1000000",
  });
  systemd.ready("up");
  await vi.waitFor(() => expect(log.lines).toHaveLength(1), 5000);
  expect(log.lines[0]).toContain("ENOENT");
  await clock.advance(60_000);
  systemd.status("x");
  await settle();
  expect(log.lines).toHaveLength(1);
  expect(clock.timers).toBe(0);
});

it("ends a program that hangs, and goes on with the next", async () => {
  const { systemd, clock, log } = open(program(`[ "$1" != READY=1 ] || exec sleep 60`));
  systemd.ready("up");
  systemd.status("later");
  await settle();
  await clock.advance(10_000);
  await vi.waitFor(() => expect(said()).toEqual(["STATUS=later|"]), 5000);
  expect(log.lines.join()).toContain("SIGKILL");
});

function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 150));
}
