import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Face } from "../../adapters/adapter.ts";
import { Bridge } from "../../daemon/devices/bridge.ts";
import { systemClock } from "../../daemon/clock.ts";
import { openOutbox } from "../../daemon/outbox.ts";
import { openStore } from "../../daemon/store.ts";
import { openSubscriptions } from "../../daemon/subscriptions.ts";
import type { ServerAccount } from "../../daemon/upstream/account.ts";
import { openUpstream } from "../../daemon/upstream/upstream.ts";
import { local } from "../../tree/acl.ts";
import type { Call } from "../../tree/mo.ts";
import { devInfo } from "../../tree/mos/dev-info.ts";
import { parsePath } from "../../tree/path.ts";
import { StoredNodes } from "../../tree/stored-nodes.ts";
import { Tree } from "../../tree/tree.ts";
import { fakeLog } from "../fakes/log.ts";
import type { Lamp } from "../tree/small-home.ts";

export const gatewayId = "urn:uuid:0b9e0a6e-0000-4000-8000-000000000002";
export const serverId = "com.example.dm";
export const clientProof = { name: "gw", secret: "client secret", nonce: Buffer.from("first client nonce") };
export const serverProof = { name: serverId, secret: "server secret", nonce: Buffer.from("first server nonce") };

export const asLocal: Call = { by: local, signal: new AbortController().signal, correlator: "", mayDefer: true };

/** A folder for the state of one test; the answer takes it away. */
export function stateFolder(): { readonly folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), "dmgw-journey-"));
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/** The daemon's parts on a real store and real time, with one lamp: as they are put together, without what a journey does not need. */
export async function startHome(folder: string, account: ServerAccount, lamp: Lamp) {
  const clock = systemClock;
  const log = fakeLog();
  const store = openStore({ folder, clock, log });
  const tree = new Tree({ store, clock, log });
  const facts = { manufacturer: "Acme", model: "GW1", firmware: "1", hardware: "A", software: "0.1.0" };
  tree.mount(
    parsePath("./DevInfo"),
    devInfo(() => ({ id: gatewayId, ...facts }), new StoredNodes(store, "DevInfo")),
  );
  const bridge = new Bridge({ tree, store, clock, log });
  const attached = bridge.host("mqtt", () => undefined).attach(face(lamp));
  const at = parsePath("./Devices/d1/MQTT");
  for (const end = clock.monotonic() + 3_000; !tree.has(at) && clock.monotonic() < end;) await pause(2);
  const value = ["Add", "Delete", "Exec", "Get", "Replace"].map((verb) => `${verb}=${serverId}`).join("&");
  await tree.change([{ verb: "Property", at: parsePath("./Devices"), name: "ACL", value }], asLocal);
  const outbox = openOutbox({ store, clock, log });
  const subscriptions = openSubscriptions({ tree, outbox });
  subscriptions.set([account]);
  const upstream = openUpstream({ tree, store, clock, log, outbox, gatewayId, random: Math.random });
  upstream.set([account]);
  return {
    ...{ tree, store, outbox, upstream, attached, log },
    async stop() {
      subscriptions.stop();
      await upstream.stop();
      await bridge.stop();
      store.close();
    },
  };
}

export type StartedHome = Awaited<ReturnType<typeof startHome>>;

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Real I/O: looked at until it is so. */
export async function until(is: () => boolean, what: string): Promise<void> {
  for (const end = performance.now() + 5_000; !is(); await pause(2)) {
    if (performance.now() > end) throw new Error(`never came: ${what}`);
  }
}

export function accountOf(url: string, over: Partial<ServerAccount> = {}): ServerAccount {
  return {
    id: serverId,
    url,
    version: "1.2",
    encoding: "xml",
    client: { type: "digest", ...clientProof },
    server: { type: "digest", ...serverProof },
    tls: {},
    insecure: true,
    devices: "manage",
    poll: 0,
    report: undefined,
    owner: "file",
    refused: undefined,
    ...over,
  };
}

function face(lamp: Lamp): Face {
  return {
    identity: "mqtt:lamp",
    clues: [{ kind: "mac", value: "aa:bb:cc:00:11:22" }],
    addresses: ["192.168.1.7"],
    name: "MQTT",
    facts: { name: "Lamp", maker: "Acme" },
    mo: lamp,
    reachable: true,
  };
}
