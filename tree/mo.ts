import type { AclVerb, Principal } from "./acl.ts";
import type { Rel } from "./path.ts";
import type { Batch } from "./ports.ts";
import type { Format, Snapshot, Value } from "./value.ts";

/** The shape of a node that exists, or of one that could be added here. */
export interface NodeSchema {
  /** `any`: whoever adds the node decides its format, interior or leaf. */
  readonly format: Format | "any";
  /** Commands that the node takes at all. Add: it can be added (by the parent's ACL). */
  readonly access: ReadonlySet<AclVerb>;
  /** MIME type of a leaf (default text/plain); MO identifier of an interior node (default none). */
  readonly type?: string;
  /** Cannot be added, deleted or renamed by anybody (DM TND 1.2.1, permanent nodes). */
  readonly permanent?: boolean;
  /** Counters, sensor values, times of last contact: left out of fingerprints, never on the flash. */
  readonly volatile?: boolean;
  readonly description?: string;
}

/** Who asks, and how the call may end. */
export interface Call {
  readonly by: Principal;
  readonly signal: AbortSignal;
  /** Names this call when an `accepted` outcome is reported later. */
  readonly correlator: string;
  /** false (inside Atomic): do it now or fail; never answer `accepted`. */
  readonly mayDefer: boolean;
  /** true: ask the device, even where a last known value would do (`dmgw get --live`). */
  readonly live?: boolean;
}

/** A call that writes. What goes into `batch` is committed once, by the tree, before the command is answered. */
export interface WriteCall extends Call {
  readonly batch: Batch;
}

export type Change =
  | { readonly verb: "Add"; readonly rel: Rel; readonly value: Snapshot }
  | { readonly verb: "Replace"; readonly rel: Rel; readonly value: Value }
  | { readonly verb: "Rename"; readonly rel: Rel; readonly name: string }
  | { readonly verb: "Delete"; readonly rel: Rel };

export interface Outcome {
  readonly state: "done" | "accepted";
  readonly result?: Value;
}

/**
 * A management object: whatever has nodes. Called by Tree only, after its checks (access, existence, format).
 * `schema` and `has` answer from what is known, without waking a device.
 */
export interface Mo {
  /** MO identifier: the Type of its root node. */
  readonly urn: string;
  /** undefined: no such node, and none can be added there. Must answer for the root (""). */
  schema(rel: Rel): NodeSchema | undefined;
  /** Is the node there now, as far as is known? */
  has(rel: Rel): boolean;
  /**
   * one: this node; an interior one with its child names, their snapshots undefined. deep: everything below.
   * Nodes without Get access may be left in: the tree takes them out. @throws DmError
   */
  read(rel: Rel, depth: "one" | "deep", call: Call): Promise<Snapshot>;
  /** When the value of this leaf was last learned, ms since 1970; undefined where it is always present. */
  age?(rel: Rel): number | undefined;
  /** All of the changes, in order, or none of them. @throws DmError */
  apply(changes: readonly Change[], call: WriteCall): Promise<Outcome>;
  exec(rel: Rel, argument: Value | undefined, call: WriteCall): Promise<Outcome>;
}
