import type { Broker } from "./connection.ts";
import { limits } from "./limits.ts";
import type { Holdings } from "./limits.ts";

const none: ReadonlySet<never> = new Set();

/** Who listens to which topic, for a convention whose devices name each topic themselves. Several may listen to the same one. */
export class Topics<Owner> {
  readonly #broker: Broker;
  readonly #holdings: Holdings;
  readonly #listeners = new Map<string, Set<Owner>>();
  readonly #topics = new Map<Owner, Set<string>>();

  constructor(broker: Broker, holdings: Holdings) {
    this.#broker = broker;
    this.#holdings = holdings;
  }

  listeners(topic: string): ReadonlySet<Owner> {
    return this.#listeners.get(topic) ?? none;
  }

  /** From now on the owner listens to these and no others. `again`: those of them that the broker shall tell anew, as far as it retains them. */
  set(owner: Owner, wanted: ReadonlySet<string>, again: Iterable<string> = []): void {
    const before = this.#topics.get(owner) ?? new Set();
    const gone = [...before].filter((topic) => !wanted.has(topic));
    const fresh = [...wanted].filter((topic) => !before.has(topic) && this.#add(owner, topic));
    const known = [...again].filter((topic) => before.has(topic) && wanted.has(topic));
    for (const topic of gone) this.#drop(owner, topic);
    this.#topics.set(owner, new Set([...before].filter((topic) => wanted.has(topic)).concat(fresh)));
    if (wanted.size === 0) this.#topics.delete(owner);
    if (fresh.length + known.length > 0) this.#broker.subscribe([...fresh, ...known]);
    if (gone.length + known.length > 0) this.#broker.unsubscribe([...gone, ...known]);
  }

  #add(owner: Owner, topic: string): boolean {
    const owners = this.#listeners.get(topic) ?? new Set();
    if (owners.size === 0 && this.#listeners.size >= limits.topics) {
      this.#holdings.refuse("more MQTT topics than dmgw listens to", { topic });
      return false;
    }
    this.#listeners.set(topic, owners.add(owner));
    return true;
  }

  #drop(owner: Owner, topic: string): void {
    const owners = this.#listeners.get(topic);
    owners?.delete(owner);
    if (owners?.size === 0) this.#listeners.delete(topic);
  }
}
