import { DmError, Status } from "../../tree/errors.ts";

/** Exit codes (sysexits.h where they have a name there; 130 is what a shell shows after Ctrl-C). */
export const Exit = { done: 0, failed: 1, usage: 2, noDaemon: 69, config: 78, interrupted: 130 } as const;

/** What the daemon says when it refuses: problem+json. */
export interface Problem {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  readonly uri?: string;
  readonly decision?: Decision;
  readonly problems?: readonly { readonly key: string; readonly message: string; readonly where: string }[];
}

/** Which ACL decided over what a server may do. */
export interface Decision {
  readonly verb: string;
  readonly allowed: boolean;
  readonly acl: string;
  readonly from: string;
  readonly server: string;
}

/** A verb cannot go on: what happened and where, what to do next, and with which code the process ends. */
export class Failure extends DmError {
  readonly exit: number;
  readonly next: string | undefined;
  readonly problem: Problem | undefined;
  constructor(exit: number, message: string, more: { next?: string; problem?: Problem; cause?: unknown } = {}) {
    super(more.problem?.status ?? (exit === Exit.usage ? Status.badRequest : Status.failed), message, {
      cause: more.cause,
    });
    this.name = "Failure";
    this.exit = exit;
    this.next = more.next;
    this.problem = more.problem;
  }
}

export function usage(message: string, next?: string): Failure {
  return new Failure(Exit.usage, message, next === undefined ? {} : { next });
}
