import type { Socket } from "node:net";
import { Aedes } from "aedes";
import type { AedesOptions, Client } from "aedes";
import { DmError, Status } from "../../../tree/errors.ts";
import type { Log } from "../../../tree/ports.ts";
import { Passwords } from "./access.ts";
import type { Failures, User } from "./access.ts";
import type { Guest } from "./door.ts";
import { embeddedLimits } from "./limits.ts";
import { EmbeddedMemory } from "./memory.ts";
import { shortened } from "../limits.ts";
import type { Holdings } from "../limits.ts";
import { bounded } from "../socket.ts";

export interface ClientsAround {
  readonly users: readonly User[];
  /** dmgw itself: good on its own line only. */
  readonly own: User;
  readonly failures: Failures;
  readonly log: Log;
  readonly holdings: Holdings;
}

type Rules = Required<
  Pick<AedesOptions, "preConnect" | "authenticate" | "authorizePublish" | "authorizeSubscribe" | "authorizeForward">
>;

/** Return codes of CONNACK (MQTT 3.1.1, 3.2.2.3). */
const refusal = { clientId: 2, unavailable: 3, credentials: 4, unauthorized: 5 } as const;

/** CONNACK of MQTT 5 with the reason "unsupported protocol version" (5.0, 3.2.2.2): one of 3.1.1 such a client could not read. */
const noMqtt5 = Buffer.from([0x20, 0x03, 0x00, 0x84, 0x00]);

/** The clients of the embedded broker, and what they may do. */
export class Clients {
  readonly #around: ClientsAround;
  readonly #passwords: Passwords;
  readonly #ownPassword: Passwords;
  readonly #aedes: Aedes;
  readonly #guests = new Map<Client, Guest>();
  readonly #filters = new Map<Client, Set<string>>();
  readonly #sockets = new Set<Socket>();

  /** Resolves when clients may enter. */
  static async open(around: ClientsAround): Promise<Clients> {
    const clients = new Clients(around);
    await clients.#aedes.listen();
    return clients;
  }

  private constructor(around: ClientsAround) {
    this.#around = around;
    this.#passwords = new Passwords(around.users);
    this.#ownPassword = new Passwords([around.own]);
    const noRoom = (topic: string) => this.#refuse("a retained message above the limit", { topic: shortened(topic) });
    this.#aedes = new Aedes({
      persistence: new EmbeddedMemory(noRoom),
      connectTimeout: embeddedLimits.silence,
      drainTimeout: embeddedLimits.stalled,
      maxInflightInbound: embeddedLimits.halfway,
      maxTopicLevels: embeddedLimits.levels,
      ...this.#rules(),
    });
    const { log } = around;
    this.#aedes.on("clientReady", ({ id }) => log.debug("a client of the embedded broker is there", { client: id }));
    this.#aedes.on("clientDisconnect", ({ id }) => log.debug("a client of the embedded broker left", { client: id }));
    this.#aedes.on("clientError", ({ id }, { message: reason }) =>
      log.debug("a client of the embedded broker is cut off", { client: id, reason }),
    );
    this.#aedes.on("unsubscribe", (filters, client) => {
      for (const filter of filters) this.#filters.get(client)?.delete(filter);
    });
  }

  enter(socket: Socket, guest: Guest): void {
    this.#sockets.add(socket);
    const most = () => (guest.known ? embeddedLimits.packet : embeddedLimits.first);
    const line = bounded(socket, most, (octets) => {
      this.#refuse("a packet for the embedded broker above the limit", { address: guest.address, octets });
      socket.destroy();
    });
    const client = this.#aedes.handle(line);
    this.#guests.set(client, guest);
    socket.once("close", () => this.#sockets.delete(socket));
    line.once("close", () => {
      this.#guests.delete(client);
      this.#filters.delete(client);
    });
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => this.#aedes.close(() => resolve()));
    // Those that never said who they are.
    for (const socket of this.#sockets) socket.destroy();
  }

  #rules(): Rules {
    return {
      preConnect: (client, packet, done) => {
        // Sessions are in memory and end with the connection: nothing piles up for clients that do not come back.
        packet.clean = true;
        if (packet.protocolVersion !== 5) return done(null, true);
        this.#refuse("a client of the embedded broker that speaks MQTT 5: it speaks 3.1.1", this.#who(client));
        client.conn.write(noMqtt5, () => done(denied("it speaks MQTT 5", 1), false));
      },
      authenticate: (client, name, password, done) => {
        const guest = this.#guests.get(client);
        if (guest === undefined) return done(denied("it has left", refusal.unavailable), null);
        const passwords = guest.own === true ? this.#ownPassword : this.#passwords;
        if (!passwords.right(name, password)) {
          if (guest.own !== true) this.#around.failures.add(guest.address);
          const tried = name === undefined ? "none" : shortened(name);
          this.#refuse("a client of the embedded broker by a wrong user name or password", {
            address: guest.address,
            user: tried,
          });
          const code = name === undefined ? refusal.unauthorized : refusal.credentials;
          return done(denied("wrong user name or password", code), null);
        }
        if (client.id.length > embeddedLimits.clientId) return done(denied("a long client id", refusal.clientId), null);
        const others = [...this.#guests].filter(
          ([other, { known, own }]) => known && own !== true && other.id !== client.id,
        );
        if (guest.own !== true && others.length >= embeddedLimits.clients) {
          this.#refuse("more clients than the embedded broker takes", this.#who(client));
          return done(denied("too many clients", refusal.unavailable), null);
        }
        guest.known = true;
        done(null, true);
      },
      authorizePublish: (client, { topic }, done) => {
        if (isOrdinary(topic)) return done(null);
        if (client !== null)
          this.#refuse("a message to the embedded broker on a topic that is none", this.#who(client));
        done(denied("a topic that is none", refusal.unauthorized));
      },
      authorizeSubscribe: (client, subscription, done) => {
        const filters = this.#filters.get(client) ?? new Set();
        const isNew = !filters.has(subscription.topic);
        const own = this.#guests.get(client)?.own === true;
        const room = own || !isNew || filters.size < embeddedLimits.subscriptions;
        if (!room) this.#refuse("more subscriptions of a client than the embedded broker takes", this.#who(client));
        // An answer without the subscription is the failure of it (128 in SUBACK).
        if (!room || !isOrdinary(subscription.topic)) return done(null, null);
        if (!own && this.#guests.has(client)) this.#filters.set(client, filters.add(subscription.topic));
        done(null, subscription);
      },
      authorizeForward: (client, packet) => {
        const own = this.#guests.get(client)?.own === true;
        if (own || client.conn.writableLength <= embeddedLimits.unsent) return packet;
        this.#refuse("a client of the embedded broker that does not read", this.#who(client));
        client.conn.destroy();
        return null;
      },
    };
  }

  #who(client: Client): Record<string, unknown> {
    return { client: shortened(client.id ?? ""), address: this.#guests.get(client)?.address };
  }

  #refuse(what: string, fields: Record<string, unknown>): void {
    this.#around.holdings.refuse(what, fields);
  }
}

/** Topics with a dollar are the broker's own, and it has nothing to say there. */
function isOrdinary(topic: string): boolean {
  return !/^\$|\u0000/.test(topic) && Buffer.byteLength(topic) <= embeddedLimits.topic;
}

function denied(why: string, returnCode: number): DmError & { returnCode: number } {
  return Object.assign(new DmError(Status.forbidden, why), { returnCode });
}
