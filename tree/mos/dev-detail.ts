import type { Mo } from "../mo.ts";
import { pathLimits } from "../path.ts";
import type { StoredNodes } from "../stored-nodes.ts";
import { tableMo } from "../table.ts";
import { bool, chr } from "../value.ts";
import type { GatewayFacts } from "./dev-info.ts";

/** ./DevDetail (OMA-TS-DM_StdObj 1.2.1): what a server asks for when it needs it, such as the limits of addresses. */
export function devDetail(facts: () => GatewayFacts, ext: StoredNodes): Mo {
  return tableMo(
    "urn:oma:mo:oma-dm-devdetail:1.0",
    {
      format: "node",
      description: "details of the gateway",
      children: {
        URI: {
          format: "node",
          description: "limits of addresses in this tree",
          children: {
            MaxDepth: {
              format: "chr",
              description: "segments of an address",
              get: () => chr(String(pathLimits.depth)),
            },
            MaxTotLen: {
              format: "chr",
              description: "characters of an address",
              get: () => chr(String(pathLimits.total)),
            },
            MaxSegLen: {
              format: "chr",
              description: "characters of a segment",
              get: () => chr(String(pathLimits.segment)),
            },
          },
        },
        DevTyp: { format: "chr", description: "kind of device", get: () => chr("gateway") },
        OEM: { format: "chr", description: "original equipment manufacturer", get: () => chr(facts().manufacturer) },
        FwV: { format: "chr", description: "firmware version", get: () => chr(facts().firmware) },
        SwV: { format: "chr", description: "software version", get: () => chr(facts().software) },
        HwV: { format: "chr", description: "hardware version", get: () => chr(facts().hardware) },
        LrgObj: { format: "bool", description: "large objects are supported", get: () => bool(false) },
        Ext: { format: "node", description: "nodes that servers and the operator add", free: true },
      },
    },
    ext,
  );
}
