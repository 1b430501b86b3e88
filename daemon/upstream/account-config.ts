import type { ServerConfig } from "../../config/server-schema.ts";
import type { Credentials, ServerAccount } from "./account.ts";

/** The account that an entry of `servers:` in the config stands for. The config's own rules have already refused what is not safe. */
export function accountOf(entry: ServerConfig): ServerAccount {
  const { id, url, version, encoding, auth, tls, insecure, devices, poll, report } = entry;
  return {
    id,
    url,
    version,
    encoding,
    client: credentialsOf(auth.client),
    server: credentialsOf(auth.server),
    tls,
    insecure,
    devices,
    poll,
    report,
    owner: "file",
    refused: undefined,
  };
}

function credentialsOf(given: ServerConfig["auth"]["client"]): Credentials | undefined {
  if (given === undefined) return undefined;
  const { type, name = "", secret = "", nonce = new Uint8Array() } = given;
  return { type, name, secret, nonce };
}
