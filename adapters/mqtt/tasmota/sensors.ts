import { createHash } from "node:crypto";
import { limits, shortened } from "../limits.ts";
import type { Rule } from "../rules.ts";
import type { TasmotaConfig } from "./discovery.ts";
import { ownTaps, tap } from "./nodes.ts";
import type { Tap } from "./nodes.ts";
import { isObject, parse } from "../json.ts";

/** Sensor values of one device. */
const most = 500;
const deepest = 6;

/** What a device says of its sensors. */
export interface Sensors {
  readonly taps: readonly Tap[];
  /** Equal for the same sensors, whatever they measure. */
  readonly shape: string;
  /** With the values of the time when it was said. */
  readonly values: unknown;
}

/**
 * Reads `<discovery>/<MAC>/sensors`; an empty payload says that there are none, undefined that it cannot be read. A reading stands below
 * SENSOR by its path in the JSON; a list is counted from 1. What has a node of its own by the config is left out.
 */
export function parseSensors(payload: Buffer, config: TasmotaConfig): Sensors | undefined {
  const json = payload.length === 0 ? { sn: {} } : parse(payload);
  if (!isObject(json) || !isObject(json.sn)) return undefined;
  const taps = sensorTaps(json.sn, config);
  const said = JSON.stringify(taps.map(({ rel, property }) => [rel, property]));
  return { taps, shape: createHash("sha256").update(said).digest("base64"), values: json.sn };
}

const units: ReadonlyMap<string, string> = new Map([
  ["Humidity", "%"],
  ["Battery", "%"],
  ["Power", "W"],
  ["ApparentPower", "VA"],
  ["ReactivePower", "var"],
  ["Voltage", "V"],
  ["Current", "A"],
  ["Frequency", "Hz"],
  ["Total", "kWh"],
  ["Today", "kWh"],
  ["Yesterday", "kWh"],
  ["Illuminance", "lx"],
  ["CarbonDioxide", "ppm"],
  ["eCO2", "ppm"],
  ["TVOC", "ppb"],
  ["PM1", "µg/m³"],
  ["PM2.5", "µg/m³"],
  ["PM10", "µg/m³"],
  ["Distance", "cm"],
]);

/** Say which unit some of the others have. */
const ofUnits = new Set(["TempUnit", "PressureUnit", "SpeedUnit"]);

function sensorTaps(sn: Record<string, unknown>, config: TasmotaConfig): Tap[] {
  const known = new Set(ownTaps(config).flatMap(({ paths }) => paths.map((path) => JSON.stringify(path))));
  const found: Tap[] = [];
  const unitOf = (key: string) => {
    if (key === "Temperature" || key === "DewPoint")
      return typeof sn.TempUnit === "string" ? `°${sn.TempUnit}` : undefined;
    if (/^(SeaLevel)?Pressure$/.test(key)) return typeof sn.PressureUnit === "string" ? sn.PressureUnit : undefined;
    return units.get(key);
  };
  const walk = (json: unknown, path: readonly string[], names: readonly string[], key: string) => {
    if (found.length >= most || path.length > deepest || known.has(JSON.stringify(path))) return;
    if (Array.isArray(json)) {
      for (const [i, one] of json.slice(0, 32).entries()) walk(one, [...path, `${i}`], [...names, `${i + 1}`], key);
    } else if (isObject(json)) {
      for (const [name, one] of Object.entries(json)) {
        if (name !== "" && name.length <= limits.name) walk(one, [...path, name], [...names, name], name);
      }
    } else {
      const unit = unitOf(key);
      found.push(
        ...tap(["SENSOR", ...names], {
          rule: ruleOf(json, unit),
          paths: [path],
          told: "SENSOR",
          unit: unit === undefined ? undefined : shortened(unit),
        }),
      );
    }
  };
  for (const [name, one] of Object.entries(sn)) {
    if (name !== "Time" && name !== "" && name.length <= limits.name && !ofUnits.has(name))
      walk(one, [name], [name], name);
  }
  return found;
}

/** null: the sensor gives nothing now; what has a unit will be a number. */
function ruleOf(json: unknown, unit: string | undefined): Rule {
  if (typeof json === "number" || (json === null && unit !== undefined)) return { kind: "number", whole: false };
  return typeof json === "boolean" ? { kind: "bool", on: true, off: false } : { kind: "text", of: "any" };
}
