import { madeUpMac, uuidOf } from "./ids.ts";
import type { Network } from "./network.ts";
import { isHere } from "./physical.ts";
import type { Leg, Physical } from "./physical.ts";

/** How often what happens to a device, in a night. */
const shares = { leaves: 0.06, moves: 0.05, updates: 0.04, renamed: 0.02, otherNetwork: 0.02 } as const;

/** What happens to one device in a night. Nothing of it asks the gateway, so a home's life is the same whatever the gateway makes of it. */
export function night(device: Physical, network: Network): void {
  const { random } = device;
  if (!isHere(device)) {
    device.away--;
    if (isHere(device)) comesBack(device, network);
  } else if (random.chance(shares.leaves)) leave(device, random.pick([1, 1, 2, 3, 6]));
  if (!isHere(device)) return;
  device.known = true;
  if (device.rotates) takeOtherLeg(device, network, [renewed(device, madeUpMac(random))]);
  else if (device.kind === "laptop") takeOtherLeg(device, network, someOf(device));
  else if (device.legs.length > 1 && random.chance(shares.moves)) takeOtherLeg(device, network, [nextLeg(device)]);
  if (device.roams && !device.rotates && random.chance(shares.otherNetwork)) joinOtherNetwork(device, network);
  if (device.updates && random.chance(shares.updates)) update(device);
  if (!device.defaultName && random.chance(shares.renamed)) rename(device);
}

/** It is gone, and whoever is behind it. */
export function leave(device: Physical, nights: number): void {
  device.away = nights;
  device.named = false;
  for (const hidden of device.hides) leave(hidden, Math.max(hidden.away, nights));
}

function comesBack(device: Physical, network: Network): void {
  // It was off: it tries the name that its owner gave it first.
  device.suffix = 1;
  if (device.behind !== undefined && !isHere(device.behind)) device.away = device.behind.away;
  else if (device.legs.length > 1 && device.random.chance(0.3)) takeOtherLeg(device, network, [nextLeg(device)]);
}

function takeOtherLeg(device: Physical, network: Network, legs: readonly Leg[]): void {
  for (const leg of device.active) if (!legs.includes(leg) && device.random.chance(0.5)) network.release(leg.mac);
  device.active = legs;
}

function nextLeg({ legs, active }: Physical): Leg {
  const at = legs.findIndex((leg) => leg === active[0]);
  return legs[(at + 1) % legs.length] as Leg;
}

function someOf({ legs, random }: Physical): readonly Leg[] {
  return random.chance(0.4)
    ? legs
    : legs
        .filter((_, n) => n === random.below(legs.length))
        .concat(legs)
        .slice(0, 1);
}

function renewed(device: Physical, mac: string, onto?: string): Leg {
  const [before] = device.legs as [Leg];
  const leg = { ...before, mac, interface: onto ?? before.interface };
  device.legs[0] = leg;
  return leg;
}

/** A phone makes up a MAC for each network; a laptop takes its own along. */
function joinOtherNetwork(device: Physical, network: Network): void {
  const [first] = device.legs;
  if (first === undefined) return;
  const onto = first.interface === "br-lan" ? "iot" : "br-lan";
  takeOtherLeg(device, network, [renewed(device, first.madeUp ? madeUpMac(device.random) : first.mac, onto)]);
}

/** New software: another UUID, wherever it is said. */
function update(device: Physical): void {
  for (const { uuid: old } of device.upnp) {
    const fresh = uuidOf(device.random);
    const swapped = (text: string) => text.replaceAll(old, fresh).replaceAll(withoutDashes(old), withoutDashes(fresh));
    device.upnp = device.upnp.map((root) => ({ ...root, uuid: swapped(root.uuid) }));
    device.announcements = device.announcements.map(({ label, service, text, tokens }) => ({
      label: swapped(label),
      service,
      text: Object.fromEntries(Object.entries(text).map(([key, value]) => [key, swapped(value)])),
      tokens: tokens.map(swapped),
    }));
  }
}

const withoutDashes = (uuid: string) => uuid.replaceAll("-", "");

/** Its owner gives it another name for people; its host name stays. */
function rename(device: Physical): void {
  const word = device.random.pick(["Den", "Old", "Upstairs", "Guest", "Blue"]);
  device.announcements = device.announcements.map((one) => ({ ...one, label: `${word} ${one.label}`.slice(0, 60) }));
}

/** mDNS settles who has a name (RFC 6762 9): who has it already keeps it, the others put a number behind it. */
export function settleNames(devices: readonly Physical[]): void {
  const here = devices.filter((device) => isHere(device) && device.host !== undefined && device.active.length > 0);
  const taken = new Set<string>();
  const namesOf = ({ announcements, host }: Physical, suffix: number) =>
    [...announcements.map(({ label, service }) => `${label} ${service}`), host].map((name) =>
      `${suffix} ${name}`.toLowerCase(),
    );
  const free = (device: Physical, suffix: number) => namesOf(device, suffix).every((name) => !taken.has(name));
  for (const device of [...here].sort((a, b) => Number(b.named) - Number(a.named))) {
    let { suffix } = device;
    while (!free(device, suffix)) suffix++;
    device.suffix = suffix;
    device.named = true;
    for (const name of namesOf(device, suffix)) taken.add(name);
  }
}
