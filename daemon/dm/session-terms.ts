import type { Log } from "../../tree/ports.ts";
import type { TreeShape } from "../../tree/shape.ts";
import type { Credentials } from "./credentials.ts";
import type { AlertItem } from "./package-one.ts";

/** The account as a session needs it. */
export interface SessionAccount {
  readonly id: string;
  readonly url: string;
  readonly version: "1.2" | "1.3" | "2.0";
  readonly client: Credentials | undefined;
  readonly server: Credentials | undefined;
  readonly tls: { readonly ca?: string };
  readonly insecure: boolean;
}

export interface SessionOptions {
  readonly account: SessionAccount;
  /** ./DevInfo/DevId. */
  readonly gatewayId: string;
  readonly tree: TreeShape;
  readonly reason: { readonly code: 1200 | 1201; readonly sessionId: string };
  readonly alerts: readonly AlertItem[];
  /** The last known nonces, octets; undefined: those of the account. */
  readonly nonces: { readonly client?: Uint8Array | undefined; readonly server?: Uint8Array | undefined };
  /** Octets of a message that we take; announced to the server. */
  readonly maxMsgSize: number;
  /** A time limit for one command. */
  readonly timeLimit: () => { readonly signal: AbortSignal; clear(): void };
  readonly log: Log;
}

/** How a session ended. */
export interface SessionEnd {
  readonly ok: boolean;
  readonly error?: string;
  /** Outbox items that need not be told again: the server has them, or has no right to them. */
  readonly delivered: readonly string[];
  /** Outbox items that the server does not want: it would say the same again. */
  readonly rejected: readonly { readonly id: string; readonly status: number }[];
  /** Nonces to begin the next session with; undefined: those before still hold. */
  readonly nonces: { readonly client?: Uint8Array; readonly server?: Uint8Array };
}
