import { ProtocolError } from "../../tree/errors.ts";

/** One request or its answer. Header names are lower case. */
export interface Exchange {
  readonly uri: string;
  /** MIME type of the body. */
  readonly type: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

/** Carries messages to a server and back; knows nothing of what is in them. */
export interface Transport {
  /**
   * One request at a time. @throws DmError 503 when the server cannot be reached, 504 when it is silent; ProtocolError for an answer that
   * is none; the signal's reason.
   */
  exchange(request: Exchange, signal: AbortSignal): Promise<Exchange>;
  close(): Promise<void>;
}

/** The server answered, and not with a message. */
export class HttpStatusError extends ProtocolError {
  readonly status: number;
  /** Ms that the server wants to be left alone. */
  readonly retryAfter: number | undefined;
  constructor(status: number, message: string, retryAfter: number | undefined) {
    super(message);
    this.name = "HttpStatusError";
    this.status = status;
    this.retryAfter = retryAfter;
  }
}
