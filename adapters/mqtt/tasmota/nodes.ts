import type { Rel } from "../../../tree/path.ts";
import { relOf } from "../../device-nodes.ts";
import type { Property } from "../property.ts";
import type { Rule } from "../rules.ts";
import type { TasmotaConfig } from "./discovery.ts";

/** A node of a Tasmota device, and where its value stands in what the device says. */
export interface Tap {
  readonly rel: Rel;
  readonly property: Property;
  /** Places in the JSON objects, the first that is there counts. */
  readonly paths: readonly (readonly string[])[];
  /** A place that says what the value shall become: it takes a while (a shutter moves). */
  readonly target?: readonly string[];
  /** The last level of its command's topic, for what can be set. */
  readonly command?: string;
  /** Which of the two answers of the device has it. */
  readonly told: "STATE" | "SENSOR";
}

const number = (min?: number, max?: number): Rule => ({
  kind: "number",
  whole: true,
  ...(min === undefined ? {} : { min }),
  ...(max === undefined ? {} : { max }),
});
const text: Rule = { kind: "text", of: "any" };

interface Traits {
  readonly rule: Rule;
  readonly paths?: readonly (readonly string[])[];
  readonly command?: string;
  readonly target?: readonly string[];
  readonly told?: Tap["told"];
  readonly askable?: boolean;
  readonly title?: string | undefined;
  readonly unit?: string | undefined;
}

/** A node by its names; its value stands in the JSON under the same names unless `paths` says otherwise. */
export function tap(names: readonly string[], traits: Traits): Tap[] {
  const { rule, paths = [names], command, target, told = "STATE", askable = true, title, unit } = traits;
  const rel = relOf(names);
  if (rel === undefined) return [];
  const settable = command !== undefined;
  const property: Property = {
    name: names.join("/"),
    rule,
    settable,
    reported: true,
    echoes: settable,
    askable,
    ...(title === undefined ? {} : { title }),
    ...(unit === undefined ? {} : { unit }),
  };
  return [{ rel, property, paths, told, ...(target && { target }), ...(command === undefined ? {} : { command }) }];
}

/** A node that is set by the command of its own name. */
const setting = (name: string, rule: Rule, traits: Partial<Traits> = {}) =>
  tap([name], { rule, command: name, ...traits });

/** The nodes of a device, by Tasmota's own names, and what is said of those above them. `sensors`: as sensorTaps gave them. */
export function nodesOf(
  config: TasmotaConfig,
  sensors: readonly Tap[],
): { readonly taps: readonly Tap[]; readonly interiors: ReadonlyMap<Rel, string> } {
  const own = ownTaps(config);
  const taken = new Set(own.map(({ rel }) => rel));
  const taps = [...own, ...sensors.filter(({ rel }) => !taken.has(rel))];
  const interiors = new Map<Rel, string>();
  for (const [name, says] of sections) {
    const rel = relOf([name]);
    if (rel !== undefined && taps.some((one) => one.rel.startsWith(`${name}/`))) interiors.set(rel, says);
  }
  return { taps, interiors };
}

const sections = [
  ["SENSOR", "what it measures"],
  ["STATE", "how the device itself is doing"],
] as const;

/** What a device has by its config, sensors apart: switches, lights, shutters, buttons, and how it is doing. By Tasmota's own names. */
export function ownTaps(config: TasmotaConfig): Tap[] {
  return [
    ...powers(config),
    ...lights(config),
    ...(config.fan ? setting("FanSpeed", number(0, 3)) : []),
    ...shutters(config),
    ...config.switches.flatMap((name, i) =>
      name === undefined
        ? []
        : tap([`Switch${i + 1}`], {
            rule: text,
            paths: [[name], [name, "Action"]],
            told: "SENSOR",
            title: name === `Switch${i + 1}` ? undefined : name,
          }),
    ),
    ...config.buttons.flatMap((reports, i) =>
      reports
        ? tap([`Button${i + 1}`], { rule: text, paths: [[`Button${i + 1}`, "Action"]], told: "SENSOR", askable: false })
        : [],
    ),
    ...condition(config),
  ];
}

function powers({ relays, names, words }: TasmotaConfig): Tap[] {
  const rule: Rule = words.on === words.off ? text : { kind: "bool", on: words.on, off: words.off };
  const alone = relays.filter((kind) => kind !== 0).length === 1;
  return relays.flatMap((kind, i) => {
    if (kind !== 1 && kind !== 2) return [];
    const numbered = `POWER${i + 1}`;
    const name = alone && i === 0 ? "POWER" : numbered;
    return setting(name, rule, {
      // SetOption26 decides whether the number is there when there is one only.
      paths: i === 0 ? [[numbered], ["POWER"]] : [[numbered]],
      title: names[i],
    });
  });
}

function lights({ relays, fan, light, words }: TasmotaConfig): Tap[] {
  const first = relays.indexOf(2);
  if (first < 0 || fan || light.kind < 1 || light.kind > 5) return [];
  const percent = { unit: "%" };
  if (light.channels) {
    return relays.flatMap((kind, i) => (kind === 2 ? setting(`Channel${i + 1}`, number(0, 100), percent) : []));
  }
  const colored = light.kind >= 3;
  const split = !light.linked && light.kind >= 4;
  const tempered = light.kind === 2 || light.kind === 5;
  const onOff: Rule = words.on === words.off ? text : { kind: "bool", on: words.on, off: words.off };
  return [
    ...(split
      ? ["Dimmer1", "Dimmer2"].flatMap((name) => setting(name, number(0, 100), percent))
      : setting("Dimmer", number(0, 100), { ...percent, command: light.tuya ? "Dimmer3" : "Dimmer" })),
    ...(colored ? setting("HSBColor", { kind: "color", spaces: ["hsv"], named: false }) : []),
    // Set through HSBColor: what the device makes of channels comes back rounded, so that it could not be verified.
    ...(colored ? tap(["Color"], { rule: text }) : []),
    ...(light.kind >= 4 ? setting("White", number(0, 100), percent) : []),
    ...(tempered ? setting("CT", light.narrow ? number(200, 380) : number(153, 500), { unit: "mired" }) : []),
    ...(colored ? setting("Scheme", number(0)) : []),
    ...(light.tuya ? [] : [...setting("Fade", onOff), ...setting("Speed", number(1, 40))]),
  ];
}

function shutters({ relays, tilts }: TasmotaConfig): Tap[] {
  const found: Tap[] = [];
  for (let i = 0, n = 1; i < relays.length; i++) {
    if (relays[i] !== 3 || relays[i + 1] !== 3) continue;
    const name = `Shutter${n}`;
    const inShutter = (key: string) => ({ paths: [[name, key]], told: "SENSOR" as const });
    const tilt = tilts[n - 1];
    found.push(
      ...setting(`ShutterPosition${n}`, number(0, 100), {
        ...inShutter("Position"),
        target: [name, "Target"],
        unit: "%",
      }),
      ...(tilt !== undefined && tilt.max > tilt.min
        ? setting(`ShutterTilt${n}`, number(tilt.min, tilt.max), inShutter("Tilt"))
        : []),
      ...tap(["SENSOR", name, "Direction"], { rule: number(), ...inShutter("Direction") }),
      ...tap(["SENSOR", name, "Target"], { rule: number(), ...inShutter("Target"), unit: "%" }),
    );
    i++;
    n++;
  }
  return found;
}

/** What STATE says of the device itself. On Ethernet there is no Wifi, so nobody waits for it. */
function condition({ battery }: TasmotaConfig): Tap[] {
  const plain = (name: string, rule: Rule, unit?: string) => tap(["STATE", name], { rule, paths: [[name]], unit });
  const wifi = (name: string, rule: Rule, unit?: string) =>
    tap(["STATE", "Wifi", name], { rule, paths: [["Wifi", name]], unit, askable: false });
  return [
    ...plain("Uptime", text),
    ...plain("UptimeSec", number(), "s"),
    ...plain("Heap", number(), "kB"),
    ...plain("LoadAvg", number()),
    ...plain("MqttCount", number()),
    ...(battery ? plain("BatteryPercentage", number(), "%") : []),
    ...wifi("SSId", text),
    ...wifi("BSSId", text),
    ...wifi("Channel", number()),
    ...wifi("RSSI", number(), "%"),
    ...wifi("Signal", number(), "dBm"),
    ...wifi("LinkCount", number()),
    ...wifi("Downtime", text),
  ];
}
