import type { Acl, AclVerb } from "./acl.ts";
import { allows, parseAcl, withServer } from "./acl.ts";
import { ChangeError, DmError, Status } from "./errors.ts";
import type { Call, Change, NodeSchema } from "./mo.ts";
import { joinRel, leafName, parent, parentRel, parseRel, root } from "./path.ts";
import type { Path } from "./path.ts";
import type { Mount, Place, Places } from "./places.ts";
import type { Property, TreeChange } from "./shape.ts";
import type { Snapshot, Value } from "./value.ts";
import { isInterior } from "./value.ts";

/** One checked step. `index`: of the change that asked for it (an Add may ask for its missing parents too). */
export type Step =
  | {
      readonly do: "change";
      readonly place: Place;
      readonly change: Change;
      readonly type?: string;
      readonly acl?: Acl;
      readonly index: number;
    }
  | {
      readonly do: "property";
      readonly place: Place;
      readonly property: "ACL" | "Title";
      readonly value: string;
      readonly index: number;
    };

type Kind = "interior" | "leaf" | "gone";

/**
 * Checks a list of changes before anything is written. Each is held against the tree as the ones before it will have left it, so that
 * an Atomic can add a node and then write below it. The order of the checks is ACL 425, existence 404/418, what the node takes 405, format 415.
 */
export class Plan {
  readonly steps: Step[] = [];
  readonly #places: Places;
  readonly #call: Call;
  readonly #kinds = new Map<Path, Kind>();
  readonly #acls = new Map<Path, Acl | undefined>();

  constructor(places: Places, call: Call) {
    this.#places = places;
    this.#call = call;
  }

  /** @throws ChangeError of the first change that cannot be. */
  check(changes: readonly TreeChange[]): readonly Step[] {
    for (const [index, change] of changes.entries()) {
      try {
        this.#one(change, index);
      } catch (cause) {
        throw new ChangeError(index, true, cause);
      }
    }
    return this.steps;
  }

  #one(change: TreeChange, index: number): void {
    switch (change.verb) {
      case "Add":
        return this.#add(change.at, change.value, change.type, index);
      case "Replace":
        return this.#replace(change.at, change.value, index);
      case "Delete":
        return this.#delete(change.at, index);
      case "Rename":
        return this.#rename(change.at, change.name, index);
      case "Property":
        return this.#property(change.at, change.name, change.value, index);
    }
  }

  #add(at: Path, value: Snapshot, type: string | undefined, index: number): void {
    const missing: Path[] = [];
    let above = parent(at);
    while (above !== undefined && this.#kind(above) === undefined) {
      missing.unshift(above);
      above = parent(above);
    }
    if (above === undefined) throw new DmError(Status.alreadyExists, "the root is there");
    this.#demand(above, "Add");
    if (this.#kind(at) !== undefined) throw new DmError(Status.alreadyExists, `${at} is there already`);
    if (this.#kind(above) === "leaf") throw new DmError(Status.notAllowed, `${above} is a leaf`);
    for (const one of missing) this.#addOne(one, { format: "node", children: new Map() }, undefined, index);
    this.#addOne(at, value, type, index);
  }

  #addOne(at: Path, value: Snapshot, type: string | undefined, index: number): void {
    const place = this.#places.find(at);
    const schema = place.mount.mo.schema(place.rel);
    if (!schema?.access.has("Add")) throw new DmError(Status.notAllowed, `${at} cannot be added`, { at });
    const fitted = fitSnapshot(schema, value, at);
    const acl = isInterior(fitted) ? this.#creatorAcl(at) : undefined;
    this.steps.push({
      do: "change",
      place,
      change: { verb: "Add", rel: place.rel, value: fitted },
      index,
      ...(type === undefined ? {} : { type }),
      ...(acl === undefined ? {} : { acl }),
    });
    this.#kinds.set(at, isInterior(fitted) ? "interior" : "leaf");
    if (acl !== undefined) this.#acls.set(at, acl);
  }

  /**
   * Who adds an interior node without Replace on its parent gets Add, Delete and Replace on it (DM TND 1.2.1, setting of the ACL at Add).
   * Everybody else keeps the Get that would have been inherited: a node is not hidden by being added.
   */
  #creatorAcl(at: Path): Acl | undefined {
    const { by } = this.#call;
    if (by.kind === "local") return undefined;
    const { acl } = this.#places.effectiveAcl(parent(at) ?? root, this.#acls);
    if (allows(acl, "Replace", by)) return undefined;
    const readers = acl.get("Get");
    return withServer(readers === undefined ? undefined : new Map([["Get", readers]]), by.id, [
      "Add",
      "Delete",
      "Replace",
    ]);
  }

  #replace(at: Path, value: Value, index: number): void {
    this.#demand(at, "Replace");
    const schema = this.#existing(at);
    if (this.#kind(at) === "interior")
      throw new DmError(Status.notAllowed, `${at} is an interior node: it has no value`);
    if (!schema.access.has("Replace")) throw new DmError(Status.notAllowed, `${at} is read-only`);
    const place = this.#places.find(at);
    this.steps.push({
      do: "change",
      place,
      change: { verb: "Replace", rel: place.rel, value: fit(schema, value, at) },
      index,
    });
  }

  #delete(at: Path, index: number): void {
    this.#demand(at, "Delete");
    const schema = this.#existing(at);
    if (at === root || schema.permanent === true || !schema.access.has("Delete")) {
      throw new DmError(Status.notAllowed, `${at} cannot be deleted`);
    }
    const place = this.#places.find(at);
    this.steps.push({ do: "change", place, change: { verb: "Delete", rel: place.rel }, index });
    this.#kinds.set(at, "gone");
  }

  #rename(at: Path, name: string, index: number): void {
    this.#demand(at, "Replace");
    const schema = this.#existing(at);
    if (at === root || schema.permanent === true) throw new DmError(Status.notAllowed, `${at} cannot be renamed`);
    const segment = parseRel(name);
    if (segment === "" || segment.includes("/")) throw new DmError(Status.badRequest, `"${name}" is not a node name`);
    const place = this.#places.find(at);
    const kind = this.#kind(at) ?? "leaf";
    const to = `${at.slice(0, at.length - leafName(at).length)}${segment}` as Path;
    if (this.#kind(to) !== undefined) throw new DmError(Status.alreadyExists, `${to} is there already`);
    const above = parentRel(place.rel);
    if (above === undefined || place.mount.mo.schema(joinRel(above, segment)) === undefined) {
      throw new DmError(Status.notAllowed, `${at} cannot be renamed to ${segment}`);
    }
    this.steps.push({ do: "change", place, change: { verb: "Rename", rel: place.rel, name: segment }, index });
    this.#kinds.set(at, "gone");
    this.#kinds.set(to, kind);
  }

  #property(at: Path, name: Property, value: string, index: number): void {
    if (name === "Name") return this.#rename(at, value, index);
    if (name !== "ACL" && name !== "Title") throw new DmError(Status.notAllowed, `the property ${name} is read-only`);
    if (name === "ACL") this.#demandAclChange(at);
    else this.#demand(at, "Replace");
    this.#existing(at);
    if (name === "Title" && Buffer.byteLength(value) > 255)
      throw new DmError(Status.tooLarge, "a Title has at most 255 bytes");
    if (name === "ACL") {
      const acl = parseAcl(value);
      if (acl === undefined && at === root) throw new DmError(Status.notAllowed, "the root must have an ACL");
      this.#acls.set(at, acl);
    }
    this.steps.push({ do: "property", place: this.#places.find(at), property: name, value, index });
  }

  /**
   * DM TND 1.2.1, ACL property: an interior node's ACL guards itself; a leaf's does not, so there only Replace on the parent counts. Replace on the
   * parent is enough for both.
   */
  #demandAclChange(at: Path): void {
    const above = parent(at);
    if (above === undefined) return this.#demand(at, "Replace");
    const { by } = this.#call;
    const itself =
      this.#kind(at) === "interior" && allows(this.#places.effectiveAcl(at, this.#acls).acl, "Replace", by);
    if (!itself) this.#demand(above, "Replace");
  }

  #demand(at: Path, verb: AclVerb): void {
    this.#places.demand(at, verb, this.#call.by, this.#acls);
  }

  #existing(at: Path): NodeSchema {
    const schema = this.#kind(at) === undefined ? undefined : this.#places.schema(at);
    if (schema === undefined) throw new DmError(Status.notFound, `there is no node ${at}`);
    return schema;
  }

  /** What will be at this address when the steps so far have run. */
  #kind(at: Path): "interior" | "leaf" | undefined {
    const planned = this.#kinds.get(at);
    if (planned !== undefined) return planned === "gone" ? undefined : planned;
    for (let above = parent(at); above !== undefined; above = parent(above)) {
      if (this.#kinds.has(above)) return undefined;
    }
    if (!this.#places.has(at)) return undefined;
    return this.#places.schema(at)?.format === "node" ? "interior" : "leaf";
  }
}

function fitSnapshot(schema: NodeSchema, value: Snapshot, at: Path): Snapshot {
  if (!isInterior(value)) return fit(schema, value, at);
  if (schema.format !== "node" && schema.format !== "any") throw wrongFormat(schema, "node", at);
  return value;
}

/** bin and b64 are two spellings of the same octets; a whole number is a float too. Nothing else is converted. */
function fit(schema: NodeSchema, value: Value, at: Path): Value {
  const { format } = schema;
  if (format === "any" || format === value.format) return value;
  if ((value.format === "bin" || value.format === "b64") && (format === "bin" || format === "b64"))
    return { ...value, format };
  if (value.format === "int" && format === "float") return { format, data: value.data };
  throw wrongFormat(schema, value.format, at);
}

function wrongFormat(schema: NodeSchema, got: string, at: Path): DmError {
  return new DmError(Status.unsupportedFormat, `${at} has format ${schema.format}, not ${got}`);
}

/** Steps of one MO that follow each other are one call to it: one job for the device. */
export function groups(steps: readonly Step[]): { readonly mount: Mount; readonly steps: readonly Step[] }[] {
  const runs: { mount: Mount; steps: Step[] }[] = [];
  for (const step of steps) {
    const last = runs.at(-1);
    if (last !== undefined && last.mount === step.place.mount && last.steps[0]?.do === step.do) last.steps.push(step);
    else runs.push({ mount: step.place.mount, steps: [step] });
  }
  return runs;
}
