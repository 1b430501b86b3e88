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
    throw new DmError(Status.storeFailed, `${where} cannot be kept: ${reasonOf(error)}`, { cause: error });
  }
  // Functions and symbols have no JSON; JSON.stringify says so with undefined, against its declared type.
  if ((json as string | undefined) === undefined)
    throw new DmError(Status.storeFailed, `${where} cannot be kept: not a JSON value`);
  return json;
}
