import { afterEach, beforeEach, expect } from "vitest";
import { openOutbox } from "../../../daemon/outbox.ts";
import type { Outbox } from "../../../daemon/outbox.ts";
import type { ServerAccount } from "../../../daemon/upstream/account.ts";
import type { ServerMemory } from "../../../daemon/upstream/memory.ts";
import { openUpstream } from "../../../daemon/upstream/upstream.ts";
import type { Upstream } from "../../../daemon/upstream/upstream.ts";
import { startDmServer } from "../../fakes/dm-server.ts";
import type { DmServer } from "../../fakes/dm-server.ts";
import { account, gatewayId, home, manage, nonce, serverId } from "../dm/scene.ts";
import type { Home } from "../dm/scene.ts";

export const lamp = "./Devices/d1/Lamp";
export const day = 86_400_000;
export const never = new AbortController().signal;
export let at: Home;
export let server: DmServer;
export let outbox: Outbox;
export let upstream: Upstream;
let chance: number;

export const own = (over: Partial<ServerAccount> = {}): ServerAccount => ({
  ...account({ url: server.url }),
  encoding: "xml",
  devices: "manage",
  poll: 0,
  report: undefined,
  owner: "file",
  refused: undefined,
  ...over,
});
/** A daemon's part, on the store of the one before. */
export function boot(): Upstream {
  outbox = openOutbox(at);
  upstream = openUpstream({ ...at, outbox, gatewayId, random: () => chance });
  return upstream;
}
/** What Math.random would say. */
export function setChance(value: number): void {
  chance = value;
}

/** A gateway's upstream and a DM server, afresh for each test of the file. */
export function useScene(): void {
  beforeEach(async () => {
    chance = 0.5;
    at = home();
    await manage(at);
    server = await startDmServer({
      client: { name: "gw", secret: "client secret", nonce: nonce("first client nonce") },
      server: { name: serverId, secret: "server secret", nonce: nonce("first server nonce") },
    });
    boot();
  });
  afterEach(async () => {
    await upstream.stop();
    expect(at.clock.timers).toBe(0);
    await server.stop();
  });
}

export const connect = (progress: (line: string) => void = () => undefined, signal = never) =>
  upstream.connect(serverId, progress, signal);
export const report = () => upstream.reports()[0];
export const memory = () => at.store.get("nonces", serverId) as ServerMemory | undefined;
export const tell = (uri: string, durable = true) =>
  outbox.add(serverId, { key: uri, uri, type: "urn:dmgw:at:change", durable });
/** Real I/O: looked at until it is so. */
export async function until(is: () => boolean): Promise<void> {
  for (const end = Date.now() + 3_000; !is() && Date.now() < end;)
    await new Promise((resolve) => setTimeout(resolve, 2));
  expect(is()).toBe(true);
}
export const sessions = (count: number) =>
  until(() => server.sessions.length === count && report()?.state !== "in session");
