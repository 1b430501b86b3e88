import { printable } from "../../printable.ts";
import { flagIn, listIn, numberIn, textIn } from "./config.ts";
import type { Settings } from "./config.ts";
import { limits } from "../limits.ts";
import type { Rule } from "../rules.ts";

/** What a property can hold, by its entity's config. */
export interface Shape {
  readonly rule: Rule;
  readonly unit?: string;
  /** Where a word is told in another way than it is reported: reported to told. */
  readonly told?: ReadonlyMap<string, string>;
}
export type ShapeOf = (settings: Settings) => Shape;

export const anyText: ShapeOf = () => ({ rule: { kind: "text", of: "any" } });

/** Two words of the config, or those that the convention has by default; `reported` where they differ from what is told. */
export function onOff(
  on: readonly [key: string, word: string],
  off: readonly [key: string, word: string],
  reported?: readonly [on: string, off: string],
): ShapeOf {
  return (settings) => {
    const [tellOn, tellOff] = [textIn(settings, on[0]) ?? on[1], textIn(settings, off[0]) ?? off[1]];
    const [saysOn, saysOff] = [
      textIn(settings, reported?.[0] ?? "") ?? tellOn,
      textIn(settings, reported?.[1] ?? "") ?? tellOff,
    ];
    if (saysOn === saysOff || tellOn === tellOff) return anyText(settings);
    const told = new Map([
      [saysOn, tellOn],
      [saysOff, tellOff],
    ]);
    return {
      rule: { kind: "bool", on: saysOn, off: saysOff },
      ...(saysOn === tellOn && saysOff === tellOff ? {} : { told }),
    };
  };
}

/** One of a list of the config, or of `more`. Without a list: any text. */
export function oneOfList(key: string, ...more: readonly string[]): ShapeOf {
  return (settings) => {
    const list = listIn(settings, key);
    return choice(list.length === 0 ? [] : [...list, ...more]);
  };
}

/** One of some words; each is the config's, or the one that the convention has by default (undefined: only when the config has it). */
export function oneOfWords(words: readonly (readonly [key: string, word: string | undefined])[]): ShapeOf {
  return (settings) => choice(words.flatMap(([key, word]) => textIn(settings, key) ?? word ?? []));
}

function choice(words: readonly string[]): Shape {
  const choices = [...new Set(words)];
  const fits =
    choices.length > 0 && choices.length <= limits.choices && choices.every((one) => one.length <= limits.name);
  return { rule: fits ? { kind: "enum", choices } : { kind: "text", of: "any" } };
}

interface Range {
  readonly min?: string;
  readonly max?: string;
  readonly step?: string;
  /** Where the config says nothing. */
  readonly from?: number;
  readonly to?: number;
  /** Between whole limits only whole numbers are meant. */
  readonly whole?: boolean;
  readonly unit?: string | ShapeUnit;
}
type ShapeUnit = (settings: Settings) => string | undefined;

/** A number within limits that the config names. */
export function range(about: Range): ShapeOf {
  return (settings) => {
    const [first, second] = [
      numberIn(settings, about.min ?? "") ?? about.from,
      numberIn(settings, about.max ?? "") ?? about.to,
    ];
    const step = numberIn(settings, about.step ?? "");
    // A blind may be open at 0 and closed at 100.
    const swapped = first !== undefined && second !== undefined && first > second;
    const [min, max] = swapped ? [second, first] : [first, second];
    const unit = typeof about.unit === "function" ? about.unit(settings) : about.unit;
    const fits = (limit: number | undefined) =>
      limit === undefined || (Number.isInteger(limit) && Math.abs(limit) < 2 ** 31);
    return {
      rule: {
        kind: "number",
        whole: about.whole === true && [min, max, step].every(fits),
        ...(min === undefined ? {} : { min }),
        ...(max === undefined ? {} : { max }),
        ...(step === undefined || step <= 0 ? {} : { step }),
      },
      ...(unit === undefined || unit === "" ? {} : { unit: printable(unit, limits.name) }),
    };
  };
}

export const unitOfConfig: ShapeUnit = (settings) => textIn(settings, "unit_of_measurement");

export const degrees: ShapeUnit = (settings) => {
  const unit = textIn(settings, "temperature_unit");
  return unit === "C" || unit === "F" ? `°${unit}` : unit;
};

/** Color temperature: in mired, or in kelvin where the config says so. */
export const colorTemperature: ShapeOf = (settings) =>
  flagIn(settings, "color_temp_kelvin")
    ? range({ min: "min_kelvin", max: "max_kelvin", whole: true, unit: "K" })(settings)
    : range({ min: "min_mireds", max: "max_mireds", whole: true, unit: "mired" })(settings);

/** Device classes of a sensor that are no numbers. */
const words = new Set(["date", "enum", "timestamp", "uptime"]);

/** A sensor says a number when it has a unit, a state class, a precision, or a device class that is measured. */
export const reading: ShapeOf = (settings) => {
  const kind = textIn(settings, "device_class");
  if (kind === "enum") return oneOfList("options")(settings);
  const measured = ["unit_of_measurement", "state_class", "suggested_display_precision"].some((key) => {
    const value = settings.get(key);
    return value !== undefined && value !== null && value !== "";
  });
  const isNumber = kind === undefined ? measured : !words.has(kind);
  return isNumber ? range({ unit: unitOfConfig })(settings) : anyText(settings);
};
