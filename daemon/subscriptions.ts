import type { Principal } from "../tree/acl.ts";
import { parsePath, within } from "../tree/path.ts";
import type { Path } from "../tree/path.ts";
import { atChange } from "../tree/project-names.ts";
import type { Changed, TreeShape } from "../tree/shape.ts";
import type { Outbox } from "./outbox.ts";
import type { ServerAccount } from "./upstream/account.ts";

/** Turns changes of the tree into alerts, for the servers that asked for them (`report` of an account). */
export interface Subscriptions {
  /** These accounts from now on. */
  set(accounts: readonly ServerAccount[]): void;
  stop(): void;
}

interface Subscription {
  readonly by: Principal & { readonly kind: "server" };
  readonly subtrees: readonly Path[];
}

/**
 * Watches the tree. A server hears of a change below its subtrees unless it made the change itself or may not Get the node. A written change
 * is committed together with its alert; what a device reports costs a write only where the node is no volatile one, and only the first time.
 */
export function openSubscriptions({ tree, outbox }: { tree: TreeShape; outbox: Outbox }): Subscriptions {
  let subscriptions: readonly Subscription[] = [];

  const stop = tree.watch((changes, batch) => {
    for (const { by, subtrees } of subscriptions) {
      for (const change of changes) {
        if (!concerns(change, subtrees) || madeBy(change, by.id)) continue;
        const { at, volatile } = change;
        if (tree.schema(at)?.access.has("Get") === false || !tree.decide(at, "Get", by).allowed) continue;
        outbox.add(by.id, { key: at, uri: at, type: atChange, durable: !volatile }, volatile ? undefined : batch);
      }
    }
  });

  return {
    set(accounts) {
      subscriptions = accounts
        .filter((account) => account.report !== undefined && account.refused === undefined)
        .map(({ id, report }) => ({ by: { kind: "server", id }, subtrees: (report?.subtrees ?? []).map(parsePath) }));
    },
    stop() {
      stop();
    },
  };
}

/** What stands above a subtree concerns it when it goes. */
function concerns({ at, verb }: Changed, subtrees: readonly Path[]): boolean {
  // An alert tells a value; properties (ACL, Title) are no part of it.
  if (verb === "Property") return false;
  return subtrees.some((subtree) => within(at, subtree) || (verb === "Delete" && within(subtree, at)));
}

function madeBy({ by }: Changed, id: string): boolean {
  return by !== "device" && by.kind === "server" && by.id === id;
}
