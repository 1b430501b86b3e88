import { connectAsync } from "mqtt";
import type { IClientOptions, MqttClient } from "mqtt";
import { get } from "sparkplug-payload";
import type { TypeStr, UMetric, UPayload } from "sparkplug-payload/lib/sparkplugbpayload.js";

const codec = get("spBv1.0");

/** As Eclipse Tahu writes and reads payloads. */
export function tahuEncode(payload: UPayload): Buffer {
  if (codec === null) throw new Error("sparkplug-payload does not know spBv1.0");
  return Buffer.from(codec.encodePayload(payload));
}
export function tahuDecode(octets: Uint8Array): UPayload {
  if (codec === null) throw new Error("sparkplug-payload does not know spBv1.0");
  return codec.decodePayload(octets);
}

export interface SparkplugMetric {
  readonly type: TypeStr;
  readonly value: UMetric["value"];
  /** What it takes: default everything. */
  readonly writable?: boolean;
}
type Metrics = Readonly<Record<string, SparkplugMetric>>;

export interface SparkplugModel {
  readonly group: string;
  readonly id: string;
  readonly metrics: Metrics;
  readonly devices: Readonly<Record<string, Metrics>>;
}

export interface SparkplugEdge {
  readonly client: MqttClient;
  /** What it and its devices hold now, by "<device or nothing>:<metric>". */
  readonly values: Map<string, UMetric["value"]>;
  /** Every order that came, as "<device or nothing>:<metric>=<value>", and "rebirth". */
  readonly orders: string[];
  /** Does a device do what it is told? Default: what is writable. One that does not says nothing. */
  obey: (device: string, metric: string) => boolean;
  /** A new value, told by alias. */
  report(device: string, metric: string, value: UMetric["value"]): Promise<void>;
  /** Says everything anew, within its session. */
  birth(): Promise<void>;
  /** A device is switched off. */
  deviceDies(device: string): Promise<void>;
  /** A message is lost on the way: the next one has a gap before it. */
  skip(): void;
  /** The power is cut: the broker publishes the last will. */
  crash(): Promise<void>;
  leave(): Promise<void>;
}

/** An edge node with its devices on its own connection, as Sparkplug 3.0 asks: will, births with aliases, rebirth, commands. */
export async function sparkplugEdge(
  url: string,
  model: SparkplugModel,
  { session = 0, root = "spBv1.0", ...account }: IClientOptions & { session?: number; root?: string } = {},
): Promise<SparkplugEdge> {
  const topic = (kind: string, device: string) =>
    [root, model.group, kind, model.id, ...(device === "" ? [] : [device])].join("/");
  const bdSeq: UMetric = { name: "bdSeq", type: "Int64", value: session };
  const death = (): UPayload => ({ timestamp: Date.now(), metrics: [bdSeq] });
  const will = { topic: topic("NDEATH", ""), payload: tahuEncode(death()), qos: 1, retain: false } as const;
  const client = await connectAsync(url, { ...account, reconnectPeriod: 0, will, keepalive: 5 });
  let seq = 0;
  const send = async (kind: string, device: string, metrics: UMetric[]) => {
    seq = kind === "NBIRTH" ? 0 : (seq + 1) % 256;
    await client.publishAsync(topic(kind, device), tahuEncode({ timestamp: Date.now(), seq, metrics }), { qos: 0 });
  };

  const metrics = new Map<string, { alias: number; about: SparkplugMetric }>();
  const values = new Map<string, UMetric["value"]>();
  const stations = new Map([["", model.metrics], ...Object.entries(model.devices)]);
  for (const [device, all] of stations) {
    for (const [name, about] of Object.entries(all)) {
      metrics.set(`${device}:${name}`, { alias: metrics.size + 1, about });
      values.set(`${device}:${name}`, about.value);
    }
  }
  const metricOf = (key: string, birth: boolean): UMetric[] => {
    const metric = metrics.get(key);
    if (metric === undefined) return [];
    const name = key.slice(key.indexOf(":") + 1);
    const value = values.get(key) ?? null;
    return [
      {
        ...(birth ? { name } : {}),
        alias: metric.alias,
        timestamp: Date.now(),
        type: metric.about.type,
        value,
        ...(value === null ? { isNull: true } : {}),
      },
    ];
  };
  const all = (device: string) =>
    [...metrics.keys()].filter((key) => key.startsWith(`${device}:`)).flatMap((key) => metricOf(key, true));
  const birth = async () => {
    const rebirth: UMetric = { name: "Node Control/Rebirth", type: "Boolean", value: false };
    await send("NBIRTH", "", [bdSeq, rebirth, ...all("")]);
    for (const device of Object.keys(model.devices)) await send("DBIRTH", device, all(device));
  };
  const report = async (device: string, name: string, value: UMetric["value"]) => {
    values.set(`${device}:${name}`, value);
    await send(device === "" ? "NDATA" : "DDATA", device, metricOf(`${device}:${name}`, false));
  };
  const edge: SparkplugEdge = {
    client,
    values,
    orders: [],
    obey: (device, metric) => metrics.get(`${device}:${metric}`)?.about.writable !== false,
    report,
    birth,
    deviceDies: (device) => send("DDEATH", device, []),
    skip: () => void (seq = (seq + 1) % 256),
    async crash() {
      await new Promise<void>((resolve) => {
        client.stream.once("close", () => resolve());
        client.stream.destroy();
      });
      await client.endAsync(true);
    },
    async leave() {
      await client.publishAsync(topic("NDEATH", ""), tahuEncode(death()), { qos: 0 });
      await client.endAsync();
    },
  };

  const byAlias = (wanted: number) => [...metrics].find(([, { alias }]) => alias === wanted)?.[0];
  const ordered = async (device: string, { name, alias, value }: UMetric) => {
    if (name === "Node Control/Rebirth") {
      edge.orders.push("rebirth");
      return birth();
    }
    const key = alias === undefined || alias === null ? `${device}:${name}` : byAlias(Number(alias));
    if (key === undefined || !metrics.has(key)) return;
    edge.orders.push(`${key}=${value as string | number}`);
    const metric = key.slice(key.indexOf(":") + 1);
    if (edge.obey(device, metric)) await report(device, metric, value);
  };
  client.on("message", (heard, payload) => {
    const device = heard.split("/")[4] ?? "";
    void (async () => {
      for (const metric of tahuDecode(payload).metrics ?? []) await ordered(device, metric);
    })().catch(() => undefined);
  });
  await client.subscribeAsync([topic("NCMD", ""), `${topic("DCMD", "")}/+`], { qos: 1 });
  await birth();
  return edge;
}
