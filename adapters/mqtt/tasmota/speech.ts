import type { Order, Report } from "../property.ts";
import type { Rel } from "../../../tree/path.ts";
import type { Tap } from "./nodes.ts";
import { isObject, parse } from "../json.ts";

/** What a message says. */
export interface Speech {
  readonly reports: readonly Report[];
  /** What values shall become. */
  readonly targets: readonly Report[];
}

/**
 * Understands a message of a device. `leaf`: the last level of its topic. RESULT carries the answer to a command, or (SetOption4) the topic of
 * the command's name does; so everything that is not known to be something else is looked at.
 */
export function understood(taps: Iterable<Tap>, leaf: string, payload: Buffer): Speech {
  if (/^POWER\d*$/.test(leaf)) return spoken(taps, { [leaf]: payload.toString("utf8", 0, 200) }, isState);
  if (/^(LOGGING|INFO\d+)$/.test(leaf) || !payload.toString("utf8", 0, 20).trimStart().startsWith("{")) return nothing;
  const json = parse(payload);
  if (!isObject(json)) return nothing;
  // Also what buttons, switches and shutters do comes on RESULT.
  if (!/^STATUS\d*$/.test(leaf))
    return spoken(taps, json, leaf === "SENSOR" ? isSensor : leaf === "STATE" ? isState : isAny);
  return json.StatusSTS === undefined ? spoken(taps, json.StatusSNS, isSensor) : spoken(taps, json.StatusSTS, isState);
}

const nothing: Speech = { reports: [], targets: [] };
const isState = ({ told }: Tap) => told === "STATE";
const isSensor = ({ told }: Tap) => told === "SENSOR";
const isAny = () => true;

/** What a JSON object holds for these nodes. */
export function spoken(taps: Iterable<Tap>, json: unknown, wanted: (tap: Tap) => boolean = isAny): Speech {
  if (!isObject(json)) return nothing;
  const reports: Report[] = [];
  const targets: Report[] = [];
  for (const tap of taps) {
    if (!wanted(tap)) continue;
    const value = tap.paths.map((path) => valueAt(json, path)).find((one) => one !== undefined);
    if (value !== undefined) reports.push([tap.rel, value]);
    const target = tap.target === undefined ? undefined : valueAt(json, tap.target);
    if (target !== undefined) targets.push([tap.rel, target]);
  }
  return { reports, targets };
}

/** A command and what goes with it. */
export type Command = readonly [name: string, payload: string];

/** The commands that carry these orders. A colour or a brightness switches a light on, so whether it shall be on is said last. */
export function commandsOf(taps: ReadonlyMap<Rel, Tap>, orders: readonly Order[]): Command[] {
  const commands = orders.map(({ rel, plain }): Command => [taps.get(rel)?.command ?? "", String(plain)]);
  const isPower = ([name]: Command) => name.startsWith("POWER");
  return [...commands.filter((one) => !isPower(one)), ...commands.filter(isPower)];
}

/** STATE is answered with switches, lights and condition, STATUS 10 with sensors, shutters and switches that only report. None: both. */
export function questionsOf(taps: ReadonlyMap<Rel, Tap>, rels: readonly Rel[]): Command[] {
  const told = new Set(rels.map((rel) => taps.get(rel)?.told));
  const state: Command = ["STATE", ""];
  const sensors: Command = ["STATUS", "10"];
  return rels.length === 0
    ? [state, sensors]
    : [...(told.has("STATE") ? [state] : []), ...(told.has("SENSOR") ? [sensors] : [])];
}

/** The value at a path of objects and lists; only what the JSON itself holds. Objects and null are no values. */
function valueAt(json: unknown, path: readonly string[]): string | number | boolean | undefined {
  let value = json;
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? value : undefined;
}
