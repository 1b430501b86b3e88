// A broker with as many Homie devices as asked for, each of 200 nodes, that can all be made to speak.
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { Aedes } from "aedes";

const parts = 10;
const perPart = 19;

export interface ManyDevices {
  readonly url: string;
  /** Each report is a value that one device has not had before. */
  report(times: number): Promise<void>;
  stop(): Promise<void>;
}

export async function manyDevices(count: number): Promise<ManyDevices> {
  const broker = await Aedes.createBroker();
  const server = createServer((stream) => void broker.handle(stream));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const publish = (topic: string, payload: string) =>
    new Promise<void>((resolve, reject) => {
      const packet = {
        cmd: "publish",
        topic,
        payload: Buffer.from(payload),
        qos: 1,
        retain: true,
        dup: false,
      } as const;
      broker.publish(packet, (error) => (error ? reject(error) : resolve()));
    });

  for (let n = 0; n < count; n++) {
    await publish(`homie/5/bench${n}/$description`, description(n));
    for (let leaf = 0; leaf < parts * perPart; leaf++) await publish(topicOf(n, leaf), "0");
    await publish(`homie/5/bench${n}/$state`, "ready");
  }
  let reports = 0;
  return {
    url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async report(times) {
      for (let n = 0; n < times; n++) {
        reports++;
        await publish(topicOf(reports % count, reports % (parts * perPart)), String(reports));
      }
    },
    async stop() {
      await new Promise<void>((resolve) => broker.close(() => resolve()));
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function topicOf(device: number, leaf: number): string {
  return `homie/5/bench${device}/part${Math.floor(leaf / perPart)}/value${leaf % perPart}`;
}

function description(n: number): string {
  const named = <T>(count: number, prefix: string, value: T) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`${prefix}${i}`, value]));
  const property = { name: "a value", datatype: "integer", settable: true };
  const node = { name: "a part", properties: named(perPart, "value", property) };
  return JSON.stringify({ homie: "5.0", version: 1, name: `Bench ${n}`, nodes: named(parts, "part", node) });
}
