import { isIP } from "node:net";
import type { Face } from "../../adapter.ts";
import { shortened } from "../limits.ts";
import { isObject } from "../json.ts";

/** What a device of the Tasmota firmware says of itself on `<discovery>/<MAC>/config`, as far as dmgw uses it. */
export interface TasmotaConfig {
  /** Twelve hex digits in lower case. */
  readonly mac: string;
  readonly name: string;
  readonly host?: string;
  readonly address?: string;
  readonly model?: string;
  readonly firmware?: string;
  /** Where it speaks and listens, each with a slash at its end. */
  readonly topics: { readonly command: string; readonly stat: string; readonly tele: string };
  /** The words on its LWT topic. */
  readonly online: string;
  readonly offline: string;
  /** The words for off and on. */
  readonly words: { readonly off: string; readonly on: string };
  /** By index: 0 none, 1 relay, 2 light, 3 shutter (two in a row are one). */
  readonly relays: readonly number[];
  /** Names of relays, by index. */
  readonly names: readonly (string | undefined)[];
  /** By index: the name of a switch that reports, undefined where there is none. */
  readonly switches: readonly (string | undefined)[];
  /** By index: does the button report? */
  readonly buttons: readonly boolean[];
  readonly fan: boolean;
  readonly light: {
    /** 0 none, 1 dimmer, 2 cold and warm white, 3 RGB, 4 RGB and white, 5 RGB and cold and warm white. */
    readonly kind: number;
    /** Colour and white are one light. */
    readonly linked: boolean;
    /** SetOption68: each channel is a light of its own. */
    readonly channels: boolean;
    /** Dimmed through the third dimmer. */
    readonly tuya: boolean;
    /** SetOption82: colour temperatures 200 to 380 instead of 153 to 500. */
    readonly narrow: boolean;
  };
  /** Limits of the slats' angle by shutter; equal where there are no slats. */
  readonly tilts: readonly { readonly min: number; readonly max: number }[];
  readonly battery: boolean;
}

/** Entries of any list in a config that are looked at; the firmware sends 32. */
const most = 64;
/** Octets of a topic; the firmware has room for 150. */
const longestTopic = 250;

/** Why a config is refused, as the log has it. */
export type Refusal =
  | "a Tasmota config that cannot be read"
  | "a Tasmota config below another device's MAC"
  | "a Tasmota config with topics that are none";

/**
 * Reads a config. `mac`: the one of its topic, twelve hex digits; the payload has to name the same one. Nothing but MAC and topics is
 * needed: what is absent, or of a wrong type, is taken as the firmware's default.
 */
export function parseConfig(json: unknown, mac: string): TasmotaConfig | Refusal {
  if (!isObject(json)) return "a Tasmota config that cannot be read";
  const own = mac.toLowerCase();
  if (textOf(json.mac)?.toLowerCase() !== own) return "a Tasmota config below another device's MAC";
  const topics = topicsOf(json, own.toUpperCase());
  if (topics === undefined) return "a Tasmota config with topics that are none";
  const names = listOf(json.fn).map(nameOf);
  const words = listOf(json.state).map(wordOf);
  const options = isObject(json.so) ? json.so : {};
  const switchNames = listOf(json.swn).map(nameOf);
  const [host, address, model, firmware] = [textOf(json.hn), textOf(json.ip), nameOf(json.md), nameOf(json.sw)];
  return {
    mac: own,
    name: nameOf(json.dn) ?? names[0] ?? shortened(textOf(json.t) ?? own),
    ...(host !== undefined && /^[a-z0-9-]{1,63}$/i.test(host) ? { host } : {}),
    ...(address !== undefined && isIP(address) !== 0 && address !== "0.0.0.0" ? { address } : {}),
    ...(model === undefined ? {} : { model }),
    ...(firmware === undefined ? {} : { firmware }),
    topics,
    online: wordOf(json.onln) ?? "Online",
    offline: wordOf(json.ofln) ?? "Offline",
    words: { off: words[0] ?? "OFF", on: words[1] ?? "ON" },
    relays: listOf(json.rl).map(numberOf),
    names,
    switches: listOf(json.swc).map((mode, i) =>
      typeof mode === "number" && mode >= 0 ? (switchNames[i] ?? `Switch${i + 1}`) : undefined,
    ),
    buttons: listOf(json.btn).map((flag) => flag === 1),
    fan: json.if === 1,
    light: {
      kind: numberOf(json.lt_st),
      linked: json.lk !== 0,
      channels: options["68"] === 1,
      tuya: json.ty === 1,
      narrow: options["82"] === 1,
    },
    tilts: listOf(json.sht).map((tilt) => {
      const [min, max] = listOf(tilt);
      return { min: numberOf(min), max: numberOf(max) };
    }),
    battery: json.bat === 1,
  };
}

/** For the inventory. The module or template name is the model; nobody says who made it. */
export function faceOf({
  mac,
  name,
  host,
  address,
  model,
  firmware,
}: TasmotaConfig): Pick<Face, "clues" | "addresses" | "facts"> {
  const clues: Face["clues"][number][] = [
    { kind: "mac", value: mac.replace(/..(?=.)/g, "$&:") },
    { kind: "protocol-id", value: `tasmota:${mac}` },
  ];
  if (host !== undefined) clues.push({ kind: "host-name", value: host });
  return {
    clues,
    addresses: address === undefined ? [] : [address],
    facts: {
      name,
      ...(model === undefined ? {} : { model }),
      ...(firmware === undefined ? {} : { firmware }),
    },
  };
}

/** The topics as the firmware makes them of its FullTopic, or undefined where they are no topics, or orders would be heard as reports. */
function topicsOf(json: Record<string, unknown>, id: string): TasmotaConfig["topics"] | undefined {
  const [topic, host] = [textOf(json.t), textOf(json.hn) ?? ""];
  const template = textOf(json.ft) ?? "%prefix%/%topic%/";
  const prefixes = listOf(json.tp).map(textOf);
  if (topic === undefined || template.length > longestTopic) return undefined;
  const filled = (given: string | undefined, usual: string, ofCommand: boolean) => {
    const full = ofCommand && !template.includes("%prefix%") ? `${template}/%prefix%` : template;
    const tokens: readonly (readonly [string, string])[] = [
      ["%prefix%", given === undefined || given === "" ? usual : given],
      ["%topic%", topic],
      ["%hostname%", host],
      ["%id%", id],
    ];
    const plain = tokens.reduce((text, [token, value]) => text.replaceAll(token, () => value), full);
    return `${plain}/`.replace(/\/{2,}/g, "/");
  };
  const [command, stat, tele] = [
    filled(prefixes[0], "cmnd", true),
    filled(prefixes[1], "stat", false),
    filled(prefixes[2], "tele", false),
  ];
  const areTopics = [command, stat, tele].every(isTopic);
  return areTopics && command !== stat && command !== tele ? { command, stat, tele } : undefined;
}

function isTopic(base: string): boolean {
  return base !== "/" && !/[+#$\u0000-\u001f\u007f]/.test(base) && Buffer.byteLength(base) <= longestTopic;
}

function listOf(json: unknown): readonly unknown[] {
  return Array.isArray(json) ? json.slice(0, most) : [];
}

function textOf(json: unknown): string | undefined {
  return typeof json === "string" && json.length <= 20_000 ? json : undefined;
}

/** A name for a person. */
function nameOf(json: unknown): string | undefined {
  return typeof json === "string" && json !== "" ? shortened(json) : undefined;
}

/** A word that travels as a payload: whole or not at all. */
function wordOf(json: unknown): string | undefined {
  return typeof json === "string" && json !== "" && json.length <= 64 ? json : undefined;
}

function numberOf(json: unknown): number {
  return typeof json === "number" && Number.isInteger(json) && Math.abs(json) < 1000 ? json : 0;
}
