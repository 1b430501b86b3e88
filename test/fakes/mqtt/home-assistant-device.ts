import { connectAsync } from "mqtt";
import type { IClientOptions, MqttClient } from "mqtt";

/** A value of an entity: its topics are `<base>/<entity>/<value>` and, where it is settable, the same with `/set`. */
export interface AnnouncedValue {
  readonly value: string;
  /** The key of the config for its topic, and for the one of its orders. */
  readonly topic: string;
  readonly command?: string;
}

export interface AnnouncedEntity {
  readonly component: string;
  /** The rest of its config. */
  readonly config: Readonly<Record<string, unknown>>;
  /** By name. */
  readonly values: Readonly<Record<string, AnnouncedValue>>;
}

export interface AnnouncedModel {
  readonly id: string;
  /** entities: one config topic each; device: one for all of them. */
  readonly form: "entities" | "device";
  readonly device: Readonly<Record<string, unknown>>;
  /** By object id. */
  readonly entities: Readonly<Record<string, AnnouncedEntity>>;
}

export interface AnnouncedDevice {
  readonly id: string;
  readonly client: MqttClient;
  /** What the device holds, by "entity/value". */
  readonly values: ReadonlyMap<string, string>;
  /** Every order that came, as "entity/value=payload". */
  readonly orders: string[];
  /** What becomes of an order: the value that is taken and reported; undefined: no answer at all. Default: obeys. */
  obey: (path: string, payload: string) => string | undefined;
  report(path: string, value: string): Promise<void>;
  announce(): Promise<void>;
  /** The power is cut: the broker publishes the last will. */
  crash(): Promise<void>;
  leave(): Promise<void>;
  /** Goes for good: clears its config topics. */
  remove(): Promise<void>;
}

/** A device that announces itself by Home Assistant's MQTT discovery, with short keys and a last will, as small firmwares do. */
export async function announcedDevice(
  url: string,
  model: AnnouncedModel,
  { prefix = "homeassistant", ...account }: IClientOptions & { prefix?: string } = {},
): Promise<AnnouncedDevice> {
  const base = `lab/${model.id}`;
  const will = { topic: `${base}/status`, payload: Buffer.from("offline"), qos: 1, retain: true } as const;
  const client = await connectAsync(url, { ...account, reconnectPeriod: 300, will, keepalive: 5 });
  const entries = Object.entries(model.entities).flatMap(([id, { values }]) =>
    Object.entries(values).map(([name, value]) => [`${id}/${name}`, value] as const),
  );
  const values = new Map<string, string>(entries.map(([path, { value }]) => [path, value]));
  const settable = new Set<string>(entries.filter(([, { command }]) => command !== undefined).map(([path]) => path));
  const orders: string[] = [];
  const put = async (topic: string, payload: string) => {
    await client.publishAsync(topic, payload, { qos: 1, retain: true });
  };
  const report = async (path: string, value: string) => {
    values.set(path, value);
    await put(`${base}/${path}`, value);
  };
  const announce = async () => {
    for (const [topic, config] of configsOf(model, prefix, base)) await put(topic, JSON.stringify(config));
    await put(`${base}/status`, "online");
    for (const [path, value] of values) await report(path, value);
  };
  const device: AnnouncedDevice = {
    id: model.id,
    client,
    values,
    orders,
    obey: (_path, payload) => payload,
    report,
    announce,
    async crash() {
      client.options.reconnectPeriod = 0;
      client.stream.destroy();
      await client.endAsync(true);
    },
    async leave() {
      if (client.connected)
        await Promise.race([put(`${base}/status`, "offline"), new Promise((resolve) => setTimeout(resolve, 1000))]);
      await client.endAsync(!client.connected);
    },
    async remove() {
      for (const [topic] of configsOf(model, prefix, base)) await put(topic, "");
      for (const path of ["status", ...values.keys()]) await put(`${base}/${path}`, "");
      await client.endAsync();
    },
  };
  client.on("message", (topic, payload) => {
    const path = topic.slice(base.length + 1, -"/set".length);
    orders.push(`${path}=${payload.toString()}`);
    const taken = settable.has(path) ? device.obey(path, payload.toString()) : undefined;
    if (taken !== undefined) void report(path, taken).catch(() => undefined);
  });
  // A broker that was restarted may have forgotten everything.
  client.on("connect", () => void announce().catch(() => undefined));
  await client.subscribeAsync(`${base}/+/+/set`, { qos: 1 });
  await announce();
  return device;
}

function configsOf(model: AnnouncedModel, prefix: string, base: string): [topic: string, config: unknown][] {
  const shared = { "~": base, avty_t: "~/status", dev: { ids: [model.id], ...model.device } };
  const entities = Object.entries(model.entities).map(([id, { component, config, values }]) => {
    const topics = Object.entries(values).flatMap(([name, { topic, command }]) => [
      [topic, `~/${id}/${name}`],
      ...(command === undefined ? [] : [[command, `~/${id}/${name}/set`]]),
    ]);
    const own = { uniq_id: `${model.id}_${id}`, ...config, ...(Object.fromEntries(topics) as object) };
    return { id, component, own };
  });
  if (model.form === "device") {
    const cmps = Object.fromEntries(entities.map(({ id, component, own }) => [id, { p: component, ...own }]));
    return [[`${prefix}/device/${model.id}/config`, { ...shared, o: { name: "lab" }, cmps }]];
  }
  return entities.map(({ id, component, own }) => [
    `${prefix}/${component}/${model.id}/${id}/config`,
    { ...shared, ...own },
  ]);
}
