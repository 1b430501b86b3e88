import { PartState } from "../parts.ts";
import type { LanSource, SourceIo } from "./source.ts";

/** DHCP leases as a source: no format is read yet. */
export function startLeases(io: SourceIo, _files: readonly string[] | undefined): LanSource {
  const state = new PartState(io.clock, "waiting");
  return { update: async () => {}, report: () => state.report, forget: () => {}, stop: async () => {} };
}
