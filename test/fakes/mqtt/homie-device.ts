import { connectAsync } from "mqtt";
import type { IClientOptions, MqttClient } from "mqtt";

/** A property as the device describes it, with its first value. */
export interface HomieProperty {
  readonly name?: string;
  readonly datatype: string;
  readonly format?: string;
  readonly unit?: string;
  readonly settable?: boolean;
  readonly retained?: boolean;
  readonly value?: string;
}

export interface HomieNode {
  readonly name?: string;
  readonly type?: string;
  readonly properties: Readonly<Record<string, HomieProperty>>;
}

export interface HomieDescription {
  readonly version: 4 | 5;
  readonly id: string;
  readonly name: string;
  readonly root?: string;
  readonly nodes: Readonly<Record<string, HomieNode>>;
  /** Attributes of the legacy firmware extension (Homie 3, 4): "$localip", "$mac", "$fw/version". */
  readonly legacy?: Readonly<Record<string, string>>;
  /** Homie 5: the device on whose connection this one lives. */
  readonly child?: { readonly of: HomieDevice };
}

export interface HomieDevice {
  readonly id: string;
  readonly client: MqttClient;
  /** What the device holds, by "node/property". */
  readonly values: Map<string, string>;
  /** Every order that came, as "node/property=payload". */
  readonly orders: string[];
  /** What becomes of an order: the value that is taken and reported; undefined: no answer at all. Default: obeys. */
  obey: (path: string, payload: string) => string | undefined;
  /** The device reports this by itself. */
  report(path: string, value: string): Promise<void>;
  state(state: string): Promise<void>;
  /** Describes itself anew. */
  describe(nodes: HomieDescription["nodes"]): Promise<void>;
  /** The power is cut: no DISCONNECT, so the broker publishes the last will. */
  crash(): Promise<void>;
  /** Says goodbye. */
  leave(): Promise<void>;
  /** Goes for good: clears what the broker retains of it. */
  remove(): Promise<void>;
}

/** A Homie device on its own connection, with its last will, as the convention asks. Its values are taken as they are told. */
export async function homieDevice(
  url: string,
  about: HomieDescription,
  account: IClientOptions = {},
): Promise<HomieDevice> {
  const base = `${about.root ?? "homie"}/${about.version === 5 ? "5/" : ""}${about.id}`;
  const will = { topic: `${base}/$state`, payload: Buffer.from("lost"), qos: 1, retain: true } as const;
  const client =
    about.child?.of.client ?? (await connectAsync(url, { ...account, reconnectPeriod: 300, will, keepalive: 5 }));
  const values = new Map<string, string>();
  const orders: string[] = [];
  const published = new Set<string>();
  let nodes = about.nodes;
  let version = 1;

  const put = async (topic: string, payload: string, retain = true) => {
    if (retain) published.add(`${base}/${topic}`);
    await client.publishAsync(`${base}/${topic}`, payload, { qos: 1, retain });
  };
  const propertyAt = (path: string) => {
    const [node = "", property = ""] = path.split("/");
    return nodes[node]?.properties[property];
  };
  const report = async (path: string, value: string) => {
    values.set(path, value);
    const payload = about.version === 5 && value === "" ? "\u0000" : value;
    await put(path, payload, propertyAt(path)?.retained !== false);
  };
  const announce = async () => {
    await put("$state", "init");
    if (about.version === 5) await put("$description", describe5(about, nodes, version++));
    else for (const [topic, payload] of describe4(about, nodes)) await put(topic, payload);
    for (const [node, { properties }] of Object.entries(nodes)) {
      for (const [id, property] of Object.entries(properties)) {
        const value = values.get(`${node}/${id}`) ?? property.value;
        if (value !== undefined) await report(`${node}/${id}`, value);
      }
    }
    await put("$state", "ready");
  };
  const device: HomieDevice = {
    id: about.id,
    client,
    values,
    orders,
    obey: (_path, payload) => payload,
    report,
    state: (state) => put("$state", state),
    async describe(fresh) {
      nodes = fresh;
      await announce();
    },
    async crash() {
      client.options.reconnectPeriod = 0;
      client.stream.destroy();
      await client.endAsync(true);
    },
    async leave() {
      if (client.connected)
        await Promise.race([put("$state", "disconnected"), new Promise((resolve) => setTimeout(resolve, 1000))]);
      await client.endAsync(!client.connected);
    },
    async remove() {
      await client.publishAsync(`${base}/${about.version === 5 ? "$state" : "$homie"}`, "", { qos: 1, retain: true });
      for (const topic of published) await client.publishAsync(topic, "", { qos: 1, retain: true });
      if (about.child === undefined) await client.endAsync();
    },
  };
  client.on("message", (topic, payload) => {
    if (!topic.startsWith(`${base}/`) || !topic.endsWith("/set")) return;
    const path = topic.slice(base.length + 1, -"/set".length);
    const text = about.version === 5 && payload.toString() === "\u0000" ? "" : payload.toString();
    orders.push(`${path}=${text}`);
    const taken = propertyAt(path)?.settable === true ? device.obey(path, text) : undefined;
    if (taken !== undefined) void report(path, taken).catch(() => undefined);
  });
  // A broker that was restarted may have forgotten everything.
  client.on("connect", () => void announce().catch(() => undefined));
  await client.subscribeAsync(`${base}/+/+/set`, { qos: 1 });
  await announce();
  return device;
}

function describe5(about: HomieDescription, nodes: HomieDescription["nodes"], version: number): string {
  const bare = Object.entries(nodes).map(([id, { properties, ...node }]) => {
    const described = Object.entries(properties).map(([name, property]) => [name, { ...property, value: undefined }]);
    return [id, { ...node, properties: Object.fromEntries(described) as unknown }];
  });
  const root = about.child === undefined ? {} : { root: about.child.of.id };
  return JSON.stringify({
    homie: "5.0",
    version,
    name: about.name,
    ...root,
    nodes: Object.fromEntries(bare) as unknown,
  });
}

function describe4(about: HomieDescription, nodes: HomieDescription["nodes"]): [string, string][] {
  const topics: [string, string][] = [
    ["$homie", "4.0.0"],
    ["$name", about.name],
    ["$extensions", about.legacy === undefined ? "" : "org.homie.legacy-firmware:0.1.1:[4.x]"],
    ["$implementation", "dmgw-fake"],
    ["$nodes", Object.keys(nodes).join(",")],
    ...Object.entries(about.legacy ?? {}),
  ];
  for (const [id, node] of Object.entries(nodes)) {
    topics.push([`${id}/$name`, node.name ?? id], [`${id}/$type`, node.type ?? ""]);
    topics.push([`${id}/$properties`, Object.keys(node.properties).join(",")]);
    for (const [name, property] of Object.entries(node.properties)) {
      topics.push([`${id}/${name}/$name`, property.name ?? name], [`${id}/${name}/$datatype`, property.datatype]);
      if (property.format !== undefined) topics.push([`${id}/${name}/$format`, property.format]);
      if (property.unit !== undefined) topics.push([`${id}/${name}/$unit`, property.unit]);
      if (property.settable === true) topics.push([`${id}/${name}/$settable`, "true"]);
      if (property.retained === false) topics.push([`${id}/${name}/$retained`, "false"]);
    }
  }
  return topics;
}
