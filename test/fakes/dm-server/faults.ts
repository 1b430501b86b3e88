/** How the next request goes wrong, in the network's or the web server's way. */
export type Fault =
  /** The line drops: before the message is looked at, or after it was worked on and before the answer gets out. */
  | { readonly kind: "drop"; readonly when: "before" | "after" }
  /** Another HTTP status. `retryAfter`: seconds, or an HTTP date. */
  | { readonly kind: "status"; readonly code: number; readonly retryAfter?: string }
  /** Something else as the answer. */
  | { readonly kind: "body"; readonly body: string | Uint8Array; readonly type?: string }
  /** The right answer, late. */
  | { readonly kind: "slow"; readonly ms: number }
  /** No answer at all, ever. */
  | { readonly kind: "silent" };

/** How the server behaves for as long as it is set. */
export interface Behaviour {
  /** Every device is refused so. */
  refuse?: 401 | 407 | undefined;
  /** We prove ourselves wrongly, or not at all. */
  credentials?: "wrong" | "none" | undefined;
  /** Our nonces are not the ones that were agreed. */
  nonce?: "wrong" | undefined;
  /** Never ends a package, and always asks for more. */
  neverFinal?: boolean | undefined;
  /** Cuts the session short with Alert 1223 in the answer to this message of the device. */
  abortAt?: number | undefined;
  /** VerDTD and VerProto that the server claims. */
  version?: { readonly dtd: string; readonly proto: string } | undefined;
  /** Status for generic alerts (default 200). */
  alertStatus?: number | undefined;
}

const doctypeBomb = `<?xml version="1.0"?>
<!DOCTYPE SyncML [
<!ENTITY a "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa">
${Array.from({ length: 20 }, (_, i) => `<!ENTITY a${i} "${`&a${i === 0 ? "" : i - 1};`.repeat(10)}">`).join("\n")}
]>
<SyncML xmlns="SYNCML:SYNCML1.2"><SyncHdr><VerDTD>&a19;</VerDTD></SyncHdr></SyncML>`;

/** Answers that a device has to survive. */
export const badBodies = {
  notXml: "500 Internal Server Error",
  html: "<!DOCTYPE html><html><head><title>Log in</title></head><body>Welcome to the hotel</body></html>",
  brokenXml: `<SyncML xmlns="SYNCML:SYNCML1.2"><SyncHdr><VerDTD>1.2</VerDTD>`,
  empty: "",
  doctypeBomb,
  deep: `<SyncML xmlns="SYNCML:SYNCML1.2">${"<Atomic>".repeat(100_000)}`,
  huge: Buffer.alloc(20_000_000, "<a/>"),
} as const;
