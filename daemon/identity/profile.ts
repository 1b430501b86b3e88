import { isJunk, keyOf } from "./clues.ts";
import type { Clue, ClueKey } from "./clues.ts";

/** Everything that tells one device from others: the sum of what its members say, without junk. */
export interface Profile {
  readonly keys: ReadonlySet<ClueKey>;
  /** Hardware addresses at which the network has seen it. */
  readonly macs: ReadonlySet<string>;
  /** Hardware addresses that it only says of itself. */
  readonly claimedMacs: ReadonlySet<string>;
  /** UUIDs, ids of protocols, DHCP client ids. */
  readonly ids: ReadonlySet<ClueKey>;
  /** Those of them that the device says of itself. */
  readonly ownIds: ReadonlySet<ClueKey>;
  readonly serials: ReadonlySet<string>;
  readonly hosts: ReadonlySet<string>;
  /** The same, with those that many have. */
  readonly names: ReadonlySet<string>;
}

export function profileOf(members: readonly { readonly clues: readonly Clue[] }[]): Profile {
  const keys = new Set<ClueKey>();
  const macs = new Set<string>();
  const claimedMacs = new Set<string>();
  const ids = new Set<ClueKey>();
  const ownIds = new Set<ClueKey>();
  const serials = new Set<string>();
  const hosts = new Set<string>();
  const names = new Set<string>();
  for (const { clues } of members) {
    for (const one of clues) {
      if (one.kind === "host-name") names.add(one.value);
      if (isJunk(one)) continue;
      keys.add(keyOf(one));
      if (one.kind === "mac") (one.said === "network" ? macs : claimedMacs).add(one.value);
      else if (one.kind === "serial") serials.add(one.value);
      else if (one.kind === "host-name") hosts.add(one.value);
      else {
        ids.add(keyOf(one));
        if (one.said === "device") ownIds.add(keyOf(one));
      }
    }
  }
  for (const mac of macs) claimedMacs.delete(mac);
  return { keys, macs, claimedMacs, ids, ownIds, serials, hosts, names };
}
