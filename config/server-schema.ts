import * as v from "valibot";
import {
  clientTls,
  described,
  duration,
  flag,
  oneOf,
  optional,
  rule,
  secret,
  text,
  url,
} from "../adapters/option-kinds.ts";
import { isServerId } from "../tree/acl.ts";
import { DmError } from "../tree/errors.ts";
import { parsePath } from "../tree/path.ts";
import { plannedKey } from "./planned.ts";

const serverId = v.pipe(
  text,
  v.check(isServerId, "is no server id: it has no spaces and none of = & * +"),
  v.check((id) => id !== "local", "is reserved for the gateway's own command line"),
  v.metadata({ form: "text without spaces and = & * +" }),
);

const base64Text = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Octets, written as base64. */
const nonce = v.pipe(
  v.string(),
  v.maxLength(1024, "has more than 1024 characters"),
  v.rawTransform(({ dataset, addIssue, NEVER }): Uint8Array => {
    if (base64Text.test(dataset.value)) return new Uint8Array(Buffer.from(dataset.value, "base64"));
    addIssue({ message: "is not base64" });
    return NEVER;
  }),
  v.metadata({ form: "base64", secret: true }),
);

const treeUri = v.pipe(
  v.string(),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    try {
      parsePath(dataset.value);
    } catch (error) {
      if (!(error instanceof DmError)) throw error;
      addIssue({ message: `is no address in the tree: ${error.message}` });
    }
  }),
  v.metadata({ form: "an address in the tree, such as ./Devices" }),
);

const authType = v.pipe(
  oneOf("basic", "digest", "hmac", "transport"),
  v.check((type) => type !== "hmac", "this version has no hmac yet: use digest"),
);

/** How one side proves itself; `transport` means by TLS alone. */
const credentials = v.pipe(
  v.object({
    type: v.optional(
      described(
        authType,
        "digest: MD5 with nonces; transport: by its TLS certificate alone (hmac: not in this version)",
      ),
      "digest",
    ),
    name: optional(text, "user name; needed unless the type is transport", "gateway-1"),
    secret: optional(secret, "password; needed unless the type is transport", "{ file: /etc/dmgw/dm.secret }"),
    nonce: optional(nonce, "the first nonce; later ones are kept in the state folder", "bm9uY2U="),
  }),
  rule(["name", "type"], ({ type, name }) => type === "transport" || name !== undefined, "is missing: the user name"),
  rule(
    ["secret", "type"],
    ({ type, secret: given }) => type === "transport" || given !== undefined,
    "is missing: the password",
  ),
);

const auth = v.object({
  client: optional(credentials, "the gateway to the server"),
  server: optional(credentials, "the server to the gateway"),
});

const report = v.object({
  subtrees: described(
    v.pipe(v.array(treeUri), v.minLength(1, "is empty: name a subtree, or leave report out")),
    "changes below these addresses are told, as far as the server may read them",
    "[ ./Devices ]",
  ),
  interval: v.optional(described(duration("0", "1d"), "changes of one node within this time are told once"), "5s"),
});

const isPlain = (to: string) => to.startsWith("http:");

/** An upstream DM server. */
const server = v.pipe(
  v.object({
    id: described(serverId, "the ServerID: what ACLs name", "com.example.dm"),
    url: described(url("https", "http"), "where its DM sessions go", "https://dm.example.com/dm"),
    version: v.optional(
      described(
        v.pipe(
          oneOf("1.2", "1.3", "2.0"),
          v.check((version) => version === "1.2", "this version of dmgw speaks DM 1.2 only"),
        ),
        "the DM protocol (1.3 and 2.0: not in this version)",
      ),
      "1.2",
    ),
    encoding: v.optional(
      described(
        v.pipe(
          oneOf("xml", "wbxml"),
          v.check((encoding) => encoding === "xml", "this version has no wbxml yet: use xml"),
        ),
        "how messages are written (wbxml: not in this version)",
      ),
      "xml",
    ),
    auth: v.optional(described(auth, "how the two sides prove themselves to each other"), {}),
    tls: v.optional(described(clientTls, "TLS towards the server; ca pins it: nothing else is trusted"), {}),
    insecure: v.optional(described(flag, "plain http, and basic over it, is accepted for this server"), false),
    devices: v.optional(described(oneOf("manage", "none"), "its starting rights on ./Devices"), "manage"),
    poll: v.optional(
      described(duration("1s", "365d", "never"), "a session is opened at least this often, spread by a random share"),
      "24h",
    ),
    report: optional(report, "changes that are told to the server as generic alerts; default none"),
    channel: optional(
      v.object({
        tcp: plannedKey("TCP channel", "the server knocks on a line that the gateway holds"),
        sip: plannedKey("SIP channel", "the server knocks by SIP MESSAGE"),
      }),
      "how the server asks for a session",
    ),
  }),
  rule(
    ["url", "insecure"],
    ({ url: to, insecure }) => insecure || !isPlain(to),
    "is plain http: anybody on the way can read and change it. Use https://, or set insecure: true for this server",
  ),
  rule(
    ["tls", "url"],
    ({ url: to, tls }) => !isPlain(to) || Object.keys(tls).length === 0,
    "is given, but url is plain http: nothing would be encrypted",
  ),
  rule(
    ["auth", "tls", "url"],
    ({ auth: { server: them }, tls, url: to }) =>
      (them !== undefined && them.type !== "transport") || (tls.ca !== undefined && !isPlain(to)),
    "does not say how the server proves itself: give auth.server with name and secret, or pin its certificate with tls.ca and https",
  ),
  rule(
    ["auth", "tls"],
    ({ auth: { client }, tls }) => client?.type !== "transport" || tls.cert !== undefined,
    "has client type transport, which needs a certificate of ours: give tls.cert and tls.key",
  ),
);

export type ServerConfig = v.InferOutput<typeof server>;

/** The servers of the file; no two with one id. */
export const servers = v.pipe(
  v.array(server),
  v.rawCheck(({ dataset, addIssue }) => {
    const seen = new Set<unknown>();
    for (const [index, entry] of (Array.isArray(dataset.value) ? (dataset.value as unknown[]) : []).entries()) {
      const id = typeof entry === "object" && entry !== null && "id" in entry ? entry.id : undefined;
      if (typeof id === "string" && seen.has(id)) {
        addIssue({
          message: "is the id of two servers",
          path: [
            { type: "array", origin: "value", input: dataset.value as unknown[], key: index, value: entry },
            { type: "unknown", origin: "value", input: entry, key: "id", value: id },
          ],
        });
      }
      seen.add(id);
    }
  }),
);
