import type { TreeShape } from "../tree/shape.ts";

/**
 * What the local API can ask of the daemon. daemon.ts makes it; control.ts serves it. The shapes are those of the documented JSON:
 * they are extended, not changed.
 */
export interface Gateway {
  readonly tree: TreeShape;
  status(): StatusReport;
  devices(): readonly DeviceReport[];
  /** @throws DmError 404. `id` is a number, also a former one (of a device that was merged into another). */
  device(id: string): DeviceReport;
  /** Why it is one device, in words and data. @throws DmError 404 */
  why(id: string): DeviceStory;
  /** @throws DmError 404; 405 for what this device cannot (approving one that no adapter speaks to). */
  approve(id: string): Promise<DeviceReport>;
  /** A person says that both are one: everything of `other` is `id`'s from now on, and its number is never used again. @throws DmError 404, 409 (the same device) */
  merge(id: string, other: string): Promise<DeviceReport>;
  /**
   * A person says that these identities are another device; none given: takes the last merge back, or parts what hangs on different hardware addresses.
   * Resolves with both, the old one first. @throws DmError 404; 412 when it is not clear what to part: the message lists the identities.
   */
  split(id: string, identities: readonly string[]): Promise<readonly [DeviceReport, DeviceReport]>;
  /** Not listed, not in the tree, and it stays so however often it is found; false takes it back. @throws DmError 404 */
  ignore(id: string, ignored: boolean): Promise<DeviceReport>;
  /** The operator's name for it; "" takes it away. */
  name(id: string, name: string): Promise<DeviceReport>;
  /** Takes the device out of the inventory; it comes back under a new number if it is seen again. */
  forget(id: string): Promise<void>;
  groups(): readonly GroupReport[];
  /** By rule, or a list of devices; one that exists is set anew. @throws DmError 400 (a rule that cannot be read), 404 (no such device). */
  setGroup(
    id: string,
    group: { readonly name?: string; readonly rule?: string; readonly members?: readonly string[] },
  ): Promise<GroupReport>;
  /** @throws DmError 404 */
  removeGroup(id: string): Promise<void>;
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
  /** Its sources, with how much they see now; and `announce`: is the gateway found too? */
  readonly discovery: Readonly<Record<string, PartReport & { readonly sightings?: number }>>;
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
  /**
   * seen: there, and not managed; managed: there; away: known, and not heard of for its time (30 minutes for most); gone: away for 30 days; ignored: a
   * person does not want to see it. The README has the whole machine.
   */
  readonly state: "seen" | "managed" | "away" | "gone" | "ignored";
  /** ISO 8601: since when it is in this state; "" when that is not known any more. */
  readonly since: string;
  /** Why it is in this state, in a few words: "mDNS says goodbye", "answered the neighbour probe". */
  readonly reason: string;
  /** ISO 8601: when it is looked after next, where that is planned. */
  readonly nextProbe?: string;
  readonly managed: boolean;
  readonly reachable: boolean;
  /** ISO 8601; "" when never since the daemon started to keep it. */
  readonly lastSeen: string;
  readonly uri: string;
  /** Of this name groups the device is a member. */
  readonly groups: readonly string[];
  /** It is another gateway of this kind (it announces _dmgw._tcp). */
  readonly gateway?: true;
}

/** Why the things that were seen and the faces that are attached are this device. */
export interface DeviceStory {
  readonly id: string;
  readonly name: string;
  /** Former numbers, of devices that were merged into it. */
  readonly formerIds: readonly string[];
  readonly members: readonly {
    /** As in DeviceReport.identities. */
    readonly identity: string;
    /** For a person: "mDNS: Kitchen Printer (_ipp._tcp)", "MQTT (zigbee2mqtt)". */
    readonly what: string;
    /** There now. */
    readonly live: boolean;
    /** ISO 8601 of the decision. */
    readonly since: string;
    /** Sentences for a person: why it belongs here. */
    readonly because: readonly string[];
  }[];
  readonly clues: readonly {
    readonly kind: string;
    readonly value: string;
    /** network: neighbour table or DHCP server; device: it says so itself; person. */
    readonly said: "network" | "device" | "person";
    /** strong: decides alone; weak: only supports; junk or shared: counts for nothing. */
    readonly weight: "strong" | "weak" | "junk" | "shared";
  }[];
  /** Other devices that share a clue with it, and why they are others all the same. */
  readonly others: readonly { readonly id: string; readonly name: string; readonly because: readonly string[] }[];
  /** What people decided, oldest first. */
  readonly decisions: readonly { readonly at: string; readonly what: string }[];
}

export interface GroupReport {
  /** Its name in the tree: DeviceInventory/Groups/<id>. */
  readonly id: string;
  readonly name: string;
  /** "" for a list made by hand; else "maker=acme & protocol=MQTT" (README, Groups). */
  readonly rule: string;
  /** Numbers of its members now. */
  readonly members: readonly string[];
}
