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

const states: Readonly<Record<DeviceReport["state"], string>> = {
  seen: "It was seen on the network, and is not managed",
  managed: "It is managed",
  away: "It is known, and away",
  gone: "It has been away for so long that it is gone",
  ignored: "It is ignored: not listed, not in the tree",
};

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
  yield `Not right? Another device is the same:   dmgw device ${story.id} merge ID`;
  yield `           A part of it is another device: dmgw device ${story.id} split IDENTITY…`;
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
  yield `${states[device.state]}${lasting(", ", device.since, now)}${device.reason === "" ? "" : `: ${plain(device.reason)}`}`;
  if (formerIds.length > 0) yield `Parts of it had numbers of their own before: ${formerIds.map(plain).join(", ")}`;
}

function memberLines(member: DeviceStory["members"][number], now: number): string[] {
  const here = member.live ? "there now" : "not there now";
  return [
    `${plain(member.what)} (${here}${lasting(", known ", member.since, now)})`,
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

/** "for 3 h" behind what comes before it; "" where it began just now, or nobody knows when. */
function lasting(before: string, since: string, now: number): string {
  const text = ago(since, now);
  return text.endsWith(" ago") ? `${before}for ${text.slice(0, -" ago".length)}` : "";
}

/** Harmless, and not longer than a person reads. */
const plain = (text: string) => shortened(printable(text), 200);
