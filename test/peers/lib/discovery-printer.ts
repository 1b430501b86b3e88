import type { Sighting } from "../../../adapters/adapter.ts";
import { startDiscovery } from "../../../daemon/discovery/index.ts";
import type { Log } from "../../../tree/ports.ts";
import { quickClock } from "../../fakes/clock.ts";

// Runs discovery on the interfaces that its arguments name (default: as the daemon chooses) and prints every event as one line of JSON.
// `at` is on the wall clock, so that it can be compared with what another process did. SIGTERM ends it, SIGUSR2 prints its status.

const print = (line: object) => process.stdout.write(`${JSON.stringify({ at: Date.now(), ...line })}\n`);
const note = (message: string, fields: Record<string, unknown> = {}) => print({ event: "log", message, ...fields });
const log: Log = { debug: note, info: note, warn: note, error: note, part: () => log };
const told = (sighting: Sighting) => ({ ...sighting, text: Object.fromEntries(sighting.text) });

// In minutes what the daemon has hours for.
const speed = Number(process.env["DMGW_TEST_SPEED"] ?? 1);
const clock = quickClock(speed);

const names = process.argv.slice(2);
const before = process.memoryUsage().rss;
const began = performance.now();
const discovery = await startDiscovery(
  {
    options: { mdns: { enabled: true }, ssdp: { enabled: true } },
    lan: names.length === 0 ? undefined : names,
    clock,
    log,
    random: Math.random,
  },
  {
    seen: (sighting) => print({ event: "seen", ...told(sighting) }),
    heard: (source, key) => print({ event: "heard", source, key }),
    gone: (source, key, why) => print({ event: "gone", source, key, why }),
  },
);
print({ event: "ready", ms: Math.round(performance.now() - began), rss: process.memoryUsage().rss - before });
process.on("SIGUSR2", () => print({ event: "status", ...discovery.status() }));
process.once("SIGTERM", () => {
  void discovery.stop().then(() => {
    process.removeAllListeners("SIGUSR2");
    print({ event: "stopped" });
    // Nothing of discovery may keep the process alive: it ends by itself, or the test waits in vain.
  });
});
// The daemon lives by its other sockets; here nothing else does while no interface is there.
const alive = setInterval(() => {}, 1 << 30);
process.once("SIGTERM", () => clearInterval(alive));
