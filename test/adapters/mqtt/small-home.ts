import { isDeepStrictEqual } from "node:util";
import { connectAsync } from "mqtt";
import type { MqttClient } from "mqtt";
import * as v from "valibot";
import { start } from "../../../adapters/mqtt/index.ts";
import { mqttOptions } from "../../../adapters/mqtt/options.ts";
import { parseRel, top } from "../../../tree/path.ts";
import { isInterior } from "../../../tree/value.ts";
import type { Adapter } from "../../../adapters/adapter.ts";
import type { Snapshot, Value } from "../../../tree/value.ts";
import { fakeClock } from "../../fakes/clock.ts";
import type { FakeClock } from "../../fakes/clock.ts";
import { aCall, fakeHost, until } from "../../fakes/host.ts";
import type { FakeHost } from "../../fakes/host.ts";
import { fakeBroker } from "../../fakes/mqtt/broker.ts";
import type { FakeBroker } from "../../fakes/mqtt/broker.ts";
import { moOf } from "../contract.ts";

/** A broker, the adapter on it, and a client that publishes whatever a test wants. */
export interface SmallHome {
  readonly broker: FakeBroker;
  readonly clock: FakeClock;
  readonly host: FakeHost;
  readonly adapter: Adapter;
  readonly client: MqttClient;
  /** Publishes, retained unless told otherwise. */
  publish(topic: string, payload: string | Buffer, retain?: boolean): Promise<void>;
  publishAll(topics: Readonly<Record<string, string>>): Promise<void>;
  /** Passes time until the face is there. */
  appears(identity: string): Promise<void>;
  value(identity: string, rel: string): Promise<Snapshot>;
  /** Waits until the node holds this. */
  shows(identity: string, rel: string, value: Value): Promise<void>;
  replace(identity: string, rel: string, value: Value): Promise<unknown>;
  /** Addresses of all leaves. */
  leaves(identity: string): Promise<string[]>;
  stop(): Promise<void>;
}

export async function smallHome(options: Record<string, unknown> = {}): Promise<SmallHome> {
  const broker = await fakeBroker();
  const clock = fakeClock();
  const host = fakeHost(clock);
  const client = await connectAsync(broker.url);
  const adapter = await start(v.parse(mqttOptions, { url: broker.url, ...options }), host);
  await until(() => host.statuses.at(-1)?.state === "connected");
  const publish = async (topic: string, payload: string | Buffer, retain = true) => {
    await client.publishAsync(topic, payload, { qos: 1, retain });
  };
  return {
    broker,
    clock,
    host,
    adapter,
    client,
    publish,
    async publishAll(topics) {
      for (const [topic, payload] of Object.entries(topics)) await publish(topic, payload);
    },
    appears: (identity) =>
      until(
        () => {
          if (host.face(identity) !== undefined) return true;
          void clock.advance(50);
          return false;
        },
        () => `${identity}; there are ${host.present.join()}`,
      ),
    async shows(identity, rel, value) {
      let last: Snapshot | undefined;
      const end = Date.now() + 8000;
      while (!isDeepStrictEqual(last, value)) {
        if (Date.now() > end) throw new Error(`${rel} shows ${JSON.stringify(last)} and not ${JSON.stringify(value)}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
        last = await moOf(host, identity).read(parseRel(rel), "one", aCall());
      }
    },
    value: (identity, rel) => moOf(host, identity).read(parseRel(rel), "one", aCall()),
    replace: (identity, rel, value) =>
      moOf(host, identity).apply([{ verb: "Replace", rel: parseRel(rel), value }], aCall()),
    async leaves(identity) {
      const found: string[] = [];
      const visit = (at: string, snapshot: Snapshot | undefined) => {
        if (snapshot !== undefined && isInterior(snapshot)) {
          for (const [name, child] of snapshot.children) visit(at === "" ? name : `${at}/${name}`, child);
        } else found.push(at);
      };
      visit("", await moOf(host, identity).read(top, "deep", aCall()));
      return found;
    },
    async stop() {
      await adapter.stop();
      await client.endAsync(true);
      await broker.stop();
    },
  };
}

/** Everything that one client has published so far has been heard: a last message of its own goes the same way. */
export async function heard(home: SmallHome): Promise<void> {
  await home.publish("homie/beacon/$homie", "4.0");
  await home.publish("homie/beacon/$nodes", "");
  await home.publish("homie/beacon/$state", "ready");
  await home.appears("mqtt:homie:beacon");
  await home.publish("homie/beacon/$homie", "");
  await until(() => home.host.face("mqtt:homie:beacon") === undefined);
}
