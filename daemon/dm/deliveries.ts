import { Status } from "../../tree/errors.ts";
import type { Packed } from "./outgoing.ts";

/** Which outbox items went out in which command, and what the server said to them. */
export class Deliveries {
  readonly #sent = new Map<string, string>();
  readonly #dropped = new Set<string>();
  readonly #delivered = new Set<string>();
  readonly #rejected = new Map<string, number>();

  sent({ message, drafts }: Packed): void {
    for (const { draft, cmdId } of drafts)
      if (draft.alert !== undefined) this.#sent.set(`${message.header.msgId} ${cmdId}`, draft.alert);
  }

  /** It need not be told at all. */
  drop(alert: string): void {
    this.#dropped.add(alert);
  }

  answered(msgRef: string, cmdRef: string, status: number): void {
    const alert = this.#sent.get(`${msgRef} ${cmdRef}`);
    if (alert === undefined) return;
    if (status >= 200 && status < 300) this.#delivered.add(alert);
    else if (refusal(status)) this.#rejected.set(alert, status);
  }

  /** @param trusted what was answered counts; else it may have been anybody who answered. */
  result(trusted: boolean): {
    readonly delivered: readonly string[];
    readonly rejected: readonly { readonly id: string; readonly status: number }[];
  } {
    if (!trusted) return { delivered: [...this.#dropped], rejected: [] };
    return {
      delivered: [...this.#dropped, ...this.#delivered],
      rejected: [...this.#rejected].map(([id, status]) => ({ id, status })),
    };
  }
}

/** The server will say the same again; trouble of its own, and missing credentials, pass. */
function refusal(status: number): boolean {
  const passing: readonly number[] = [Status.invalidCredentials, Status.missingCredentials, Status.timeout];
  return status >= 400 && status < 500 && !passing.includes(status);
}
