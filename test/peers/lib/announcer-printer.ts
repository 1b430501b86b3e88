import { startAnnouncing } from "../../../daemon/announce/index.ts";
import type { Log } from "../../../tree/ports.ts";
import { quickClock } from "../../fakes/clock.ts";

// Announces a gateway on the interfaces that its arguments name (default: as the daemon chooses) and prints what it logs as lines of JSON. SIGTERM ends it,
// SIGUSR2 prints its status.

const print = (line: object) => process.stdout.write(`${JSON.stringify({ at: Date.now(), ...line })}\n`);
const note = (message: string, fields: Record<string, unknown> = {}) => print({ event: "log", message, ...fields });
const log: Log = { debug: note, info: note, warn: note, error: note, part: () => log };

const names = process.argv.slice(2);
const announcing = await startAnnouncing({
  id: process.env["DMGW_TEST_ID"] ?? "urn:uuid:5a3e9f0c-6a0b-4b8e-9a53-0c1d2e3f4a5b",
  version: "1.2.3",
  manufacturer: "Example",
  model: "dmgw",
  machine: "router",
  lan: names.length === 0 ? undefined : names,
  clock: quickClock(Number(process.env["DMGW_TEST_SPEED"] ?? 1)),
  log,
  random: Math.random,
});
print({ event: "ready" });
process.on("SIGUSR2", () => print({ event: "status", ...announcing.status(), cpu: process.cpuUsage() }));
// The daemon lives by its other sockets; here nothing else does while no interface is there.
const alive = setInterval(() => {}, 1 << 30);
process.once("SIGTERM", () => {
  clearInterval(alive);
  void announcing.stop().then(() => {
    process.removeAllListeners("SIGUSR2");
    print({ event: "stopped" });
  });
});
