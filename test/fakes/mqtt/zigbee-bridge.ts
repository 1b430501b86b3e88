import { connectAsync } from "mqtt";
import type { IClientOptions, MqttClient } from "mqtt";

type Json = Record<string, unknown>;

export interface ZigbeeDevice {
  readonly address: string;
  readonly name: string;
  readonly type: "Router" | "EndDevice";
  readonly vendor: string;
  readonly model: string;
  readonly description: string;
  readonly firmware?: string;
  readonly exposes: readonly Json[];
  readonly state: Json;
}

export interface ZigbeeBridge {
  readonly client: MqttClient;
  /** What each device holds, by address. */
  readonly states: ReadonlyMap<string, Json>;
  /** Every message that came to a device, as "name/set {…}". */
  readonly orders: string[];
  /** What becomes of an order: what is merged into the state and reported; undefined: no answer. Default: obeys. */
  obey: (address: string, order: Json) => Json | undefined;
  /** A device reports this by itself. */
  report(address: string, part: Json): Promise<void>;
  availability(address: string, online: boolean): Promise<void>;
  rename(address: string, name: string): Promise<void>;
  remove(address: string): Promise<void>;
  join(device: ZigbeeDevice): Promise<void>;
  crash(): Promise<void>;
  leave(): Promise<void>;
}

/** A zigbee2mqtt with its devices, as far as its topics show it. States are retained only when `retain` is set, as in zigbee2mqtt. */
export async function zigbeeBridge(
  url: string,
  first: readonly ZigbeeDevice[],
  { base = "zigbee2mqtt", retain = false, ...account }: IClientOptions & { base?: string; retain?: boolean } = {},
): Promise<ZigbeeBridge> {
  const will = {
    topic: `${base}/bridge/state`,
    payload: Buffer.from('{"state":"offline"}'),
    qos: 1,
    retain: true,
  } as const;
  const client = await connectAsync(url, { ...account, reconnectPeriod: 300, will, keepalive: 5 });
  const devices = new Map(first.map((device) => [device.address, device]));
  const states = new Map(first.map((device) => [device.address, { ...device.state }]));
  const online = new Map(first.map((device) => [device.address, true]));
  const orders: string[] = [];

  const put = async (topic: string, payload: string, retained = true) => {
    await client.publishAsync(`${base}/${topic}`, payload, { qos: 1, retain: retained });
  };
  const list = () => put("bridge/devices", JSON.stringify([coordinator, ...[...devices.values()].map(entryOf)]));
  const tell = async (address: string) => {
    const name = devices.get(address)?.name;
    if (name !== undefined) await put(name, JSON.stringify(states.get(address)), retain);
  };
  const announce = async () => {
    await put("bridge/state", '{"state":"online"}');
    await list();
    for (const [address, { name }] of devices) {
      await put(`${name}/availability`, JSON.stringify({ state: online.get(address) === true ? "online" : "offline" }));
      if (retain) await tell(address);
    }
  };
  const report = async (address: string, part: Json) => {
    states.set(address, merged(states.get(address) ?? {}, part));
    await tell(address);
  };
  const bridge: ZigbeeBridge = {
    client,
    states,
    orders,
    obey: (_address, order) => order,
    report,
    async availability(address, now) {
      online.set(address, now);
      await put(`${devices.get(address)?.name}/availability`, JSON.stringify({ state: now ? "online" : "offline" }));
    },
    async rename(address, name) {
      const device = devices.get(address);
      if (device === undefined) return;
      await put(`${device.name}/availability`, "");
      devices.set(address, { ...device, name });
      await list();
      await put(`${name}/availability`, '{"state":"online"}');
      await tell(address);
    },
    async remove(address) {
      const name = devices.get(address)?.name;
      devices.delete(address);
      await list();
      await put(`${name}/availability`, "");
    },
    async join(device) {
      devices.set(device.address, device);
      states.set(device.address, { ...device.state });
      online.set(device.address, true);
      await list();
    },
    async crash() {
      client.options.reconnectPeriod = 0;
      client.stream.destroy();
      await client.endAsync(true);
    },
    async leave() {
      if (client.connected)
        await Promise.race([
          put("bridge/state", '{"state":"offline"}'),
          new Promise((resolve) => setTimeout(resolve, 1000)),
        ]);
      await client.endAsync(!client.connected);
    },
  };
  client.on("message", (topic, payload) => {
    const text = topic.slice(base.length + 1);
    const found = [...devices.values()].find(({ name }) => text === `${name}/set` || text === `${name}/get`);
    if (found === undefined) return;
    orders.push(`${text} ${payload.toString()}`);
    if (online.get(found.address) !== true) return;
    if (text.endsWith("/get")) return void tell(found.address).catch(() => undefined);
    const taken = bridge.obey(found.address, JSON.parse(payload.toString()) as Json);
    if (taken !== undefined) void report(found.address, taken).catch(() => undefined);
  });
  client.on("connect", () => void announce().catch(() => undefined));
  await client.subscribeAsync(`${base}/#`, { qos: 1 });
  await announce();
  return bridge;
}

function merged(state: Json, part: Json): Json {
  const isObject = (json: unknown): json is Json => typeof json === "object" && json !== null && !Array.isArray(json);
  const entries = Object.entries(part).map(([key, value]): [string, unknown] => {
    const before = state[key];
    return [key, isObject(value) && isObject(before) ? merged(before, value) : value];
  });
  return { ...state, ...Object.fromEntries(entries) };
}

const coordinator = {
  ieee_address: "0x00124b00120144ae",
  type: "Coordinator",
  friendly_name: "Coordinator",
  definition: null,
  supported: false,
  interview_completed: true,
};

function entryOf({ address, name, type, vendor, model, description, firmware, exposes }: ZigbeeDevice): Json {
  return {
    ieee_address: address,
    type,
    network_address: Number.parseInt(address.slice(-4), 16),
    supported: true,
    friendly_name: name,
    disabled: false,
    endpoints: { "1": { bindings: [], configured_reportings: [], clusters: { input: ["genBasic"], output: [] } } },
    definition: { model, vendor, description, supports_ota: false, options: [], exposes },
    power_source: type === "Router" ? "Mains (single phase)" : "Battery",
    ...(firmware === undefined ? {} : { software_build_id: firmware }),
    model_id: model,
    interviewing: false,
    interview_completed: true,
  };
}
