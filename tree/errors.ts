/**
 * The DM status codes that dmgw answers with (OMA-TS-DM_RepPro 1.2.1 section 10; SyncML response status codes).
 * The number is the wire value.
 */
export const Status = {
  ok: 200,
  accepted: 202,
  authenticated: 212,
  chunkBuffered: 213,
  cancelled: 214,
  notExecuted: 215,
  rolledBack: 216,
  notModified: 304,
  badRequest: 400,
  invalidCredentials: 401,
  forbidden: 403,
  notFound: 404,
  notAllowed: 405,
  notSupported: 406,
  missingCredentials: 407,
  timeout: 408,
  conflict: 409,
  incomplete: 412,
  tooLarge: 413,
  uriTooLong: 414,
  unsupportedFormat: 415,
  tooBigToShow: 416,
  alreadyExists: 418,
  deviceFull: 420,
  sizeMismatch: 424,
  permissionDenied: 425,
  failed: 500,
  badAnswer: 502,
  unavailable: 503,
  gatewayTimeout: 504,
  dtdNotSupported: 505,
  atomicFailed: 507,
  storeFailed: 510,
  protocolNotSupported: 513,
  rollBackFailed: 516,
  atomicAnswerTooLarge: 517,
} as const;

/** A command cannot be done. Made where the cause is known, answered in one place: the session, or the local API. */
export class DmError extends Error {
  readonly status: number;
  /** The node that failed, where it is not the one that the command named (an implicitly added parent). */
  readonly at: string | undefined;
  constructor(status: number, message: string, options?: { cause?: unknown; at?: string }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.name = "DmError";
    this.status = status;
    this.at = options?.at;
  }
}

/** One change of several failed, and so none of them holds. The status is the failing one's own. */
export class ChangeError extends DmError {
  /** Which of the changes. */
  readonly index: number;
  /** false: an earlier change could not be taken back (the Atomic's members then get 516). */
  readonly undone: boolean;
  constructor(index: number, undone: boolean, cause: unknown) {
    const known = cause instanceof DmError ? cause : undefined;
    super(
      known?.status ?? Status.failed,
      reasonOf(cause),
      known?.at === undefined ? { cause } : { cause, at: known.at },
    );
    this.name = "ChangeError";
    this.index = index;
    this.undone = undone;
  }
}

/** A peer speaks nonsense. Made by codecs; whoever owns the connection closes, logs and backs off. */
export class ProtocolError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "ProtocolError";
  }
}

/** A file or an argument of ours is wrong: every problem at once. The daemon prints them and exits 78. */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[];
  constructor(problems: readonly ConfigProblem[]) {
    super(problems.map((p) => p.message).join("\n"));
    this.name = "ConfigError";
    this.problems = problems;
  }
}

export interface ConfigProblem {
  /** Path of the key: "adapters.mqtt.url". */
  readonly key: string;
  /** One line for a person: what is wrong, what is allowed, what was probably meant. */
  readonly message: string;
  /** "file:line:column", "--set", or the built-in defaults. */
  readonly where: string;
}

/** The text of whatever was thrown, for a log line or an answer; never a stack. */
export function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
