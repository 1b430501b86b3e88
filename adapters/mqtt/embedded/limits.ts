/** What the clients of the embedded broker may make the gateway hold, and how long they may take. */
export const embeddedLimits = {
  /** Clients at once. */
  clients: 64,
  /** Sockets at once, those of clients among them. */
  sockets: 128,
  /** Sockets of one address that have not shown a password yet. */
  strangers: 32,
  /** Octets of a packet, and of the first one (CONNECT), before anybody has shown a password; who sends a longer one is cut off. */
  packet: 256 << 10,
  first: 16 << 10,
  /** Octets and levels of a topic. */
  topic: 1024,
  levels: 32,
  /** Characters of a client id. */
  clientId: 256,
  /** Filters of one client. */
  subscriptions: 256,
  /** Retained messages of all clients, and their octets, topics included. */
  retained: 10_000,
  retainedOctets: 8 << 20,
  /** Messages of QoS 2 of one client that are half-way. */
  halfway: 20,
  /** Octets that wait for a client that does not read; with more it is cut off. */
  unsent: 1 << 20,
  /** A client that takes nothing for so long is cut off, ms. */
  stalled: 10_000,
  /** From the connection to CONNECT, and for a TLS handshake, ms. */
  silence: 10_000,
  /** Wrong passwords from one address within `lockout`; then it is not listened to for as long, ms. */
  failures: 5,
  lockout: 60_000,
  /** Addresses that are remembered for it. */
  addresses: 256,
  /** Until a port that is taken is tried again, ms. */
  retry: 10_000,
} as const;
