import { DmError, Status } from "../../tree/errors.ts";
import type { Mo } from "../../tree/mo.ts";
import { top } from "../../tree/path.ts";
import type { Rel } from "../../tree/path.ts";
import { upnpFaceUrn } from "../../tree/project-names.ts";
import type { Attached, Face, Host } from "../adapter.ts";
import type { DeviceNodes } from "../device-nodes.ts";
import type { Described } from "./description.ts";
import { factsOf } from "./facts.ts";
import { nodesOf } from "./nodes.ts";
import type { Leaf } from "./nodes.ts";

/** What a description says, and where and as what it was found. */
export interface Found {
  readonly description: Described;
  readonly location: string;
  readonly address: string;
  readonly clues: Face["clues"];
}

export function identityOf({ id }: Described): string {
  return `upnp:${id}`;
}

/** A root device: its last description, as nodes, and its face. Read only: actions of its services are not called, events not subscribed to. */
export class UpnpDevice {
  readonly identity: string;
  readonly mo: Mo;
  readonly #host: Host;
  readonly #attached: Attached;
  #nodes: DeviceNodes<Leaf>;
  #said: string;
  #fetchedAt: number;
  #reachable = true;

  /**
   * Attaches its face, reachable. `ask` fetches its description anew and hands it to `take`.
   * @throws whatever attach throws; nothing is there then.
   */
  constructor(
    host: Host,
    found: Found,
    about: Pick<Face, "access" | "sightings">,
    ask: (signal: AbortSignal) => Promise<void>,
  ) {
    this.identity = identityOf(found.description);
    this.#host = host;
    this.#nodes = nodesOf(found.description, found.location);
    this.#said = JSON.stringify(facePart(found));
    this.#fetchedAt = host.clock.now();
    this.mo = this.#mo(ask);
    this.#attached = host.attach({
      ...about,
      ...facePart(found),
      identity: this.identity,
      name: "UPnP",
      mo: this.mo,
      reachable: true,
    });
    this.#attached.seen();
  }

  get reachable(): boolean {
    return this.#reachable;
  }

  /** Its description has been fetched anew. */
  take(found: Found): void {
    const before = this.#nodes;
    this.#nodes = nodesOf(found.description, found.location);
    this.#fetchedAt = this.#host.clock.now();
    this.#attached.seen();
    const changed = differences(before, this.#nodes);
    if (changed.length > 0) this.#attached.changed(changed);
    const part = facePart(found);
    const said = JSON.stringify(part);
    if (said === this.#said) return;
    this.#said = said;
    this.#attached.update(part);
  }

  setReachable(now: boolean): void {
    if (now === this.#reachable) return;
    this.#reachable = now;
    this.#attached.reachable(now);
  }

  /** It is no longer known: others need its place. */
  detach(): void {
    this.#attached.detach();
  }

  #mo(ask: (signal: AbortSignal) => Promise<void>): Mo {
    return {
      urn: upnpFaceUrn,
      schema: (rel) => this.#nodes.schema(rel),
      has: (rel) => this.#nodes.has(rel),
      age: (rel) => (this.#nodes.get(rel) === undefined ? undefined : this.#fetchedAt),
      read: async (rel, depth, call) => {
        if (call.live === true) await ask(call.signal);
        const snapshot = this.#nodes.snapshot(rel, depth);
        if (snapshot === undefined) throw new DmError(Status.notFound, `the device has no ${rel}`);
        return snapshot;
      },
      apply: readOnly,
      exec: readOnly,
    };
  }
}

async function readOnly(): Promise<never> {
  throw new DmError(Status.notAllowed, "what a UPnP device says of itself can only be read");
}

function facePart({ description, address, clues }: Found): Pick<Face, "facts" | "addresses" | "clues"> {
  return { facts: factsOf(description), addresses: [address], clues };
}

/** The leaves that say something else now; the root when other ones are there. */
function differences(before: DeviceNodes<Leaf>, now: DeviceNodes<Leaf>): readonly Rel[] {
  const [old, leaves] = [before.leaves(), now.leaves()];
  if (old.size !== leaves.size || [...leaves.keys()].some((rel) => !old.has(rel))) return [top];
  return [...leaves].filter(([rel, { text }]) => old.get(rel)?.text !== text).map(([rel]) => rel);
}
