import type { IncomingMessage, ServerResponse } from "node:http";
import { DmError, Status } from "../../tree/errors.ts";

export const bodyLimit = 1024 * 1024;

/** One request, as a route sees it. */
export interface Ask {
  /** What stands for ":id" in the route's path, decoded; "" where it has none. */
  readonly id: string;
  /** What stands for "*", still percent-encoded: the address of a node. */
  readonly rest: string;
  readonly query: ReadonlyMap<string, string>;
  readonly lastEventId: string | undefined;
  /** Fires when the caller hangs up, when the time limit of a call has passed, and when the daemon will not wait any longer. */
  readonly signal: AbortSignal;
  /** The JSON object in the body; {} when there is none. Keys other than these are refused. @throws DmError 400, 413. */
  body(...keys: readonly string[]): Promise<Fields>;
}

/** What a route answers: JSON; or a stream that the route writes and ends itself. */
export type Answer =
  | JsonAnswer
  /** `signal` fires when the caller hangs up and when the daemon stops. */
  | { readonly stream: (response: ServerResponse, signal: AbortSignal) => Promise<void> };

export interface JsonAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Route {
  /** Below /v1/. ":id" stands for one segment, "*" for whatever follows. */
  readonly path: string;
  readonly on: ReadonlyMap<string, (ask: Ask) => Promise<Answer> | Answer>;
  /** The names that may stand in the query. */
  readonly query?: readonly string[];
}

export type Fields = ReadonlyMap<string, unknown>;

export const ok = (body: unknown): JsonAnswer => ({ status: Status.ok, body });

/** Reads a JSON object of at most {@link bodyLimit} octets. @throws DmError 400, 413. */
export async function readBody(request: IncomingMessage, keys: readonly string[]): Promise<Fields> {
  const tooLarge = () =>
    new DmError(Status.tooLarge, `the body is larger than ${bodyLimit} bytes; nothing of it was taken`);
  if (Number(request.headers["content-length"]) > bodyLimit) throw tooLarge();
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    // Leaving the loop must not destroy the connection: the caller is still to hear why.
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.byteLength;
      if (size > bodyLimit) throw tooLarge();
      chunks.push(chunk);
    }
  } catch (error) {
    // What it goes on sending is thrown away.
    request.resume();
    throw error;
  }
  const fields = fieldsOf(Buffer.concat(chunks).toString("utf8"));
  for (const key of fields.keys()) {
    if (keys.includes(key)) continue;
    const known = keys.length === 0 ? "nothing is expected" : `expected ${keys.map((k) => `"${k}"`).join(", ")}`;
    throw new DmError(Status.badRequest, `"${key.slice(0, 40)}" in the body is not known: ${known}`);
  }
  return fields;
}

function fieldsOf(text: string): Fields {
  if (text.trim() === "") return new Map();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new DmError(Status.badRequest, `the body is not JSON: ${(error as Error).message}`, { cause: error });
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new DmError(Status.badRequest, 'the body must be a JSON object, such as {"value": "on"}');
  }
  return new Map(Object.entries(json));
}

/** A text of the body; undefined when the key is absent. @throws DmError 400. */
export function textField(fields: Fields, key: string, limit = 65_536): string | undefined {
  const value = fields.get(key);
  if (value === undefined) return undefined;
  if (typeof value !== "string") throw new DmError(Status.badRequest, `"${key}" must be a string`);
  if (value.length > limit) throw new DmError(Status.tooLarge, `"${key}" has more than ${limit} characters`);
  return value;
}

/** A text that must be there and hold something. @throws DmError 400, 412, 413. */
export function neededText(fields: Fields, key: string, limit?: number): string {
  const value = textField(fields, key, limit);
  if (value === undefined || value === "") throw new DmError(Status.incomplete, `"${key}" is missing in the body`);
  return value;
}

/** "?deep" and "?deep=1" are yes; "?deep=0", "=no", "=false" and absence are no. @throws DmError 400 for any other word. */
export function flag(ask: Ask, name: string): boolean {
  const word = ask.query.get(name);
  if (word === undefined || ["0", "no", "false"].includes(word)) return false;
  if (["", "1", "yes", "true"].includes(word)) return true;
  throw new DmError(Status.badRequest, `?${name}=${word.slice(0, 40)}: expected yes or no`);
}
