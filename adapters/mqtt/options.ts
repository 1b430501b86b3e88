import * as v from "valibot";
import { clientTls, described, flag, oneOf, optional, rule, secret, text, url } from "../option-kinds.ts";
import type { Kind } from "../option-kinds.ts";
import { embeddedOptions } from "./embedded/options.ts";
import { mapping } from "./mapping/file.ts";

/** The first levels of a convention's topics. */
const rootTopic = v.pipe(
  v.string(),
  v.maxLength(200, "has more than 200 characters"),
  v.regex(/^[^/+#$\s\u0000][^+#\u0000]*$/u, "is no topic: levels with / between them, without + and #"),
  v.check((value) => !value.split("/").includes(""), "has an empty level (// or a slash at its end)"),
  v.metadata<string, Kind>({ form: "a topic" }),
);

/** Where a broker is looked for when none is named. */
export const usualBroker = "mqtt://127.0.0.1:1883";

const conventionNames = ["homie", "zigbee2mqtt", "homeassistant", "tasmota", "sparkplug"] as const;

/** The broker whose devices are managed. */
const keys = v.pipe(
  v.object({
    enabled: v.optional(described(flag, "manage the devices of a broker"), true),
    url: optional(
      url("mqtt", "mqtts"),
      `the broker; without a port 1883, and 8883 with mqtts; default the embedded one where that is enabled, else ${usualBroker}`,
      "mqtts://broker.lan:8883",
    ),
    username: optional(text, "user name at the broker", "dmgw"),
    password: optional(secret, "password at the broker", "{ file: /etc/dmgw/mqtt.password }"),
    clientId: optional(text, "client id at the broker; default a new one at each start", "dmgw"),
    tls: optional(clientTls, "TLS towards the broker; only with mqtts"),
    conventions: v.optional(
      described(v.array(oneOf(...conventionNames)), "the ways of laying out devices that are looked for"),
      [...conventionNames],
    ),
    mapping: v.optional(
      described(
        mapping,
        "devices whose topics follow no convention, described in files of their own (config/mqtt-devices.example.yaml)",
        "/etc/dmgw/mqtt-devices.yaml",
      ),
      [],
    ),
    topics: v.optional(
      described(
        v.object({
          homie: v.optional(described(rootTopic, "domain of the Homie convention, versions 3 to 5"), "homie"),
          zigbee2mqtt: v.optional(described(rootTopic, "base topic of zigbee2mqtt"), "zigbee2mqtt"),
          homeassistant: v.optional(
            described(rootTopic, "prefix of the discovery topics of Home Assistant"),
            "homeassistant",
          ),
          tasmota: v.optional(described(rootTopic, "prefix of Tasmota's own discovery"), "tasmota/discovery"),
          sparkplug: v.optional(described(rootTopic, "namespace of Sparkplug B"), "spBv1.0"),
        }),
        "where the conventions keep their devices",
      ),
      {},
    ),
    embedded: v.optional(
      described(
        embeddedOptions,
        "a broker in dmgw itself, for a home without one; what it retains is gone after a restart",
      ),
      {},
    ),
  }),
  rule(
    ["tls", "url"],
    ({ url: broker, tls }) => tls === undefined || broker?.startsWith("mqtts:") === true,
    "is given, but url does not begin with mqtts://: nothing would be encrypted",
  ),
  rule(
    ["password", "username"],
    ({ username, password }) => password === undefined || username !== undefined,
    "is given without username",
  ),
);

/** Without a URL the embedded broker is the one, and without that the usual place. */
export const mqttOptions = v.pipe(
  keys,
  v.transform((given: v.InferOutput<typeof keys>): v.InferOutput<typeof keys> =>
    given.url === undefined && !given.embedded.enabled ? { ...given, url: usualBroker } : given,
  ),
  v.description("devices of an MQTT broker: Homie, zigbee2mqtt, Home Assistant discovery, Tasmota, Sparkplug B"),
);

export type MqttOptions = v.InferOutput<typeof mqttOptions>;
