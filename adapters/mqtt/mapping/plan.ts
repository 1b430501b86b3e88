import type { Rel } from "../../../tree/path.ts";
import type { Face } from "../../adapter.ts";
import { relOf } from "../../device-nodes.ts";
import { shortened } from "../limits.ts";
import { inJson, templateForm } from "./payload.ts";
import type { Heard } from "./payload.ts";
import type { MappedDevice } from "./file.ts";
import { namesIn } from "./property.ts";
import type { MappedProperty } from "./property.ts";
import type { Message, Order, Property } from "../property.ts";
import type { Rule } from "../rules.ts";
import { nested } from "../json.ts";

type Values = ReadonlyMap<string, string>;

/** One entry of a mapping file, made ready. */
export interface Plan {
  readonly entry: MappedDevice;
  /** Names of the levels that its base leaves open. */
  readonly open: readonly string[];
  /** It makes as many devices as are heard, up to `most`. */
  readonly makes: boolean;
  /** Something of it can be asked for. */
  readonly asks: boolean;
  readonly points: ReadonlyMap<Rel, MappedProperty>;
  readonly properties: readonly (readonly [Rel, Property])[];
  /** Devices that it has made. */
  made: number;
}

export function planOf(entry: MappedDevice): Plan {
  const points = new Map<Rel, MappedProperty>();
  for (const property of entry.properties) {
    const rel = relOf(property.name.split("/"));
    if (rel !== undefined && !points.has(rel)) points.set(rel, property);
  }
  const open = namesIn(entry.base ?? "");
  return {
    entry,
    open,
    makes: open.length > 0 || entry.idPath !== undefined,
    asks: entry.properties.some(({ ask }) => ask !== undefined),
    points,
    properties: [...points].map(([rel, property]) => [rel, propertyOf(property)] as const),
    made: 0,
  };
}

function propertyOf({ name, title, unit, topic, set, ask, ...about }: MappedProperty): Property {
  return {
    name,
    rule: ruleOf(about),
    settable: set !== undefined,
    reported: topic !== undefined,
    echoes: topic !== undefined,
    askable: ask !== undefined,
    ...(title === undefined ? {} : { title }),
    ...(unit === undefined ? {} : { unit }),
  };
}

function ruleOf({ type, on, off, values, min, max, step }: Omit<MappedProperty, "name">): Rule {
  switch (type) {
    case "boolean":
      return { kind: "bool", on: on ?? "true", off: off ?? "false" };
    case "integer":
    case "float": {
      const limits = { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) };
      return { kind: "number", whole: type === "integer", ...limits, ...(step === undefined ? {} : { step }) };
    }
    case "enum":
      return { kind: "enum", choices: values ?? [] };
    case "string":
      return { kind: "text", of: "any" };
  }
}

/** A topic below the base as a pattern: undefined where the base leaves a level open. */
export function patternOf({ entry }: Plan, topic: string): (string | undefined)[] {
  return below(entry.base, topic)
    .split("/")
    .map((level) => (level.startsWith("{") ? undefined : level));
}

const below = (base: string | undefined, topic: string) => (base === undefined ? topic : `${base}/${topic}`);

/** A text with its `{levels}` filled in. */
export function fill(text: string, values: Values): string {
  return text.replace(/\{([a-zA-Z]\w*)\}/g, (whole, name: string) => values.get(name) ?? whole);
}

/** What a payload says of a property, as its rule reads it. undefined: nothing. null: that there is no value. */
export function plainOf({ type, path }: MappedProperty, heard: Heard): unknown {
  if (heard.empty) return null;
  const value = heard.at(path);
  if (value === undefined || value === null) return value;
  if (type === "string" && typeof value !== "object") return value;
  // A list or a group is nothing that these types hold: their rule says so.
  return heard.word(path) ?? value;
}

/** The messages of some orders: those that are fields of one JSON object go together. */
export function messagesOf(plan: Plan, orders: readonly Order[], values: Values): Message[] {
  const messages: Message[] = [];
  const objects = new Map<string, { readonly retain: boolean; readonly fields: Map<readonly string[], unknown> }>();
  for (const { rel, plain } of orders) {
    const { set } = plan.points.get(rel) ?? {};
    if (set === undefined) continue;
    const { payload = "{value}", path, retain } = set;
    const topic = fill(below(plan.entry.base, set.topic), values);
    if (path === undefined) messages.push({ topic, payload: templateForm(payload)(plain), retain });
    else {
      const object = objects.get(topic) ?? { retain, fields: new Map<readonly string[], unknown>() };
      objects.set(topic, object);
      object.fields.set(path.split("."), inJson(plain));
    }
  }
  for (const [topic, { retain, fields }] of objects) {
    messages.push({ topic, payload: JSON.stringify(nested(fields)), retain });
  }
  return messages;
}

/** The questions after some properties, each once. */
export function questionsOf(plan: Plan, rels: readonly Rel[], values: Values): Message[] {
  const messages = new Map<string, Message>();
  for (const rel of rels) {
    const { ask } = plan.points.get(rel) ?? {};
    if (ask === undefined) continue;
    const message = { topic: fill(below(plan.entry.base, ask.topic), values), payload: ask.payload };
    messages.set(`${message.topic} ${message.payload}`, message);
  }
  return [...messages.values()];
}

const texts = ["name", "maker", "model", "serial", "mac", "firmware", "hardware"] as const;
export type Text = (typeof texts)[number];

/** For the inventory. What the device itself tells counts more than what the file says of all of its kind. */
export function faceOf(
  { entry }: Plan,
  id: string,
  values: Values,
  told: ReadonlyMap<Text, string>,
): Pick<Face, "clues" | "addresses" | "facts"> {
  const said = new Map<Text, string>();
  for (const text of texts) {
    const value = told.get(text) ?? (entry[text] === undefined ? undefined : fill(entry[text], values));
    if (value !== undefined && value !== "") said.set(text, shortened(value));
  }
  const clues: Face["clues"][number][] = [{ kind: "protocol-id", value: `mqtt-map:${id}` }];
  const [mac, serial] = [said.get("mac"), said.get("serial")];
  if (mac !== undefined) clues.push({ kind: "mac", value: mac });
  if (serial !== undefined) clues.push({ kind: "serial", value: serial });
  said.delete("mac");
  return { clues, addresses: [], facts: { name: id, ...Object.fromEntries(said) } };
}
