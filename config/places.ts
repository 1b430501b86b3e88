import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { Config } from "./schema.ts";

type Env = Readonly<Record<string, string | undefined>>;
/** The part of the config that says where the daemon lives. */
export type PlacesConfig = Pick<Config, "state" | "control">;

/** The state folder: `state:`, $STATE_DIRECTORY, /var/lib/dmgw for root, else in $XDG_STATE_HOME. Absolute. */
export function stateFolder(config: PlacesConfig, env: Env, uid: number): string {
  if (config.state !== undefined) return resolve(config.state);
  const given = firstFolder(env.STATE_DIRECTORY);
  if (given !== undefined) return given;
  if (uid === 0) return "/var/lib/dmgw";
  return join(absolute(env.XDG_STATE_HOME) ?? join(absolute(env.HOME) ?? homedir(), ".local/state"), "dmgw");
}

/** The control socket: `control.socket`, in $RUNTIME_DIRECTORY, in /run/dmgw for root, else in the state folder. Absolute. */
export function controlSocket(config: PlacesConfig, env: Env, uid: number): string {
  if (config.control.socket !== undefined) return resolve(config.control.socket);
  const runtime = firstFolder(env.RUNTIME_DIRECTORY) ?? (uid === 0 ? "/run/dmgw" : stateFolder(config, env, uid));
  return join(runtime, "control.sock");
}

/** systemd lists several folders with colons; ours is the first. */
function firstFolder(list: string | undefined): string | undefined {
  return absolute(list?.split(":")[0]);
}

/** The XDG base directory specification, and systemd, know absolute paths only. */
function absolute(path: string | undefined): string | undefined {
  return path?.startsWith("/") === true ? path : undefined;
}
