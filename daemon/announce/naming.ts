import type { Clock, Log } from "../../tree/ports.ts";
import type { GatewayAnnounced } from "./announcer.ts";
import { hostLabel, instanceLabel, renamed } from "./names.ts";

/** RFC 6762 8.1: after fifteen conflicts within ten seconds each further try waits five. */
const conflictsAtMost = 15;
const conflictsWithinMs = 10_000;
const conflictWaitMs = 5000;
/** Of names that others have so many are told. */
const toldAtMost = 5;

/** Which of its two names. */
export type OwnName = "instance" | "host";

/** The gateway's names on all of its links: where one is taken on one link it has another one on every link. */
export interface Naming {
  readonly labels: Readonly<Record<OwnName, string>>;
  /** Somebody else has this full name. Nothing happens when it is no longer ours. */
  conflict(which: OwnName, fullName: string): void;
}

/** `changed`: the names are others now, and may be probed for after so many ms; undefined: as usual. */
export function gatewayNaming(
  { id, model, machine }: Pick<GatewayAnnounced, "id" | "model" | "machine">,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
  changed: (afterMs: number | undefined) => void,
): Naming {
  const wanted = { instance: instanceLabel(model, machine), host: hostLabel(id) };
  const taken = { instance: 0, host: 0 };
  let labels: Naming["labels"] = wanted;
  let conflicts: readonly number[] = [];
  return {
    get labels() {
      return labels;
    },
    conflict(which, fullName) {
      // Two links hear of the same conflict; the second finds the name changed.
      if (!fullName.startsWith(`${labels[which]}.`)) return;
      const now = clock.monotonic();
      conflicts = [...conflicts.filter((at) => now - at < conflictsWithinMs), now].slice(-conflictsAtMost);
      taken[which]++;
      labels = { ...labels, [which]: renamed(wanted[which], taken[which], which) };
      const tell = taken.instance + taken.host <= toldAtMost ? log.info : log.debug;
      tell(`another has the name ${fullName}`, { now: labels[which] });
      changed(conflicts.length >= conflictsAtMost ? conflictWaitMs : undefined);
    },
  };
}
