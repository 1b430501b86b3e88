import { setTimeout as sleep } from "node:timers/promises";
import type { DeviceReport } from "../gateway.ts";
import { deviceLines, noneText, printDevices } from "./device-rows.ts";
import { eventsOf } from "./sse.ts";
import type { Job } from "./verb.ts";
import { shortened } from "./width.ts";

/** Ms: what is shown ages; changes that come together are one look; a look when nothing was said; one when nobody can say anything. */
const times = { tick: 1000, burst: 500, calm: 5000, deaf: 1000 } as const;

/**
 * Goes on showing the devices until it is interrupted. It looks when the tree says that the inventory changed, and now and then; where there are no events to hear,
 * each second. On a terminal the table is drawn anew; piped, each device that changed is one line.
 */
export async function follow(
  job: Job,
  first: readonly DeviceReport[],
  look: () => Promise<readonly DeviceReport[]>,
): Promise<void> {
  const bell = openBell(job);
  const show = !job.globals.json && job.io.tty === true ? screenOf(job) : changesOf(job);
  try {
    for (let devices = first; ; devices = await look()) {
      for (let waited = 0; ; waited += times.tick) {
        show(devices);
        if (waited >= (bell.heard() ? times.calm : times.deaf) || (await bell.rung(times.tick))) break;
      }
      if (job.signal.aborted) return;
    }
  } finally {
    bell.close();
  }
}

interface Bell {
  /** Is there still somebody who rings it? */
  heard(): boolean;
  /** Resolves with true a moment after it rang, or when the job is to end; with false after `ms`. */
  rung(ms: number): Promise<boolean>;
  close(): void;
}

function openBell(job: Job): Bell {
  const stop = new AbortController();
  let [heard, due] = [true, false];
  let wake = (): void => undefined;
  const listen = async () => {
    const lines = (await job.api()).lines("GET", "/v1/events?uri=./GwMO/DeviceInventory", stop.signal);
    const events = eventsOf(lines);
    while ((await events.next()).done !== true) {
      due = true;
      wake();
    }
  };
  listen()
    .catch(() => undefined)
    .finally(() => {
      heard = false;
    });
  const onAbort = () => wake();
  job.signal.addEventListener("abort", onAbort);
  const pause = async (ms: number) => {
    const ring = new AbortController();
    wake = () => ring.abort();
    if (!job.signal.aborted) await sleep(ms, undefined, { signal: ring.signal }).catch(() => undefined);
  };
  return {
    heard: () => heard,
    async rung(ms) {
      if (!due) await pause(ms);
      if (due) await sleep(times.burst);
      const was = due || job.signal.aborted;
      due = false;
      return was;
    },
    close() {
      stop.abort();
      job.signal.removeEventListener("abort", onAbort);
    },
  };
}

/** Prints the devices that are not as they were printed last, and those that went. */
function changesOf(job: Job): (devices: readonly DeviceReport[]) => void {
  const shown = new Map<string, string>();
  return (devices) => {
    const changed = devices.filter((device) => shown.get(device.id) !== stateOf(device));
    const here = new Set(devices.map((device) => device.id));
    const gone = [...shown.keys()].filter((id) => !here.has(id));
    for (const device of changed) shown.set(device.id, stateOf(device));
    for (const id of gone) shown.delete(id);
    if (job.globals.json) {
      for (const device of changed) job.json(device, true);
      for (const id of gone) job.json({ id, listed: false }, true);
      return;
    }
    if (changed.length > 0) printDevices(job, changed);
    for (const id of gone) job.line(`${id} is not listed any more`);
  };
}

/** What of a device is worth a line when it changes: not when it was last heard of, or will be looked after. */
const stateOf = (device: DeviceReport) => JSON.stringify({ ...device, lastSeen: "", nextProbe: "" });

/** Draws over what stands there, and only when it is different, so that nothing flickers. */
function screenOf(job: Job): (devices: readonly DeviceReport[]) => void {
  let drawn: string | undefined;
  return (devices) => {
    // One column stays free: what follows a line that is full would wipe its last letter.
    const columns = (job.io.columns || 80) - 1;
    const lines = devices.length === 0 ? [noneText(job.words)] : deviceLines({ ...job.io, columns }, devices);
    const room = Math.max(3, (job.io.rows || 24) - 1);
    const left = lines.length - room + 1;
    const rest = `… ${left} more lines: a filter, or a larger window, shows them`;
    const shown = (left > 1 ? [...lines.slice(0, room - 1), rest] : lines).map((line) => shortened(line, columns));
    // From the top left; each line to its end, and what stood below it, is wiped.
    const frame = `\u001b[H${shown.map((line) => `${line}\u001b[K\n`).join("")}\u001b[J`;
    if (frame === drawn) return;
    job.io.stdout.write(drawn === undefined ? `\u001b[2J${frame}` : frame);
    drawn = frame;
  };
}
