import type { Sighting } from "../../../adapters/adapter.ts";
import { startDiscovery } from "../../../daemon/discovery/index.ts";
import type { Log } from "../../../tree/ports.ts";
import { quickClock } from "../../fakes/clock.ts";

// Runs discovery on the interfaces that its arguments name (default: as the daemon chooses) and prints every event as one line of JSON.
// DMGW_TEST_LEASES switches the neighbour table on, with these files ("a:b"). SIGUSR1 probes what DMGW_TEST_PROBE names ("address%interface").
// `at` is on the wall clock, so that it can be compared with what another process did. SIGTERM ends it, SIGUSR2 prints its status.

const print = (line: object) => process.stdout.write(`${JSON.stringify({ at: Date.now(), ...line })}\n`);
const note = (message: string, fields: Record<string, unknown> = {}) => print({ event: "log", message, ...fields });
const log: Log = { debug: note, info: note, warn: note, error: note, part: () => log };
const told = (sighting: Sighting) => ({ ...sighting, text: Object.fromEntries(sighting.text) });

// In minutes what the daemon has hours for.
const speed = Number(process.env["DMGW_TEST_SPEED"] ?? 1);
const clock = quickClock(speed);

const files = process.env["DMGW_TEST_LEASES"];
const leases =
  files === undefined ? undefined : { enabled: true, leases: files.split(":").filter((file) => file !== "") };
const announced = process.env["DMGW_TEST_ANNOUNCED"] !== "no";
const [probed = "", probedOn = ""] = (process.env["DMGW_TEST_PROBE"] ?? "").split("%");

const id = process.env["DMGW_TEST_ID"];
const names = process.argv.slice(2);
const before = process.memoryUsage().rss;
const began = performance.now();
const discovery = await startDiscovery(
  {
    options: { mdns: { enabled: announced }, ssdp: { enabled: announced }, ...(leases && { neighbours: leases }) },
    lan: names.length === 0 ? undefined : names,
    clock,
    log,
    random: Math.random,
    ...(id !== undefined && { gatewayId: id }),
    // In seconds what takes minutes; the kernel of the namespace has to be made quicker as well.
    ...(leases && {
      probeTimes: { firstGap: 6000, lastGap: 6000, retryGaps: [500, 500], answer: 3000, postponed: 1000 },
    }),
  },
  {
    seen: (sighting) => print({ event: "seen", ...told(sighting) }),
    heard: (source, key) => print({ event: "heard", source, key }),
    gone: (source, key, why) => print({ event: "gone", source, key, why }),
  },
);
process.on("SIGUSR2", () => {
  const probes = [...discovery.sightings()].flatMap(({ key }) => {
    const at = discovery.nextProbe(key);
    return at === undefined ? [] : [[key, at]];
  });
  print({ event: "status", ...discovery.status(), probes });
});
process.on("SIGUSR1", () => discovery.probe(probed, probedOn));
process.once("SIGTERM", () => {
  process.removeAllListeners("SIGUSR1");
  void discovery.stop().then(() => {
    process.removeAllListeners("SIGUSR2");
    print({ event: "stopped" });
    // Nothing of discovery may keep the process alive: it ends by itself, or the test waits in vain.
  });
});
// The daemon lives by its other sockets; here nothing else does while no interface is there.
const alive = setInterval(() => {}, 1 << 30);
process.once("SIGTERM", () => clearInterval(alive));
// Who reads this may send signals at once.
print({ event: "ready", ms: Math.round(performance.now() - began), rss: process.memoryUsage().rss - before });
