import { isIP } from "node:net";
import type { Rel } from "../../../tree/path.ts";
import type { Face } from "../../adapter.ts";
import { relOf } from "../../device-nodes.ts";
import type { HomieDescription } from "./description.ts";
import { ruleOf } from "./rules.ts";
import type { Version } from "./rules.ts";
import type { Property } from "../property.ts";

/** A description as nodes: `<node>/<property>`, by the ids of the convention. */
export function nodesOf(
  version: Version,
  description: HomieDescription,
): { readonly properties: readonly (readonly [Rel, Property])[]; readonly interiors: ReadonlyMap<Rel, string> } {
  const interiors = new Map<Rel, string>();
  const properties: [Rel, Property][] = [];
  for (const [nodeId, node] of description.nodes) {
    const at = relOf([nodeId]);
    if (at !== undefined) interiors.set(at, [node.name ?? nodeId, node.type].filter(Boolean).join("; "));
    for (const [id, { datatype, format, name, unit, settable, retained }] of node.properties) {
      const rel = relOf([nodeId, id]);
      const rule = ruleOf(version, datatype ?? "string", format ?? "");
      if (rel === undefined || rule === undefined) continue;
      properties.push([
        rel,
        {
          name: `${nodeId}/${id}`,
          rule,
          settable: settable ?? false,
          reported: true,
          // Events and momentary commands need not come back.
          echoes: retained ?? true,
          askable: false,
          ...(name === undefined || name === id ? {} : { title: name }),
          ...(unit === undefined ? {} : { unit }),
        },
      ]);
    }
  }
  return { properties, interiors };
}

/** What a device says of itself, for the inventory. Its address and MAC are what it claims. */
export function faceOf(
  id: string,
  identity: string,
  { name, type, firmware, mac, address }: HomieDescription,
): Pick<Face, "clues" | "addresses" | "facts"> {
  const digits = mac?.toLowerCase().replace(/[:-]/g, "") ?? "";
  const clues: Face["clues"][number][] = [{ kind: "protocol-id", value: identity }];
  if (/^[0-9a-f]{12}$/.test(digits)) clues.push({ kind: "mac", value: digits.replace(/..(?=.)/g, "$&:") });
  return {
    clues,
    addresses: address !== undefined && isIP(address) !== 0 ? [address] : [],
    facts: {
      name: name ?? id,
      ...(type === undefined ? {} : { model: type }),
      ...(firmware === undefined ? {} : { firmware }),
    },
  };
}
