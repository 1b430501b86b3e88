import { DmError, Status } from "../../../tree/errors.ts";
import type { Command } from "../../../tree/wire/message.ts";
import { throughout, whole } from "../answer.ts";
import type { Answer } from "../answer.ts";
import type { Execution } from "../execution.ts";
import { failure } from "../execution.ts";
import { add } from "./add.ts";
import { alert } from "./alert.ts";
import { atomic } from "./atomic.ts";
import { copy } from "./copy.ts";
import { remove } from "./delete.ts";
import { exec } from "./exec.ts";
import { get } from "./get.ts";
import { replace } from "./replace.ts";
import { sequence } from "./sequence.ts";

/** Every command that a server may send, and what runs it. */
const commands = {
  Add: add,
  Alert: alert,
  Atomic: atomic,
  Copy: copy,
  Delete: remove,
  Exec: exec,
  Get: get,
  Replace: replace,
  Sequence: sequence,
} as const;

type Run = (command: Command, execution: Execution) => Promise<readonly Answer[]>;
const table: ReadonlyMap<string, Run> = new Map(Object.entries(commands) as [string, Run][]);

/** Commands of SyncML that DM leaves out: known, and not supported. */
const otherCommands: ReadonlySet<string> = new Set(["Map", "Move", "Put", "Search", "Sync"]);

/**
 * Runs one command and answers for it and for everything in it. Never throws: what cannot be done is a status. A command without CmdID, or
 * with the one that stands for the header, is 400 and is not run; one that DM does not use is 406; what nobody knows is 400.
 */
export async function execute(command: Command, execution: Execution): Promise<readonly Answer[]> {
  if (command.cmdId === "" || command.cmdId === "0") return throughout(command, Status.badRequest);
  const run = table.get(command.name);
  if (run === undefined) {
    const known = command.name !== "Unknown" || otherCommands.has(command.element);
    return [whole(command, known ? Status.notSupported : Status.badRequest)];
  }
  if (execution.call.signal.aborted && !(command.name === "Alert")) {
    return throughout(command, failure(stopped(execution), command, execution).status);
  }
  try {
    return await run(command, execution);
  } catch (thrown) {
    return [whole(command, failure(thrown, command, execution).status)];
  }
}

function stopped({ call }: Execution): DmError {
  const { reason } = call.signal as { reason: unknown };
  return reason instanceof DmError ? reason : new DmError(Status.gatewayTimeout, "the session's time is up");
}
