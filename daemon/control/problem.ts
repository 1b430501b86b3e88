import { ConfigError, DmError, ProtocolError, Status, reasonOf } from "../../tree/errors.ts";
import type { JsonAnswer } from "./ask.ts";

/** Titles of the DM statuses, for a person. */
const titles = new Map<number, string>([
  [Status.badRequest, "bad request"],
  [Status.invalidCredentials, "wrong credentials"],
  [Status.forbidden, "the device refuses our credentials"],
  [Status.notFound, "not found"],
  [Status.notAllowed, "not allowed here"],
  [Status.notSupported, "not supported"],
  [Status.missingCredentials, "credentials missing"],
  [Status.timeout, "took too long"],
  [Status.conflict, "conflict"],
  [Status.incomplete, "incomplete"],
  [Status.tooLarge, "too large"],
  [Status.uriTooLong, "address too long"],
  [Status.unsupportedFormat, "wrong format"],
  [Status.alreadyExists, "exists already"],
  [Status.deviceFull, "no room left"],
  [Status.permissionDenied, "permission denied"],
  [Status.failed, "failed"],
  [Status.badAnswer, "the device answered nonsense"],
  [Status.unavailable, "not reachable"],
  [Status.gatewayTimeout, "no answer"],
  [Status.storeFailed, "could not be written to the disk"],
]);

/** Where it happened, and what else the caller should know. */
export interface Where {
  readonly uri?: string;
  readonly decision?: unknown;
}

/** Is it an answer to the caller, rather than a bug of ours? */
export function isAnswer(error: unknown): boolean {
  return error instanceof DmError || error instanceof ProtocolError || error instanceof ConfigError;
}

/** The answer to whatever was thrown: { status, title, detail, uri } with the DM status. A bug of ours tells nothing of its insides. */
export function problemOf(error: unknown, where: Where = {}): JsonAnswer {
  const status = statusOf(error);
  const uri = (error instanceof DmError ? error.at : undefined) ?? where.uri;
  return {
    status,
    headers: { "content-type": "application/problem+json" },
    body: {
      status,
      title: titles.get(status) ?? "failed",
      detail: isAnswer(error) ? reasonOf(error) : "an internal error; the log has its trace",
      uri,
      decision: where.decision,
      problems: error instanceof ConfigError ? error.problems : undefined,
    },
  };
}

function statusOf(error: unknown): number {
  if (error instanceof ConfigError) return Status.badRequest;
  if (error instanceof ProtocolError) return Status.badAnswer;
  // Below 400 a status is no refusal, and HTTP would take it for success.
  if (error instanceof DmError && error.status >= 400 && error.status <= 599) return error.status;
  return Status.failed;
}
