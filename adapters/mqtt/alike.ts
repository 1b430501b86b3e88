import type { Rel } from "../../tree/path.ts";
import type { Property } from "./property.ts";

/** Different things that are held at once; a home has fewer. */
const most = 20_000;

/**
 * Devices of one model say the same of themselves. What is equal is held once for all of them: a property costs some hundred octets, and
 * a device may have two thousand.
 */
export class Alike {
  readonly #properties = new Map<string, Property>();
  readonly #rels = new Map<Rel, Rel>();

  property(one: Property): Property {
    // JSON has no word for these numbers; without one, different rules would look the same.
    const key = JSON.stringify(one, (_key, part: unknown) =>
      typeof part === "bigint" || (typeof part === "number" && !Number.isFinite(part)) ? `number ${part}` : part,
    );
    return held(this.#properties, key, one);
  }

  rel(one: Rel): Rel {
    return held(this.#rels, one, one);
  }
}

function held<K, T>(all: Map<K, T>, key: K, one: T): T {
  const before = all.get(key);
  if (before !== undefined) return before;
  // Whoever has one keeps it; only the sharing begins anew.
  if (all.size >= most) all.clear();
  all.set(key, one);
  return one;
}
