import { authTypes, makeChal, makeCred, newNonce, nonceOf, verifyCred } from "../../../tree/wire/auth.ts";
import type { Proof } from "../../../tree/wire/auth.ts";
import type { Chal, Cred } from "../../../tree/wire/message.ts";

export type AuthKind = "basic" | "digest" | "none";

export interface Account extends Proof {
  /** The first nonce, octets; default: empty. */
  readonly nonce?: Uint8Array;
}

/** What a server remembers of one device between sessions. */
export interface Nonces {
  /** The device's next Cred is made with it. */
  client: Uint8Array;
  /** Our next Cred is made with it. */
  server: Uint8Array;
}

/** What the Status for the header says. */
export interface Verdict {
  readonly status: number;
  readonly chal?: Chal;
}

/** How both sides prove themselves in one session (DM Protocol 1.2.1, 2.4). */
export class Proofs {
  readonly #kind: AuthKind;
  readonly #client: Account;
  readonly #nonces: Nonces;
  /** Of a challenge of ours that is not answered yet: the nonce that is kept for good is only set by a device that proved itself. */
  #challenge: Uint8Array | undefined;
  #failures = 0;
  #proven: boolean;
  #believed = false;
  #doubts = 0;

  constructor(kind: AuthKind, client: Account, nonces: Nonces) {
    this.#kind = kind;
    this.#client = client;
    this.#nonces = nonces;
    this.#proven = kind === "none";
  }

  /** The device has proven itself. */
  get proven(): boolean {
    return this.#proven;
  }

  /** The device was refused as often as we care to. */
  get hopeless(): boolean {
    return this.#failures > 2;
  }

  /** The device does not believe us, twice in a row. */
  get refused(): boolean {
    return this.#doubts > 1;
  }

  /** Judges the Cred of a message. @param always refuse whatever comes with this status. */
  judge(cred: Cred | undefined, always: 401 | 407 | undefined): Verdict {
    if (this.#kind === "none") return { status: 200 };
    if (this.#proven && always === undefined) return { status: cred === undefined ? 200 : 212 };
    const type = authTypes[this.#kind];
    const nonce = this.#challenge ?? this.#nonces.client;
    if (always === undefined && verifyCred(cred, type, this.#client, nonce)) {
      this.#proven = true;
      if (this.#kind === "basic") return { status: 212 };
      this.#nonces.client = newNonce();
      return { status: 212, chal: makeChal(type, this.#nonces.client) };
    }
    this.#failures++;
    this.#challenge = newNonce();
    return { status: always ?? (cred === undefined ? 407 : 401), chal: makeChal(type, this.#challenge) };
  }

  /** Our Cred for the next message, until the device takes our word for the session. */
  show(proof: Proof, nonce: Uint8Array): Cred | undefined {
    if (this.#kind === "none" || this.#believed) return undefined;
    return makeCred(authTypes[this.#kind], proof, nonce);
  }

  /** The device's Status for our header. "again": it wants credentials, and did nothing of what we asked. */
  heard(status: number, chal: Chal | undefined): "fine" | "again" {
    const nonce = chal && nonceOf(chal);
    if (status === 401 || status === 407) {
      this.#doubts++;
      if (nonce) this.#nonces.server = nonce;
      return "again";
    }
    this.#doubts = 0;
    if (status === 212) this.#believed = true;
    if (nonce) this.#nonces.server = nonce;
    return "fine";
  }
}
