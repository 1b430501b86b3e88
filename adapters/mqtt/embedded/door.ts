import { createServer as createPlain } from "node:net";
import type { Server, Socket } from "node:net";
import { createServer as createTls } from "node:tls";
import type { Clock } from "../../../tree/ports.ts";
import type { Failures } from "./access.ts";
import { embeddedLimits } from "./limits.ts";

/** A socket on its way in. */
export interface Guest {
  readonly address: string;
  /** It has shown a password. */
  known: boolean;
  /** dmgw itself, by its own line. */
  readonly own?: true;
}

export interface DoorOptions {
  readonly host: string;
  readonly port: number;
  /** PEM texts. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
}

export interface DoorEvents {
  opened(): void;
  /** The port could not be had; it is tried again. */
  failed(error: Error): void;
  entered(socket: Socket, guest: Guest): void;
  /** A socket was turned away. */
  refused(why: string, address: string): void;
}

/** The port of the embedded broker: opens it, again and again where it is taken, and lets in no more than the limits. */
export class Door {
  readonly #options: DoorOptions;
  readonly #clock: Clock;
  readonly #failures: Failures;
  readonly #events: DoorEvents;
  readonly #guests = new Map<string, Guest>();
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #cancelRetry: () => void = () => undefined;
  #closed = false;

  constructor(options: DoorOptions, clock: Clock, failures: Failures, events: DoorEvents) {
    this.#options = options;
    this.#clock = clock;
    this.#failures = failures;
    this.#events = events;
  }

  open(): void {
    const { host, port, tls } = this.#options;
    const plain = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 };
    const enter = (socket: Socket) => this.#enter(socket);
    const secured = { ...tls, minVersion: "TLSv1.2", handshakeTimeout: embeddedLimits.silence } as const;
    const server: Server = tls === undefined ? createPlain(plain, enter) : createTls({ ...plain, ...secured }, enter);
    server.on("tlsClientError", (_error: Error, socket: Socket) => void socket.destroy());
    this.#server = server;
    server.maxConnections = embeddedLimits.sockets;
    // Before anything else sees the socket.
    server.prependListener("connection", (socket) => this.#knock(socket));
    server.on("drop", (data) =>
      this.#events.refused("more connections than it takes", plainAddress(data?.remoteAddress)),
    );
    server.once("listening", () => (this.#closed ? server.close() : this.#events.opened()));
    server.on("error", (error) => {
      if (this.#closed || this.#server !== server) return;
      this.#server = undefined;
      server.close();
      this.#events.failed(error);
      this.#cancelRetry = this.#clock.after(embeddedLimits.retry, () => this.open());
    });
    server.listen({ host, port });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelRetry();
    const server = this.#server;
    for (const socket of this.#sockets) socket.destroy();
    if (server?.listening === true) await new Promise<void>((resolve) => server.close(() => resolve()));
    else server?.close();
  }

  /** Before a TLS handshake too. */
  #knock(socket: Socket): void {
    const address = plainAddress(socket.remoteAddress);
    socket.on("error", () => undefined);
    const strangers = [...this.#guests.values()].filter((guest) => guest.address === address && !guest.known);
    const why = this.#failures.tooMany(address)
      ? "too many wrong passwords"
      : strangers.length >= embeddedLimits.strangers
        ? "too many connections without a password"
        : undefined;
    if (why !== undefined) {
      socket.destroy();
      this.#events.refused(why, address);
      return;
    }
    const key = keyOf(socket);
    this.#guests.set(key, { address, known: false });
    this.#sockets.add(socket);
    socket.once("close", () => {
      this.#guests.delete(key);
      this.#sockets.delete(socket);
    });
  }

  #enter(socket: Socket): void {
    const guest = this.#guests.get(keyOf(socket));
    socket.on("error", () => undefined);
    if (guest === undefined || this.#closed) socket.destroy();
    else this.#events.entered(socket, guest);
  }
}

/** The same before and after a TLS handshake. */
function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/** An IPv4 address that came through an IPv6 socket is the same address. */
function plainAddress(address: string | undefined): string {
  return (address ?? "").replace(/^::ffff:(?=\d+\.)/i, "");
}
