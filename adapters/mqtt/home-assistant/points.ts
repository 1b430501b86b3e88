import { DmError, Status } from "../../../tree/errors.ts";
import type { Rel } from "../../../tree/path.ts";
import type { Value } from "../../../tree/value.ts";
import { relOf } from "../../device-nodes.ts";
import type { Aspect } from "./aspects.ts";
import { aspectsOf } from "./components.ts";
import { flagIn, numberIn, textIn } from "./config.ts";
import type { Entity, Settings } from "./config.ts";
import type { Shape } from "./shapes.ts";
import { bare, fill, parseCommandTemplate, parseTemplate, render, whole, wordOf } from "./templates.ts";
import type { CommandTemplate, Heard, Template } from "./templates.ts";
import type { Message, Order, Property } from "../property.ts";
import type { Rule } from "../rules.ts";
import { nested, ordered } from "../json.ts";

/** A property of an entity, and the topics on which it is reported and told. */
export interface Part {
  /** Its nodes below the entity's. */
  readonly names: readonly string[];
  readonly property: Property;
  readonly state?: { readonly topic: string; readonly template: Template };
  readonly command?: Command;
}

/** The same, at its place in the tree. */
export interface Point extends Part {
  readonly rel: Rel;
}

interface Command {
  readonly topic: string;
  readonly retain: boolean;
  readonly qos: 1 | 2;
  readonly template: CommandTemplate;
  /** Words that are told in another way than they are reported. */
  readonly told: ReadonlyMap<string, string> | undefined;
  /** It is told as a part of a JSON object, together with the others of its entity. */
  readonly json?: { readonly keys: readonly string[]; readonly group: string; readonly light: boolean };
}

/** Which topics a config may name: it comes from anyone who may publish. */
export interface TopicRules {
  reads(topic: string): boolean;
  writes(topic: string): boolean;
}

/**
 * Topics by their exact name; none with wildcards, of the broker's own, or of the discovery itself. Nothing is told on `<prefix>/status`: there
 * Home Assistant says that it has started, and dmgw is not Home Assistant.
 */
export function topicRules(prefix: string): TopicRules {
  const reads = (topic: string) =>
    /^[^$+#\u0000-\u001f\u007f][^+#\u0000-\u001f\u007f]*$/.test(topic) &&
    Buffer.byteLength(topic) <= 1000 &&
    !(topic.startsWith(`${prefix}/`) && topic.endsWith("/config"));
  return { reads, writes: (topic) => reads(topic) && topic !== `${prefix}/status` };
}

/** The properties of an entity. None: the component is left out, or its config has no topic that dmgw can use. */
export function partsOf({ component, settings }: Entity, rules: TopicRules): Part[] {
  const found = new Map<string, Part>();
  for (const aspect of aspectsOf(component, settings) ?? []) {
    const names = typeof aspect.name === "string" ? [aspect.name] : aspect.name;
    const part = found.has(names.join(".")) ? undefined : partOf(component, settings, aspect, names, rules);
    if (part !== undefined) found.set(part.property.name, part);
  }
  return [...found.values()];
}

/** The part below the node of its entity; undefined: its names are too long for the tree. */
export function pointOf(part: Part, node: string): Point | undefined {
  const rel = relOf([node, ...part.names]);
  return rel === undefined
    ? undefined
    : { ...part, rel, property: { ...part.property, name: `${node}.${part.property.name}` } };
}

function partOf(
  component: string,
  settings: Settings,
  aspect: Aspect,
  names: readonly string[],
  rules: TopicRules,
): Part | undefined {
  const stateTopic = topicIn(settings, aspect.state, rules.reads);
  const commandTopic = topicIn(settings, aspect.command, rules.writes);
  if (stateTopic === undefined && commandTopic === undefined) return undefined;
  const shape = aspect.shape(settings);
  const template = stateTopic === undefined ? undefined : templateOf(settings, aspect);
  const command = commandTopic === undefined ? undefined : commandOf(component, settings, aspect, shape, commandTopic);
  const notes = [
    stateTopic !== undefined && template === undefined && "cannot be read: its template is none of the simple ones",
    commandTopic !== undefined && command === undefined && "cannot be set: its template is none of the simple ones",
  ].filter((note) => note !== false);
  const property: Property = {
    name: names.join("."),
    rule: shape.rule,
    settable: command !== undefined,
    reported: template !== undefined,
    echoes: template !== undefined && aspect.echoes !== false && !flagIn(settings, aspect.assumed ?? "optimistic"),
    askable: false,
    ...(notes.length === 0 ? {} : { title: notes.join("; ") }),
    ...(shape.unit === undefined ? {} : { unit: shape.unit }),
  };
  return {
    names,
    property,
    ...(stateTopic === undefined || template === undefined ? {} : { state: { topic: stateTopic, template } }),
    ...(command === undefined ? {} : { command }),
  };
}

function topicIn(settings: Settings, key: string | undefined, may: (topic: string) => boolean): string | undefined {
  const topic = key === undefined ? undefined : settings.get(key);
  return typeof topic === "string" && may(topic) ? topic : undefined;
}

/** undefined: beyond what is understood. */
function templateOf(settings: Settings, { template = [], key, plain, json }: Aspect): Template | undefined {
  const encoding = settings.get("encoding");
  if (encoding !== undefined && encoding !== null && !/^utf-?8$/i.test(wordOf(encoding) ?? "")) return undefined;
  const text = template.map((one) => settings.get(one)).find((one) => one !== undefined && one !== null && one !== "");
  if (text !== undefined) return typeof text === "string" ? parseTemplate(text) : undefined;
  if (key !== undefined) return { from: plain === true ? "either" : "json", path: [key], filters: [] };
  return json === undefined ? whole : { from: "json", path: json.keys, filters: [] };
}

function commandOf(
  component: string,
  settings: Settings,
  aspect: Aspect,
  shape: Shape,
  topic: string,
): Command | undefined {
  const text = aspect.commandTemplate === undefined ? undefined : textIn(settings, aspect.commandTemplate);
  const names = aspect.called === undefined ? ["value"] : ["value", aspect.called];
  const hasTemplate = text !== undefined && text !== "";
  const template = hasTemplate ? parseCommandTemplate(text, names) : bare;
  if (template === undefined) return undefined;
  return {
    topic,
    retain: flagIn(settings, "retain"),
    // Less than 1 would not say whether the broker has it.
    qos: numberIn(settings, "qos") === 2 ? 2 : 1,
    template,
    told: shape.told,
    ...(aspect.json === undefined || hasTemplate ? {} : { json: { ...aspect.json, light: component === "light" } }),
  };
}

/** What a message says of a point, in the words of its rule; undefined: nothing. null: it is not known any more. */
export function said({ property: { rule }, state }: Point, message: Heard): unknown {
  if (state === undefined) return undefined;
  const plain = render(state.template, message);
  if (plain === undefined || plain === null) return plain;
  if (rule.kind === "number") return numberOf(plain);
  const word = wordOf(plain) ?? plain;
  // An empty payload is what a broker sends when a retained one was deleted.
  if ((word === "" && rule.kind !== "text") || (word === "None" && !isChoice(rule, word))) return null;
  return word;
}

/** Text to numbers as far as no digit is lost. */
function numberOf(plain: unknown): unknown {
  if (typeof plain !== "string") return plain;
  const text = plain.trim();
  if (text === "" || /^(none|unknown|unavailable|nan)$/i.test(text)) return null;
  const number = Number(text);
  return Number.isInteger(number) && !Number.isSafeInteger(number) ? text : Number.isFinite(number) ? number : plain;
}

function isChoice(rule: Rule, word: string): boolean {
  return rule.kind === "enum" && rule.choices.includes(word);
}

/** The messages that carry these orders. @throws DmError 400 where a template makes nothing of a value. */
export function messagesOf(
  points: ReadonlyMap<Rel, Point>,
  orders: readonly Order[],
  last: (rel: Rel) => Value | undefined,
): Message[] {
  const messages: Message[] = [];
  /** By entity and topic: what goes in one JSON object. */
  const objects = new Map<string, { readonly command: Command; readonly orders: Order[] }>();
  for (const order of orders) {
    const command = points.get(order.rel)?.command;
    if (command === undefined) continue;
    const plain = command.told?.get(order.plain as string) ?? order.plain;
    if (command.json !== undefined) {
      const key = `${nodeOf(order.rel)} ${command.topic}`;
      const object = objects.get(key) ?? { command, orders: [] };
      object.orders.push({ ...order, plain });
      objects.set(key, object);
      continue;
    }
    const payload = fill(command.template, plain);
    if (payload === undefined) {
      const what = `the command template of ${order.property.name} makes nothing of ${String(plain).slice(0, 60)}`;
      throw new DmError(Status.badRequest, what);
    }
    messages.push(message(command, payload));
  }
  for (const { command, orders: some } of objects.values())
    messages.push(message(command, objectOf(points, command, some, last)));
  return messages;
}

function objectOf(
  points: ReadonlyMap<Rel, Point>,
  { topic, json }: Command,
  orders: readonly Order[],
  last: (rel: Rel) => Value | undefined,
): string {
  const nodes = new Set(orders.map(({ rel }) => nodeOf(rel)));
  const exposed = new Map(
    [...points].flatMap(([rel, { property, command }]) =>
      command?.topic === topic && command.json !== undefined && nodes.has(nodeOf(rel))
        ? [[rel, { rel, property, keys: command.json.keys, group: command.json.group }] as const]
        : [],
    ),
  );
  const entries = ordered(exposed, orders, last);
  const hasState = [...entries.keys()].some(([key]) => key === "state");
  // A JSON light is always told its state: one that gets a brightness or a color is on.
  return JSON.stringify(nested(json?.light === true && !hasState ? new Map([[["state"], "ON"], ...entries]) : entries));
}

function message({ topic, retain, qos }: Command, payload: string): Message {
  return { topic, payload, retain, qos };
}

/** The node of the entity. */
function nodeOf(rel: Rel): string {
  return rel.slice(0, rel.indexOf("/"));
}
