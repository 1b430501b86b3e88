import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import type { StatusReport } from "../../daemon/gateway.ts";
import { program, startGateway } from "../demo/gateway.ts";
import type { RunningGateway } from "../demo/gateway.ts";
import { fakeBroker } from "../fakes/mqtt/broker.ts";
import { startMqttDevices } from "../fakes/mqtt-devices.ts";
import { openCrowd } from "./lib/crowd.ts";
import type { Crowd } from "./lib/crowd.ts";
import { buildDiskFaults } from "./lib/disk-faults.ts";
import { until } from "./lib/process.ts";
import { seeded, testSeed } from "./lib/random.ts";

// The whole daemon loses its power, again and again, on one state that grows, while eight callers write over its local API.

const rounds = Number(process.env["DMGW_KILLS"] ?? 20);
const faultRounds = Math.ceil(rounds / 2);
const random = seeded(testSeed);

let folder: string;
let library: string;
let crowd: Crowd;
let gateway: RunningGateway | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "dmgw-power-"));
  library = buildDiskFaults(folder);
  crowd = await settledHome();
});
// Only where a test has failed does it still run.
afterEach(() => gateway?.kill());
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  const { acknowledged, refused, cut, strays } = crowd.counts();
  console.log(
    `power cuts: ${rounds} in full work and ${faultRounds} on a failing disk; ${acknowledged} writes acknowledged, ${refused} refused ` +
      `(of which ${strays} there afterwards), ${cut} without an answer; DMGW_TEST_SEED=${testSeed}`,
  );
});

const quiet = {
  discovery: {
    ssdp: { enabled: false },
    mdns: { enabled: false },
    neighbours: { enabled: false },
    announce: { enabled: false },
  },
  lan: { interfaces: ["lo"] },
};
const alone = { ...quiet, adapters: { mqtt: { enabled: false } } };

/** Devices that are known, and an account: they stay, the broker does not. */
async function settledHome(): Promise<Crowd> {
  const broker = await fakeBroker();
  const devices = await startMqttDevices(broker.url);
  const gateway = await startGateway(folder, { ...quiet, adapters: { mqtt: { enabled: true, url: broker.url } } });
  try {
    await until("all devices", async () =>
      (await status(gateway)).devices.managed >= devices.count ? true : undefined,
    );
    const secret = { type: "digest", name: "gw", secret: "of both" };
    const server = {
      id: "com.example.dm",
      url: "http://127.0.0.1:9/dm",
      insecure: true,
      client: secret,
      server: secret,
    };
    await gateway.ask("POST", "/v1/servers", server);
    return await openCrowd(gateway.socket, devices.count, testSeed);
  } finally {
    await gateway.stop();
    await devices.stop();
    await broker.stop();
  }
}

it(`has every acknowledged write after kill -9 at a random moment, ${rounds} times`, async () => {
  for (let round = 0; round < rounds; round++) {
    if (round % 4 === 3) await killedWhileStarting();
    gateway = await startGateway(folder, alone);
    expect((await crowd.check(gateway.socket, "restart")).join("\n")).toBe("");
    const enough = crowd.counts().acknowledged + random.below(500);
    const work = crowd.write(gateway.socket, () => true);
    await Promise.race([work, until("writes", () => (crowd.counts().acknowledged >= enough ? true : undefined))]);
    await pause(random.number() * 8);
    await gateway.kill();
    await work;
  }
  expect(crowd.counts().refused).toBe(0);
  expect(crowd.counts().acknowledged).toBeGreaterThan(rounds * 100);
});

const errnos = { EIO: "5", ENOSPC: "28" } as const;

it(`keeps what it acknowledged and nothing that it refused when the disk fails and the power then goes, ${faultRounds} times`, async () => {
  for (let round = 0; round < faultRounds; round++) {
    const calls = random.one(["write", "sync", "write sync"]);
    const errno = random.one(["EIO", "ENOSPC"] as const);
    const times = random.one([1, 3, undefined]);
    const fault = `${errno} of ${calls}, ${times ?? "all"} times`;
    gateway = await startGateway(folder, alone, {
      env: {
        LD_PRELOAD: library,
        IOFAULT_FILE: join(folder, "state", "dmgw.db"),
        IOFAULT_CALLS: calls,
        IOFAULT_ERRNO: errnos[errno],
        IOFAULT_AFTER: String(random.below(calls === "sync" ? 50 : 500)),
        IOFAULT_TORN: random.one(["0", "1"]),
        ...(times === undefined ? {} : { IOFAULT_TIMES: String(times) }),
      },
    });
    const before = crowd.counts();
    // A single fault may hit a checkpoint, which refuses nothing.
    const enough = { refused: 1 + random.below(40), acknowledged: times === undefined ? Infinity : 600 };
    await crowd.write(gateway.socket, () => {
      const now = crowd.counts();
      return (
        now.refused - before.refused < enough.refused && now.acknowledged - before.acknowledged < enough.acknowledged
      );
    });
    // It lives, has taken back what it refused, and says what is wrong for as long as it is.
    expect((await crowd.check(gateway.socket, "alive")).join("\n"), fault).toBe("");
    // Refusals may also come from a part of the tree that is full; on a disk that stays bad the others follow.
    const failing = gateway;
    if (times === undefined) {
      await until("the warning", async () => {
        const more = crowd.counts().refused + 8;
        await crowd.write(failing.socket, () => crowd.counts().refused < more);
        return (await status(failing)).warnings.some((warning) => warning.includes("state")) || undefined;
      });
    }

    const work = crowd.write(gateway.socket, () => true);
    await pause(random.number() * 100);
    await gateway.kill();
    await work;
    // The sync of a commit failed, and then the write that would have undone it: nothing was written since.
    const dead = calls === "write sync" && times !== 1;
    gateway = await startGateway(folder, alone);
    const wrong = await crowd.check(gateway.socket, dead ? "restart after a dead disk" : "restart");
    expect(wrong.join("\n"), fault).toBe("");
    expect((await status(gateway)).warnings.filter((warning) => warning.includes("state"))).toEqual([]);
    await gateway.kill();
  }
  expect([...crowd.statuses()].filter((one) => one !== 420 && one !== 510)).toEqual([]);
});

async function killedWhileStarting(): Promise<void> {
  const child = spawn(process.execPath, [program, "run", "--config", join(folder, "dmgw.yaml")], { stdio: "ignore" });
  const ended = once(child, "exit");
  await pause(random.number() * 400);
  child.kill("SIGKILL");
  await ended;
}

async function status(gateway: RunningGateway): Promise<StatusReport> {
  return (await gateway.ask("GET", "/v1/status")) as StatusReport;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
