import { loadPlaces } from "../../config/load.ts";
import { controlSocket } from "../../config/places.ts";
import type { Globals } from "./globals.ts";
import type { Io } from "./verb.ts";

/** Where the daemon that this config belongs to answers. @throws ConfigError. */
export async function socketOf({ config, set }: Globals, env: Io["env"]): Promise<string> {
  const places = await loadPlaces({ file: config, set, env });
  return controlSocket(places, env, process.getuid?.() ?? 0);
}
