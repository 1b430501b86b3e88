import { octetBudget, openAsker, openMulticast } from "../discovery/multicast.ts";
import type { MulticastSocket } from "../discovery/multicast.ts";
import type { Link, Source } from "../discovery/source.ts";
import { onLan } from "../lan.ts";
import type { LanInterface } from "../lan.ts";
import type { Announcer, AnnouncerIo, GatewayAnnounced } from "./announcer.ts";
import { answerBudget } from "./answer-budget.ts";
import { gatewayMessages, maxAgeS, readSearch } from "./ssdp-messages.ts";
import type { GatewayMessages } from "./ssdp-messages.ts";

const group = "239.255.255.250";
const port = 1900;
/** UDA 1.1 1.2.2. */
const ttl = 2;
const largestMessage = 4096;
/** UDA 1.1 1.2: said more than once, since packets are lost; and again before half the life is over. */
const burst = 2;
const burstGapMs = 200;
const againMs = (maxAgeS * 1000) / 2;
/** Answers that wait for their time, on a link. */
const waitingAtMost = 32;

interface Announced {
  byebye(): Promise<void>;
  close(): Promise<void>;
}

/** Announces the gateway by SSDP on each link with IPv4, and answers those who search for it (UDA 1.1 section 1). */
export function ssdpAnnouncer(gateway: GatewayAnnounced, io: AnnouncerIo): Announcer {
  const messages = gatewayMessages(gateway);
  const open = new Set<Announced>();
  const source: Source = {
    async open(lan, failed) {
      const ear = await openMulticast(group, port, ttl, lan);
      const mouth = await openAsker(ttl, lan).catch((reason: unknown) => {
        ear.socket.close();
        throw reason;
      });
      const announced = announce(io, { lan, ear, mouth, messages, failed });
      open.add(announced);
      return {
        async close() {
          open.delete(announced);
          await announced.close();
        },
      } satisfies Link;
    },
    forget() {},
    async stop() {},
  };
  return {
    source,
    async farewell() {
      await Promise.all([...open].map((one) => one.byebye()));
    },
  };
}

interface Mouth {
  readonly lan: LanInterface;
  readonly ear: MulticastSocket;
  readonly mouth: MulticastSocket;
  readonly messages: GatewayMessages;
  readonly failed: (reason: unknown) => void;
}

function announce(io: AnnouncerIo, { lan, ear, mouth, messages, failed }: Mouth): Announced {
  const { clock, log, random } = io;
  const waiting = new Set<() => void>();
  let closed = false;

  const send = (text: string, toPort = port, to = group): Promise<void> =>
    new Promise((resolve) => {
      if (closed) return resolve();
      mouth.socket.send(text, toPort, to, (error) => {
        if (error) log.debug(`a message was not sent: ${error.message}`, { interface: lan.name });
        resolve();
      });
    });

  const alive = (left: number) => {
    void send(messages.alive);
    const last = left <= 1;
    // A random share of the time, so that gateways that started together do not speak together for good.
    cancel = clock.after(last ? againMs * (0.9 + random() / 10) : burstGapMs, () =>
      last ? renewed() : alive(left - 1),
    );
  };
  const renewed = () => {
    try {
      for (const { renew } of [ear, mouth]) renew();
    } catch (reason) {
      return failed(reason);
    }
    alive(burst);
  };
  let cancel = clock.after(random() * 100, () => alive(burst));

  const admits = answerBudget(clock);
  const affordable = octetBudget(clock);
  ear.socket.on("message", (message, from) => {
    if (message.length > largestMessage || from.port === 0 || !onLan(from.address, [lan])) return;
    if (!affordable(from.address, message.length)) return;
    const search = readSearch(message);
    const answer = search === undefined ? undefined : messages.answer(search.target);
    if (search === undefined || answer === undefined) return;
    if (waiting.size >= waitingAtMost || !admits(from.address)) return;
    const stop = clock.after(random() * search.mx * 1000, () => {
      waiting.delete(stop);
      void send(answer, from.port, from.address);
    });
    waiting.add(stop);
  });
  // What is sent to it alone is for nobody; it has to be taken from the kernel all the same.
  mouth.socket.on("message", () => {});
  for (const { socket } of [ear, mouth]) socket.on("error", failed);

  const quiet = () => {
    cancel();
    for (const stop of waiting) stop();
    waiting.clear();
  };
  return {
    byebye() {
      quiet();
      return send(messages.byebye);
    },
    async close() {
      quiet();
      closed = true;
      await Promise.all([ear, mouth].map(({ socket }) => new Promise<void>((resolve) => socket.close(resolve))));
    },
  };
}
