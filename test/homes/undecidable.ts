import type { Finding } from "./oracle.ts";
import type { Physical } from "./physical.ts";

/** Something that no gateway can decide from what it hears. Whoever lists one says what a person sees then. */
export interface Undecidable {
  readonly name: string;
  /** For the README. */
  readonly sentence: string;
  readonly applies: (finding: Finding) => boolean;
}

const fromBroker = (identity: string) => identity.startsWith("mqtt:");
const fromTables = (identity: string) => /^(neighbours|leases) /.test(identity);
const only = (kind: (identity: string) => boolean) => (side: readonly string[]) => side.every(kind);

/**
 * One physical device that is listed more than once. That nothing that was heard connects its parts is what the ledger has found; this only
 * gives it a name, the first that applies.
 */
export const listedTwice: readonly Undecidable[] = [
  {
    name: "made-up address",
    sentence:
      "A phone that makes up another MAC address and shows nothing else but a name that all phones of its kind have (or none) is a new device each time.",
    applies: ({ devices: [owner], sides }) => owner !== undefined && showsMadeUp(owner) && sides.some(only(fromTables)),
  },
  {
    name: "behind the broker",
    sentence:
      "A device of a broker that says no MAC address, serial number or UUID of its own is not connected with the same device on the network.",
    applies: ({ sides }) => sides.some(only(fromBroker)),
  },
  {
    name: "another interface",
    sentence:
      "A device that was only ever known by its MAC address, and comes back on another interface, is a new one, even under its old DHCP host name: it may be its successor.",
    applies: ({ devices: [owner], sides }) =>
      owner !== undefined && owner.legs.length > 1 && sides.some(only(fromTables)),
  },
  {
    name: "repeater without a lease",
    sentence:
      "Where one MAC address has several IPv4 addresses and DHCP knows none of them, nothing says which of them is the repeater itself: it stands beside what is known of it by name.",
    applies: ({ devices: [owner] }) => owner !== undefined && owner.hides.length > 0,
  },
  {
    name: "everything at once",
    sentence:
      "A device that changes its MAC address and the UUID or name it was known by, while nothing else of it is heard, is a new one.",
    applies: ({ devices: [owner] }) => owner !== undefined && (owner.updates || owner.legs.length > 1),
  },
  {
    name: "heard in turn",
    sentence:
      "What two sources tell of one device, with nothing in common but its address, is two devices until both have told it at the same time.",
    applies: ({ sides }) => !sides.some(only(fromBroker)),
  },
];

/** Several physical devices that are listed as one, although everything that was heard says that they are. */
export const listedAsOne: readonly Undecidable[] = [
  {
    name: "hidden, and seen first",
    sentence:
      "Something behind a repeater, for which DHCP has no lease, is taken for the repeater when its address is the first that the neighbour table shows at the repeater's MAC address.",
    applies: ({ devices, sides }) => {
      const hider = devices.find((one) => devices.some((other) => one.hides.includes(other)));
      if (hider === undefined || devices.length !== 2) return false;
      return !(sides[1 - devices.indexOf(hider)] ?? []).some((identity) => identity.startsWith("leases "));
    },
  },
  {
    name: "one name in turn",
    sentence:
      "Of two devices of the same model with the same name of the maker, of which not both say an id of their own, the second one is taken for the first when it shows up while that one is off.",
    applies: ({ devices, atOnce }) =>
      !atOnce &&
      devices.every(({ kind }) => kind === "twin") &&
      devices.filter(({ upnp }) => upnp.length > 0).length < 2,
  },
  {
    name: "one UUID in turn",
    sentence:
      "Two devices to which the maker gave the same UUID are taken for one for as long as only one of them is on at a time.",
    applies: ({ devices, atOnce }) =>
      !atOnce && devices.every(({ kind, upnp }) => kind === "camera" && upnp[0]?.uuid === devices[0]?.upnp[0]?.uuid),
  },
];

/** Listed twice for a while, although something says that it is one: the gateway waits before it believes that. */
export const listedLate: readonly Undecidable[] = [
  {
    name: "moved and renamed",
    sentence:
      "A device that takes another MAC address, host name and service names in one night, and keeps only its UUID, is listed twice until nothing is left of its old self: its last announcement lives for up to 75 minutes.",
    applies: ({ devices: [owner], sides }) =>
      owner !== undefined &&
      owner.active.length === 1 &&
      sides.every((side) => side.some(fromTables)) &&
      sides.some((side) => side.some((identity) => /^mdns (den|old|upstairs|guest|blue) /.test(identity))),
  },
];

/** The case that a finding is; undefined: it can be decided, and so it is an error. */
export function caseOf(finding: Finding): Undecidable | undefined {
  const cases = { undecided: listedTwice, joined: listedAsOne, twice: listedLate, missing: [] }[finding.what];
  return cases.find(({ applies }) => applies(finding));
}

function showsMadeUp({ legs, rotates, roams }: Physical): boolean {
  return (rotates || roams) && legs.some(({ madeUp }) => madeUp);
}
