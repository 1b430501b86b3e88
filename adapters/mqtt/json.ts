import type { Rel } from "../../tree/path.ts";
import type { Value } from "../../tree/value.ts";
import type { Order, Property } from "./property.ts";
import { write } from "./rules.ts";

/** A property of a device behind zigbee2mqtt. */
export interface Exposed {
  readonly rel: Rel;
  /** Keys of the JSON object, outermost first. */
  readonly keys: readonly string[];
  /** Other properties that have to be sent with this one: those of the same composite (a colour's x and y). */
  readonly group: string;
  readonly property: Property;
}

/** An object, and no list. */
export function isObject(json: unknown): json is Record<string, unknown> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

/** "online", "offline", or the same as {"state": …}. */
export function stateIn(payload: Buffer): unknown {
  const text = payload.toString("utf8", 0, 200).trim();
  if (!text.startsWith("{")) return text;
  const json = parse(payload);
  return isObject(json) ? json.state : undefined;
}

/** Levels of JSON that are read. What is deeper can be parsed, but not written again: the call stack ends before. */
const deepest = 100;

/** undefined: no JSON, or deeper than anything that makes sense. */
export function parse(payload: Buffer | string): unknown {
  const text = payload.toString();
  if (isTooDeep(text)) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function isTooDeep(text: string): boolean {
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const character = text.charCodeAt(i);
    if (quoted) {
      if (character === 0x5c) i++;
      else if (character === 0x22) quoted = false;
    } else if (character === 0x22) quoted = true;
    else if (character === 0x7b || character === 0x5b) {
      if (++depth > deepest) return true;
    } else if (character === 0x7d || character === 0x5d) depth--;
  }
  return false;
}

/** The value at a path; only what the JSON itself holds, so `__proto__` is a name like any other. */
export function at(json: Record<string, unknown>, keys: readonly string[]): unknown {
  let value: unknown = json;
  for (const key of keys) {
    if (!isObject(value) || !Object.hasOwn(value, key)) return undefined;
    value = value[key];
  }
  return value;
}

/** The orders by JSON path. A composite goes whole: what was not ordered of it is sent as it was last reported. */
export function ordered(
  exposed: ReadonlyMap<Rel, Exposed>,
  orders: readonly Order[],
  last: (rel: Rel) => Value | undefined,
): Map<readonly string[], unknown> {
  const entries = new Map<Rel, readonly [readonly string[], unknown]>();
  const groups = new Set(orders.map(({ rel }) => exposed.get(rel)?.group ?? ""));
  for (const { rel, keys, group, property } of exposed.values()) {
    const value = last(rel);
    if (group === "" || !groups.has(group) || !property.settable || value === undefined) continue;
    try {
      entries.set(rel, [keys, write(property.rule, value, property.name)]);
    } catch {
      // The device reports what it would not take: left out.
    }
  }
  for (const { rel, plain } of orders) entries.set(rel, [exposed.get(rel)?.keys ?? [], plain]);
  return new Map(entries.values());
}

/** Paths and values as one JSON object. Object.fromEntries makes own keys of every name. */
export function nested(entries: ReadonlyMap<readonly string[], unknown>): unknown {
  const groups = new Map<string, Map<readonly string[], unknown>>();
  for (const [[key = "", ...rest], value] of entries) {
    const group = groups.get(key) ?? new Map<readonly string[], unknown>();
    groups.set(key, group.set(rest, value));
  }
  return Object.fromEntries(
    [...groups].map(([key, group]) => {
      const [only] = group;
      return [key, only !== undefined && only[0].length === 0 ? only[1] : nested(group)];
    }),
  );
}
