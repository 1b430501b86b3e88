import { start } from "../../../adapters/upnp/index.ts";
import { systemClock } from "../../../daemon/clock.ts";
import { startDiscovery } from "../../../daemon/discovery/index.ts";
import { top } from "../../../tree/path.ts";
import { isInterior, textOf } from "../../../tree/value.ts";
import type { Snapshot } from "../../../tree/value.ts";
import { aCall, fakeHost } from "../../fakes/host.ts";
import { fakeLog } from "../../fakes/log.ts";

// Runs the SSDP source and the UPnP adapter, and prints what the adapter says of its faces whenever it is other than before, one line of JSON
// each. SIGUSR2 prints the nodes of those that answer, read live. SIGTERM ends it.

const print = (line: object) => process.stdout.write(`${JSON.stringify({ at: Date.now(), ...line })}\n`);
const host = fakeHost(systemClock);
const adapter = await start({ enabled: true, access: "approve" }, host);
const discovery = await startDiscovery(
  {
    options: { mdns: { enabled: false }, ssdp: { enabled: true } },
    lan: ["br-lan"],
    clock: systemClock,
    log: fakeLog(),
    random: Math.random,
  },
  {
    seen: (sighting) => adapter.consider?.(sighting),
    heard: () => {},
    gone: (source, key) => adapter.ended?.({ source, key }),
  },
);

let last = "";
const look = setInterval(() => {
  const faces = host.attachments.map(({ face, reachable, changed }) => ({
    ...face,
    mo: undefined,
    reachable,
    changed,
  }));
  const now = JSON.stringify(faces) + host.statuses.at(-1)?.detail;
  if (now !== last) print({ event: "faces", faces, status: host.statuses.at(-1)?.detail });
  last = now;
}, 20);
print({ event: "ready" });

process.on("SIGUSR2", () => {
  void Promise.all(
    host.attachments.map(async ({ face }) => {
      const read = face.mo.read(top, "deep", aCall({ live: true }));
      return [face.identity, await read.then(plain, (error: unknown) => String(error))] as const;
    }),
  ).then((trees) => print({ event: "trees", trees: Object.fromEntries(trees) }));
});
process.once("SIGTERM", () => {
  clearInterval(look);
  process.removeAllListeners("SIGUSR2");
  void Promise.all([discovery.stop(), adapter.stop()]).then(() => print({ event: "stopped" }));
});

function plain(snapshot: Snapshot | undefined): unknown {
  if (snapshot === undefined) return undefined;
  if (!isInterior(snapshot)) return textOf(snapshot);
  return Object.fromEntries([...snapshot.children].map(([name, child]) => [name, plain(child)]));
}
