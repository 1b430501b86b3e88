import type { Config } from "../config/schema.ts";
import { reasonOf } from "../tree/errors.ts";
import type { Clock, Log } from "../tree/ports.ts";
import type { Announcing } from "./announce/index.ts";
import type { Bridge } from "./devices/bridge.ts";
import { startDiscovery } from "./discovery/index.ts";
import type { Discovery } from "./discovery/index.ts";
import type { StatusReport } from "./gateway.ts";

export interface LanPartsPorts {
  readonly bridge: Bridge;
  readonly clock: Clock;
  readonly log: Log;
  /** In [0, 1). */
  readonly random: () => number;
  /** What the gateway says of itself on the LAN. */
  readonly gateway: () => {
    readonly id: string;
    readonly version: string;
    readonly manufacturer: string;
    readonly model: string;
  };
}

/** What the gateway does on its LAN while it runs: it listens, and it says that it is there. */
export class LanParts {
  readonly #ports: LanPartsPorts;
  #discovery: Discovery | undefined;
  #announcing: Announcing | undefined;
  #announceError: { readonly since: string; readonly error: string } | undefined;
  #stopped = false;

  constructor(ports: LanPartsPorts) {
    this.#ports = ports;
  }

  /** Starts both as the config says; what ran before is stopped first. */
  async start({ discovery: options, lan }: Config): Promise<void> {
    const { bridge, clock, log, random, gateway } = this.#ports;
    const before = [...(this.#discovery?.sightings() ?? [])];
    await this.#stopBoth();
    // What is still there is seen again; the rest would be listed as there for good.
    for (const { source, key } of before) bridge.gone(source, key);
    if (this.#stopped) return;
    const events = {
      seen: (sighting: Parameters<Bridge["seen"]>[0]) => bridge.seen(sighting),
      heard: (...heard: Parameters<Bridge["heard"]>) => bridge.heard(...heard),
      gone: (...gone: Parameters<Bridge["gone"]>) => bridge.gone(...gone),
    };
    const ports = { lan: lan.interfaces, clock, random };
    const gatewayId = gateway().id;
    this.#discovery = await startDiscovery({ ...ports, options, log: log.part("discovery"), gatewayId }, events);
    this.#announceError = undefined;
    try {
      if (options.announce.enabled) {
        const { startAnnouncing } = await import("./announce/index.ts");
        this.#announcing = await startAnnouncing({ ...ports, ...gateway(), log: log.part("announce") });
      }
    } catch (error) {
      // Not to be found is no reason not to manage.
      this.#announceError = { since: new Date(clock.now()).toISOString(), error: reasonOf(error) };
      log.part("announce").error(`not started: ${reasonOf(error)}`);
    }
    if (this.#stopped) await this.#stopBoth();
  }

  /** Asks the network who is at an address; the answer is a sighting. */
  probe(address: string, onInterface: string): void {
    this.#discovery?.probe(address, onInterface);
  }

  status(): StatusReport["discovery"] {
    const announce = this.#announcing?.status() ?? (this.#announceError && { state: "error", ...this.#announceError });
    return { ...this.#discovery?.status(), ...(announce === undefined ? {} : { announce }) };
  }

  /** Says goodbye, and resolves when every socket is closed. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#stopBoth();
  }

  async #stopBoth(): Promise<void> {
    const [discovery, announcing] = [this.#discovery, this.#announcing];
    this.#discovery = undefined;
    this.#announcing = undefined;
    await Promise.all([discovery?.stop(), announcing?.stop()]);
  }
}
