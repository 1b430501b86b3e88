import { createHash } from "node:crypto";
import type { Acl, Principal } from "./acl.ts";
import { allows, formatAcl, local } from "./acl.ts";
import type { Call, Mo } from "./mo.ts";
import { join, parent, within } from "./path.ts";
import type { Path } from "./path.ts";
import type { Place, Places } from "./places.ts";
import type { Snapshot } from "./value.ts";
import { isInterior, mimeOf, textOf } from "./value.ts";

type View = Map<Path, string | undefined>;

/** Principals whose fingerprints are kept ready. More than a home has DM servers. */
const maxViews = 16;

/**
 * Fingerprints of subtrees as each principal sees them: equal exactly when names, formats, types, values, titles and ACLs of all that it may Get
 * are equal. Volatile nodes do not count (C-FP). Hashes of interior nodes are kept, so after a change only the way up is read again.
 */
export class Fingerprints {
  readonly #places: Places;
  /** By principal, then node: its hash, or undefined when it was known once and is void now. */
  readonly #views = new Map<string, View>();
  #generation = 0;

  constructor(places: Places) {
    this.#places = places;
  }

  /** Something at or below `at` changed, or who may see it: every hash on the way up is void, and with `below` all beneath. */
  forget(at: Path, below: boolean): void {
    this.#generation++;
    for (const view of this.#views.values()) {
      for (let here: Path | undefined = at; here !== undefined; here = parent(here)) {
        if (view.has(here)) view.set(here, undefined);
      }
      if (!below) continue;
      for (const one of view.keys()) if (within(one, at)) view.delete(one);
    }
  }

  async of(at: Path, call: Call): Promise<string> {
    const view = this.#view(call.by);
    const { acl } = this.#places.effectiveAcl(at);
    return (await this.#node(at, acl, view, call)) ?? "";
  }

  #view(by: Principal): View {
    const key = by.kind === "local" ? "" : `${by.kind} ${by.id}`;
    let view = this.#views.get(key);
    if (view === undefined) {
      if (this.#views.size >= maxViews) this.#views.clear();
      view = new Map();
      this.#views.set(key, view);
    }
    return view;
  }

  async #node(at: Path, acl: Acl, view: View, call: Call): Promise<string | undefined> {
    const kept = view.get(at);
    if (kept !== undefined) return kept;
    const generation = this.#generation;
    const place = this.#places.find(at);
    const schema = place.mount.mo.schema(place.rel);
    if (schema?.volatile === true) return undefined;
    if (schema?.format !== "node") {
      const value = await place.mount.mo.read(place.rel, "one", asLocal(call));
      return this.#hash(place, value, acl, view, call.by, generation);
    }
    // Never asked before: one deep read instead of one call a node.
    if (place.mount.mo !== this.#places.skeleton && !view.has(at)) {
      const all = await place.mount.mo.read(place.rel, "deep", asLocal(call));
      return this.#hash(place, all, acl, view, call.by, generation);
    }
    const shallow = await place.mount.mo.read(place.rel, "one", asLocal(call));
    const parts: string[] = [];
    for (const name of isInterior(shallow) ? [...shallow.children.keys()].sort() : []) {
      const childAt = join(at, name);
      const childAcl = this.#places.ownAcl(childAt) ?? acl;
      if (!this.#mayGet(childAt, childAcl, call.by)) continue;
      const hash = await this.#node(childAt, childAcl, view, call).catch(() => "unknown");
      if (hash !== undefined) parts.push(name, hash);
    }
    return this.#keep(at, view, generation, digest(this.#head(place, "node"), parts));
  }

  #hash(place: Place, snapshot: Snapshot, acl: Acl, view: View, by: Principal, generation: number): string {
    if (!isInterior(snapshot)) return digest(this.#head(place, snapshot.format), [mimeOf(snapshot), textOf(snapshot)]);
    const parts: string[] = [];
    for (const name of [...snapshot.children.keys()].sort()) {
      const child = snapshot.children.get(name);
      const at = join(place.at, name);
      const rel = (place.rel === "" ? name : `${place.rel}/${name}`) as Place["rel"];
      const childAcl = place.mount.book.get(rel)?.acl ?? acl;
      if (place.mount.mo.schema(rel)?.volatile === true || !this.#mayGet(at, childAcl, by, place.mount.mo, rel))
        continue;
      parts.push(
        name,
        child === undefined
          ? "unknown"
          : this.#hash({ at, mount: place.mount, rel }, child, childAcl, view, by, generation),
      );
    }
    return this.#keep(place.at, view, generation, digest(this.#head(place, "node"), parts));
  }

  #mayGet(at: Path, acl: Acl, by: Principal, mo?: Mo, rel?: Place["rel"]): boolean {
    if (!allows(acl, "Get", by)) return false;
    const schema = mo === undefined || rel === undefined ? this.#places.schema(at) : mo.schema(rel);
    return schema === undefined || schema.access.has("Get");
  }

  #head(place: Place, format: string): string {
    const own = place.mount.book.get(place.rel);
    const type = own?.type ?? place.mount.mo.schema(place.rel)?.type ?? "";
    return [format, type, own?.title ?? "", formatAcl(own?.acl)].join("\n");
  }

  #keep(at: Path, view: View, generation: number, hash: string): string {
    // A change that came while we read would be lost for good if its old hash were kept.
    if (generation === this.#generation) view.set(at, hash);
    return hash;
  }
}

function asLocal(call: Call): Call {
  return { ...call, by: local };
}

function digest(head: string, parts: readonly string[]): string {
  const hash = createHash("sha256").update(head);
  for (const part of parts) hash.update("\0").update(String(part.length)).update(":").update(part);
  return hash.digest("hex").slice(0, 32);
}
