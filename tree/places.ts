import type { Acl, AclVerb, Principal } from "./acl.ts";
import { allows, formatAcl, parseAcl } from "./acl.ts";
import { DmError, Status } from "./errors.ts";
import type { Mo, NodeSchema } from "./mo.ts";
import { parent, relativeTo, root, within } from "./path.ts";
import type { Path, Rel } from "./path.ts";
import type { Bucket } from "./ports.ts";
import { PropertyBook } from "./properties.ts";
import type { StoredProperties } from "./properties.ts";
import { Skeleton } from "./skeleton.ts";

export interface Mount {
  readonly at: Path;
  readonly mo: Mo;
  readonly book: PropertyBook;
  readonly title: string | undefined;
  /** Ms since 1970: the TStamp of nodes that never changed since. */
  readonly since: number;
}

/** Where an address leads: the MO that answers for it, whether or not the node is there. */
export interface Place {
  readonly at: Path;
  readonly mount: Mount;
  readonly rel: Rel;
}

const rootAcl = parseAcl("Add=*&Get=*") as Acl;

/** Which MO stands where, and whose ACL holds where. */
export class Places {
  readonly skeleton = new Skeleton();
  readonly #mounts = new Map<Path, Mount>();
  readonly #kept = new Set<Rel>();
  readonly #bucket: Bucket<StoredProperties>;

  constructor(bucket: Bucket<StoredProperties>, since: number) {
    this.#bucket = bucket;
    const book = new PropertyBook(bucket, root);
    this.#mounts.set(root, { at: root, mo: this.skeleton, book, title: undefined, since });
  }

  mount(at: Path, mo: Mo, key: string, title: string | undefined, since: number): Mount {
    const above = this.find(at);
    if (above.mount.mo !== this.skeleton || this.skeleton.has(above.rel)) {
      throw new DmError(Status.alreadyExists, `${at} is taken`);
    }
    const mount = { at, mo, book: new PropertyBook(this.#bucket, key), title, since };
    this.#mounts.set(at, mount);
    this.skeleton.grow(above.rel, false);
    return mount;
  }

  unmount(mount: Mount): void {
    if (this.#mounts.get(mount.at) !== mount) return;
    this.#mounts.delete(mount.at);
    this.skeleton.prune(relativeTo(mount.at, root), this.#kept);
  }

  /** An interior node of the tree's own that stays when nothing is mounted below it. */
  branch(at: Path): void {
    const rel = relativeTo(at, root);
    this.skeleton.grow(rel, true);
    this.#kept.add(rel);
  }

  all(): Iterable<Mount> {
    return this.#mounts.values();
  }

  /** Mounts at or below an address. */
  below(at: Path): Mount[] {
    return [...this.#mounts.values()].filter((mount) => within(mount.at, at));
  }

  find(at: Path): Place {
    for (let here: Path | undefined = at; here !== undefined; here = parent(here)) {
      const mount = this.#mounts.get(here);
      if (mount !== undefined) return { at, mount, rel: here === root ? relativeTo(at, root) : relativeTo(at, here) };
    }
    throw new DmError(Status.failed, "the tree has no root");
  }

  has(at: Path): boolean {
    const { mount, rel } = this.find(at);
    return mount.mo.has(rel);
  }

  schema(at: Path): NodeSchema | undefined {
    const { mount, rel } = this.find(at);
    return mount.mo.schema(rel);
  }

  ownAcl(at: Path): Acl | undefined {
    const { mount, rel } = this.find(at);
    return mount.book.get(rel)?.acl ?? (at === root ? rootAcl : undefined);
  }

  /**
   * The list that holds at a node: its own, else that of the nearest node above that has one, whole (DM TND 1.2.1, ACL inheritance).
   * `own` may know better than the tree: ACLs that are about to be written.
   */
  effectiveAcl(at: Path, own?: ReadonlyMap<Path, Acl | undefined>): { readonly acl: Acl; readonly from: Path } {
    for (let here: Path | undefined = at; here !== undefined; here = parent(here)) {
      const acl = own?.has(here) ? own.get(here) : this.ownAcl(here);
      if (acl !== undefined) return { acl, from: here };
    }
    return { acl: rootAcl, from: root };
  }

  /** @throws DmError 425, naming the list that said no. */
  demand(at: Path, verb: AclVerb, by: Principal, own?: ReadonlyMap<Path, Acl | undefined>): void {
    if (by.kind === "local") return;
    const { acl, from } = this.effectiveAcl(at, own);
    if (allows(acl, verb, by)) return;
    throw new DmError(
      Status.permissionDenied,
      `${by.id} may not ${verb} ${at}: the ACL of ${from} is "${formatAcl(acl)}"`,
    );
  }
}
