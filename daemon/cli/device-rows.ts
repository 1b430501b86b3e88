import type { DeviceReport } from "../gateway.ts";
import { ago, printable } from "./print.ts";
import { printTable, tableLines } from "./table.ts";
import type { Job } from "./verb.ts";
import { shortened } from "./width.ts";

const head = ["ID", "NAME", "MADE BY", "PROTOCOLS", "STATE", "REACH", "LAST SEEN", "ADDRESS"];
/** Columns for a text that a device chose, at most. */
const most = 48;

export function printDevices(job: Job, devices: readonly DeviceReport[]): void {
  printTable(job, head, devices.map(row));
}

export function deviceLines(io: Job["io"], devices: readonly DeviceReport[]): readonly string[] {
  return tableLines(io, head, devices.map(row));
}

/** Those that have every one of the texts in some column, or among their identities, addresses and groups; small and capital letters alike. */
export function filtered(devices: readonly DeviceReport[], texts: readonly string[]): readonly DeviceReport[] {
  const wanted = texts.map((text) => text.toLowerCase());
  return devices.filter((device) => {
    const { name, mac, firmware, identities, sources, addresses, protocols, groups } = device;
    const lists = [identities, sources, addresses, protocols, groups].flat();
    const have = [...row(device), name, madeBy(device), mac, firmware, ...lists].map((one) => one.toLowerCase());
    return wanted.every((text) => have.some((one) => one.includes(text)));
  });
}

/** Is this filter one of the rule language of groups, "maker=acme*" or "protocol!=MQTT"? The daemon reads it. */
export function isTerm(word: string): boolean {
  return /^[a-z]+!?=/i.test(word);
}

/** What it means that nothing is listed. */
export function noneText(words: readonly string[]): string {
  const [word = ""] = words;
  if (word === "") return "no device is known yet: devices show up within seconds of announcing themselves";
  if (words.length === 1 && !isTerm(word)) return `no device has ${printable(word)} in any column`;
  return `no device fits ${printable(words.join(" "))}`;
}

export function madeBy(device: DeviceReport): string {
  return [device.manufacturer, device.model].filter((part) => part !== "").join(" ");
}

function row(device: DeviceReport): string[] {
  const { id, state } = device;
  const reachable = device.reachable ? "yes" : "no";
  const [name = "", maker = "", protocols = ""] = [device.name, madeBy(device), device.protocols.join(", ")].map(
    (text) => shortened(text, most),
  );
  return [id, name, maker, protocols, state, reachable, ago(device.lastSeen) || "never", device.addresses[0] ?? ""];
}
