import type { Refusal } from "./location.ts";
import type { Known, Place } from "./places.ts";

/** Why the description of an announced device is not fetched. */
export type Unasked = Refusal | "crowded";

const reasons: Readonly<Record<Unasked, string>> = {
  elsewhere: "not asked: the description is not on the device itself",
  here: "not asked: on this gateway",
  "no way": "not asked: no way to the device",
  crowded: "left out: too many",
};

/** What `dmgw status` says: "3 devices described, 1 away; 1 without answer". */
export function inWords(
  devices: Iterable<Known>,
  places: Iterable<Place>,
  unasked: Iterable<Unasked>,
): { readonly state: "connected" | "waiting"; readonly detail: string } {
  const all = [...devices];
  const there = all.filter(({ device }) => device.reachable).length;
  const away = all.length - there;
  const asked = [...places].filter(({ keys }) => keys.size > 0);
  const silent = asked.filter(({ failures }) => failures > 0).length;
  const doubles = asked.filter(({ doubleOf }) => doubleOf !== undefined).length;
  // Described, and yet no device.
  const left = asked.filter((place) => place.fetched !== undefined && isNobody(place)).length;
  const counts = new Map<string, number>(left > 0 ? [[reasons.crowded, left]] : []);
  for (const why of unasked) counts.set(reasons[why], (counts.get(reasons[why]) ?? 0) + 1);
  const detail = [
    `${there} ${there === 1 ? "device" : "devices"} described${away > 0 ? `, ${away} away` : ""}`,
    ...(silent > 0 ? [`${silent} without answer`] : []),
    ...(doubles > 0 ? [`${doubles} refused: another host that answers has the same id`] : []),
    ...[...counts].map(([why, count]) => `${count} ${why}`),
  ];
  return { state: there > 0 ? "connected" : "waiting", detail: detail.join("; ") };
}

function isNobody({ failures, doubleOf, known, asking }: Place): boolean {
  return failures === 0 && doubleOf === undefined && known === undefined && !asking;
}
