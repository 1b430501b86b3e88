import { createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { Aedes } from "aedes";

export interface FakeBroker {
  readonly url: string;
  readonly port: number;
  /** Live connections. */
  readonly clients: number;
  /** Breaks every connection, without a word. The broker and what it retains stay. */
  breakLines(): void;
  stop(): Promise<void>;
}

/** An MQTT 3.1.1 broker (aedes) on loopback, in this process. `port` 0: any free one. It refuses subscriptions to `refused`. */
export async function fakeBroker(port = 0, refused?: RegExp): Promise<FakeBroker> {
  const aedes = new Aedes({
    queueLimit: 100_000,
    heartbeatInterval: 60_000,
    authorizeSubscribe: (_client, subscription, done) =>
      done(null, refused?.test(subscription.topic) === true ? null : subscription),
  });
  await aedes.listen();
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => undefined);
    aedes.handle(socket);
  });
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  const bound = (server.address() as AddressInfo).port;
  return {
    url: `mqtt://127.0.0.1:${bound}`,
    port: bound,
    get clients() {
      return sockets.size;
    },
    breakLines() {
      for (const socket of sockets) socket.destroy();
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await new Promise<void>((resolve) => aedes.close(() => resolve()));
    },
  };
}
