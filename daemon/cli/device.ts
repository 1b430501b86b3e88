import type { DeviceReport } from "../gateway.ts";
import type { Api } from "./api.ts";
import { usage } from "./failure.ts";
import { madeBy } from "./device-rows.ts";
import { ago, printable } from "./print.ts";
import { printPairs } from "./table.ts";
import type { Job, Verb } from "./verb.ts";

export const verb: Verb = {
  forms: ["device ID [--approve]", "device ID name NAME", "device ID forget"],
  about:
    'Shows a device; takes it under management (--approve); gives it a name, or with "" takes the name away; or forgets it:\nif it is seen again it comes back under a new number.',
  options: [{ name: "approve", about: "a device that was only seen is managed from now on" }],
  words: [1, 3],
  kinds: ["device", ["name", "forget"]],
  examples: ["device d1", "device d3 --approve", "device d1 name 'Kitchen lamp'"],
  async run(job) {
    const [id = "", what, name] = job.words;
    const path = `/v1/devices/${encodeURIComponent(id.toWellFormed())}`;
    const approve = job.has("approve");
    const wrong = () => usage(`device ${id} takes nothing more, --approve, name NAME, or forget`, "dmgw device --help");
    if (what !== undefined && approve) throw wrong();
    if (what === "name" && name !== undefined) return show(job, await change(job, `${path}/name`, { name }));
    if (what === "forget" && name === undefined) {
      const { body } = await (await job.api()).send("POST", `${path}/forget`);
      if (job.globals.json) job.json(body);
      else job.line(`${printable(id)} is forgotten`);
      return 0;
    }
    if (what !== undefined) throw wrong();
    if (approve) return show(job, await change(job, `${path}/approve`));
    return show(job, await (await job.api()).get<DeviceReport>(path));
  },
};

async function change(job: Job, path: string, body?: unknown): Promise<DeviceReport> {
  const api: Api = await job.api();
  return (await api.send<DeviceReport>("POST", path, body)).body;
}

function show(job: Job, device: DeviceReport): number {
  if (job.globals.json) {
    job.json(device);
    return 0;
  }
  printPairs(job, [
    ["device", `${device.id} ${device.name}`],
    ["made by", madeBy(device)],
    ["firmware", device.firmware],
    ["state", `${device.state}, ${device.reachable ? "reachable" : "not reachable"}`],
    ["last seen", ago(device.lastSeen) || "never"],
    ["protocols", device.protocols.join(", ")],
    ["addresses", [...device.addresses, device.mac].filter((part) => part !== "").join(", ")],
    ["identities", device.identities.join(", ")],
    ["found by", device.sources.join(", ")],
    ["in the tree", device.uri],
  ]);
  if (!device.managed) job.note(`not managed: dmgw device ${device.id} --approve`);
  return 0;
}
