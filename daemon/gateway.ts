import type { TreeShape } from "../tree/shape.ts";

/**
 * What the local API can ask of the daemon. daemon.ts makes it; control.ts serves it. The shapes are those of the documented JSON:
 * they are extended, not changed.
 */
export interface Gateway {
  readonly tree: TreeShape;
  status(): StatusReport;
  devices(): readonly DeviceReport[];
  /** @throws DmError 404; 405 for what this device cannot (approving one that no adapter speaks to). */
  approve(id: string): Promise<DeviceReport>;
  /** The operator's name for it; "" takes it away. */
  name(id: string, name: string): Promise<DeviceReport>;
  /** Takes the device out of the inventory; it comes back under a new number if it is seen again. */
  forget(id: string): Promise<void>;
  servers(): readonly ServerReport[];
  /** @throws DmError 400, 418 (exists). */
  addServer(server: NewServer): Promise<ServerReport>;
  /** @throws DmError 404, 405 when the config file owns it. */
  removeServer(id: string): Promise<void>;
  /**
   * Starts a session, or joins the one that runs; `progress` hears each step as a line for a person.
   * Resolves when it has ended. @throws DmError 404, 503 (not reachable), or what ended the session.
   */
  connect(id: string, progress: (line: string) => void, signal: AbortSignal): Promise<void>;
  /** Takes the config file anew. @throws ConfigError: nothing was changed. Resolves with what changed, a line each. */
  reload(): Promise<readonly string[]>;
}

export interface StatusReport {
  readonly version: string;
  /** Seconds. */
  readonly uptime: number;
  readonly ready: boolean;
  readonly servers: readonly ServerReport[];
  readonly adapters: Readonly<Record<string, PartReport>>;
  readonly discovery: Readonly<Record<string, PartReport & { readonly sightings: number }>>;
  readonly devices: { readonly total: number; readonly managed: number; readonly reachable: number };
  /** Bytes. */
  readonly memory: { readonly rss: number; readonly private: number };
  /** Bytes since start, and projected per day. */
  readonly flash: { readonly written: number; readonly perDay: number; readonly syncs: number };
  /** What is wrong and what to do about it; empty when all is well. */
  readonly warnings: readonly string[];
  readonly config: string;
  readonly state: string;
}

export interface PartReport {
  readonly state: string;
  /** ISO 8601. */
  readonly since: string;
  readonly error?: string;
  readonly detail?: string;
}

export interface ServerReport {
  readonly id: string;
  readonly url: string;
  readonly version: string;
  readonly owner: "file" | "runtime";
  readonly state: "idle" | "in session" | "waiting" | "refused";
  readonly error?: string;
  /** ISO 8601 of the next session or try, where one is planned. */
  readonly next?: string;
  readonly channel: Readonly<Record<string, PartReport>>;
  readonly lastSession?: { readonly at: string; readonly ok: boolean; readonly error?: string };
  readonly outbox: { readonly length: number; readonly oldest?: string };
}

export interface NewServer {
  readonly id: string;
  readonly url: string;
  readonly client?: { readonly type: string; readonly name: string; readonly secret: string; readonly nonce?: string };
  readonly server?: { readonly type: string; readonly name: string; readonly secret: string; readonly nonce?: string };
  /** PEM text of the CA, or of the server's own certificate, that alone is trusted. */
  readonly ca?: string;
  readonly insecure?: boolean;
  /** Its starting rights on ./Devices; default none. */
  readonly devices?: "manage" | "none";
}

export interface DeviceReport {
  readonly id: string;
  readonly name: string;
  readonly manufacturer: string;
  readonly model: string;
  readonly firmware: string;
  readonly addresses: readonly string[];
  readonly mac: string;
  /** Each protocol's own id. */
  readonly identities: readonly string[];
  readonly sources: readonly string[];
  readonly protocols: readonly string[];
  /** seen: unmanaged and announced; managed; away: known, and not heard of. */
  readonly state: "seen" | "managed" | "away";
  readonly managed: boolean;
  readonly reachable: boolean;
  /** ISO 8601; "" when never since the daemon started to keep it. */
  readonly lastSeen: string;
  readonly uri: string;
}
