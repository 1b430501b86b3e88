import { fitsXml } from "../../../tree/wire/xml-write.ts";
import type { Command, EditName, Item, Meta } from "../../../tree/wire/message.ts";

/**
 * What a server asks of a device, as commands that have no CmdID yet. They go out in one package, in their order:
 * `run([get("./DevInfo/DevId"), replace("./Devices/d1/MQTT/switch/power", true)])`.
 */
export type Ask = Command;

export type AskValue = string | number | boolean | Uint8Array;

export interface As {
  /** Of the value; default: what the JavaScript value is (chr, int or float, bool, bin). */
  readonly format?: string;
  /** MIME type, or MO identifier of an interior node. */
  readonly type?: string;
}

/** Node values, child names of interior nodes, properties (`?prop=ACL`), subtrees (`?list=StructData`). */
export function get(...uris: string[]): Ask {
  return edit("Get", uris.map(target));
}

/** The value of a leaf that exists, or of a property (`?prop=Title`). */
export function replace(uri: string, value: AskValue, as: As = {}): Ask {
  return edit("Replace", [{ ...target(uri), ...content(value, as) }]);
}

/** A new node: a leaf with a value, an interior node without. */
export function add(uri: string, value?: AskValue, as: As = {}): Ask {
  if (value !== undefined) return edit("Add", [{ ...target(uri), ...content(value, as) }]);
  return edit("Add", [{ ...target(uri), meta: { format: "node", ...as } }]);
}

export function del(...uris: string[]): Ask {
  return edit("Delete", uris.map(target));
}

export function copy(from: string, to: string): Ask {
  return edit("Copy", [{ ...target(to), source: { uri: from } }]);
}

export function exec(uri: string, argument?: AskValue, options: As & { readonly correlator?: string } = {}): Ask {
  const { correlator, ...as } = options;
  const item = argument === undefined ? target(uri) : { ...target(uri), ...content(argument, as) };
  return { name: "Exec", cmdId: "", meta: {}, items: [item], ...(correlator === undefined ? {} : { correlator }) };
}

/** A user interaction (1100 to 1104), or any other alert: one item for each text. */
export function alert(code: number, ...texts: string[]): Ask {
  return { name: "Alert", cmdId: "", code, items: texts.map((data) => ({ meta: {}, data, moreData: false })) };
}

export function atomic(commands: readonly Ask[]): Ask {
  return { name: "Atomic", cmdId: "", meta: {}, commands };
}

export function sequence(commands: readonly Ask[]): Ask {
  return { name: "Sequence", cmdId: "", meta: {}, commands };
}

function edit(name: EditName, items: readonly Item[]): Ask {
  return { name, cmdId: "", meta: {}, items };
}

function target(uri: string): Item {
  return { target: { uri }, meta: {}, moreData: false };
}

function content(value: AskValue, as: As): Pick<Item, "meta" | "data"> {
  const meta: Meta = { format: formatOf(value), ...as };
  if (typeof value === "object") return { meta, data: value };
  const data = String(value);
  return { meta, data: fitsXml(data) ? data : Buffer.from(data) };
}

function formatOf(value: AskValue): string {
  switch (typeof value) {
    case "boolean":
      return "bool";
    case "number":
      return Number.isInteger(value) ? "int" : "float";
    case "string":
      return "chr";
    default:
      return "bin";
  }
}

/** The command, and those inside it, with a CmdID each. */
export function numbered(command: Command, nextId: () => string): Command {
  const cmdId = nextId();
  if ("commands" in command)
    return { ...command, cmdId, commands: command.commands.map((one) => numbered(one, nextId)) };
  return { ...command, cmdId };
}
