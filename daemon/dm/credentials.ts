import { ProtocolError, Status } from "../../tree/errors.ts";
import { authTypes, makeChal, makeCred, newNonce, nonceOf, verifyCred } from "../../tree/wire/auth.ts";
import type { AuthType, Chal, Cred } from "../../tree/wire/message.ts";

/** How one side proves itself to the other. */
export interface Credentials {
  readonly type: "basic" | "digest" | "hmac" | "transport";
  readonly name: string;
  readonly secret: string;
  /** The configured first nonce, octets. */
  readonly nonce: Uint8Array;
}

/**
 * We prove ourselves to the server (Protocol 1.2.1, 2.4; Security 1.2.1, 5.1). The first message already carries our Cred, made with the last
 * known nonce; a challenge is answered once.
 */
export class OurProof {
  readonly #credentials: Credentials | undefined;
  /** Passwords may travel readable: over TLS, or where the account says so. */
  readonly #basicAllowed: boolean;
  #type: AuthType | undefined;
  #nonce: Uint8Array;
  #showing: boolean;
  #challenged = false;
  #accepted = false;

  constructor(credentials: Credentials | undefined, nonce: Uint8Array | undefined, basicAllowed: boolean) {
    this.#credentials = credentials;
    this.#basicAllowed = basicAllowed;
    this.#type = wireType(credentials);
    this.#nonce = nonce ?? credentials?.nonce ?? new Uint8Array();
    this.#showing = this.#type !== undefined && (this.#type !== authTypes.basic || basicAllowed);
  }

  /** The nonce to begin the next session with; undefined when it need not be kept. */
  get next(): Uint8Array | undefined {
    return this.#accepted && this.#type === authTypes.digest ? this.#nonce : undefined;
  }

  /** The user name, for Source/LocName, where the digest needs one. */
  get name(): string | undefined {
    return this.#showing && this.#type === authTypes.digest ? this.#credentials?.name : undefined;
  }

  cred(): Cred | undefined {
    if (!this.#showing || this.#type === undefined || this.#credentials === undefined) return undefined;
    return makeCred(this.#type, this.#credentials, this.#nonce);
  }

  /** The server's Status for our header. true: the message has to be sent again, with the Cred it asks for. @throws ProtocolError: no use going on. */
  heard(status: number, chal: Chal | undefined): boolean {
    if (status === Status.invalidCredentials || status === Status.missingCredentials) {
      this.#take(status, chal);
      return true;
    }
    if (status < 200 || status >= 300) throw new ProtocolError(`the server refuses the session with status ${status}`);
    this.#accepted = true;
    this.#challenged = false;
    // 212 holds for the session; 200 only for this message (Protocol 1.2.1, 2.4.1).
    if (status === Status.authenticated) this.#showing = false;
    if (chal?.type === this.#type) this.#nonce = (chal && nonceOf(chal)) ?? this.#nonce;
    return false;
  }

  #take(status: number, chal: Chal | undefined): void {
    const wrong = status === Status.invalidCredentials;
    if (this.#credentials === undefined || this.#credentials.type === "transport")
      throw new ProtocolError("the server asks for credentials, and the account has none");
    if (this.#challenged || chal === undefined)
      throw new ProtocolError(
        `the server ${wrong ? "refuses our credentials" : "does not take our credentials"} (${status})`,
      );
    if (chal.type === authTypes.basic && !this.#basicAllowed)
      throw new ProtocolError("the server asks for basic authentication without TLS, which the account does not allow");
    if (chal.type !== authTypes.basic && chal.type !== authTypes.digest)
      throw new ProtocolError(`the server asks for ${chal.type.slice(0, 40)}, which is not supported`);
    this.#challenged = true;
    this.#showing = true;
    this.#type = chal.type;
    this.#nonce = nonceOf(chal) ?? this.#nonce;
  }
}

/** What our Status for the server's header says. */
export interface Verdict {
  readonly status: number;
  readonly chal?: Chal;
}

/** The server proves itself to us. Nothing that it asks for is done before. */
export class ServerProof {
  readonly #credentials: Credentials | undefined;
  readonly #type: AuthType | undefined;
  #nonce: Uint8Array;
  #authenticated: boolean;
  #challenges = 0;
  #told: Uint8Array | undefined;

  /** @param trusted authenticated by its pinned TLS certificate. */
  constructor(credentials: Credentials | undefined, nonce: Uint8Array | undefined, trusted: boolean) {
    this.#credentials = credentials;
    this.#type = wireType(credentials);
    this.#nonce = nonce ?? credentials?.nonce ?? new Uint8Array();
    this.#authenticated = trusted;
  }

  get authenticated(): boolean {
    return this.#authenticated;
  }

  /** The nonce that the server has for its next session; undefined when it was told none. */
  get next(): Uint8Array | undefined {
    return this.#told;
  }

  /** Two challenges were of no use. */
  get exhausted(): boolean {
    return this.#challenges >= 2;
  }

  check(cred: Cred | undefined): Verdict {
    if (this.#authenticated) return { status: cred === undefined ? Status.ok : Status.authenticated };
    if (this.#type === undefined || this.#credentials === undefined) return { status: Status.missingCredentials };
    if (!verifyCred(cred, this.#type, this.#credentials, this.#nonce))
      return { status: cred === undefined ? Status.missingCredentials : Status.invalidCredentials };
    this.#authenticated = true;
    if (this.#type !== authTypes.digest) return { status: Status.authenticated };
    this.#nonce = newNonce();
    return { status: Status.authenticated, chal: makeChal(this.#type, this.#nonce) };
  }

  /** What a server is told that has still to prove itself: a nonce of its own for each try. */
  challenge(verdict: Verdict): Verdict {
    if (this.#type === undefined) return verdict;
    this.#challenges++;
    this.#nonce = newNonce();
    return { status: verdict.status, chal: makeChal(this.#type, this.#nonce) };
  }

  /** The verdict goes out: from here on the server may know the nonce in it, and the one before is never good again. */
  sent(verdict: Verdict): void {
    if (verdict.status === Status.authenticated && verdict.chal !== undefined) this.#told = this.#nonce;
  }
}

function wireType(credentials: Credentials | undefined): AuthType | undefined {
  if (credentials?.type === "basic") return authTypes.basic;
  return credentials?.type === "digest" ? authTypes.digest : undefined;
}
