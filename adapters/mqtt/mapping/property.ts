// A property of a mapping file, and what all of the file is made of.
import * as v from "valibot";
import { described, flag, oneOf, optional, rule, text } from "../../option-kinds.ts";
import type { Kind } from "../../option-kinds.ts";
import { limits } from "../limits.ts";

export const kind = <T>(form: string) => v.metadata<T, Kind>({ form });

/** "home/{room}/{device}": levels with names stand for any level. */
export const topicPattern = v.pipe(
  v.string(),
  v.minLength(1, "is empty"),
  v.maxLength(500, "has more than 500 characters"),
  v.check(
    (topic) => !/[+#\p{Cc}]/u.test(topic),
    "holds +, # or a control character: a level that may be anything is written {name}",
  ),
  v.check((topic) => !topic.split("/").includes(""), "has an empty level (//, or a slash at its beginning or end)"),
  v.check((topic) => topic.split("/").length <= 32, "has more than 32 levels"),
  v.check(
    (topic) => topic.split("/").every((level) => !/[{}]/.test(level) || /^\{[a-zA-Z]\w*\}$/.test(level)),
    "holds braces that are no whole level: a level that may be anything is written {name}",
  ),
  kind<string>("a topic"),
);

export const topic = v.pipe(
  topicPattern,
  v.check((given) => !given.includes("{"), "holds a {level}: levels that may be anything belong into base"),
);

/** "wifi.mac", "relays.0.state". */
export const jsonPath = v.pipe(
  v.string(),
  v.maxLength(200, "has more than 200 characters"),
  v.regex(/^[^.\p{Cc}]+(\.[^.\p{Cc}]+)*$/u, "is no path into JSON: names of fields with dots between them"),
  v.check((path) => path.split(".").length <= 16, "is more than 16 fields deep"),
  kind<string>("a path into JSON: names of fields with dots between them"),
);

export const number = v.pipe(
  v.string(),
  v.rawTransform(({ dataset, addIssue, NEVER }): number => {
    const value = dataset.value.trim() === "" ? Number.NaN : Number(dataset.value);
    if (Number.isFinite(value)) return value;
    addIssue({ message: "is not a number" });
    return NEVER;
  }),
  kind<number>("a number"),
);

export const word = v.pipe(text, v.maxLength(limits.name, `has more than ${limits.name} characters`));

const set = v.pipe(
  v.object({
    topic: described(topicPattern, "where orders go", "pump/set"),
    payload: optional(
      v.pipe(text, v.includes("{value}", "holds no {value}")),
      "what is sent; {value} stands for the value; default only that",
      '\'{"cmd":"{value}"}\'',
    ),
    path: optional(jsonPath, "the order is a JSON object with the value in this field", "pump.on"),
    retain: v.optional(described(flag, "the broker keeps the order for a device that sleeps"), false),
  }),
  rule(
    ["payload", "path"],
    ({ payload, path }) => payload === undefined || path === undefined,
    "is given beside path: one of them says what is sent",
  ),
);

const ask = v.object({
  topic: described(topicPattern, "where the device is asked for its value", "pump/get"),
  payload: v.optional(
    described(
      v.pipe(v.string(), v.maxLength(255, "has more than 255 characters"), kind<string>("text")),
      "what is sent",
    ),
    "",
  ),
});

const isNumeric = (type: string) => type === "integer" || type === "float";

export const property = v.pipe(
  v.object({
    name: described(
      v.pipe(
        text,
        v.maxLength(limits.name, `has more than ${limits.name} characters`),
        v.check((name) => !name.split("/").includes(""), "has an empty part (//, or a slash at its beginning or end)"),
        v.check((name) => name.split("/").length <= 8, "has more than 8 parts"),
      ),
      "its node below MQTT/; slashes make nodes in between",
      "climate/temperature",
    ),
    title: optional(word, "what it is, for a person", "Water level"),
    topic: optional(topic, "where the device tells its value; without one it is only told", "level"),
    path: optional(jsonPath, "the value is in this field of a JSON payload", "sensor.level"),
    type: described(oneOf("boolean", "integer", "float", "string", "enum"), "what it holds"),
    on: optional(word, "boolean: the word for true; default true", '"ON"'),
    off: optional(word, "boolean: the word for false; default false", '"OFF"'),
    values: optional(
      v.pipe(
        v.array(word),
        v.minLength(1, "is empty"),
        v.maxLength(limits.choices, `has more than ${limits.choices} entries`),
      ),
      "enum: its words",
      "[ low, high ]",
    ),
    unit: optional(word, "its unit", "°C"),
    min: optional(number, "the least that may be set", "0"),
    max: optional(number, "the most that may be set", "100"),
    step: optional(
      v.pipe(
        number,
        v.check((step) => step > 0, "is not above 0"),
      ),
      "what may be set is so far apart, from min on",
      "0.5",
    ),
    set: optional(set, "it can be set; an order is done when the device tells the new value on topic"),
    ask: optional(ask, "it can be asked for"),
  }),
  rule(
    ["topic", "set"],
    ({ topic, set: order }) => topic !== undefined || order !== undefined,
    "is missing, and so is set: give one of them",
  ),
  rule(["path", "topic"], ({ path, topic }) => path === undefined || topic !== undefined, "is given without topic"),
  rule(["ask", "topic"], (p) => p.ask === undefined || p.topic !== undefined, "is given without topic"),
  rule(["on", "type"], ({ on, type }) => on === undefined || type === "boolean", "is only for type boolean"),
  rule(["off", "type"], ({ off, type }) => off === undefined || type === "boolean", "is only for type boolean"),
  rule(["off", "on"], ({ on = "true", off = "false" }) => on !== off, "is the same word as on"),
  rule(["values", "type"], ({ values, type }) => values === undefined || type === "enum", "is only for type enum"),
  rule(["type", "values"], ({ values, type }) => values !== undefined || type !== "enum", "needs values"),
  rule(["min", "type"], ({ min, type }) => min === undefined || isNumeric(type), "is only for integer and float"),
  rule(["max", "type"], ({ max, type }) => max === undefined || isNumeric(type), "is only for integer and float"),
  rule(["step", "type"], ({ step, type }) => step === undefined || isNumeric(type), "is only for integer and float"),
  rule(["max", "min"], ({ min = -Infinity, max = Infinity }) => min <= max, "is less than min"),
);

/** Names of the levels in a topic or a text. */
export const namesIn = (given: string): string[] =>
  [...given.matchAll(/\{([a-zA-Z]\w*)\}/g)].map(([, name = ""]) => name);

/** No two entries of a list have the same text at `key`. */
export function unique<T extends object>(key: keyof T & string) {
  return v.rawCheck<T[]>(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const seen = new Set<unknown>();
    for (const [index, entry] of dataset.value.entries()) {
      const name: unknown = entry[key];
      if (name !== undefined && seen.has(name)) {
        addIssue({ message: "stands twice", path: pathTo(dataset.value, [index, key]) });
      }
      seen.add(name);
    }
  });
}

/** Where in `value` an issue is, as the schema library has it. */
export function pathTo(value: unknown, keys: readonly (string | number)[]): [v.IssuePathItem, ...v.IssuePathItem[]] {
  const items: v.IssuePathItem[] = [];
  let input: unknown = value;
  for (const key of keys) {
    const below = (input as Record<string | number, unknown>)[key];
    items.push({ type: "unknown", origin: "value", input, key, value: below });
    input = below;
  }
  return items as [v.IssuePathItem, ...v.IssuePathItem[]];
}

export type MappedProperty = v.InferOutput<typeof property>;
