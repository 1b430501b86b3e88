// What the daemon costs as a process: time until it is ready, memory, and what it gives to the flash.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StatusReport } from "../../daemon/gateway.ts";
import { startGateway } from "../demo/gateway.ts";
import type { RunningGateway } from "../demo/gateway.ts";
import { manyDevices } from "./many-devices.ts";
import { megabytes } from "./measure.ts";
import type { Table } from "./measure.ts";

/** Started eleven times with nothing to manage, and once with 100 devices of 200 nodes. */
export async function startBench(): Promise<readonly Table[]> {
  const starts: number[] = [];
  for (let n = 0; n < 11; n++) await withGateway(alone, async (gateway) => void starts.push(gateway.startedIn));
  const sorted = starts.sort((a, b) => a - b);

  const memory: string[][] = [];
  const note = (what: string, gateway: RunningGateway) => {
    const { rss, private: own } = gateway.memory();
    memory.push([what, megabytes(own), megabytes(rss)]);
  };
  await withGateway(defaults, async (gateway) => {
    await settle();
    note("built-in defaults, no devices", gateway);
  });
  const home = await manyDevices(100);
  await withGateway(managing(home.url), async (gateway) => {
    await reachable(gateway, 100);
    await settle();
    note("100 devices x 200 nodes, just announced", gateway);
    // V8 gives back what a burst took only after a while without much to do.
    await pause(30_000);
    note("the same, half a minute later", gateway);
  });
  await home.stop();
  return [
    {
      caption: "start of the process to ready, ms",
      columns: ["fastest", "median", "slowest"],
      rows: [[sorted[0], sorted[5], sorted[10]].map((ms) => (ms ?? 0).toFixed(0))],
    },
    { caption: "memory", columns: ["with", "private", "RSS"], rows: memory },
  ];
}

/** What is written to the disk when devices speak, and when people change things that are kept. */
export async function flashBench(): Promise<readonly Table[]> {
  const rows: (string | number)[][] = [];
  const home = await manyDevices(100);
  await withGateway(managing(home.url), async (gateway) => {
    await reachable(gateway, 100);
    const measured = async (what: string, work: () => Promise<void>) => {
      const before = (await status(gateway)).flash;
      await work();
      const after = (await status(gateway)).flash;
      rows.push([what, after.written - before.written, after.syncs - before.syncs]);
    };
    await settle();
    await measured("1,000 device reports", async () => {
      await home.report(1000);
      await settle();
    });
    await gateway.cli("add", "./DevDetail/Ext/bench", "0");
    await measured("100 config changes, one by one", async () => {
      for (let n = 1; n <= 100; n++) await gateway.ask("PUT", "/v1/tree/DevDetail/Ext/bench", { value: String(n) });
    });
    await measured("100 config changes, 50 at a time", async () => {
      const put = (value: string) => gateway.ask("PUT", "/v1/tree/DevDetail/Ext/bench", { value });
      for (const round of ["x", "y"]) await Promise.all(Array.from({ length: 50 }, (_, n) => put(`${round}${n}`)));
    });
  });
  await home.stop();
  return [{ caption: "given to the flash", columns: ["what", "bytes", "syncs"], rows }];
}

const quiet = {
  discovery: { ssdp: { enabled: false }, mdns: { enabled: false }, neighbours: { enabled: false } },
  lan: { interfaces: ["lo"] },
};
const alone = { ...quiet, adapters: { mqtt: { enabled: false } } };
/** Discovery on, though on loopback only, and MQTT that looks for its broker. */
const defaults = { lan: { interfaces: ["lo"] } };
/** A gateway that manages the devices of this broker and does nothing else. */
export const managing = (url: string) => ({ ...quiet, adapters: { mqtt: { enabled: true, url } } });

/** A gateway of its own for `work`; stopped and wiped away afterwards. */
export async function withGateway(config: object, work: (gateway: RunningGateway) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "dmgw-bench-"));
  const gateway = await startGateway(folder, config);
  try {
    await work(gateway);
  } finally {
    await gateway.stop();
    rmSync(folder, { recursive: true });
  }
}

async function status(gateway: RunningGateway): Promise<StatusReport> {
  return (await gateway.ask("GET", "/v1/status")) as StatusReport;
}

export async function reachable(gateway: RunningGateway, count: number): Promise<void> {
  const until = performance.now() + 60_000;
  while ((await status(gateway)).devices.reachable < count) {
    if (performance.now() > until) throw new Error(`fewer than ${count} devices after a minute`);
    await pause(100);
  }
}

/** Until what was said has been taken in, and the garbage collector has had its turn. */
const settle = () => pause(3000);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
