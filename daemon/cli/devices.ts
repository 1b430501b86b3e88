import { setTimeout as sleep } from "node:timers/promises";
import type { DeviceReport } from "../gateway.ts";
import { filtered, printDevices } from "./device-rows.ts";
import { printable } from "./print.ts";
import type { Job, Verb } from "./verb.ts";

/** Ms between two looks of --watch. */
const pause = 1000;

export const verb: Verb = {
  forms: ["devices [FILTER] [--watch]"],
  about:
    "Lists the devices of the home: seen (announced, not managed), managed, away.\nFILTER keeps those that have it in any column: a name, a maker, a protocol, an address, a state.",
  options: [{ name: "watch", about: "go on, and show what changes" }],
  words: [0, 1],
  examples: ["devices", "devices mqtt", "devices --json", "devices seen --watch"],
  async run(job) {
    const devices = await look(job);
    if (job.has("watch")) await follow(job, devices);
    else if (job.globals.json) job.json(devices);
    else if (devices.length > 0) await printDevices(job, devices);
    else if (job.words[0] === undefined)
      job.note("no device is known yet: devices show up within seconds of announcing themselves");
    else job.note(`no device has ${printable(job.words[0])} in any column`);
    return 0;
  },
};

async function look(job: Job): Promise<readonly DeviceReport[]> {
  const all = await (await job.api()).get<readonly DeviceReport[]>("/v1/devices");
  return filtered(all, job.words[0] ?? "");
}

/** On a terminal the table is drawn anew; piped, each device that changed is one line. */
async function follow(job: Job, first: readonly DeviceReport[]): Promise<void> {
  const shown = new Map<string, string>();
  for (let devices = first; ; devices = await look(job)) {
    const changed = devices.filter((device) => shown.get(device.id) !== stateOf(device));
    const gone = [...shown.keys()].filter((id) => !devices.some((device) => device.id === id));
    for (const device of changed) shown.set(device.id, stateOf(device));
    for (const id of gone) shown.delete(id);
    if (job.globals.json) {
      for (const device of changed) job.json(device, true);
      for (const id of gone) job.json({ id, state: "gone" }, true);
    } else if (job.io.tty) {
      job.io.stdout.write("\u001b[H\u001b[2J");
      await printDevices(job, devices);
    } else if (changed.length > 0) await printDevices(job, changed);
    await sleep(pause, undefined, { signal: job.signal }).catch(() => undefined);
    if (job.signal.aborted) return;
  }
}

/** What of a device is worth a line when it changes: not when it was last heard of. */
const stateOf = (device: DeviceReport) => JSON.stringify({ ...device, lastSeen: "" });
