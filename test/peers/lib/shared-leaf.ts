import type { LocalApi } from "./local-api.ts";
import type { Since } from "./tree-writer.ts";

/** A leaf that several writers write at once. */
export interface SharedLeaf {
  readonly at: string;
  readonly acknowledged: number;
  /** Writes a value of its own. false: nobody answered. */
  write(api: LocalApi): Promise<boolean>;
  /** Empty: the value may stand there; else why it may not. */
  check(found: unknown, since: Since): readonly string[];
}

interface Write {
  readonly value: string;
  readonly began: number;
  readonly result: "acknowledged" | "refused" | "in flight";
  readonly ended: number;
}

/**
 * Of writes that overlap any may be the last. So a value may stand there when no acknowledged write began after its own was answered.
 */
export function sharedLeaf(at: string, start: string): SharedLeaf {
  let writes: Write[] = [{ value: start, began: 0, result: "acknowledged", ended: 0 }];
  let step = 0;
  let acknowledged = 0;
  return {
    at,
    get acknowledged() {
      return acknowledged;
    },
    async write(api) {
      const began = ++step;
      const value = `${at} ${began}`;
      const reply = await api.send("PUT", `/v1/tree/${at}`, { value });
      const ended = reply === undefined ? Infinity : ++step;
      const result = reply === undefined ? "in flight" : reply.status === 200 ? "acknowledged" : "refused";
      if (result === "acknowledged") acknowledged++;
      if (result === "refused" && reply?.status !== 420 && reply?.status !== 510)
        throw new Error(`PUT ${at}: ${JSON.stringify(reply)}`);
      writes.push({ value, began, result, ended });
      return result !== "in flight";
    },
    check(found, since) {
      const own = writes.find(({ value }) => value === found);
      if (own === undefined) return [`${at} has a value that nobody wrote: ${String(found)}`];
      const later = writes.find(({ began, result }) => result === "acknowledged" && began > own.ended);
      const refused = since === "alive" ? writes.filter(({ result }) => result === "refused") : [];
      const settled = { ...own, began: step, ended: step, result: "acknowledged" } as const;
      writes = since === "alive" ? [...refused, own] : [settled];
      if (own.result === "refused" && since !== "restart after a dead disk")
        return [`${at} has a value that was refused: ${own.value}`];
      return later === undefined ? [] : [`${at} has ${own.value}, though ${later.value} was acknowledged later`];
    },
  };
}
