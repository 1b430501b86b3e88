import type { Acl, AclVerb, Principal } from "./acl.ts";
import type { Call, Mo, NodeSchema, Outcome } from "./mo.ts";
import type { Path, Rel } from "./path.ts";
import type { FilledBatch } from "./ports.ts";
import type { Snapshot, Value } from "./value.ts";

export const properties = ["ACL", "Format", "Name", "Size", "Title", "TStamp", "Type", "VerNo", "Fingerprint"] as const;
export type Property = (typeof properties)[number];

export type TreeChange =
  | { readonly verb: "Add"; readonly at: Path; readonly value: Snapshot; readonly type?: string }
  | { readonly verb: "Replace"; readonly at: Path; readonly value: Value }
  | { readonly verb: "Rename"; readonly at: Path; readonly name: string }
  | { readonly verb: "Delete"; readonly at: Path }
  /** ACL, Title, or Name (which renames). */
  | { readonly verb: "Property"; readonly at: Path; readonly name: Property; readonly value: string };

/** Something below `at` is different now. Values do not travel: who cares reads them. */
export interface Changed {
  readonly at: Path;
  readonly verb: "Add" | "Replace" | "Delete" | "Property";
  readonly by: Principal | "device";
  readonly volatile: boolean;
}

/** Why a principal may or may not. */
export interface Decision {
  readonly allowed: boolean;
  /** The ACL that decided, as text, and the node that it stands on. */
  readonly acl: string;
  readonly from: Path;
}

export interface MountOptions {
  readonly key?: string;
  readonly title?: string;
  /** Nothing is new about it (it was known before a restart, or takes the place of another): watchers do not hear of it. */
  readonly quiet?: boolean;
}

export interface Mounted {
  /** A device says that these nodes changed. */
  changed(rels: readonly Rel[]): void;
  unmount(quiet?: boolean): void;
}

/**
 * The one management tree. The only caller of any Mo, and the only place where access is checked.
 * Every method that takes a Call checks, in this order: ACL (425), existence (404), what the node allows (405), format (415);
 * and writes nothing before every check of every change has passed.
 */
export interface TreeShape {
  /**
   * Puts an MO into the tree. `key` names it for good where its place may change (default: the place): ACLs and titles of its nodes hang
   * on it. The interior nodes above a mount are the tree's own.
   */
  mount(at: Path, mo: Mo, options?: MountOptions): Mounted;
  /** An interior node of the tree's own that stays when nothing is mounted below it. */
  branch(at: Path): void;
  /** Where MOs of this identifier stand. */
  instances(urn: string): readonly Path[];
  /** Every mounted MO: identifier and place. */
  mounts(): readonly { readonly at: Path; readonly urn: string }[];
  has(at: Path): boolean;
  /** The shape of a node that exists or could be added; no access check, so not for servers. */
  schema(at: Path): NodeSchema | undefined;
  /** The node, and everything below when deep; what the principal may not Get is left out of a deep answer. */
  get(at: Path, depth: "one" | "deep", call: Call): Promise<Snapshot>;
  property(at: Path, name: Property, call: Call): Promise<string>;
  /** ACL, Name (rename) and Title can be written; the others answer 405. */
  setProperty(at: Path, name: Property, value: string, call: Call): Promise<void>;
  /**
   * All of the changes in order, or none: one commit. Several MOs are undone together on failure.
   * @throws ChangeError: which of the changes failed, with its status.
   */
  change(changes: readonly TreeChange[], call: Call): Promise<Outcome>;
  exec(at: Path, argument: Value | undefined, call: Call): Promise<Outcome>;
  /** For explaining: who decides, and what. */
  decide(at: Path, verb: AclVerb, by: Principal): Decision;
  /** When the leaf's value was learned, ms since 1970; undefined: it is always present. */
  age(at: Path): number | undefined;
  /**
   * Told of every change before it is committed: what the listener puts into `batch` becomes durable together with it.
   * `batch` is undefined for what devices report.
   */
  watch(listener: (changes: readonly Changed[], batch: FilledBatch | undefined) => void): () => void;
  /** A DM account is gone: its id leaves every ACL. Part of the caller's batch. */
  forgetServer(id: string, batch: FilledBatch): void;
  /** The daemon's own hand on an ACL, inside somebody else's commit. */
  protect(at: Path, acl: Acl, batch: FilledBatch): void;
}
