import { limits, shortened } from "../limits.ts";
import type { Holdings } from "../limits.ts";

/** What a Homie device says of itself; the same for versions 4 and 5. Keys are ids as the device chose them. */
export interface HomieDescription {
  name?: string;
  type?: string;
  /** Homie 5: id of the root device, for its children. */
  root?: string;
  firmware?: string;
  mac?: string;
  address?: string;
  readonly nodes: Map<string, HomieNode>;
}

export interface HomieNode {
  name?: string;
  type?: string;
  readonly properties: Map<string, HomieProperty>;
}

export interface HomieProperty {
  name?: string;
  datatype?: string;
  format?: string;
  unit?: string;
  settable?: boolean;
  retained?: boolean;
}

/**
 * Reads the $description of a Homie 5 device. What is of the wrong type is left out, as the convention asks.
 * undefined: no description at all.
 */
export function parseDescription(text: string): HomieDescription | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isObject(json)) return undefined;
  const nodes = new Map<string, HomieNode>();
  for (const [id, node] of entries(json.nodes, limits.properties)) {
    if (!isObject(node)) continue;
    const properties = new Map<string, HomieProperty>();
    for (const [name, property] of entries(node.properties, limits.properties)) {
      if (isObject(property) && typeof property.datatype === "string") properties.set(name, parseProperty(property));
    }
    nodes.set(id, { ...texts(node, "name", "type"), properties });
  }
  return { ...texts(json, "name", "type", "root"), nodes };
}

function parseProperty(json: Record<string, unknown>): HomieProperty {
  const format = typeof json.format === "string" && json.format.length <= limits.format ? json.format : undefined;
  return {
    ...texts(json, "name", "datatype", "unit"),
    ...(format === undefined ? {} : { format }),
    ...(typeof json.settable === "boolean" ? { settable: json.settable } : {}),
    ...(typeof json.retained === "boolean" ? { retained: json.retained } : {}),
  };
}

function isObject(json: unknown): json is Record<string, unknown> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

/** Ids become topics, so those that cannot be one are left out. */
function entries(json: unknown, most: number): [string, unknown][] {
  if (!isObject(json)) return [];
  return Object.entries(json)
    .slice(0, most)
    .filter(([id]) => isId(id));
}

function texts<Key extends string>(json: Record<string, unknown>, ...keys: Key[]): { [K in Key]?: string } {
  const found: { [K in Key]?: string } = {};
  for (const key of keys) {
    const text = json[key];
    if (typeof text === "string") found[key] = shortened(text);
  }
  return found;
}

/** One level of a topic that is nobody's attribute: generous, since devices are. */
export function isId(id: string): boolean {
  return id !== "" && id.length <= limits.name && !/[/+#\u0000]/.test(id) && !id.startsWith("$");
}

/** Collects the attributes of a Homie 3 or 4 device, which come one by one and in any order. */
export class Attributes {
  readonly description: HomieDescription = { nodes: new Map() };
  #nodes: readonly string[] | undefined;
  readonly #properties = new Map<string, readonly string[]>();
  readonly #holdings: Holdings;
  #size = 0;
  #text = 0;

  constructor(holdings: Holdings) {
    this.#holdings = holdings;
  }

  /** The device is gone: what its texts took is free. */
  release(): void {
    this.#holdings.exchange(this.#text, 0);
    this.#text = 0;
  }

  /** true: something is different now. `levels`: the topic below the device. Topics that are no attribute change nothing. */
  take(levels: readonly string[], payload: string): boolean {
    const [first = "", second = "", third = ""] = levels;
    if (levels.length === 1 && first === "$nodes")
      return this.#list(payload, (ids) => (this.#nodes = ids), this.#nodes);
    if (first === "$fw" && second === "version") return this.#set(this.description, "firmware", shortened(payload));
    if (levels.length === 1 && first.startsWith("$")) return this.#deviceAttribute(first, payload);
    if (!isId(first)) return false;
    if (levels.length === 2 && second.startsWith("$")) return this.#nodeAttribute(first, second, payload);
    if (levels.length === 3 && third.startsWith("$") && isId(second))
      return this.#attribute(first, second, third, payload);
    return false;
  }

  /** Is every list there, and the datatype of everything that is listed? */
  get complete(): boolean {
    return (
      this.#nodes?.every((id) =>
        this.#properties.get(id)?.every((name) => this.description.nodes.get(id)?.properties.get(name)?.datatype),
      ) ?? false
    );
  }

  /** The description without what is in no list. */
  listed(): HomieDescription {
    const nodes = new Map<string, HomieNode>();
    for (const id of this.#nodes ?? []) {
      const node = this.description.nodes.get(id);
      const properties = new Map<string, HomieProperty>();
      for (const name of this.#properties.get(id) ?? []) properties.set(name, node?.properties.get(name) ?? {});
      nodes.set(id, { ...node, properties });
    }
    return { ...this.description, nodes };
  }

  #deviceAttribute(name: string, payload: string): boolean {
    if (name === "$name") return this.#set(this.description, "name", shortened(payload));
    if (name === "$mac") return this.#set(this.description, "mac", shortened(payload));
    if (name === "$localip") return this.#set(this.description, "address", shortened(payload));
    return false;
  }

  #nodeAttribute(id: string, name: string, payload: string): boolean {
    if (name === "$properties") {
      return this.#list(payload, (ids) => this.#room() && this.#properties.set(id, ids), this.#properties.get(id));
    }
    const node = this.#node(id);
    if (node === undefined) return false;
    if (name === "$name") return this.#set(node, "name", shortened(payload));
    if (name === "$type") return this.#set(node, "type", shortened(payload));
    return false;
  }

  #attribute(id: string, name: string, attribute: string, payload: string): boolean {
    const node = this.#node(id);
    if (node === undefined) return false;
    let property = node.properties.get(name);
    if (property === undefined) {
      if (!this.#room()) return false;
      property = {};
      node.properties.set(name, property);
    }
    switch (attribute) {
      case "$name":
        return this.#set(property, "name", shortened(payload));
      case "$datatype":
        return this.#set(property, "datatype", shortened(payload));
      case "$unit":
        return this.#set(property, "unit", shortened(payload));
      case "$format":
        return payload.length <= limits.format && this.#set(property, "format", payload);
      case "$settable":
        return this.#set(property, "settable", payload === "true");
      case "$retained":
        return this.#set(property, "retained", payload !== "false");
      default:
        return false;
    }
  }

  #node(id: string): HomieNode | undefined {
    let node = this.description.nodes.get(id);
    if (node === undefined && this.#room()) this.description.nodes.set(id, (node = { properties: new Map() }));
    return node;
  }

  /** Nodes, lists and properties that are held, whether listed or not. */
  #room(): boolean {
    return this.#size < 2 * limits.properties && ++this.#size > 0;
  }

  #set<T extends object, K extends keyof T>(of: T, key: K, value: NonNullable<T[K]>): boolean {
    const before = of[key];
    if (before === value) return false;
    const more = lengthOf(value) - lengthOf(before);
    if (!this.#holdings.exchange(0, more)) return false;
    this.#text += more;
    of[key] = value;
    return true;
  }

  #list(payload: string, keep: (ids: readonly string[]) => unknown, before: readonly string[] | undefined): boolean {
    const ids = payload
      .split(",", limits.properties)
      // Homie 3 marked arrays with brackets.
      .map((id) => id.trim().replace(/\[\]$/, ""))
      .filter(isId);
    if (before !== undefined && before.join() === ids.join()) return false;
    keep([...new Set(ids)]);
    return true;
  }
}

function lengthOf(value: unknown): number {
  return typeof value === "string" ? value.length : 0;
}
