import type * as v from "valibot";
import type { AdapterModule } from "./adapter.ts";
import { mqttOptions } from "./mqtt/options.ts";
import { upnpOptions } from "./upnp/options.ts";

/** One adapter, as the daemon starts it. */
export interface AdapterEntry {
  /** Its key below `adapters:` in the config, and its name on `dmgw status`. */
  readonly name: AdapterName;
  /** Light: read at every start. */
  readonly options: v.GenericSchema;
  /** Its code: loaded when it is enabled. `start` takes what `options` made of the config. */
  readonly load: () => Promise<AdapterModule<unknown>>;
}

/** One line an adapter. */
const table = [
  entry("mqtt", mqttOptions, () => import("./mqtt/index.ts")),
  entry("upnp", upnpOptions, () => import("./upnp/index.ts")),
] as const;

export type AdapterName = (typeof table)[number]["name"];

export const adapters: readonly AdapterEntry[] = table;

/** The schemas of the options by adapter, for config/schema.ts. */
export const adapterOptions = Object.fromEntries(table.map(({ name, options }) => [name, options])) as {
  readonly [E in (typeof table)[number] as E["name"]]: E["options"];
};

/** Holds an adapter's code to the options that its schema makes. */
function entry<const N extends string, const S extends v.GenericSchema>(
  name: N,
  options: S,
  load: () => Promise<AdapterModule<v.InferOutput<S>>>,
) {
  return { name, options, load };
}
