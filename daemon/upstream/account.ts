/** How one side proves itself to the other (DMAcc AppAuth; OMA-TS-DM_Security 1.2.1). */
export interface Credentials {
  readonly type: "basic" | "digest" | "hmac" | "transport";
  readonly name: string;
  readonly secret: string;
  /** The configured first nonce, octets; later ones are in the store. */
  readonly nonce: Uint8Array;
}

/** An upstream DM server as the daemon uses it: what ./DMAcc and the config file say together. */
export interface ServerAccount {
  /** ServerID: what ACLs name. */
  readonly id: string;
  readonly url: string;
  readonly version: "1.2" | "1.3" | "2.0";
  readonly encoding: "xml" | "wbxml";
  /** CLCRED: we to the server. */
  readonly client: Credentials | undefined;
  /** SRVCRED: the server to us; undefined when it is authenticated by its pinned TLS certificate alone. */
  readonly server: Credentials | undefined;
  /** PEM texts. `ca` pins the server: only it is trusted. */
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  /** Plain http, or basic without TLS, is accepted. */
  readonly insecure: boolean;
  readonly devices: "manage" | "none";
  /** Ms between client-initiated sessions; 0: never. */
  readonly poll: number;
  readonly report: { readonly subtrees: readonly string[]; readonly interval: number } | undefined;
  readonly owner: "file" | "runtime";
  /** Why this account is refused (no server authentication, plain http without insecure: true); then no session is ever opened. */
  readonly refused: string | undefined;
}
