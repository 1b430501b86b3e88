import { printable } from "../../printable.ts";
import { limits } from "../limits.ts";
import { wordOf } from "./templates.ts";
import { shortDeviceKeys, shortKeys } from "./words.ts";
import { isObject, parse } from "../json.ts";

/** The keys of one entity, in their long form. A Map: whatever a device calls its keys, they are never more than keys. */
export type Settings = ReadonlyMap<string, unknown>;

/** `<prefix>/<component>/[<node_id>/]<object_id>/config`; component "device": several entities in one payload. */
export interface ConfigTopic {
  readonly component: string;
  readonly nodeId: string | undefined;
  readonly objectId: string;
}

/** Names one thing of a device: a switch, a reading. */
export interface EntityId {
  readonly component: string;
  /** Of the topic; in the form for whole devices the id of the device. */
  readonly nodeId: string | undefined;
  /** Of the topic; in the form for whole devices the key of the component. */
  readonly objectId: string;
  readonly uniqueId: string | undefined;
}

export interface Entity extends EntityId {
  readonly settings: Settings;
}

/** What the `device` block says. */
export interface DeviceBlock {
  readonly identifiers: readonly string[];
  readonly connections: readonly (readonly [kind: string, value: string])[];
  readonly name?: string;
  readonly maker?: string;
  readonly model?: string;
  readonly firmware?: string;
  readonly hardware?: string;
  readonly serial?: string;
}

export interface Config {
  readonly device: DeviceBlock | undefined;
  readonly entities: readonly Entity[];
}

/** How many identifiers, connections and lines of availability one config may have. */
const most = 16;

const topicForm = /^([A-Za-z0-9_]+)\/(?:([A-Za-z0-9_-]+)\/)?([A-Za-z0-9_-]+)\/config$/;

/** undefined: no topic of the convention. */
export function parseTopic(prefix: string, topic: string): ConfigTopic | undefined {
  if (!topic.startsWith(`${prefix}/`) || topic.length > prefix.length + 3 * limits.name) return undefined;
  const match = topicForm.exec(topic.slice(prefix.length + 1));
  if (match === null) return undefined;
  const [, component = "", nodeId, objectId = ""] = match;
  // A device is one topic; what stands below is a component that happens to be called "device".
  return component === "device" && nodeId !== undefined ? undefined : { component, nodeId, objectId };
}

/** The payload of a config topic. "migrate": its entities move to another topic (`migrate_discovery`). undefined: nonsense. */
export function parseConfig(at: ConfigTopic, text: string): Config | "migrate" | undefined {
  const json = parse(text);
  if (!isObject(json)) return undefined;
  const root = long(json, shortKeys);
  if (root.get("migrate_discovery") === true) return "migrate";
  const device = deviceOf(root.get("device"));
  if (at.component !== "device") return { device, entities: [entity(at.component, at.nodeId, at.objectId, root)] };
  const components = root.get("components");
  if (!isObject(components)) return undefined;
  const shared = based(root);
  const entities: Entity[] = [];
  for (const [key, value] of Object.entries(components).slice(0, limits.properties)) {
    const own = isObject(value) ? long(value, shortKeys) : undefined;
    const platform = own?.get("platform");
    if (own === undefined || typeof platform !== "string" || key === "" || key.length > limits.name) continue;
    entities.push(entity(platform, at.objectId, key, inheriting(own, shared)));
  }
  return { device, entities };
}

function long(json: Record<string, unknown>, words: ReadonlyMap<string, string>): Map<string, unknown> {
  return new Map(Object.entries(json).map(([key, value]) => [words.get(key) ?? key, value]));
}

function entity(component: string, nodeId: string | undefined, objectId: string, settings: Settings): Entity {
  return { component, nodeId, objectId, uniqueId: textIn(settings, "unique_id"), settings: based(settings) };
}

/** `~` at the beginning or the end of a topic stands for the base topic. Each line of `availability` becomes settings of its own. */
function based(settings: Settings): Settings {
  const base = settings.get("~");
  const full = (value: unknown) => {
    if (typeof base !== "string" || typeof value !== "string") return value;
    return value.startsWith("~") ? base + value.slice(1) : value.endsWith("~") ? value.slice(0, -1) + base : value;
  };
  const all = new Map([...settings].map(([key, value]) => [key, key.endsWith("topic") ? full(value) : value]));
  const lines = settings.get("availability");
  if (lines === undefined || lines === null) return all;
  const list: unknown[] = Array.isArray(lines) ? lines.slice(0, most) : [lines];
  const read = (line: unknown) => {
    if (line instanceof Map || !isObject(line)) return line;
    const own = long(line, shortKeys);
    return own.set("topic", full(own.get("topic")));
  };
  return all.set("availability", list.map(read));
}

const inherited = ["state_topic", "command_topic", "qos", "encoding"];
const ofAvailability = [
  "availability",
  "availability_topic",
  "availability_mode",
  "availability_template",
  "payload_available",
  "payload_not_available",
];

/** What a device says once for all of its components. One with its own availability takes nothing of the device's. */
function inheriting(own: Map<string, unknown>, shared: Settings): Settings {
  const speaksItself = own.has("availability") || own.has("availability_topic");
  for (const key of speaksItself ? inherited : [...inherited, ...ofAvailability]) {
    if (!own.has(key) && shared.has(key)) own.set(key, shared.get(key));
  }
  if (!own.has("~") && shared.has("~")) own.set("~", shared.get("~"));
  return own;
}

function deviceOf(json: unknown): DeviceBlock | undefined {
  if (!isObject(json)) return undefined;
  const block = long(json, shortDeviceKeys);
  const fact = (key: string) => {
    const text = printable(textIn(block, key) ?? "", limits.name);
    return text === "" ? undefined : text;
  };
  const facts = {
    name: fact("name"),
    maker: fact("manufacturer"),
    model: fact("model") ?? fact("model_id"),
    firmware: fact("sw_version"),
    hardware: fact("hw_version"),
    serial: fact("serial_number"),
  };
  const connections = block.get("connections");
  return {
    identifiers: [...new Set(listIn(block, "identifiers").filter(isShort))].slice(0, most),
    connections: (Array.isArray(connections) ? connections.slice(0, most) : []).flatMap((pair: unknown) => {
      const [kind, value] = Array.isArray(pair) ? pair.slice(0, 2).map(wordOf) : [];
      return kind !== undefined && value !== undefined && isShort(kind) && isShort(value)
        ? [[kind, value] as const]
        : [];
    }),
    ...Object.fromEntries(Object.entries(facts).filter(([, text]) => text !== undefined)),
  };
}

function isShort(text: string): boolean {
  return text.trim() !== "" && text.length <= limits.name;
}

/** A word of the config, as Home Assistant reads it: numbers and booleans are words too. */
export function textIn(settings: Settings, key: string): string | undefined {
  const text = wordOf(settings.get(key));
  return text === undefined || text.length > limits.value ? undefined : text;
}

export function numberIn(settings: Settings, key: string): number | undefined {
  const value = settings.get(key);
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}

export function flagIn(settings: Settings, key: string): boolean {
  const value = settings.get(key);
  return value === true || value === 1 || (typeof value === "string" && /^(true|yes|on|1)$/i.test(value));
}

/** The words of a list; a single word is a list of one. */
export function listIn(settings: Settings, key: string): string[] {
  const value = settings.get(key);
  const list: unknown[] = Array.isArray(value) ? value.slice(0, limits.choices + 1) : [value];
  return list.map(wordOf).filter((word) => word !== undefined);
}
