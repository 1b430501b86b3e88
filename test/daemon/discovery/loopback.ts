import type { Sighting } from "../../../adapters/adapter.ts";
import { systemClock } from "../../../daemon/clock.ts";
import { startDiscovery } from "../../../daemon/discovery/index.ts";
import type { Discovery } from "../../../daemon/discovery/index.ts";
import { lanInterfaces } from "../../../daemon/lan.ts";
import type { LanInterface } from "../../../daemon/lan.ts";
import { DmError } from "../../../tree/errors.ts";
import { fakeLog } from "../../fakes/log.ts";

/** Discovery on the loopback of this machine, with real sockets and real time. */
export interface Loopback {
  readonly discovery: Discovery;
  readonly seen: Sighting[];
  readonly gone: string[];
  /** The first sighting, of those yet to come included, of that key that passes. */
  sighting(key: string, passes?: (sighting: Sighting) => boolean): Promise<Sighting>;
}

export async function startOnLoopback(
  source: "mdns" | "ssdp",
  more: { readonly gatewayId?: string } = {},
): Promise<Loopback> {
  const seen: Sighting[] = [];
  const gone: string[] = [];
  const options = { mdns: { enabled: source === "mdns" }, ssdp: { enabled: source === "ssdp" } };
  const discovery = await startDiscovery(
    { options, lan: ["lo"], clock: systemClock, log: fakeLog(), random: () => 0, ...more },
    { seen: (sighting) => seen.push(sighting), heard: () => {}, gone: (_, key, why) => gone.push(`${key} ${why}`) },
  );
  return {
    discovery,
    seen,
    gone,
    sighting: (key, passes = () => true) => until(key, () => seen.find((s) => s.key === key && passes(s))),
  };
}

export function loopback(): LanInterface {
  const [lo] = lanInterfaces(["lo"]);
  if (lo === undefined) throw new DmError(503, "this machine has no loopback");
  return lo;
}

/** Polls until `look` finds something. @throws DmError 504 after 5 s. */
export async function until<T>(what: string, look: () => T | undefined): Promise<T> {
  for (const deadline = performance.now() + 5000; ;) {
    const found = look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new DmError(504, `waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Sockets of this process that are open. */
export function openSockets(): number {
  return process.getActiveResourcesInfo().filter((kind) => /^(UDP|TCPSocket|TCPServer)/.test(kind)).length;
}

/** @throws DmError 504 when more than so many stay open. */
export async function onlyOpen(sockets: number): Promise<void> {
  // A closed handle is counted until the loop has turned.
  await until("sockets to be closed", () => openSockets() <= sockets || undefined);
}
