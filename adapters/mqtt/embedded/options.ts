import * as v from "valibot";
import { described, flag, listen, optional, rule, secret, serverTls, text } from "../../option-kinds.ts";

/** The broker that dmgw can be itself. Nobody comes in without a password. */
export const embeddedOptions = v.pipe(
  v.object({
    enabled: v.optional(described(flag, "run a broker of our own: MQTT 3.1.1, in memory, with passwords"), false),
    listen: optional(
      listen,
      "where it listens: an address of the LAN and a port; required when it is enabled",
      "192.168.1.1:1883",
    ),
    users: v.optional(
      described(
        v.array(
          v.pipe(
            v.object({
              name: described(text, "user name", "plugs"),
              password: described(secret, "its password", "{ file: /etc/dmgw/plugs.password }"),
            }),
            v.description("a user of the broker; several devices may share one"),
          ),
        ),
        "who may connect; at least one when it is enabled",
      ),
      [],
    ),
    tls: optional(serverTls, "listen with TLS, usually on port 8883"),
  }),
  rule(
    ["listen", "enabled"],
    ({ enabled, listen: where }) => !enabled || where?.host !== undefined,
    'has to name an address of the LAN for the embedded broker, such as "192.168.1.1:1883"',
  ),
  rule(
    ["users", "enabled"],
    ({ enabled, users }) => !enabled || users.length > 0,
    "is empty: the embedded broker lets nobody in without a password, so it needs a user",
  ),
  rule(["users"], ({ users }) => new Set(users.map(({ name }) => name)).size === users.length, "names a user twice"),
);

export type EmbeddedOptions = v.InferOutput<typeof embeddedOptions>;
