import { DmError, Status, reasonOf } from "../tree/errors.ts";
import type { FilledBatch } from "../tree/ports.ts";

/** One write as a store keeps it; `json` undefined means delete. */
export interface SerializedWrite {
  readonly table: string;
  readonly key: string;
  readonly json: string | undefined;
}

export function emptyBatch(): FilledBatch {
  const writes: { table: string; key: string; value?: unknown }[] = [];
  return {
    put: (table, key, value) => void writes.push({ table, key, value }),
    delete: (table, key) => void writes.push({ table, key }),
    get size() {
      return writes.length;
    },
    writes,
  };
}

/**
 * The batch as it is kept. Taken once, when it is committed: what happens to the values afterwards no longer matters.
 * @throws DmError 510 when a value is not JSON: the batch fails as a whole, before anything of it was written.
 */
export function serialize(batch: FilledBatch): SerializedWrite[] {
  return batch.writes.map(({ table, key, value }) => {
    // A lone surrogate has no UTF-8: two such keys would be kept as one.
    if (!table.isWellFormed() || !key.isWellFormed())
      throw cannot(`${table}/${key}`.toWellFormed(), "a name that is not Unicode");
    if (value === undefined) return { table, key, json: undefined };
    const json = jsonOf(value, `${table}/${key}`);
    return { table, key, json };
  });
}

function jsonOf(value: unknown, where: string): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (error) {
    throw cannot(where, reasonOf(error), error);
  }
  // Functions and symbols have no JSON; JSON.stringify says so with undefined, against its declared type.
  if ((json as string | undefined) === undefined) throw cannot(where, "not a JSON value");
  return json;
}

function cannot(where: string, why: string, cause?: unknown): DmError {
  return new DmError(Status.storeFailed, `${where} cannot be kept: ${why}`, { cause });
}
