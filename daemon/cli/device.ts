import type { DeviceReport, DeviceStory } from "../gateway.ts";
import { changeDevice, deeds } from "./device-deeds.ts";
import { madeBy } from "./device-rows.ts";
import { usage } from "./failure.ts";
import { ago } from "./print.ts";
import { printPairs } from "./table.ts";
import type { Job, Verb } from "./verb.ts";
import { shortened } from "./width.ts";

export const verb: Verb = {
  forms: [
    "device ID [--why | --approve]",
    "device ID name NAME",
    "device ID merge ID2",
    "device ID split [IDENTITY…]",
    "device ID ignore [off]",
    "device ID forget",
  ],
  about: `Shows a device, or decides something about it. What a person decides stays, however often the device is found again.
  name    a name for people; "" takes it away
  merge   ID2 is the same device: everything of it belongs to ID from now on
  split   what has these identities (--why lists them) is another device; without any, the last merge is taken back
  ignore  not listed and not in the tree, until "ignore off"
  forget  as if it had never been there; if it is seen again it comes back under a new number`,
  options: [
    { name: "why", about: "why all that was seen of it is one device, and which devices are others" },
    { name: "approve", about: "a device that was only seen is managed from now on" },
  ],
  words: [1, 64],
  kinds: [
    "device",
    [...deeds.keys()],
    ([, what]) => (what === "merge" ? "device" : what === "ignore" ? ["off"] : undefined),
  ],
  examples: [
    "device d1",
    "device d1 --why",
    "device d3 --approve",
    "device d1 name 'Kitchen lamp'",
    "device d1 merge d4",
    "device d1 split mqtt:homie:lamp",
  ],
  async run(job) {
    const [id = "", what, ...rest] = job.words;
    const [why, approve] = [job.has("why"), job.has("approve")];
    const path = `/v1/devices/${encodeURIComponent(id.toWellFormed())}`;
    const deed = deeds.get(what ?? "");
    if ((what === undefined ? why && approve : why || approve) || (what !== undefined && deed?.takes(rest) !== true)) {
      const forms = [...deeds].map(([name, { words }]) => `${name} ${words}`.trim());
      throw usage(
        `device ${id} takes nothing more, --why, --approve, or one of ${forms.join(", ")}`,
        "dmgw device --help",
      );
    }
    if (deed !== undefined) await deed.run(job, path, rest);
    else if (why) await (await import("./device-why.ts")).tellWhy(job, path);
    else if (approve) await show(job, path, await changeDevice(job, path, "approve"));
    else await show(job, path, await (await job.api()).get<DeviceReport>(path));
    return 0;
  },
};

async function show(job: Job, path: string, device: DeviceReport): Promise<void> {
  if (job.globals.json) return job.json(device);
  const { formerIds } = await (await job.api()).get<DeviceStory>(`${path}/why`);
  const { id, reason, nextProbe } = device;
  const pairs: [name: string, value: string][] = [
    ["device", `${id} ${device.name}`],
    ["made by", madeBy(device)],
    ["firmware", device.firmware],
    [
      "state",
      `${device.state}, ${device.reachable ? "reachable" : "not reachable"}${reason === "" ? "" : `: ${reason}`}`,
    ],
    ["since", ago(device.since)],
    ["last seen", ago(device.lastSeen) || "never"],
    ["next look", nextProbe === undefined ? "" : ago(nextProbe)],
    ["protocols", device.protocols.join(", ")],
    ["addresses", [...device.addresses, device.mac].filter((part) => part !== "").join(", ")],
    ["identities", device.identities.join(", ")],
    ["found by", device.sources.join(", ")],
    ["groups", device.groups.join(", ")],
    ["was also", formerIds.join(", ")],
    ["in the tree", device.managed ? device.uri : ""],
  ];
  if (device.gateway === true) pairs.splice(1, 0, ["kind", "another dmgw gateway"]);
  printPairs(
    job,
    pairs.filter(([, value]) => value !== "").map(([name, value]) => [name, shortened(value, 400)]),
  );
  if (device.state === "ignored") job.note(`ignored: dmgw device ${id} ignore off`);
  else if (!device.managed) job.note(`not managed: dmgw device ${id} --approve`);
}
