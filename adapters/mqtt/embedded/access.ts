import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Clock } from "../../../tree/ports.ts";
import { embeddedLimits } from "./limits.ts";

export interface User {
  readonly name: string;
  readonly password: string;
}

/** Checks passwords, in a time that says nothing about them. */
export class Passwords {
  readonly #key = randomBytes(32);
  readonly #digests: ReadonlyMap<string, Buffer>;
  readonly #nobody: Buffer;

  constructor(users: readonly User[]) {
    this.#digests = new Map(users.map(({ name, password }) => [name, this.#digest(password)]));
    this.#nobody = this.#digest(randomBytes(32));
  }

  right(name: string | undefined, password: Uint8Array | undefined): boolean {
    const known = this.#digests.get(name ?? "");
    const same = timingSafeEqual(this.#digest(password ?? ""), known ?? this.#nobody);
    return same && known !== undefined && password !== undefined;
  }

  #digest(text: string | Uint8Array): Buffer {
    return createHmac("sha256", this.#key).update(text).digest();
  }
}

/** Who tries passwords is not listened to for a while. */
export class Failures {
  readonly #clock: Clock;
  readonly #byAddress = new Map<string, { readonly count: number; readonly at: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(address: string): void {
    const { count = 0 } = this.#recent(address) ?? {};
    this.#byAddress.delete(address);
    const [oldest] = this.#byAddress.keys();
    if (oldest !== undefined && this.#byAddress.size >= embeddedLimits.addresses) this.#byAddress.delete(oldest);
    this.#byAddress.set(address, { count: count + 1, at: this.#clock.monotonic() });
  }

  tooMany(address: string): boolean {
    return (this.#recent(address)?.count ?? 0) >= embeddedLimits.failures;
  }

  #recent(address: string): { readonly count: number } | undefined {
    const before = this.#byAddress.get(address);
    const isOld = before === undefined || this.#clock.monotonic() - before.at >= embeddedLimits.lockout;
    return isOld ? undefined : before;
  }
}
