import type { Mo } from "../mo.ts";
import type { StoredNodes } from "../stored-nodes.ts";
import { tableMo } from "../table.ts";
import { chr } from "../value.ts";

/** What the gateway says of itself. */
export interface GatewayFacts {
  /** Globally unique, kept for good: "urn:uuid:…". */
  readonly id: string;
  readonly manufacturer: string;
  readonly model: string;
  readonly firmware: string;
  readonly hardware: string;
  /** Version of dmgw. */
  readonly software: string;
}

/** ./DevInfo (OMA-TS-DM_StdObj 1.2.1): the gateway itself; sent at the start of every session. */
export function devInfo(facts: () => GatewayFacts, ext: StoredNodes): Mo {
  return tableMo(
    "urn:oma:mo:oma-dm-devinfo:1.0",
    {
      format: "node",
      description: "the gateway itself",
      children: {
        DevId: { format: "chr", description: "globally unique id of the gateway", get: () => chr(facts().id) },
        Man: { format: "chr", description: "manufacturer", get: () => chr(facts().manufacturer) },
        Mod: { format: "chr", description: "model", get: () => chr(facts().model) },
        DmV: { format: "chr", description: "version of the DM client", get: () => chr(`dmgw ${facts().software}`) },
        Lang: { format: "chr", description: "language of texts for people (RFC 1766)", get: () => chr("en") },
        Ext: { format: "node", description: "nodes that servers and the operator add", free: true },
      },
    },
    ext,
  );
}
