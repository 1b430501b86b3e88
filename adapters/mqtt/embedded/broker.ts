import { randomBytes } from "node:crypto";
import { connect, createServer } from "node:net";
import type { Server, Socket } from "node:net";
import { DmError, Status } from "../../../tree/errors.ts";
import type { Host } from "../../adapter.ts";
import type { Account } from "../connection.ts";
import { Failures } from "./access.ts";
import { Clients } from "./clients.ts";
import { Door } from "./door.ts";
import { embeddedLimits } from "./limits.ts";
import type { EmbeddedOptions } from "./options.ts";
import { reasonOfListening } from "../faults.ts";
import type { Holdings } from "../limits.ts";

export interface EmbeddedBroker {
  /** For dmgw itself, by a line that nobody else has. */
  readonly account: Account;
  /** The host for the line of dmgw: what it shows on `dmgw status` is shown together with the state of the broker. */
  readonly host: Host;
  stop(): Promise<void>;
}

/**
 * A broker of our own for the devices of the home: MQTT 3.1.1, every client with a password, everything in memory and within limits.
 * Resolves when dmgw itself can connect to it; the port for the devices is opened in the background, and again and again where it is taken.
 */
export async function startEmbedded(options: EmbeddedOptions, host: Host, holdings: Holdings): Promise<EmbeddedBroker> {
  const { listen } = options;
  if (listen?.host === undefined) throw new DmError(Status.failed, "the embedded broker needs an address to listen on");
  const where = `${options.tls === undefined ? "mqtt" : "mqtts"}://${listen.host.includes(":") ? `[${listen.host}]` : listen.host}:${listen.port}`;
  const own = { name: `dmgw-${randomBytes(6).toString("hex")}`, password: randomBytes(24).toString("base64") };
  const failures = new Failures(host.clock);
  const clients = await Clients.open({ users: options.users, own, failures, log: host.log, holdings });

  const shown = statusOfBoth(host, `embedded broker at ${where}`);
  /** Why it cannot listen, as the log has it: said once. */
  let told: string | undefined;
  const door = new Door({ host: listen.host, port: listen.port, tls: options.tls }, host.clock, failures, {
    opened() {
      told = undefined;
      host.log.info("the embedded MQTT broker listens", { at: where });
      shown.broker(undefined);
    },
    failed(error) {
      const reason = `the embedded MQTT broker cannot listen at ${where}: ${reasonOfListening(error)}`;
      if (reason !== told) host.log.warn(`${reason}; it is tried again until it can`);
      told = reason;
      shown.broker(`${reason}; next try within ${embeddedLimits.retry / 1000} s`);
    },
    entered: (socket, guest) => clients.enter(socket, guest),
    refused: (why, address) => holdings.refuse(`a connection to the embedded broker: ${why}`, { address }),
  });
  const path = `\0${own.name}`;
  const inside = await ownLine(path, (socket) => clients.enter(socket, { address: "", known: false, own: true }));
  door.open();
  return {
    account: { url: where, username: own.name, password: own.password, open: () => connect({ path }) },
    host: shown.host,
    async stop() {
      await door.close();
      await clients.stop();
      await new Promise<void>((resolve) => inside.close(() => resolve()));
    },
  };
}

/** A socket in the abstract namespace of this machine: no port, no file. Who guesses its name still has no password. */
async function ownLine(path: string, entered: (socket: Socket) => void): Promise<Server> {
  const server = createServer(entered);
  server.maxConnections = 4;
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen({ path }, resolve));
  return server;
}

/** A broker that cannot listen is an error of the adapter, although dmgw itself is connected to it. */
function statusOfBoth(host: Host, about: string): { readonly host: Host; broker(fault: string | undefined): void } {
  let line: Parameters<Host["status"]> = ["starting"];
  let fault: string | undefined;
  const show = () => {
    const [state, detail] = line;
    if (fault !== undefined) host.status("error", fault);
    else host.status(state, state === "connected" ? about : detail);
  };
  return {
    host: {
      clock: host.clock,
      log: host.log,
      state: host.state,
      attach: (face) => host.attach(face),
      status(...said) {
        line = said;
        show();
      },
    },
    broker(now) {
      fault = now;
      show();
    },
  };
}
