import { joinRel, parentRel, top } from "../../../tree/path.ts";
import type { Rel } from "../../../tree/path.ts";
import { relOf } from "../../device-nodes.ts";
import { limits, shortened } from "../limits.ts";
import type { Property } from "../property.ts";
import type { Rule } from "../rules.ts";
import type { Carried, Metric, Payload } from "./payload.ts";

/** One datatype: what its leaf holds, and how a value stands on the wire. */
interface DataType {
  readonly rule: Rule;
  /** A value as {@link Rule} reads it; undefined: null, or not of this type. */
  plain(value: Carried): unknown;
  /** A value as it is told; `plain` as the rule has written it. `wide`: the birth carried it in 64 bits. */
  carried(plain: unknown, wide: boolean): Carried;
}

/** A metric that is a node of ours. */
export interface Point {
  readonly rel: Rel;
  readonly name: string;
  readonly alias?: bigint;
  readonly datatype: number;
  /** Its birth carried it in 64 bits. */
  readonly wide: boolean;
}

/** What a birth says of a device: its metrics by name and by alias; undefined stands for one that is no node. */
export interface Points {
  readonly byName: ReadonlyMap<string, Point | undefined>;
  readonly byAlias: ReadonlyMap<bigint, Point | undefined>;
  readonly byRel: ReadonlyMap<Rel, Point>;
  /** There were more metrics than are held: an unknown one may have been among them. */
  readonly cut: boolean;
}

/** Datatypes of Sparkplug 3.0, 6.4.16, by their numbers. What is missing here (data sets, files, templates) is no value of a node. */
const types: ReadonlyMap<number, DataType> = new Map([
  [1, whole(8, true)],
  [2, whole(16, true)],
  [3, whole(32, true)],
  [4, long(64, true)],
  [5, whole(8, false)],
  [6, whole(16, false)],
  [7, long(32, false)],
  [8, long(64, false)],
  [9, decimal("float")],
  [10, decimal("double")],
  [11, boolean()],
  [12, text()],
  [13, instant()],
  [14, text()],
  [15, text()],
  [17, bytes()],
]);

/** The session number of an edge node (3.0, 6.4.9): nothing for a person. */
export const sessionMetric = "bdSeq";
export const rebirthMetric = "Node Control/Rebirth";

/** What an edge node does when it is told true, and never says afterwards. */
const momentary = new Set(["rebirth", "reboot", "next server", "next_server"]);
const controls = /^(node|device) control\/(.*)$/is;
/** By the names that the specification and its examples use: what a device only tells. */
const told = /^(properties|inputs?|(node|device)[ _](info|properties))\//i;

/**
 * The metrics of a birth as nodes: the levels of a name are interior nodes. The first of two with one name counts; a metric that has others
 * below its name stands beside them as `_`.
 */
export function pointsOf({ metrics, cut = false }: Payload): Points {
  const byName = new Map<string, Point | undefined>();
  const byAlias = new Map<bigint, Point | undefined>();
  const byRel = new Map<Rel, Point>();
  const groups = new Set<Rel>();
  const places = metrics.map(({ name }) => relOfName(name));
  for (const place of places) for (const group of groupsOf(place)) groups.add(group);
  for (const [index, metric] of metrics.entries()) {
    const { name = "", alias } = metric;
    const made = byName.has(name) ? undefined : pointOf(metric, places[index], groups);
    const point = made === undefined || byRel.has(made.rel) ? undefined : made;
    if (point !== undefined) byRel.set(point.rel, point);
    if (!byName.has(name)) byName.set(name, point);
    if (alias !== undefined && !byAlias.has(alias)) byAlias.set(alias, point);
  }
  return { byName, byAlias, byRel, cut };
}

/** Only those that the tree has taken. `remember`: the others are known as such; else an unknown metric means nothing from now on. */
export function takenOf(points: Points, taken: (rel: Rel) => boolean, remember: boolean): Points {
  const isTaken = (point: Point | undefined) => point !== undefined && taken(point.rel);
  const kept = <K>(all: ReadonlyMap<K, Point | undefined>) =>
    new Map(
      [...all]
        .filter(([, point]) => remember || isTaken(point))
        .map(([key, point]) => [key, isTaken(point) ? point : undefined] as const),
    );
  return {
    byName: kept(points.byName),
    byAlias: kept(points.byAlias),
    byRel: new Map([...points.byRel].filter(([rel]) => taken(rel))),
    cut: points.cut || !remember,
  };
}

function pointOf(
  { name, alias, datatype = 0, value }: Metric,
  at: Rel | undefined,
  groups: ReadonlySet<Rel>,
): Point | undefined {
  if (name === undefined || name === sessionMetric || at === undefined || !types.has(datatype)) return undefined;
  return {
    rel: groups.has(at) ? joinRel(at, "_") : at,
    name,
    ...(alias === undefined ? {} : { alias }),
    datatype,
    wide: value?.in === "long",
  };
}

export function propertyOf({ name, datatype }: Point): Property {
  const [, , control] = controls.exec(name) ?? [];
  const isMomentary = control !== undefined && momentary.has(control.toLowerCase());
  return {
    name,
    rule: types.get(datatype)?.rule ?? { kind: "text", of: "any" },
    // Nothing says which metrics take orders: a device stays silent about one that it does not take. So each may be a reading as well.
    settable: !told.test(name),
    volatile: control === undefined,
    reported: !isMomentary,
    echoes: !isMomentary,
    askable: false,
  };
}

/** undefined: too long or too deep for the tree. */
function relOfName(name: string | undefined): Rel | undefined {
  return name === undefined || name === "" ? undefined : relOf(name.split("/"));
}

function* groupsOf(rel: Rel | undefined): Iterable<Rel> {
  for (let at = rel && parentRel(rel); at !== undefined && at !== top; at = parentRel(at)) yield at;
}

/** The point that a metric of a later message means: by alias, else by name. "unknown": the birth did not have it. */
export function pointAt(points: Points, { name, alias }: Metric): Point | "unknown" | undefined {
  if (alias !== undefined && points.byAlias.has(alias)) return points.byAlias.get(alias);
  if (name !== undefined && points.byName.has(name)) return points.byName.get(name);
  return points.cut ? undefined : "unknown";
}

/** The value as its rule reads it; undefined: null. */
export function plainOf({ datatype }: Point, { value }: Metric): unknown {
  return value === undefined ? undefined : types.get(datatype)?.plain(value);
}

/** The metric of a command: by name and alias, typed as in the birth. `now`: ms since 1970. */
export function commandOf({ name, alias, datatype, wide }: Point, plain: unknown, now: number): Metric {
  const value = types.get(datatype)?.carried(plain, wide);
  return {
    name,
    ...(alias === undefined ? {} : { alias }),
    timestamp: now,
    datatype,
    ...(value === undefined ? {} : { value }),
  };
}

/** The session number of a birth or a death. */
export function sessionOf({ metrics }: Payload): bigint | undefined {
  const value = metrics.find(({ name }) => name === sessionMetric)?.value;
  return value?.in === "int" || value?.in === "long" ? value.data : undefined;
}

/** A short text of the birth, for the inventory. */
export function textIn({ value }: Metric): string | undefined {
  if (value?.in !== "string") return undefined;
  const text = value.data.trim();
  return text === "" ? undefined : shortened(text);
}

function whole(bits: number, signed: boolean): DataType {
  const max = 2 ** (signed ? bits - 1 : bits) - 1;
  return {
    rule: { kind: "number", whole: true, min: signed ? -max - 1 : 0, max },
    plain: (value) => (isInteger(value) ? Number(ofBits(bits, signed, value.data)) : undefined),
    carried: (plain) => ({ in: "int", data: BigInt.asUintN(32, BigInt(plain as number)) }),
  };
}

/** More than a DM int holds. Of 32 bits without a sign some carry the value in 32 bits and some in 64: each is told as it tells. */
function long(bits: number, signed: boolean): DataType {
  const max = 2n ** BigInt(signed ? bits - 1 : bits) - 1n;
  return {
    rule: { kind: "long", min: signed ? -max - 1n : 0n, max },
    plain: (value) => (isInteger(value) ? ofBits(bits, signed, value.data).toString() : undefined),
    carried: (plain, wide) => ({
      in: wide || bits > 32 ? "long" : "int",
      data: BigInt.asUintN(64, BigInt(plain as string)),
    }),
  };
}

function isInteger(value: Carried): value is Carried & { readonly data: bigint } {
  return value.in === "int" || value.in === "long";
}

function ofBits(bits: number, signed: boolean, data: bigint): bigint {
  return signed ? BigInt.asIntN(bits, data) : BigInt.asUintN(bits, data);
}

/** NaN and the infinities are what devices say when they know nothing. */
function decimal(name: "float" | "double"): DataType {
  return {
    rule: { kind: "number", whole: false },
    plain: (value) => {
      if ((value.in !== "float" && value.in !== "double") || !Number.isFinite(value.data)) return undefined;
      return value.in === "float" ? shortest(value.data) : value.data;
    },
    carried: (plain) => ({ in: name, data: plain as number }),
  };
}

/** 21.3 and not 21.299999237060547: the fewest digits that mean the same 32-bit number. */
function shortest(data: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(data.toPrecision(digits));
    if (Math.fround(short) === data) return short;
  }
  return Number(data.toPrecision(9));
}

function boolean(): DataType {
  return {
    rule: { kind: "bool", on: true, off: false },
    plain: (value) => (value.in === "bool" ? value.data : undefined),
    carried: (plain) => ({ in: "bool", data: plain === true }),
  };
}

function text(): DataType {
  return {
    rule: { kind: "text", of: "any" },
    plain: (value) => (value.in === "string" ? value.data : undefined),
    carried: (plain) => ({ in: "string", data: plain as string }),
  };
}

/** The farthest that a date of JavaScript reaches, ms from 1970. */
const farthest = 8_640_000_000_000_000n;

function instant(): DataType {
  return {
    rule: { kind: "text", of: "instant" },
    plain: (value) => {
      if (!isInteger(value)) return undefined;
      const ms = BigInt.asIntN(64, value.data);
      return ms < -farthest || ms > farthest ? undefined : new Date(Number(ms)).toISOString();
    },
    carried: (plain) => ({ in: "long", data: BigInt.asUintN(64, BigInt(Date.parse(plain as string))) }),
  };
}

function bytes(): DataType {
  return {
    rule: { kind: "bytes" },
    plain: (value) => (value.in === "bytes" && value.data.length <= limits.bytes ? value.data : undefined),
    carried: (plain) => ({ in: "bytes", data: plain as Uint8Array }),
  };
}
