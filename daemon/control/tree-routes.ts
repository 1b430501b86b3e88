import { randomUUID } from "node:crypto";
import type { AclVerb, Principal } from "../../tree/acl.ts";
import { isServerId, local, server } from "../../tree/acl.ts";
import { DmError, Status } from "../../tree/errors.ts";
import type { Call, Outcome } from "../../tree/mo.ts";
import type { Path } from "../../tree/path.ts";
import { parent, parsePath, root } from "../../tree/path.ts";
import type { Clock } from "../../tree/ports.ts";
import type { Property, TreeShape } from "../../tree/shape.ts";
import { properties } from "../../tree/shape.ts";
import type { LeafFormat, Snapshot, Value } from "../../tree/value.ts";
import { chr, emptyInterior } from "../../tree/value.ts";
import type { Answer, Ask, Fields, JsonAnswer } from "./ask.ts";
import { flag, neededText, ok, textField } from "./ask.ts";
import { formatNamed, formatOf, nodeJson, valueJson, valueOf } from "./nodes.ts";
import { isAnswer, problemOf } from "./problem.ts";

type TreeRoute = (ask: Ask) => Promise<Answer>;

/** One request about one node: who asks, and what is needed to answer. */
interface NodeAsk {
  readonly ask: Ask;
  readonly at: Path;
  readonly call: Call;
}

/** /v1/tree and /v1/exec. */
export function treeRoutes(
  tree: TreeShape,
  clock: Clock,
): { get: TreeRoute; put: TreeRoute; post: TreeRoute; delete: TreeRoute; exec: TreeRoute } {
  const onNode = (verb: AclVerb, run: (one: NodeAsk) => Promise<JsonAnswer>) => (ask: Ask) =>
    explained(tree, verb, ask, run);

  return {
    get: onNode("Get", async ({ ask, at, call }) => {
      const name = ask.query.get("prop");
      if (name !== undefined) {
        const prop = propertyNamed(name);
        return ok({ uri: at, prop, value: await tree.property(at, prop, call) });
      }
      const deep = flag(ask, "deep");
      const snapshot = await tree.get(at, deep ? "deep" : "one", call);
      return ok(await nodeJson({ tree, now: clock.now(), call }, at, snapshot, deep));
    }),

    put: onNode("Replace", async ({ ask, at, call }) => {
      const fields = await ask.body("value", "prop");
      if (!fields.has("value")) throw new DmError(Status.incomplete, '"value" is missing in the body');
      const name = ask.query.get("prop") ?? textField(fields, "prop");
      if (name !== undefined) {
        const value = textField(fields, "value") ?? "";
        await tree.setProperty(at, propertyNamed(name), value, call);
        return ok({ state: "done", uri: at });
      }
      const value = await sameKind(tree, at, fields.get("value"), call);
      return outcomeAnswer(await tree.change([{ verb: "Replace", at, value }], call), at, call);
    }),

    post: onNode("Add", async ({ ask, at, call }) => {
      const fields = await ask.body("value", "format", "type");
      const type = textField(fields, "type", 255);
      const value = newNode(tree, at, fields, type);
      // The type of an interior node is its MO identifier and travels beside it; a leaf holds its own.
      const typed = value.format === "node" && type !== undefined ? { type } : {};
      const outcome = await tree.change([{ verb: "Add", at, value, ...typed }], call);
      return outcomeAnswer(outcome, at, call, 201);
    }),

    delete: onNode("Delete", async ({ at, call }) =>
      outcomeAnswer(await tree.change([{ verb: "Delete", at }], call), at, call),
    ),

    exec: onNode("Exec", async ({ ask, at, call }) => {
      const fields = await ask.body("value", "format");
      return outcomeAnswer(await tree.exec(at, argumentOf(fields), call), at, call);
    }),
  };
}

/** Runs it as whoever asks, and answers every refusal with the node's address; with ?as= also with the ACL that decided. */
async function explained(
  tree: TreeShape,
  verb: AclVerb,
  ask: Ask,
  run: (one: NodeAsk) => Promise<JsonAnswer>,
): Promise<JsonAnswer> {
  let uri = ask.rest === "" ? "." : ask.rest;
  let decision: unknown;
  try {
    const at = ask.rest === "" ? root : parsePath(ask.rest);
    uri = at;
    const as = ask.query.get("as");
    const call = callOf(ask, as === undefined ? local : serverNamed(as));
    if (as !== undefined) decision = { verb, ...tree.decide(guardOf(tree, at, verb), verb, call.by), server: as };
    const answer = await run({ ask, at, call });
    if (decision === undefined) return answer;
    return { ...answer, body: { ...(answer.body as object), decision } };
  } catch (error) {
    // A bug of ours is for the one place that logs it.
    if (!isAnswer(error)) throw error;
    return problemOf(error, { uri, decision });
  }
}

function callOf(ask: Ask, by: Principal): Call {
  const live = flag(ask, "live") ? { live: true } : {};
  return { by, signal: ask.signal, correlator: randomUUID(), mayDefer: true, ...live };
}

function serverNamed(id: string): Principal {
  if (isServerId(id)) return server(id);
  throw new DmError(Status.badRequest, `"${id.slice(0, 40)}" cannot be a server id`);
}

/** The node whose ACL decides: for Add it is the nearest one above that is there. */
function guardOf(tree: TreeShape, at: Path, verb: AclVerb): Path {
  if (verb !== "Add") return at;
  let above = parent(at);
  while (above !== undefined && !tree.has(above)) above = parent(above);
  return above ?? root;
}

function propertyNamed(name: string): Property {
  const property = properties.find((one) => one.toLowerCase() === name.toLowerCase());
  if (property !== undefined) return property;
  throw new DmError(Status.notSupported, `"${name.slice(0, 40)}" is not a property: expected ${properties.join(", ")}`);
}

/** The new value in the node's own format and type: `set` never changes them. @throws DmError 404, 405 (interior), 415. */
async function sameKind(tree: TreeShape, at: Path, json: unknown, call: Call): Promise<Value> {
  const own: Call = { ...call, by: local };
  const format = formatNamed(await tree.property(at, "Format", own));
  if (format === "node") throw new DmError(Status.notAllowed, `${at} is an interior node: it has no value`);
  const type = await tree.property(at, "Type", own);
  return valueOf(json, format, type === "text/plain" || type === "" ? undefined : type);
}

/** What POST adds: without value and format an interior node; else a leaf of the format given, of the place's own, or of the JSON value's. */
function newNode(tree: TreeShape, at: Path, fields: Fields, type: string | undefined): Snapshot {
  const named = textField(fields, "format", 40);
  const json = fields.get("value");
  const format =
    named === undefined ? (json === undefined ? "node" : leafFormatAt(tree, at, json)) : formatNamed(named);
  if (format !== "node") return valueOf(json ?? (format === "null" ? null : ""), format, type);
  if (json !== undefined) throw new DmError(Status.badRequest, "an interior node has no value");
  return emptyInterior;
}

function leafFormatAt(tree: TreeShape, at: Path, json: unknown): LeafFormat {
  const format = tree.schema(at)?.format ?? "any";
  return format === "any" || format === "node" ? formatOf(json) : format;
}

function argumentOf(fields: Fields): Value | undefined {
  const json = fields.get("value");
  if (json === undefined) return undefined;
  const named = textField(fields, "format", 40);
  if (named === undefined) return typeof json === "string" ? chr(json) : valueOf(json, formatOf(json));
  const format = formatNamed(neededText(fields, "format"));
  if (format === "node") throw new DmError(Status.unsupportedFormat, "the argument of Exec is a leaf value");
  return valueOf(json, format);
}

function outcomeAnswer(outcome: Outcome, uri: Path, call: Call, done = 200): JsonAnswer {
  if (outcome.state === "accepted") {
    return { status: Status.accepted, body: { state: "queued", uri, correlator: call.correlator } };
  }
  const result = outcome.result === undefined ? {} : { result: valueJson(outcome.result) };
  return { status: done, body: { state: "done", uri, ...result } };
}
