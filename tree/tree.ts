import type { Acl, AclVerb, Principal } from "./acl.ts";
import { allows, formatAcl, withoutServer } from "./acl.ts";
import { runSteps } from "./atomic.ts";
import { readDeep } from "./deep.ts";
import { DmError, Status } from "./errors.ts";
import { Fingerprints } from "./fingerprint.ts";
import type { Call, Mo, NodeSchema, Outcome } from "./mo.ts";
import { join, joinRel, leafName, parentRel, root } from "./path.ts";
import type { Path, Rel } from "./path.ts";
import type { Place, Mount } from "./places.ts";
import { Places } from "./places.ts";
import { Plan } from "./plan.ts";
import type { Step } from "./plan.ts";
import { bucket, deadline } from "./ports.ts";
import type { Clock, FilledBatch, Log, Store } from "./ports.ts";
import type { StoredProperties, Undo } from "./properties.ts";
import type { Changed, Decision, Mounted, MountOptions, Property, TreeChange, TreeShape } from "./shape.ts";
import { timestamp, undoAll } from "./properties.ts";
import type { Snapshot, Value } from "./value.ts";
import { isInterior, sizeOf } from "./value.ts";

/** See {@link TreeShape}. */
export class Tree implements TreeShape {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #log: Log | undefined;
  readonly #places: Places;
  readonly #fingerprints: Fingerprints;
  readonly #listeners = new Set<(changes: readonly Changed[], batch: FilledBatch | undefined) => void>();

  constructor(ports: { readonly store: Store; readonly clock: Clock; readonly log?: Log }) {
    this.#store = ports.store;
    this.#clock = ports.clock;
    this.#log = ports.log;
    this.#places = new Places(bucket<StoredProperties>(ports.store, "properties"), ports.clock.now());
    this.#fingerprints = new Fingerprints(this.#places);
  }

  mount(at: Path, mo: Mo, options: MountOptions = {}): Mounted {
    const mount = this.#places.mount(at, mo, options.key ?? at, options.title, this.#clock.now());
    this.#mountsChanged(at, "Add", options.quiet === true);
    return {
      changed: (rels) => this.#deviceChanged(mount, rels),
      unmount: (quiet = false) => {
        this.#places.unmount(mount);
        this.#mountsChanged(at, "Delete", quiet);
      },
    };
  }

  branch(at: Path): void {
    this.#places.branch(at);
  }

  instances(urn: string): readonly Path[] {
    return this.mounts()
      .filter((mount) => mount.urn === urn)
      .map((mount) => mount.at);
  }

  mounts(): readonly { readonly at: Path; readonly urn: string }[] {
    return [...this.#places.all()].filter((mount) => mount.at !== root).map(({ at, mo }) => ({ at, urn: mo.urn }));
  }

  has(at: Path): boolean {
    return this.#places.has(at);
  }

  schema(at: Path): NodeSchema | undefined {
    return this.#places.schema(at);
  }

  age(at: Path): number | undefined {
    const { mount, rel } = this.#places.find(at);
    return mount.mo.age?.(rel);
  }

  async get(at: Path, depth: "one" | "deep", call: Call): Promise<Snapshot> {
    const place = this.#demand(at, "Get", call.by);
    if (depth === "one") return place.mount.mo.read(place.rel, "one", call);
    return readDeep(this.#places, place, this.#places.effectiveAcl(at).acl, call);
  }

  async property(at: Path, name: Property, call: Call): Promise<string> {
    this.#places.demand(at, "Get", call.by);
    const { mount, rel } = this.#places.find(at);
    const schema = mount.mo.has(rel) ? mount.mo.schema(rel) : undefined;
    if (schema === undefined) throw new DmError(Status.notFound, `there is no node ${at}`);
    const own = mount.book.get(rel);
    switch (name) {
      case "ACL":
        return formatAcl(this.#places.ownAcl(at));
      case "Format":
        return schema.format;
      case "Name":
        return leafName(at);
      case "Title":
        return own?.title ?? (rel === "" ? mount.title : undefined) ?? "";
      case "TStamp":
        return timestamp(own?.tstamp ?? mount.since);
      case "VerNo":
        return String(own?.verno ?? 0);
      case "Fingerprint":
        return this.#fingerprints.of(at, call);
      case "Type":
        if (schema.format === "node") return own?.type ?? schema.type ?? (rel === "" ? mount.mo.urn : "");
        return schema.type ?? "text/plain";
      case "Size": {
        if (schema.format === "node") throw new DmError(Status.notSupported, "interior nodes have no Size");
        const value = await mount.mo.read(rel, "one", call);
        return isInterior(value) ? "0" : String(sizeOf(value));
      }
    }
  }

  async setProperty(at: Path, name: Property, value: string, call: Call): Promise<void> {
    await this.change([{ verb: "Property", at, name, value }], call);
  }

  async change(changes: readonly TreeChange[], call: Call): Promise<Outcome> {
    const steps = new Plan(this.#places, call).check(changes);
    const batch = this.#store.batch();
    // Taking back gets time of its own: the call that failed may have used up its own.
    const patience = deadline(this.#clock, 30_000);
    try {
      const done = await runSteps(
        steps,
        { ...call, undoSignal: patience.signal },
        batch,
        () => this.#store.batch(),
        this.#log,
      );
      const changed = steps.flatMap((step) => describe(step, call.by));
      if (done.outcome.state === "accepted") {
        await this.#store.commit(batch);
        return done.outcome;
      }
      const untouch = this.#touch(steps, batch);
      this.#tell(changed, batch);
      try {
        await this.#store.commit(batch);
      } catch (error) {
        untouch();
        await done.undo();
        this.#tell(changed, undefined);
        throw error;
      }
      return done.outcome;
    } finally {
      patience.clear();
    }
  }

  async exec(at: Path, argument: Value | undefined, call: Call): Promise<Outcome> {
    const place = this.#demand(at, "Exec", call.by);
    const batch = this.#store.batch();
    const outcome = await place.mount.mo.exec(place.rel, argument, { ...call, batch });
    await this.#store.commit(batch);
    return outcome;
  }

  decide(at: Path, verb: AclVerb, by: Principal): Decision {
    const { acl, from } = this.#places.effectiveAcl(at);
    return { allowed: allows(acl, verb, by), acl: formatAcl(acl), from };
  }

  watch(listener: (changes: readonly Changed[], batch: FilledBatch | undefined) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  forgetServer(id: string, batch: FilledBatch): void {
    const changed: Changed[] = [];
    for (const mount of this.#places.all()) {
      for (const [rel, acl] of [...mount.book.acls()]) {
        const at = rel === "" ? mount.at : join(mount.at, rel);
        const left = withoutServer(acl, id, at === root);
        if (formatAcl(left) === formatAcl(acl)) continue;
        mount.book.setAcl(rel, left, batch);
        changed.push({ at, verb: "Property", by: "device", volatile: false });
      }
    }
    if (changed.length > 0) this.#tell(changed, batch);
  }

  protect(at: Path, acl: Acl, batch: FilledBatch): void {
    const { mount, rel } = this.#places.find(at);
    mount.book.setAcl(rel, acl, batch);
    this.#tell([{ at, verb: "Property", by: "device", volatile: false }], batch);
  }

  #demand(at: Path, verb: "Get" | "Exec", by: Principal): Place {
    this.#places.demand(at, verb, by);
    const place = this.#places.find(at);
    const schema = place.mount.mo.has(place.rel) ? place.mount.mo.schema(place.rel) : undefined;
    if (schema === undefined) throw new DmError(Status.notFound, `there is no node ${at}`);
    if (!schema.access.has(verb)) throw new DmError(Status.notAllowed, `${at} does not take ${verb}`);
    return place;
  }

  /** TStamp and VerNo of what changed, and of the parent whose list of children changed. Durable only together with a durable value. */
  #touch(steps: readonly Step[], batch: FilledBatch): Undo {
    const now = this.#clock.now();
    const durable = batch.size > 0 ? batch : undefined;
    const undos: Undo[] = [];
    for (const step of steps) {
      const { mount, rel } = step.place;
      const above = parentRel(rel);
      const verb = step.do === "property" ? "Replace" : step.change.verb;
      if (verb !== "Replace" && above !== undefined) undos.push(mount.book.touch(above, now, durable));
      if (verb === "Delete") continue;
      const at = step.do === "change" && step.change.verb === "Rename" ? joinRel(above ?? rel, step.change.name) : rel;
      undos.push(mount.book.touch(at, now, durable));
    }
    return undoAll(undos);
  }

  #mountsChanged(at: Path, verb: "Add" | "Delete", quiet: boolean): void {
    if (quiet) this.#fingerprints.forget(at, true);
    else this.#tell([{ at, verb, by: "device", volatile: false }], undefined);
  }

  #deviceChanged(mount: Mount, rels: readonly Rel[]): void {
    const now = this.#clock.now();
    const changes = rels.map((rel): Changed => {
      mount.book.touch(rel, now, undefined);
      const volatile = mount.mo.schema(rel)?.volatile === true;
      return {
        at: rel === "" ? mount.at : join(mount.at, rel),
        verb: mount.mo.has(rel) ? "Replace" : "Delete",
        by: "device",
        volatile,
      };
    });
    this.#tell(changes, undefined);
  }

  #tell(changes: readonly Changed[], batch: FilledBatch | undefined): void {
    for (const change of changes) {
      if (!change.volatile) this.#fingerprints.forget(change.at, change.verb !== "Replace");
    }
    for (const listener of this.#listeners) listener(changes, batch);
  }
}

function describe(step: Step, by: Principal): Changed[] {
  const { at, mount, rel } = step.place;
  const volatile = mount.mo.schema(rel)?.volatile === true;
  if (step.do === "property") return [{ at, verb: "Property", by, volatile }];
  if (step.change.verb !== "Rename") return [{ at, verb: step.change.verb, by, volatile }];
  const to = join(mount.at, joinRel(parentRel(rel) ?? rel, step.change.name));
  return [
    { at, verb: "Delete", by, volatile },
    { at: to, verb: "Add", by, volatile },
  ];
}
