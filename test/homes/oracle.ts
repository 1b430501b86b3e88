import type { DeviceReport } from "../../daemon/gateway.ts";
import type { Home } from "./home.ts";
import type { Physical } from "./physical.ts";

/** Something that is not as it is in truth. */
export interface Finding {
  /**
   * twice: one physical device, two listed ones, although something says that they are one. joined: one listed device, two physical ones.
   * missing: it is there, and not listed. undecided: listed twice, and nothing could tell.
   */
  readonly what: "twice" | "joined" | "missing" | "undecided";
  /** The kinds of devices, and the sources that part or join them: what findings are counted by. */
  readonly cause: string;
  readonly devices: readonly Physical[];
  /** The traces, parted as they are listed, or as they are owned. */
  readonly sides: readonly (readonly string[])[];
  /** They were there at the same time, each with a hardware address of its own: nothing excuses taking them for one. */
  readonly atOnce: boolean;
  /** For a person. */
  readonly story: string;
}

/** Compares the list with the truth. */
export function judge(home: Home): readonly Finding[] {
  const { ledger, gateway } = home;
  const listed = gateway.devices();
  const parts = ledger.parts();
  /** physical -> part -> number -> identities */
  const places = new Map<Physical, Map<string, Map<string, string[]>>>();
  const findings: Finding[] = [];
  const held = new Set<string>();
  for (const report of listed) {
    const owners = new Map<Physical, string[]>();
    for (const identity of gateway.identitiesOf(report.id)) {
      held.add(identity);
      const owner = ledger.ownerOf(identity);
      if (owner === undefined) continue;
      owners.set(owner, [...(owners.get(owner) ?? []), identity]);
      const ofOwner = places.get(owner) ?? new Map<string, Map<string, string[]>>();
      places.set(owner, ofOwner);
      const part = parts.get(identity) ?? identity;
      const ofPart = ofOwner.get(part) ?? new Map<string, string[]>();
      ofOwner.set(part, ofPart);
      ofPart.set(report.id, [...(ofPart.get(report.id) ?? []), identity]);
    }
    if (owners.size > 1) findings.push(joined(report, owners, ledger.wereAtOnce([...owners.keys()])));
  }
  for (const [owner, ofOwner] of places) {
    for (const numbers of ofOwner.values()) if (numbers.size > 1) findings.push(twice("twice", owner, numbers));
    const all = new Map([...ofOwner.values()].flatMap((numbers) => [...numbers]));
    if (ofOwner.size > 1 && all.size > 1) findings.push(twice("undecided", owner, all));
  }
  for (const { identity, owner } of gateway.live)
    if (!held.has(identity) && ledger.ownerOf(identity) !== undefined)
      findings.push({
        what: "missing",
        cause: owner.kind,
        devices: [owner],
        sides: [[identity]],
        atOnce: false,
        story: `${identity} of ${owner.name} is not listed`,
      });
  return findings;
}

function joined(report: DeviceReport, owners: ReadonlyMap<Physical, readonly string[]>, atOnce: boolean): Finding {
  const kinds = [...owners].map(([owner, identities]) => `${owner.kind} (${sourcesOf(identities)})`).sort();
  const all = [...owners].map(([owner, identities]) => `${owner.name} has ${identities.join(" + ")}`);
  return {
    what: "joined",
    cause: kinds.join(" with "),
    devices: [...owners.keys()],
    sides: [...owners.values()],
    atOnce,
    story: `${report.id} is ${owners.size} devices: ${all.join("; ")}`,
  };
}

function twice(what: "twice" | "undecided", owner: Physical, numbers: ReadonlyMap<string, readonly string[]>): Finding {
  const sides = [...numbers.values()].map(sourcesOf).sort();
  const all = [...numbers].map(([id, identities]) => `${id} has ${identities.join(" + ")}`);
  return {
    what,
    cause: `${owner.kind}: ${[...new Set(sides)].join(" | ")}`,
    devices: [owner],
    sides: [...numbers.values()],
    atOnce: false,
    story: `${owner.name} is ${numbers.size} devices: ${all.join("; ")}`,
  };
}

/** "mdns, ssdp" */
function sourcesOf(identities: readonly string[]): string {
  return [
    ...new Set(
      identities.map((identity) => /^(mdns|ssdp|neighbours|leases) /.exec(identity)?.[1] ?? identity.split(":")[0]),
    ),
  ]
    .sort()
    .join(", ");
}
