import type { DeviceReport, DeviceStory } from "../gateway.ts";
import { madeBy } from "./device-rows.ts";
import { ago, printable } from "./print.ts";
import type { Job } from "./verb.ts";
import { shortened } from "./width.ts";

const kinds = new Map([
  ["mac", "hardware address"],
  ["serial", "serial number"],
  ["uuid", "unique id"],
  ["dhcp-id", "DHCP client id"],
  ["host-name", "host name"],
  ["protocol-id", "id in its own network"],
  ["address", "network address"],
]);

const said: Readonly<Record<DeviceStory["clues"][number]["said"], string>> = {
  network: "the network says so",
  device: "it says so itself",
  person: "a person said so",
};

const weights: Readonly<Record<DeviceStory["clues"][number]["weight"], string>> = {
  strong: "enough by itself",
  weak: "not enough by itself",
  junk: "counts for nothing: many devices have the same",
  shared: "counts for nothing: it stands for several devices",
};

/** Prints why everything that was seen of a device is one device. @param path of the device in the local API */
export async function tellWhy(job: Job, path: string): Promise<void> {
  const api = await job.api();
  const story = await api.get<DeviceStory>(`${path}/why`);
  if (job.globals.json) return job.json(story);
  const device = await api.get<DeviceReport>(path);
  for (const line of whyLines(device, story)) job.line(line);
}

/** The story, in words for the person who put the devices up. What devices say of themselves stands in quotes, or behind a colon. */
export function* whyLines(device: DeviceReport, story: DeviceStory, now = Date.now()): Generator<string> {
  yield* section("What it is", [...whatItIs(device, story, now)]);
  yield* section(
    "What belongs to it, and why",
    story.members.flatMap((member) => memberLines(member, now)),
  );
  yield* section("What it is known by", story.clues.map(clueLine));
  yield* section("Other devices that have something in common with it", story.others.flatMap(otherLines));
  yield* section(
    "What people decided",
    story.decisions.map(({ at, what }) => `${ago(at, now)}: ${plain(what)}`),
  );
  yield `Not right? dmgw device ${story.id} merge ID says that another one is the same, dmgw device ${story.id} split`;
  yield "IDENTITY that a part of it is another device. What you decide stays.";
}

function* section(title: string, lines: readonly string[]): Generator<string> {
  yield title;
  for (const line of lines.length === 0 ? ["nothing"] : lines) yield `  ${line}`;
  yield "";
}

function* whatItIs(device: DeviceReport, { formerIds }: DeviceStory, now: number): Generator<string> {
  const made = madeBy(device);
  const at = device.addresses[0];
  const parts = [made === "" ? "" : `made by ${plain(made)}`, at === undefined ? "" : `at ${plain(at)}`];
  yield [`${device.id} is "${plain(device.name)}"`, ...parts.filter((part) => part !== "")].join(", ");
  const since = ago(device.since, now);
  yield `It is ${device.state}${since === "" ? "" : ` since ${since.replace(/ ago$/, "")}`}${
    device.reason === "" ? "" : `: ${plain(device.reason)}`
  }`;
  if (formerIds.length > 0) yield `Parts of it had numbers of their own before: ${formerIds.map(plain).join(", ")}`;
}

function memberLines(member: DeviceStory["members"][number], now: number): string[] {
  const since = ago(member.since, now);
  const state = `${member.live ? "there now" : "not there now"}${since === "" ? "" : `, known since ${since}`}`;
  return [
    `${plain(member.what)} (${state.replace(/ ago$/, "")})`,
    ...member.because.map((reason) => `  - ${plain(reason)}`),
    `  its identity: ${plain(member.identity)}`,
  ];
}

function clueLine({ kind, value, said: by, weight }: DeviceStory["clues"][number]): string {
  return `${kinds.get(kind) ?? plain(kind)} ${plain(value)}: ${said[by]}; ${weights[weight]}`;
}

function otherLines({ id, name, because }: DeviceStory["others"][number]): string[] {
  return [`${plain(id)} "${plain(name)}" is another device:`, ...because.map((reason) => `  - ${plain(reason)}`)];
}

/** Harmless, and not longer than a person reads. */
const plain = (text: string) => shortened(printable(text), 200);
