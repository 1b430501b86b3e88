import { DmError, Status, reasonOf } from "../../tree/errors.ts";
import type { Call } from "../../tree/mo.ts";
import type { Log } from "../../tree/ports.ts";
import type { TreeShape } from "../../tree/shape.ts";
import type { Command, Item } from "../../tree/wire/message.ts";
import { whole } from "./answer.ts";
import type { Answer, ItemAnswer } from "./answer.ts";

/** All that a command needs to run. */
export interface Execution {
  readonly tree: TreeShape;
  readonly log: Log;
  /** With the rights of the session's server; its signal ends the command. */
  readonly call: Call;
  /** Runs one more command, for the groups. */
  readonly execute: (command: Command) => Promise<readonly Answer[]>;
  /** Targets whose first chunks were refused: their last chunk looks like a whole value, and is not. */
  readonly chunked: Set<string>;
  /** Octets of Results that are left to the command, with everything inside it. */
  readonly results: { left: number };
}

/** Commands that are a list of items. */
export type ItemCommand = Extract<Command, { readonly items: readonly Item[]; readonly cmdId: string }>;

/** Runs a command item by item; each has a status of its own. @param run throws DmError for an item that cannot be done. */
export async function eachItem(
  command: ItemCommand,
  execution: Execution,
  run: (item: Item) => Promise<Omit<ItemAnswer, "target" | "source">>,
): Promise<readonly Answer[]> {
  if (command.items.length === 0) return [whole(command, Status.incomplete)];
  const items: ItemAnswer[] = [];
  for (const item of command.items) {
    try {
      refuseChunk(command, item, execution);
      items.push({ ...refsOf(item), ...(await run(item)) });
    } catch (thrown) {
      items.push({ ...refsOf(item), ...failure(thrown, command, execution) });
    }
  }
  return [{ command, items }];
}

export function refsOf(item: Item): Pick<ItemAnswer, "target" | "source"> {
  return {
    ...(item.target === undefined ? {} : { target: item.target.uri }),
    ...(item.source === undefined ? {} : { source: item.source.uri }),
  };
}

/**
 * Large objects are not taken (./DevDetail/LrgObj is false). Every chunk is refused, the last one too, which carries no mark.
 * @throws DmError 413
 */
export function refuseChunk(command: ItemCommand, item: Item, { chunked }: Execution): void {
  const key = `${command.name} ${item.target?.uri ?? ""}`;
  if (item.moreData) {
    if (chunked.size < 64) chunked.add(key);
  } else if (!chunked.delete(key)) return;
  throw new DmError(Status.tooLarge, "large objects are not supported");
}

/** The status for what was thrown: its own for a DmError; 500 and a stack in the log for a mistake of ours. */
export function failure(
  thrown: unknown,
  command: Command,
  { log }: Execution,
): { readonly status: number; readonly about?: readonly Item[] } {
  const name = command.name === "Unknown" ? command.element : command.name;
  if (!(thrown instanceof DmError) || isBug(thrown)) {
    const stack =
      thrown instanceof Error ? (thrown.cause instanceof Error ? thrown.cause.stack : thrown.stack) : undefined;
    log.error(`${name} failed through a mistake of ours`, { reason: reasonOf(thrown), stack });
    return { status: Status.failed };
  }
  log.debug(`${name} refused`, { status: thrown.status, reason: thrown.message });
  if (thrown.at === undefined) return { status: thrown.status };
  return { status: thrown.status, about: [{ target: { uri: thrown.at }, meta: {}, moreData: false }] };
}

/** The tree wraps whatever an MO threw, mistakes included. */
function isBug(error: DmError): boolean {
  return error.name === "ChangeError" && error.cause !== undefined && !(error.cause instanceof DmError);
}

/** `work`, unless the signal fires first: then the DmError that is its reason, or 504. What never ends holds nobody up. */
export async function within<T>({ signal }: Pick<Call, "signal">, work: Promise<T>): Promise<T> {
  let stop = (): void => undefined;
  const timeUp = new Promise<never>((_, reject) => {
    stop = () => {
      const { reason } = signal as { reason: unknown };
      reject(reason instanceof DmError ? reason : new DmError(Status.gatewayTimeout, reasonOf(reason)));
    };
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([work, timeUp]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
