import { connectAsync } from "mqtt";
import type { IClientOptions, MqttClient } from "mqtt";

const base = "garden/cistern";

/** What somebody built for the garden: it follows no convention. */
export interface Cistern {
  readonly client: MqttClient;
  /** Does its pump run? */
  readonly pump: () => boolean;
  /** Every order that came, as "pump/set=ON". */
  readonly orders: string[];
  leave(): Promise<void>;
}

/** The cistern of config/mqtt-devices.example.yaml: a level, and a pump that does what it is told. */
export async function cistern(url: string, account: IClientOptions = {}): Promise<Cistern> {
  const will = { topic: `${base}/status`, payload: Buffer.from("down"), qos: 1, retain: true } as const;
  const client = await connectAsync(url, { ...account, reconnectPeriod: 300, will, keepalive: 5 });
  const orders: string[] = [];
  let pump = false;
  const put = async (topic: string, payload: string) => {
    await client.publishAsync(`${base}/${topic}`, payload, { qos: 1, retain: true });
  };
  client.on("message", (topic, payload) => {
    const [order, text] = [topic.slice(base.length + 1), payload.toString()];
    orders.push(`${order}=${text}`);
    if (order === "pump/set") pump = text === "ON";
    if (order.startsWith("pump/")) void put("pump", pump ? "ON" : "OFF").catch(() => undefined);
  });
  await client.subscribeAsync([`${base}/pump/set`, `${base}/pump/get`], { qos: 1 });
  await put("info", JSON.stringify({ fw: { version: "1.4" } }));
  await put("level", "72");
  await put("pump", "OFF");
  await put("pump/mode", "auto");
  await put("status", "up");
  return {
    client,
    pump: () => pump,
    orders,
    async leave() {
      if (client.connected) await put("status", "down");
      await client.endAsync(!client.connected);
    },
  };
}
