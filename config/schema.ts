// The keys of the config file: the daemon's own here, a server's in server-schema.ts, an adapter's in its own folder.
import * as v from "valibot";
import { adapterOptions } from "../adapters/index.ts";
import { described, duration, filePath, flag, listen, oneOf, optional, text } from "../adapters/option-kinds.ts";
import { plannedKey, plannedPart } from "./planned.ts";
import { servers } from "./server-schema.ts";

const deviceId = v.pipe(
  text,
  v.check((id) => !/\s/.test(id), "holds a space"),
);

const gateway = v.object({
  id: optional(
    deviceId,
    "its globally unique id; default: made once and kept",
    "urn:uuid:5a3e9f0c-6a0b-4b8e-9a53-0c1d2e3f4a5b",
  ),
  manufacturer: optional(text, "who made the gateway", "Example Corp"),
  model: optional(text, "its model", "HG-1"),
  firmware: optional(text, "version of its firmware", "4.2.1"),
  hardware: optional(text, "version of its hardware", "B"),
});

const interfaceName = v.pipe(
  text,
  v.regex(/^[^/\s]{1,15}$/, "is no name of a network interface"),
  v.metadata({ form: "name of a network interface" }),
);

const lan = v.object({
  interfaces: optional(
    v.pipe(v.array(interfaceName), v.minLength(1, "is empty: name an interface, or leave it out")),
    "towards the home; default: every interface with a private or link-local address",
    "[ br-lan ]",
  ),
});

const socketPath = v.pipe(
  filePath,
  // sockaddr_un has room for 108 octets, the last one being 0.
  v.check((path) => Buffer.byteLength(path) <= 107, "is longer than the 107 octets that the path of a socket may have"),
);

const control = v.object({
  socket: optional(
    socketPath,
    "default: control.sock in $RUNTIME_DIRECTORY; else /run/dmgw/control.sock for root; else in the state folder",
    "/run/dmgw/control.sock",
  ),
});

const web = v.object({
  enabled: v.optional(
    described(
      v.pipe(
        flag,
        v.check((enabled) => !enabled, "this version has no local page yet: write false, or leave it out"),
      ),
      "not in this version: only false",
    ),
    false,
  ),
  listen: v.optional(described(listen, "where the page is"), "127.0.0.1:8420"),
});

const log = v.object({
  level: v.optional(
    described(oneOf("debug", "info", "warn", "error"), "the least important lines that are written"),
    "info",
  ),
  format: v.optional(described(oneOf("auto", "text", "json"), "auto: text on a terminal, else JSON"), "auto"),
});

const found = (how: string) =>
  v.optional(
    described(
      v.object({ enabled: v.optional(described(flag, `find devices by ${how}`), true) }),
      `discovery by ${how}`,
    ),
    {},
  );

const announced = v.optional(
  described(
    v.object({
      enabled: v.optional(described(flag, "say on the LAN, by mDNS and SSDP, that this gateway is there"), true),
    }),
    "the gateway is found too",
  ),
  {},
);

const neighbours = v.object({
  enabled: v.optional(
    described(flag, "find devices by the kernel's neighbour table and by the leases of the DHCP server"),
    true,
  ),
  leases: optional(
    v.pipe(v.array(filePath), v.maxLength(8, "has more than 8 entries"), v.metadata({ orOne: true })),
    "files of leases of dnsmasq, odhcpd or Kea; default: /tmp/dhcp.leases, /var/lib/misc/dnsmasq.leases, /tmp/hosts/odhcpd and /var/lib/kea/kea-leases[46].csv, where they exist; []: none",
    "/tmp/dhcp.leases",
  ),
});

const discovery = v.object({
  ssdp: found("SSDP"),
  mdns: found("mDNS"),
  neighbours: v.optional(described(neighbours, "discovery by the neighbour table and DHCP leases"), {}),
  announce: announced,
});

/** Adapters that do not exist yet; each moves to the table of adapters/index.ts when it does. */
const plannedAdapters = {
  coap: plannedPart("coap adapter"),
  lwm2m: plannedPart("lwm2m adapter", "listen", "dtls", "access"),
  tr069: plannedPart("tr069 adapter", "listen", "path", "username", "password", "tls", "access"),
  omadm: plannedPart("omadm adapter", "listen", "path", "tls", "access"),
  smartcard: plannedPart("smartcard adapter", "reader"),
};

type Adapters = typeof adapterOptions;
const existingAdapters = Object.fromEntries(
  Object.entries(adapterOptions).map(([name, options]) => [name, v.optional(options, {})]),
) as { readonly [Name in keyof Adapters]: v.OptionalSchema<Adapters[Name], Record<string, never>> };

const notify = v.object({
  http: plannedKey("HTTP push listener", "notifications by HTTP push"),
  udp: plannedKey("UDP listener", "notifications by UDP"),
  wap: plannedKey("WAP push listener", "notifications by WAP push"),
  multicast: plannedKey("multicast listener", "notifications by multicast"),
});

const consent = v.object({
  default: v.optional(
    described(
      v.pipe(
        oneOf("ask", "decline"),
        v.check((answer) => answer === "ask", 'this version asks nobody yet, and an alert gets 406: only "ask"'),
      ),
      "what becomes of a server's question that no rule answers (decline: not in this version)",
    ),
    "ask",
  ),
  timeout: v.optional(described(duration("1s", "1d"), "how long a person has for the answer"), "10m"),
  rules: plannedKey("consent rules", "standing answers"),
});

/** The whole config file. */
export const configSchema = v.object({
  gateway: v.optional(described(gateway, "what the gateway says of itself"), {}),
  state: optional(
    filePath,
    "the state folder; default: $STATE_DIRECTORY; else /var/lib/dmgw for root; else $XDG_STATE_HOME/dmgw",
    "/var/lib/dmgw",
  ),
  lan: v.optional(described(lan, "the side of the home"), {}),
  control: v.optional(described(control, "the local API"), {}),
  web: v.optional(described(web, "the local page (not in this version)"), {}),
  log: v.optional(described(log, "log lines, on standard error"), {}),
  discovery: v.optional(described(discovery, "how devices are found"), {}),
  adapters: v.optional(
    described(v.object({ ...plannedAdapters, ...existingAdapters }), "the protocols of devices"),
    {},
  ),
  servers: v.optional(described(servers, "the DM servers that manage this home"), []),
  notify: v.optional(described(notify, "listeners for notifications (not in this version)"), {}),
  updates: plannedKey("installer of its own updates", "how the gateway installs a verified package"),
  consent: v.optional(described(consent, "questions of servers to the people of the home"), {}),
});

/**
 * The config as the daemon uses it: every default filled in, durations in ms, secrets and certificates read from where they are, paths
 * absolute. `adapters.<name>` is what that adapter's `start` takes.
 */
export type Config = v.InferOutput<typeof configSchema>;
