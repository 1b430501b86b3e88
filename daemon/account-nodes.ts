import { DmError, Status } from "../tree/errors.ts";
import type { DmAccount } from "../tree/mos/dm-acc.ts";
import { bin, chr } from "../tree/value.ts";
import type { Value } from "../tree/value.ts";
import type { NewServer } from "./gateway.ts";
import type { Credentials, ServerAccount } from "./upstream/account.ts";

const types: ReadonlyMap<string, Credentials["type"]> = new Map([
  ["BASIC", "basic"],
  ["DIGEST", "digest"],
  ["HMAC", "hmac"],
  ["TRANSPORT", "transport"],
]);

/** A client-initiated session at least this often (ms), where nothing else is said. */
const defaultPoll = 24 * 3_600_000;

/**
 * The account as the daemon uses it. `file`: what the config file says of it, for what has no node.
 * undefined while its nodes are incomplete (a server writes them one by one).
 */
export function accountOfNodes(nodes: DmAccount, file: ServerAccount | undefined): ServerAccount | undefined {
  if (nodes.serverId === undefined || nodes.serverId === "" || nodes.address === undefined || nodes.address === "")
    return undefined;
  const ca = file?.tls.ca ?? nodes.ext.get("dmgw/CA");
  const account: Omit<ServerAccount, "refused"> = {
    id: nodes.serverId,
    url: withPort(nodes.address, nodes.port),
    version: file?.version ?? "1.2",
    encoding: file?.encoding ?? "xml",
    client: credentialsOf(nodes, "CLCRED"),
    server: credentialsOf(nodes, "SRVCRED"),
    tls: { ...file?.tls, ...(ca === undefined ? {} : { ca }) },
    insecure: file?.insecure ?? nodes.ext.get("dmgw/Insecure") === "true",
    devices: file?.devices ?? "none",
    poll: file?.poll ?? defaultPoll,
    report: file?.report,
    owner: file === undefined ? "runtime" : "file",
  };
  return { ...account, refused: file?.refused ?? refusalOf(account) };
}

function credentialsOf(nodes: DmAccount, level: string): Credentials | undefined {
  const all = nodes.auth.filter((auth) => auth.level === level);
  const auth = (level === "CLCRED" ? all.find((one) => one.type === nodes.authPref) : undefined) ?? all[0];
  const type = auth === undefined ? undefined : types.get(auth.type);
  if (auth === undefined || type === undefined) return undefined;
  return { type, name: auth.name, secret: auth.secret, nonce: auth.nonce };
}

function withPort(address: string, port: string | undefined): string {
  if (port === undefined || !URL.canParse(address)) return address;
  const url = new URL(address);
  if (url.port === "" && /^\d{1,5}$/.test(port)) url.port = port;
  return url.href;
}

/** Why no session may be opened with this account (S-MUT, S-INT); undefined: it may. */
export function refusalOf(account: Omit<ServerAccount, "refused">): string | undefined {
  if (!URL.canParse(account.url)) return `"${account.url}" is not a URL`;
  const { protocol } = new URL(account.url);
  if (protocol !== "https:" && protocol !== "http:") return `the address must be http or https, not ${protocol}`;
  const secure = protocol === "https:";
  if (!secure && !account.insecure) return "plain http needs insecure: true";
  const proves = account.server !== undefined && account.server.type !== "transport";
  if (!proves && !(secure && account.tls.ca !== undefined)) {
    return "the server has no way to prove itself: it needs server credentials, or https with a pinned certificate (tls.ca)";
  }
  if (account.client?.type === "hmac" || account.server?.type === "hmac")
    return "hmac authentication is not in this version yet";
  if (account.client?.type === "basic" && !secure && !account.insecure) return "basic without TLS needs insecure: true";
  return undefined;
}

/** The leaves that stand for an account below its node (DMAcc 1.2.1), by relative address. */
export function leavesOf(account: ServerAccount): ReadonlyMap<string, Value> {
  const leaves = new Map<string, Value>([
    ["AppID", chr("w7")],
    ["ServerID", chr(account.id)],
    ["Name", chr(account.id)],
    ["AppAddr/1/Addr", chr(account.url)],
    ["AppAddr/1/AddrType", chr("URI")],
  ]);
  const port = portOf(account.url);
  if (port !== undefined) leaves.set("AppAddr/1/Port/1/PortNbr", chr(port));
  if (account.client !== undefined) {
    leaves.set("AAuthPref", chr(account.client.type.toUpperCase()));
    authLeaves(leaves, "1", "CLCRED", account.client);
  }
  if (account.server !== undefined) authLeaves(leaves, "2", "SRVCRED", account.server);
  if (account.owner === "runtime") {
    if (account.insecure) leaves.set("Ext/dmgw/Insecure", chr("true"));
    if (account.tls.ca !== undefined) leaves.set("Ext/dmgw/CA", chr(account.tls.ca));
  }
  return leaves;
}

function authLeaves(leaves: Map<string, Value>, node: string, level: string, credentials: Credentials): void {
  leaves.set(`AppAuth/${node}/AAuthLevel`, chr(level));
  leaves.set(`AppAuth/${node}/AAuthType`, chr(credentials.type.toUpperCase()));
  leaves.set(`AppAuth/${node}/AAuthName`, chr(credentials.name));
  leaves.set(`AppAuth/${node}/AAuthSecret`, chr(credentials.secret));
  if (credentials.nonce.length > 0) leaves.set(`AppAuth/${node}/AAuthData`, bin(credentials.nonce));
}

function portOf(url: string): string | undefined {
  const { port, protocol } = new URL(url);
  if (port !== "") return port;
  return protocol === "https:" ? "443" : "80";
}

/** The account that `dmgw servers add` asks for. @throws DmError 400 */
export function newAccount(server: NewServer): ServerAccount {
  const account: Omit<ServerAccount, "refused"> = {
    id: server.id,
    url: server.url,
    version: "1.2",
    encoding: "xml",
    client: server.client === undefined ? undefined : newCredentials(server.client),
    server: server.server === undefined ? undefined : newCredentials(server.server),
    tls: server.ca === undefined ? {} : { ca: server.ca },
    insecure: server.insecure === true,
    devices: server.devices ?? "none",
    poll: defaultPoll,
    report: undefined,
    owner: "runtime",
  };
  return { ...account, refused: refusalOf(account) };
}

function newCredentials(given: NonNullable<NewServer["client"]>): Credentials {
  const type = types.get(given.type.toUpperCase());
  if (type === undefined)
    throw new DmError(Status.badRequest, `"${given.type}" is no authentication type: basic, digest or transport`);
  return {
    type,
    name: given.name,
    secret: given.secret,
    nonce: new Uint8Array(Buffer.from(given.nonce ?? "", "base64")),
  };
}
