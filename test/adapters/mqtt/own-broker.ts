import { connect, createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { connectAsync } from "mqtt";
import type { IClientOptions, MqttClient } from "mqtt";
import * as v from "valibot";
import type { Adapter } from "../../../adapters/adapter.ts";
import { start } from "../../../adapters/mqtt/index.ts";
import { mqttOptions } from "../../../adapters/mqtt/options.ts";
import { fakeClock } from "../../fakes/clock.ts";
import type { FakeClock } from "../../fakes/clock.ts";
import { fakeHost, until } from "../../fakes/host.ts";
import type { FakeHost } from "../../fakes/host.ts";

/** The adapter with a broker of its own, and clients for it. */
export interface OwnBroker {
  readonly port: number;
  readonly clock: FakeClock;
  readonly host: FakeHost;
  /** Options with the embedded broker. */
  options(more?: object): object;
  /** Starts the adapter. */
  launch(options?: object): Promise<Adapter>;
  /** The same; resolves when dmgw is connected to its broker, and the port is open. */
  started(): Promise<void>;
  /** A client that has been let in; "plugs" with the right password unless told otherwise. */
  client(more?: IClientOptions): Promise<MqttClient>;
  /** What a client hears that subscribes, as "topic payload", retained ones with a mark. */
  hears(filter: string, more?: IClientOptions): Promise<string[]>;
  /** The code in CONNACK, or "taken". */
  refusedWith(more: IClientOptions): Promise<unknown>;
  /** A bare socket to the port. */
  socket(): Socket;
  /** How often the log says it. */
  said(what: string): number;
  stop(): Promise<void>;
}

export const account = { username: "plugs", password: "right", reconnectPeriod: 0 } as const;

export async function ownBroker(): Promise<OwnBroker> {
  const clock = fakeClock();
  const host = fakeHost(clock);
  const port = await freePort();
  const clients: MqttClient[] = [];
  const sockets: Socket[] = [];
  let adapter: Adapter | undefined;
  const users = [
    { name: "plugs", password: "right" },
    { name: "lamps", password: "other" },
  ];
  const own: OwnBroker = {
    port,
    clock,
    host,
    options: (more = {}) => ({ embedded: { enabled: true, listen: `127.0.0.1:${port}`, users }, ...more }),
    async launch(options = own.options()) {
      adapter = await start(v.parse(mqttOptions, options), host);
      return adapter;
    },
    async started() {
      await own.launch();
      await until(
        () => host.statuses.at(-1)?.state === "connected" && own.said("broker listens") > 0,
        () => JSON.stringify(host.statuses),
      );
    },
    async client(more = {}) {
      const one = await connectAsync(`mqtt://127.0.0.1:${port}`, { ...account, ...more }, false);
      one.on("error", () => undefined);
      clients.push(one);
      return one;
    },
    async hears(filter, more = {}) {
      const heard: string[] = [];
      const one = await own.client(more);
      one.on("message", (topic, payload, { retain }) => {
        heard.push(`${topic} ${payload.toString()}${retain ? " (retained)" : ""}`);
      });
      await one.subscribeAsync(filter, { qos: 1 });
      return heard;
    },
    refusedWith: (more) =>
      own.client(more).then(
        () => "taken",
        (error: { code?: unknown }) => error.code,
      ),
    socket() {
      const socket = connect({ port, host: "127.0.0.1" });
      socket.on("error", () => undefined);
      sockets.push(socket);
      return socket;
    },
    said: (what) => host.log.lines.filter((line) => line.includes(what)).length,
    async stop() {
      for (const client of clients.splice(0)) await client.endAsync(true);
      for (const socket of sockets.splice(0)) socket.destroy();
      await adapter?.stop();
      adapter = undefined;
    },
  };
  return own;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port: found } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return found;
}
