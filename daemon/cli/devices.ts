import type { DeviceReport } from "../gateway.ts";
import { filtered, isTerm, noneText, printDevices } from "./device-rows.ts";
import { usage } from "./failure.ts";
import type { Job, Verb } from "./verb.ts";

export const verb: Verb = {
  forms: ["devices [FILTER…] [--watch] [--ignored]"],
  about: `Lists the devices of the home: seen (announced, not managed), managed, away, gone (away for 30 days).
FILTER keeps those that have it in any column: a name, a protocol, an address, a state; or those that fit a rule, such as maker=acme* or
state!=managed (dmgw groups --help has the rules). Of several filters all must fit.`,
  options: [
    { name: "watch", about: "go on, and show what changes" },
    { name: "ignored", about: "list ignored devices too" },
  ],
  words: [0, 16],
  examples: ["devices", "devices mqtt", "devices 'maker=acme*' state=away", "devices --json", "devices seen --watch"],
  async run(job) {
    const look = looking(job);
    const devices = await look();
    if (job.has("watch")) {
      const { follow } = await import("./devices-watch.ts");
      await follow(job, devices, look);
    } else if (job.globals.json) job.json(devices);
    else if (devices.length > 0) printDevices(job, devices);
    else job.note(noneText(job.words));
    return 0;
  },
};

/** Asks for the devices that fit the words. */
function looking(job: Job): () => Promise<readonly DeviceReport[]> {
  const rules = job.words.filter((word) => isTerm(word));
  const texts = job.words.filter((word) => !isTerm(word));
  if (rules.length > 1 && rules.some((rule) => rule.includes("|")))
    throw usage('a filter with "|" stands alone, as one word', "dmgw devices 'maker=acme | maker=other'");
  const query = new URLSearchParams();
  if (rules.length > 0) query.set("rule", rules.join(" & "));
  if (job.has("ignored")) query.set("ignored", "yes");
  const path = query.size === 0 ? "/v1/devices" : `/v1/devices?${query.toString()}`;
  return async () => filtered(await (await job.api()).get<readonly DeviceReport[]>(path), texts);
}
