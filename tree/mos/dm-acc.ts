import type { Mo } from "../mo.ts";
import { joinRel } from "../path.ts";
import type { Rel } from "../path.ts";
import type { StoredNodes } from "../stored-nodes.ts";
import type { Branch } from "../table.ts";
import { tableMo } from "../table.ts";
import { textOf } from "../value.ts";

/** One account as its nodes say; nothing is checked yet, any part may be missing. */
export interface DmAccount {
  /** The name of its node below ./DMAcc. */
  readonly node: string;
  readonly serverId: string | undefined;
  readonly name: string | undefined;
  readonly address: string | undefined;
  readonly port: string | undefined;
  readonly authPref: string | undefined;
  readonly auth: readonly {
    readonly level: string;
    readonly type: string;
    readonly name: string;
    readonly secret: string;
    readonly nonce: Uint8Array;
  }[];
  /** Leaves below Ext, by relative address. */
  readonly ext: ReadonlyMap<string, string>;
}

const chrLeaf = (description: string) => ({ format: "chr", description }) as const;

const account: Branch = {
  format: "node",
  description: "an account of a DM server",
  children: {
    AppID: chrLeaf('"w7"'),
    ServerID: chrLeaf("id of the server: what ACLs name"),
    Name: chrLeaf("name for people"),
    PrefConRef: chrLeaf("preferred connection"),
    ToConRef: {
      format: "node",
      description: "connections",
      each: { format: "node", description: "a connection", children: { ConRef: chrLeaf("its address in the tree") } },
    },
    AppAddr: {
      format: "node",
      description: "addresses of the server",
      each: {
        format: "node",
        description: "an address",
        children: {
          Addr: chrLeaf("URL of the server"),
          AddrType: chrLeaf("URI, IPv4 or IPv6"),
          Port: {
            format: "node",
            description: "ports",
            each: { format: "node", description: "a port", children: { PortNbr: chrLeaf("its number") } },
          },
        },
      },
    },
    AAuthPref: chrLeaf("authentication that is tried first"),
    AppAuth: {
      format: "node",
      description: "credentials",
      each: {
        format: "node",
        description: "credentials of one side",
        children: {
          AAuthLevel: chrLeaf("CLCRED: the gateway to the server; SRVCRED: the server to the gateway"),
          AAuthType: chrLeaf("BASIC, DIGEST, HMAC or TRANSPORT"),
          AAuthName: chrLeaf("user name"),
          AAuthSecret: { format: "chr", description: "password", secret: true },
          AAuthData: { format: "bin", description: "first nonce", secret: true },
        },
      },
    },
    Ext: { format: "node", description: "what dmgw and servers add", free: true },
  },
};

/** ./DMAcc (OMA-TS-DM_StdObj 1.2.1): the accounts of the DM servers, and a reader for the daemon that sees the secrets too. */
export function dmAcc(stored: StoredNodes): { readonly mo: Mo; readonly accounts: () => DmAccount[] } {
  const mo = tableMo(
    "urn:oma:mo:oma-dm-dmacc:1.0",
    { format: "node", description: "accounts of DM servers", each: account },
    stored,
  );
  const text = (rel: string): string | undefined => {
    const node = stored.get(rel as Rel);
    return node === undefined || node === "node" ? undefined : textOf(node);
  };
  const octets = (rel: string): Uint8Array => {
    const node = stored.get(rel as Rel);
    return node !== undefined && node !== "node" && (node.format === "bin" || node.format === "b64")
      ? node.data
      : new Uint8Array();
  };
  const leaves = function* (rel: Rel, prefix: string): Iterable<readonly [string, string]> {
    for (const name of stored.names(rel)) {
      const child = joinRel(rel, name);
      const value = text(child);
      if (value === undefined) yield* leaves(child, `${prefix}${name}/`);
      else yield [`${prefix}${name}`, value];
    }
  };
  const read = (node: string): DmAccount => {
    const address = [...stored.names(`${node}/AppAddr` as Rel)][0];
    const at = `${node}/AppAddr/${address ?? ""}`;
    const port = [...stored.names(`${at}/Port` as Rel)][0];
    return {
      node,
      serverId: text(`${node}/ServerID`),
      name: text(`${node}/Name`),
      address: text(`${at}/Addr`),
      port: port === undefined ? undefined : text(`${at}/Port/${port}/PortNbr`),
      authPref: text(`${node}/AAuthPref`),
      auth: [...stored.names(`${node}/AppAuth` as Rel)].map((one) => ({
        level: text(`${node}/AppAuth/${one}/AAuthLevel`) ?? "",
        type: text(`${node}/AppAuth/${one}/AAuthType`) ?? "",
        name: text(`${node}/AppAuth/${one}/AAuthName`) ?? "",
        secret: text(`${node}/AppAuth/${one}/AAuthSecret`) ?? "",
        nonce: octets(`${node}/AppAuth/${one}/AAuthData`),
      })),
      ext: new Map(leaves(`${node}/Ext` as Rel, "")),
    };
  };
  return { mo, accounts: () => [...stored.names("" as Rel)].map(read) };
}
