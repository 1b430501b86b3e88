import { connectAsync } from "mqtt";
import type { IClientOptions, MqttClient } from "mqtt";
import { carriedOut, stateOf } from "./tasmota-commands.ts";
import type { TasmotaModel, TasmotaState } from "./tasmota-models.ts";

type Json = Record<string, unknown>;

export interface TasmotaDevice {
  readonly client: MqttClient;
  /** What it holds now. */
  readonly state: TasmotaState;
  /** Every command that came, as "Dimmer 40". */
  readonly orders: string[];
  /** Does it carry out a command? Default: all. One that it does not is not answered. */
  obey: (command: string, payload: string) => boolean;
  /** A shutter moves this many per cent, and says so; without a call it stays where it is. */
  move(percent: number): Promise<void>;
  /** Tells what it measures, with these changes. */
  report(sensors: Json): Promise<void>;
  /** tele/STATE, as every five minutes. */
  tell(): Promise<void>;
  press(button: number, action: string): Promise<void>;
  /** The broker has every answer to the commands that have come. */
  settled(): Promise<void>;
  /** Says again who it is. */
  announce(): Promise<void>;
  crash(): Promise<void>;
  leave(): Promise<void>;
  /** SetOption19 1: takes its discovery back. */
  hide(): Promise<void>;
}

/** A device with the Tasmota firmware, as far as its topics show it: discovery, last will, telemetry, and answers to the usual commands. */
export async function tasmotaDevice(
  url: string,
  model: TasmotaModel,
  account: IClientOptions = {},
): Promise<TasmotaDevice> {
  const prefixes = model.prefixes ?? ["cmnd", "stat", "tele"];
  const [cmnd, stat, tele] = prefixes.map((prefix) => topicOf(model, prefix)) as [string, string, string];
  const will = { topic: `${tele}LWT`, payload: Buffer.from("Offline"), qos: 1, retain: true } as const;
  const client = await connectAsync(url, { ...account, reconnectPeriod: 300, will, keepalive: 5 });
  const state: TasmotaState = structuredClone(model.state);
  let sensors: Json = structuredClone(model.sensors ?? {});
  const orders: string[] = [];
  const started = Date.now();
  let answering = Promise.resolve();

  const put = async (topic: string, payload: string | Json, retain = false) => {
    const text = typeof payload === "string" ? payload : JSON.stringify(payload);
    await client.publishAsync(topic, text, { qos: 1, retain });
  };
  const stamped = (json: Json) => ({ Time: new Date().toISOString().slice(0, 19), ...json });
  const sensing = () => stamped({ ...state.switches, ...sensors, ...shuttersOf(state) });
  const condition = () => {
    const seconds = Math.round((Date.now() - started) / 1000);
    return stamped({
      Uptime: `0T00:00:${String(seconds % 60).padStart(2, "0")}`,
      UptimeSec: seconds,
      Heap: 25,
      SleepMode: "Dynamic",
      Sleep: 50,
      LoadAvg: 19,
      MqttCount: 1,
      ...stateOf(model, state, true),
      Wifi: wifi,
    });
  };
  const announce = async () => {
    await put(`tasmota/discovery/${model.mac}/config`, configOf(model), true);
    await put(`tasmota/discovery/${model.mac}/sensors`, { sn: sensing(), ver: 1 }, true);
  };
  const device: TasmotaDevice = {
    client,
    state,
    orders,
    obey: () => true,
    announce,
    async move(percent) {
      for (const [index, shutter] of state.shutters?.entries() ?? []) {
        const left = shutter.target - shutter.position;
        shutter.position += Math.sign(left) * Math.min(Math.abs(left), percent);
        shutter.direction = Math.sign(shutter.target - shutter.position);
        await put(`${stat}RESULT`, { [`Shutter${index + 1}`]: shuttersOf(state)[`Shutter${index + 1}`] });
      }
    },
    async report(part) {
      sensors = { ...sensors, ...part };
      await put(`${tele}SENSOR`, sensing());
    },
    tell: () => put(`${tele}STATE`, condition()),
    settled: () => answering,
    press: (button, action) => put(`${stat}RESULT`, { [`Button${button}`]: { Action: action } }),
    async crash() {
      client.options.reconnectPeriod = 0;
      client.stream.destroy();
      await client.endAsync(true);
    },
    async leave() {
      if (client.connected) {
        const said = put(`${tele}LWT`, "Offline", true);
        await Promise.race([said, new Promise((resolve) => setTimeout(resolve, 1000))]);
      }
      await client.endAsync(!client.connected);
    },
    async hide() {
      await put(`tasmota/discovery/${model.mac}/config`, "", true);
      await put(`tasmota/discovery/${model.mac}/sensors`, "", true);
    },
  };
  const answer = async (command: string, payload: string) => {
    if (command === "STATE") return put(`${stat}RESULT`, condition());
    if (command === "STATUS" && payload === "10") return put(`${stat}STATUS10`, { StatusSNS: sensing() });
    if (command === "STATUS" && payload === "11") return put(`${stat}STATUS11`, { StatusSTS: condition() });
    const { result, powers } = carriedOut(model, state, command, payload);
    for (const [name, word] of powers) await put(`${stat}${name}`, word);
    // SetOption4: not on RESULT.
    await put(`${stat}${model.options?.["4"] === 1 ? command : "RESULT"}`, result);
  };
  client.on("message", (topic, payload) => {
    if (!topic.startsWith(cmnd)) return;
    const [command, text] = [topic.slice(cmnd.length), payload.toString()];
    orders.push(`${command} ${text}`.trim());
    if (!device.obey(command, text)) return;
    answering = answering.then(() => answer(command.toUpperCase(), text)).catch(() => undefined);
  });
  const greet = async () => {
    await put(`${tele}LWT`, "Online", true);
    await announce();
    await device.tell();
  };
  client.on("connect", () => void greet().catch(() => undefined));
  await client.subscribeAsync(`${cmnd}#`, { qos: 1 });
  await greet();
  return device;
}

const wifi = {
  AP: 1,
  SSId: "home",
  BSSId: "2C:91:AB:00:00:01",
  Channel: 6,
  Mode: "11n",
  RSSI: 84,
  Signal: -58,
  LinkCount: 1,
  Downtime: "0T00:00:03",
};

function topicOf(model: TasmotaModel, prefix: string): string {
  const full = (model.fullTopic ?? "%prefix%/%topic%/")
    .replaceAll("%prefix%", prefix)
    .replaceAll("%topic%", model.topic)
    .replaceAll("%hostname%", hostOf(model))
    .replaceAll("%id%", model.mac);
  return full.endsWith("/") ? full : `${full}/`;
}

const hostOf = ({ mac }: TasmotaModel) => `tasmota-${mac.slice(6)}-${Number.parseInt(mac.slice(8), 16) % 8192}`;

function shuttersOf({ shutters = [] }: TasmotaState): Json {
  return Object.fromEntries(
    shutters.map(({ position, direction, target, tilt }, i) => [
      `Shutter${i + 1}`,
      { Position: position, Direction: direction, Target: target, Tilt: tilt },
    ]),
  );
}

/** What stands on `<discovery>/<MAC>/config`: the keys of firmware 9 to 15. */
export function configOf(model: TasmotaModel): Json {
  const { friendly = [model.name], switches = [], buttons = [], light = 0, state } = model;
  const filled = <T>(length: number, some: readonly T[], rest: T): T[] =>
    Array.from({ length }, (_, i) => some[i] ?? rest);
  const options = { 4: 0, 11: 0, 13: 0, 17: 0, 20: 0, 30: 0, 68: 0, 73: 0, 82: 0, 114: 0, 117: 0 };
  return {
    ip: model.address ?? "192.168.1.77",
    dn: model.name,
    fn: filled<string | null>(8, friendly, null),
    hn: hostOf(model),
    mac: model.mac,
    md: model.module,
    ty: 0,
    if: 0,
    ofln: "Offline",
    onln: "Online",
    state: model.words ?? ["OFF", "ON", "TOGGLE", "HOLD"],
    sw: model.version ?? "14.4.1",
    t: model.topic,
    ft: model.fullTopic ?? "%prefix%/%topic%/",
    tp: model.prefixes ?? ["cmnd", "stat", "tele"],
    rl: filled(32, model.relays, 0),
    swc: filled(28, switches, -1),
    swn: filled<string | null>(
      28,
      switches.map((mode, i) => (mode < 0 ? null : `Switch${i + 1}`)),
      null,
    ),
    btn: filled(32, buttons, 0),
    so: { ...options, ...model.options },
    lk: 1,
    lt_st: light,
    bat: model.battery === true ? 1 : 0,
    dslp: 0,
    sho: (state.shutters ?? []).map(() => 0),
    sht: (state.shutters ?? []).map(({ tilts = [0, 0] }) => [...tilts, 0]),
    ver: 1,
  };
}
