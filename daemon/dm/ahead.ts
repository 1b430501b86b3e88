import { DmError, Status } from "../../tree/errors.ts";
import type { Call } from "../../tree/mo.ts";
import { leafName, parent, relativeTo, join } from "../../tree/path.ts";
import type { Path } from "../../tree/path.ts";
import type { TreeChange, TreeShape } from "../../tree/shape.ts";
import type { LeafFormat, Snapshot } from "../../tree/value.ts";

type Known = Snapshot | "gone" | { readonly was: Path };

/**
 * The tree as changes that are only planned so far will leave it. A member of an Atomic is read against it: a Copy of what an earlier member
 * wrote copies the new value.
 */
export class Ahead {
  readonly #tree: TreeShape;
  readonly #call: Call;
  readonly #known = new Map<Path, Known>();

  constructor(tree: TreeShape, call: Call) {
    this.#tree = tree;
    this.#call = call;
  }

  note(change: TreeChange): void {
    if (change.verb === "Delete") this.#known.set(change.at, "gone");
    else if (change.verb === "Add" || change.verb === "Replace") this.#known.set(change.at, change.value);
    else if (change.verb === "Rename" || change.name === "Name") {
      const name = change.verb === "Rename" ? change.name : change.value;
      const to = `${change.at.slice(0, change.at.length - leafName(change.at).length)}${name}` as Path;
      this.#known.set(to, this.#at(change.at));
      this.#known.set(change.at, "gone");
    }
  }

  has(at: Path): boolean {
    const known = this.#at(at);
    if (known === "gone") return false;
    return "was" in known ? this.#tree.has(known.was) : true;
  }

  /** undefined: no such node, or its format is whoever's who writes it. */
  format(at: Path): LeafFormat | "node" | undefined {
    const known = this.#at(at);
    if (known === "gone") return undefined;
    if (!("was" in known)) return known.format;
    const format = this.#tree.has(known.was) ? this.#tree.schema(known.was)?.format : undefined;
    return format === "any" ? undefined : format;
  }

  /** @throws DmError 404 when it will not be there, and whatever reading it gives. */
  async get(at: Path): Promise<Snapshot> {
    const known = this.#at(at);
    if (known === "gone") throw new DmError(Status.notFound, `there is no node ${at}`);
    return "was" in known ? this.#tree.get(known.was, "one", this.#call) : known;
  }

  #at(at: Path): Known {
    const known = this.#known.get(at);
    if (known !== undefined) return known;
    for (let above = parent(at); above !== undefined; above = parent(above)) {
      const moved = this.#known.get(above);
      if (moved === "gone") return "gone";
      if (moved !== undefined && "was" in moved) return { was: join(moved.was, relativeTo(at, above)) };
    }
    return { was: at };
  }
}
