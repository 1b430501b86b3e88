import type { DeviceReport, GroupReport } from "../gateway.ts";
import { printDevices } from "./device-rows.ts";
import { usage } from "./failure.ts";
import { printable } from "./print.ts";
import { printPairs, printTable } from "./table.ts";
import type { Job, Verb } from "./verb.ts";
import { shortened } from "./width.ts";

export const verb: Verb = {
  forms: [
    "groups",
    "groups show GROUP",
    "groups set GROUP [--rule RULE | --members ID,…] [--name NAME]",
    "groups rm GROUP",
  ],
  about: `Lists the groups of devices, shows one with its devices, makes or changes one, removes one. A group has the devices that fit its
rule, at any time, or those of a list. A rule is made of terms such as maker=acme* or protocol!=MQTT:
  keys    maker, model, firmware, name, protocol, state (seen, managed, away, gone)
  values  * is any text, ? one character; small and capital letters are alike; nothing: it is not known; "…" keeps & and | in it
  & |     and, or; & binds closer
What a device says of itself is not proven: where that matters, add state=managed.`,
  options: [
    { name: "rule", value: "RULE", about: "the devices that fit it" },
    { name: "members", value: "ID,…", about: "these devices" },
    { name: "name", value: "NAME", about: "a name for people" },
  ],
  words: [0, 2],
  kinds: [["show", "set", "rm"], "group"],
  examples: [
    "groups set lamps --rule 'maker=acme* & protocol=MQTT' --name 'All lamps'",
    "groups set mine --members d1,d4",
    "groups show lamps",
  ],
  async run(job) {
    const [what, id = ""] = job.words;
    const given = ["rule", "members", "name"].some((option) => job.has(option));
    const path = `/v1/groups/${encodeURIComponent(id.toWellFormed())}`;
    if (what === undefined && !given) return list(job);
    if (id !== "" && what === "set" && given) return set(job, path);
    if (id === "" || given || (what !== "show" && what !== "rm"))
      throw usage(
        what === "set" && id !== ""
          ? "groups set needs --rule, --members or --name"
          : "groups takes show, set or rm, and a group",
        "dmgw groups --help",
      );
    if (what === "show") return show(job, await (await job.api()).get<GroupReport>(path));
    const { body } = await (await job.api()).send("DELETE", path);
    if (job.globals.json) job.json(body);
    else job.line(`${printable(id)} removed`);
    return 0;
  },
};

async function list(job: Job): Promise<number> {
  const groups = await (await job.api()).get<readonly GroupReport[]>("/v1/groups");
  if (job.globals.json) job.json(groups);
  else if (groups.length === 0) job.note("no group yet: dmgw groups set NAME --rule 'maker=acme*'");
  else
    printTable(
      job,
      ["ID", "NAME", "DEVICES", "RULE"],
      groups.map(({ id, name, members, rule }) => [
        id,
        shortened(name, 48),
        String(members.length),
        rule || "(a list)",
      ]),
    );
  return 0;
}

async function set(job: Job, path: string): Promise<number> {
  const [name, rule, list] = [job.text("name"), job.text("rule"), job.text("members")];
  if (rule !== undefined && list !== undefined)
    throw usage("a group has a rule or a list of members, not both", "dmgw groups --help");
  const members = list?.split(/[\s,]+/).filter((one) => one !== "");
  const { body } = await (await job.api()).send<GroupReport>("PUT", path, { name, rule, members });
  return show(job, body);
}

async function show(job: Job, group: GroupReport): Promise<number> {
  if (job.globals.json) {
    job.json(group);
    return 0;
  }
  const { id, name, rule, members } = group;
  printPairs(job, [
    ["group", id === name ? id : `${id} ${shortened(name, 80)}`],
    ["rule", rule || "none: a list made by hand"],
    ["in the tree", `./GwMO/DeviceInventory/Groups/${id}`],
    ["devices", String(members.length)],
  ]);
  if (members.length === 0) return 0;
  const devices = await (await job.api()).get<readonly DeviceReport[]>("/v1/devices");
  const belonging = new Set(members);
  job.line("");
  printDevices(
    job,
    devices.filter((device) => belonging.has(device.id)),
  );
  return 0;
}
