import { limits } from "../limits.ts";
import { isColorSpace } from "../rules.ts";
import type { Rule } from "../rules.ts";

/** Major version of the convention. */
export type Version = 4 | 5;

const int32 = { min: -2147483648, max: 2147483647 };

/**
 * The rule of a property from its $datatype and $format. A format that makes no sense restricts nothing; undefined: a datatype that the
 * convention does not have, and Homie 5 says to leave such a property out.
 */
export function ruleOf(version: Version, datatype: string, format: string): Rule | undefined {
  switch (datatype) {
    case "integer":
      return integer(format);
    case "float":
      return { kind: "number", whole: false, ...range(format) };
    case "boolean":
      return { kind: "bool", on: "true", off: "false" };
    case "enum": {
      const choices = format.split(",").filter((choice) => choice !== "");
      if (choices.length === 0 || choices.length > limits.choices) return { kind: "text", of: "any" };
      // Homie 4 trims payloads, Homie 5 takes every blank seriously.
      return { kind: "enum", choices: version === 4 ? choices.map((choice) => choice.trim()) : choices };
    }
    case "color": {
      const spaces = format.split(",").filter(isColorSpace);
      if (spaces.length === 0) return { kind: "text", of: "any" };
      return { kind: "color", spaces: version === 4 ? spaces.slice(0, 1) : spaces, named: version === 5 };
    }
    case "datetime":
    case "duration":
      return { kind: "text", of: datatype };
    case "json":
      return { kind: "json" };
    case "string":
      return { kind: "text", of: "any" };
    default:
      return version === 4 ? { kind: "text", of: "any" } : undefined;
  }
}

/** 64 bits, as soon as the format says that 32 are too few. */
function integer(format: string): Rule {
  const parts = format.split(":");
  const [min, max] = parts.map((part) => (/^-?\d{1,19}$/.test(part.trim()) ? BigInt(part.trim()) : undefined));
  const isLong = [min, max].some((limit) => limit !== undefined && (limit < int32.min || limit > int32.max));
  if (!isLong) return { kind: "number", whole: true, ...range(format) };
  return { kind: "long", ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) };
}

/** "[min]:[max][:step]" */
function range(format: string): { min?: number; max?: number; step?: number } {
  const [min, max, step] = format.split(":").map((part) => (part.trim() === "" ? Number.NaN : Number(part)));
  const has = (limit: number | undefined): limit is number => limit !== undefined && Number.isFinite(limit);
  if (!format.includes(":") || (has(min) && has(max) && min > max)) return {};
  return { ...(has(min) ? { min } : {}), ...(has(max) ? { max } : {}), ...(has(step) && step > 0 ? { step } : {}) };
}

/** What a payload says. Homie 5 writes an empty text as one zero octet; both trim nothing but what their rule says. */
export function plainOf(rule: Rule, version: Version, payload: string): string {
  if (version === 5) return payload === "\u0000" ? "" : payload;
  return rule.kind === "enum" ? payload.trim() : payload;
}

/** A value as a payload. */
export function payloadOf(version: Version, plain: unknown): string {
  if (plain === "") return version === 5 ? "\u0000" : "";
  return typeof plain === "object" && plain !== null ? JSON.stringify(plain) : String(plain);
}
