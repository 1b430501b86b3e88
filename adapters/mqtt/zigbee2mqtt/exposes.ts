import type { Rel } from "../../../tree/path.ts";
import { relOf } from "../../device-nodes.ts";
import { limits, shortened } from "../limits.ts";
import type { Property } from "../property.ts";
import type { Rule } from "../rules.ts";
import { isObject } from "../json.ts";
import type { Exposed } from "../json.ts";

/** The node that stands for the JSON object on a device's topic. */
export const stateNode = "state";

/** Bits of `access`. */
const access = { state: 1, set: 2, get: 4 } as const;

const deepest = 8;

/**
 * Reads `definition.exposes`. The lists of the specific types (light, climate, …) stand directly in the JSON object; a composite
 * is an object of its own. A property that is exposed twice (a colour as x/y and as hue/saturation) is one node with the rights of both.
 * Everything of the wrong type is left out.
 */
export function parseExposes(json: unknown): Exposed[] {
  const found = new Map<Rel, Exposed>();
  const walk = (list: unknown, keys: readonly string[], group: string) => {
    if (!Array.isArray(list) || keys.length > deepest) return;
    for (const expose of list.slice(0, limits.properties) as unknown[]) {
      if (!isObject(expose) || found.size >= limits.properties) continue;
      const key = keyOf(expose);
      if (expose.type === "composite" && key !== undefined) {
        walk(expose.features, [...keys, key], `${[...keys, key].join("/")}:${String(expose.name)}`);
      } else if (Array.isArray(expose.features)) walk(expose.features, keys, group);
      else if (key !== undefined) add(expose, [...keys, key], group);
    }
  };
  const add = (expose: Record<string, unknown>, keys: readonly string[], group: string) => {
    const rel = relOf([stateNode, ...keys]);
    const rule = ruleOf(expose);
    const bits = typeof expose.access === "number" ? expose.access : access.state;
    if (rel === undefined || rule === undefined) return;
    const before = found.get(rel)?.property;
    const has = (bit: number) => (bits & bit) !== 0;
    const property: Property = {
      name: keys.join("."),
      rule: before?.rule ?? rule,
      settable: has(access.set) || before?.settable === true,
      reported: has(access.state) || has(access.get) || before?.reported === true,
      echoes: has(access.state) || before?.echoes === true,
      askable: has(access.get) || before?.askable === true,
      ...titleOf(expose, keys),
      ...(typeof expose.unit === "string" && expose.unit !== "" ? { unit: shortened(expose.unit) } : {}),
    };
    found.set(rel, { rel, keys, group: found.get(rel)?.group ?? group, property });
  };
  walk(json, [], "");
  return [...found.values()];
}

function keyOf({ property, name }: Record<string, unknown>): string | undefined {
  const key = typeof property === "string" ? property : name;
  return typeof key === "string" && key !== "" && key.length <= limits.name ? key : undefined;
}

/** What is said beyond the name: the label only where it says more. */
function titleOf({ label, description }: Record<string, unknown>, keys: readonly string[]): { title?: string } {
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, "");
  const says = typeof label === "string" && plain(label) !== plain(keys.at(-1) ?? "") ? label : undefined;
  const title = [says, typeof description === "string" ? description : undefined].filter(Boolean).join(": ");
  return title === "" ? {} : { title: shortened(title) };
}

function ruleOf(expose: Record<string, unknown>): Rule | undefined {
  switch (expose.type) {
    case "binary":
      return isPlain(expose.value_on) && isPlain(expose.value_off) && expose.value_on !== expose.value_off
        ? { kind: "bool", on: expose.value_on, off: expose.value_off }
        : { kind: "text", of: "any" };
    case "numeric":
      return numeric(expose);
    case "enum": {
      const choices = Array.isArray(expose.values) ? expose.values.filter(isPlain) : [];
      const fit =
        choices.length > 0 &&
        choices.length <= limits.choices &&
        choices.every((one) => String(one).length <= limits.name);
      return fit ? { kind: "enum", choices } : { kind: "text", of: "any" };
    }
    case "text":
      return { kind: "text", of: "any" };
    case "list":
      return { kind: "json" };
    default:
      return undefined;
  }
}

/**
 * zigbee2mqtt does not say which numbers are whole. Those that can be set between whole limits in whole steps are (brightness, position);
 * readings are not: some devices report a battery of 87.5 %.
 */
function numeric({ value_min, value_max, value_step, presets, access: bits }: Record<string, unknown>): Rule {
  const number = (limit: unknown) => (typeof limit === "number" && Number.isFinite(limit) ? limit : undefined);
  const [min, max, step] = [number(value_min), number(value_max), number(value_step)];
  const settable = typeof bits === "number" && (bits & access.set) !== 0;
  const fits = (limit: number) => Number.isInteger(limit) && Math.abs(limit) < 2 ** 31;
  const whole = settable && min !== undefined && max !== undefined && [min, max, step ?? 1].every(fits);
  const also = (Array.isArray(presets) ? presets.slice(0, limits.choices) : [])
    .map((preset: unknown) => (isObject(preset) ? number(preset.value) : undefined))
    .filter((value) => value !== undefined);
  return {
    kind: "number",
    whole,
    // The step is a hint for sliders: devices take what lies between.
    ...(min === undefined ? {} : { min }),
    ...(max === undefined ? {} : { max }),
    ...(also.length === 0 ? {} : { also }),
  };
}

function isPlain(json: unknown): json is string | number | boolean {
  return typeof json === "string" || typeof json === "boolean" || (typeof json === "number" && Number.isFinite(json));
}
