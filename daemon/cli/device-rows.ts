import type { DeviceReport } from "../gateway.ts";
import { ago } from "./print.ts";
import { printTable } from "./table.ts";
import type { Job } from "./verb.ts";

const head = ["ID", "NAME", "MADE BY", "PROTOCOLS", "STATE", "REACH", "LAST SEEN", "ADDRESS"];

export function printDevices(job: Job, devices: readonly DeviceReport[]): Promise<void> {
  return printTable(job, head, devices.map(row));
}

/** Those that have the text in any column, or among their identities and addresses; small and capital letters alike. */
export function filtered(devices: readonly DeviceReport[], text: string): readonly DeviceReport[] {
  const wanted = text.toLowerCase();
  const texts = (d: DeviceReport) => [...row(d), d.mac, d.firmware, ...d.identities, ...d.sources, ...d.addresses];
  return devices.filter((device) => texts(device).some((one) => one.toLowerCase().includes(wanted)));
}

export function madeBy(device: DeviceReport): string {
  return [device.manufacturer, device.model].filter((part) => part !== "").join(" ");
}

function row(device: DeviceReport): string[] {
  const reachable = device.reachable ? "yes" : "no";
  const seen = ago(device.lastSeen) || "never";
  const { id, name, state } = device;
  return [id, name, madeBy(device), device.protocols.join(", "), state, reachable, seen, device.addresses[0] ?? ""];
}
