/** Models that are held at once; a home has fewer. */
const most = 20_000;

/**
 * Devices of one model say the same of themselves. What is equal is held once for all of them: a property costs some hundred octets, and
 * a device may have two thousand. Only for what nobody changes.
 */
export class Alike<T> {
  readonly #held = new Map<string, T>();

  /** The first thing that was given under this key. */
  of(key: string, make: () => T): T {
    const held = this.#held.get(key);
    if (held !== undefined) return held;
    // Whoever has it keeps it; only the sharing begins anew.
    if (this.#held.size >= most) this.#held.clear();
    const made = make();
    this.#held.set(key, made);
    return made;
  }
}
