import { randomBytes } from "node:crypto";
import { MqttClient } from "mqtt";
import type { Socket } from "node:net";
import type { Clock, Log } from "../../tree/ports.ts";
import type { Host } from "../adapter.ts";
import { closedEarly, notSent, reasonOfLine } from "./faults.ts";
import { limits } from "./limits.ts";
import type { Holdings } from "./limits.ts";
import { bounded, openLine } from "./socket.ts";
import type { TlsFiles } from "./socket.ts";

/** The broker, as a convention sees it. */
export interface Broker {
  readonly connected: boolean;
  /** Wants these topics: now, and after every reconnect. What is retained there comes again, although another convention wanted it before. */
  subscribe(filters: readonly string[]): void;
  unsubscribe(filters: readonly string[]): void;
  /** Resolves when the broker has taken the message (QoS 1, unless told otherwise). @throws DmError 503. */
  publish(topic: string, payload: string | Uint8Array, manner?: Manner): Promise<void>;
}

/** How a message is sent, where its convention lets a device ask for it. */
export interface Manner {
  /** The broker keeps it; default it does not. */
  readonly retain?: boolean;
  readonly qos?: 0 | 1 | 2;
}

export interface Account {
  /** mqtt:// or mqtts://, without credentials. */
  readonly url: string;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly clientId?: string | undefined;
  readonly tls?: TlsFiles | undefined;
  /** The way to the broker where it is another one than dialling `url`. */
  readonly open?: (() => Socket) | undefined;
}

export interface Listener {
  /** Connected, for the first time or again: what the broker retains comes now, all of it. */
  up(): void;
  /** What the broker retains has come. */
  settled(): void;
  /** The line is broken, and was not back in time for nobody to notice. */
  away(): void;
  message(topic: string, payload: Buffer, retained: boolean): void;
}

const times = {
  /** The retained messages have come when none has come for so long. */
  quiet: 1500,
  /** A line that is back sooner was a restart of the broker: no device is called away for it. */
  grace: 10_000,
  /** Back-off: full jitter below first, 2 × first, … up to most. A line that held `stable` starts anew. */
  first: 1000,
  most: 60_000,
  stable: 60_000,
  connect: 15_000,
} as const;

/**
 * The line to one broker, in MQTT 3.1.1 (every broker speaks it) with a clean session: what the broker retains is the truth and is read anew
 * after each connect, so nothing is missed while the line is down. Subscribes with QoS 0: brokers drop retained messages of a higher QoS
 * once some hundreds wait for one client.
 */
export class Connection implements Broker {
  readonly #account: Account;
  readonly #url: URL;
  readonly #where: string;
  readonly #clientId: string;
  readonly #host: Host;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #holdings: Holdings;
  readonly #listener: Listener;
  /** Filter -> how often it is wanted. */
  readonly #filters = new Map<string, number>();
  readonly #unsent = new Set<(error: unknown) => void>();
  #client: MqttClient | undefined;
  #line: Socket | undefined;
  #connected = false;
  #stopped = false;
  #tries = 0;
  /** Why the line is down, as the log has it. */
  #said: string | undefined;
  #cancelRetry: () => void = () => undefined;
  #cancelQuiet: (() => void) | undefined;
  #cancelGrace: (() => void) | undefined;

  constructor(account: Account, host: Host, holdings: Holdings, listener: Listener) {
    this.#account = account;
    this.#url = new URL(account.url);
    this.#where = `${this.#url.protocol}//${this.#url.hostname}${this.#url.port === "" ? "" : `:${this.#url.port}`}`;
    this.#clientId = account.clientId ?? `dmgw-${randomBytes(6).toString("hex")}`;
    this.#host = host;
    this.#clock = host.clock;
    this.#log = host.log;
    this.#holdings = holdings;
    this.#listener = listener;
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** Dials, and dials again for ever. What goes wrong shows on the adapter's status. */
  start(): void {
    this.#host.status("starting", `connecting to ${this.#where}`);
    this.#dial();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelRetry();
    this.#cancelGrace?.();
    this.#cancelQuiet?.();
    const [client, line] = [this.#client, this.#line];
    if (client === undefined || line === undefined) return;
    const closed = new Promise<void>((resolve) => (line.destroyed ? resolve() : line.once("close", () => resolve())));
    // A broker that does not close after our DISCONNECT is not waited for.
    const force = this.#clock.after(1000, () => line.destroy());
    if (this.#connected) client.end(false);
    else line.destroy();
    this.#drop(notSent(undefined));
    await closed;
    force();
    client.end(true);
  }

  subscribe(filters: readonly string[]): void {
    for (const filter of filters) this.#filters.set(filter, (this.#filters.get(filter) ?? 0) + 1);
    if (this.#connected) this.#ask(filters);
  }

  unsubscribe(filters: readonly string[]): void {
    const gone = filters.filter((filter) => this.#wantedLess(filter));
    if (this.#connected && gone.length > 0) this.#client?.unsubscribe(gone, () => undefined);
  }

  /** Does nobody want it any more? */
  #wantedLess(filter: string): boolean {
    const left = (this.#filters.get(filter) ?? 0) - 1;
    if (left > 0) this.#filters.set(filter, left);
    else if (left === 0) this.#filters.delete(filter);
    return left === 0;
  }

  publish(topic: string, payload: string | Uint8Array, { retain = false, qos = 1 }: Manner = {}): Promise<void> {
    const client = this.#client;
    if (!this.#connected || client === undefined) return Promise.reject(notSent(undefined));
    return new Promise((resolve, reject) => {
      const fail = (error: unknown) => reject(notSent(error));
      this.#unsent.add(fail);
      client.publish(topic, typeof payload === "string" ? payload : Buffer.from(payload), { qos, retain }, (error) => {
        this.#unsent.delete(fail);
        if (error) fail(error);
        else resolve();
      });
    });
  }

  #dial(): void {
    const { username, password, tls, open } = this.#account;
    let failure: unknown;
    try {
      this.#line = open?.() ?? openLine(this.#url, tls ?? {});
    } catch (error) {
      this.#failed(error);
      return;
    }
    this.#line.on("error", (error) => (failure ??= error));
    const packets = bounded(this.#line, limits.list + 65_536, (octets) =>
      this.#holdings.refuse("an MQTT message above the limit", { octets }),
    );
    const client = new MqttClient(() => packets, {
      clientId: this.#clientId,
      protocolVersion: 4,
      clean: true,
      keepalive: 30,
      connectTimeout: times.connect,
      // Reconnecting is done here: with jitter, and with a client that has forgotten everything.
      reconnectPeriod: 0,
      resubscribe: false,
      queueQoSZero: false,
      // The cache holds a buffer for every number up to 65,535: 7 MB to save a few allocations.
      writeCache: false,
      timerVariant: "native",
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
    });
    this.#client = client;
    let since: number | undefined;
    client.on("error", (error) => {
      failure ??= error;
      // A broker that breaks the protocol is left.
      packets.destroy();
    });
    client.on("connect", () => {
      since = this.#clock.monotonic();
      this.#opened();
    });
    client.on("message", (topic, payload, packet) => this.#heard(topic, payload, packet.retain));
    client.once("close", () => {
      client.end(true);
      client.removeAllListeners("message");
      if (since !== undefined && this.#clock.monotonic() - since >= times.stable) this.#tries = 0;
      this.#closed();
      this.#failed(failure, since !== undefined);
    });
  }

  #opened(): void {
    this.#said = undefined;
    this.#connected = true;
    this.#cancelGrace?.();
    this.#cancelGrace = undefined;
    this.#host.status("connected", this.#where);
    this.#log.info("connected to the MQTT broker", { broker: this.#where });
    this.#listener.up();
    this.#ask([...this.#filters.keys()]);
    this.#untilQuiet();
  }

  #ask(filters: readonly string[]): void {
    const client = this.#client;
    if (client === undefined) return;
    // A packet with thousands of filters is more than some brokers take.
    for (let at = 0; at < filters.length; at += 200) {
      const some = filters.slice(at, at + 200);
      client.subscribe(some, { qos: 0 }, (error) => {
        if (error && this.#client === client && this.#connected) {
          this.#log.warn("the MQTT broker refuses a subscription", { topics: some.slice(0, 5), reason: error.message });
          this.#host.status(
            "error",
            `the MQTT broker at ${this.#where} does not let dmgw read ${some.slice(0, 3).join(", ")}`,
          );
        }
      });
    }
  }

  #heard(topic: string, payload: Buffer, retained: boolean): void {
    if (retained && this.#cancelQuiet !== undefined) this.#untilQuiet();
    this.#listener.message(topic, payload, retained);
  }

  #untilQuiet(): void {
    this.#cancelQuiet?.();
    this.#cancelQuiet = this.#clock.after(times.quiet, () => {
      this.#cancelQuiet = undefined;
      this.#listener.settled();
    });
  }

  #closed(): void {
    const was = this.#connected;
    this.#connected = false;
    this.#cancelQuiet?.();
    this.#cancelQuiet = undefined;
    this.#drop(undefined);
    if (!was || this.#stopped || this.#cancelGrace !== undefined) return;
    this.#cancelGrace = this.#clock.after(times.grace, () => {
      this.#cancelGrace = undefined;
      this.#listener.away();
    });
  }

  #drop(error: unknown): void {
    for (const fail of this.#unsent) fail(error);
    this.#unsent.clear();
  }

  #failed(failure: unknown, wasOpen = false): void {
    if (this.#stopped) return;
    const most = Math.min(times.most, times.first * 2 ** Math.min(this.#tries++, 10));
    const wait = Math.round(Math.random() * most);
    const closed = wasOpen ? `the MQTT broker at ${this.#where} closed the connection` : closedEarly(this.#where);
    const reason = failure === undefined ? closed : reasonOfLine(failure, this.#where);
    this.#host.status("error", `${reason}; next try within ${Math.max(1, Math.ceil(wait / 1000))} s`);
    // Said once: a broker that stays away for days is no news every minute, and log lines may end on a flash.
    if (reason === this.#said) this.#log.debug(reason, { tries: this.#tries, next: wait });
    else this.#log.warn(`${reason}; it is tried again until it answers`);
    this.#said = reason;
    this.#cancelRetry = this.#clock.after(wait, () => this.#dial());
  }
}
