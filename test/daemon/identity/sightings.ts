import type { Sighting } from "../../../adapters/adapter.ts";

/** A sighting that says nothing but what is given here. */
export function sighting(
  source: Sighting["source"],
  key: string,
  more: Partial<Omit<Sighting, "text">> & { readonly text?: Readonly<Record<string, string>> } = {},
): Sighting {
  const { text, ...rest } = more;
  return {
    source,
    key,
    name: key,
    addresses: [],
    service: "",
    interface: "lan",
    expires: 0,
    ...rest,
    text: new Map(Object.entries(text ?? {})),
  };
}

export const row = (mac: string, ...addresses: string[]): Sighting =>
  sighting("neighbours", `${mac}%lan`, { mac, addresses });

export const lease = (mac: string, ...addresses: string[]): Sighting => sighting("leases", mac, { mac, addresses });
