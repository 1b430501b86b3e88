// The form of a mapping file: a topic layout that follows no convention, described by its owner. config/mqtt-devices.example.yaml shows it.
import * as v from "valibot";
import { described, duration, oneOf, optional, rule, text } from "../../option-kinds.ts";
import type { Kind } from "../../option-kinds.ts";
import { limits } from "../limits.ts";
import { jsonPath, namesIn, number, pathTo, property, topic, topicPattern, unique, word } from "./property.ts";

const availability = v.pipe(
  v.object({
    topic: optional(topic, "where the device, or its last will, says whether it is there", "status"),
    path: optional(jsonPath, "the word is in this field of a JSON payload", "state"),
    online: v.optional(described(word, "the word for: it is there"), "online"),
    offline: v.optional(described(word, "the word for: it is away"), "offline"),
    silence: optional(duration("1s", "30d"), "it is away when it has said nothing for so long", "15m"),
  }),
  rule(
    ["topic", "silence"],
    ({ topic, silence }) => topic !== undefined || silence !== undefined,
    "is missing, and so is silence: give one of them",
  ),
  rule(["path", "topic"], ({ path, topic }) => path === undefined || topic !== undefined, "is given without topic"),
  rule(["offline", "online"], ({ online, offline }) => online !== offline, "is the same word as online"),
);

const fact = v.object({
  fact: described(oneOf("name", "maker", "model", "serial", "mac", "firmware", "hardware"), "what it is"),
  topic: described(topic, "where the device tells it", "info"),
  path: optional(jsonPath, "it is in this field of a JSON payload", "wifi.mac"),
});

const mac = /^[0-9a-f]{2}([:-]?)(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}$/i;

const device = v.pipe(
  v.object({
    id: optional(
      v.pipe(
        text,
        v.maxLength(100, "has more than 100 characters"),
        v.regex(/^[^/+#\s]+$/, "holds a blank, /, + or #"),
      ),
      "names the device for ever; with a base that has {levels} at least one of them",
      '"{room}-{device}"',
    ),
    idPath: optional(jsonPath, "in place of id: the id is in this field of each JSON payload", "id"),
    base: optional(
      topicPattern,
      "all topics of the device are below this; its {levels} may be anything",
      '"home/{room}/{device}"',
    ),
    most: v.optional(
      described(
        v.pipe(
          number,
          v.check(
            (most) => Number.isInteger(most) && most >= 1 && most <= limits.devices,
            `is no whole number from 1 to ${limits.devices}`,
          ),
        ),
        "how many devices are made of {levels} or idPath; anyone who may publish can invent them",
      ),
      "50",
    ),
    name: optional(word, "for a person; {levels} are filled in", "Cistern"),
    maker: optional(word, "who made it", "Home-made"),
    model: optional(word, "its model", "ESP8266"),
    serial: optional(word, "its serial number", '"{device}"'),
    mac: optional(
      v.pipe(
        word,
        v.check((given) => mac.test(given) || namesIn(given).length > 0, "is no MAC address: write aa:bb:cc:dd:ee:ff"),
      ),
      "its MAC address: what finds it on other ways then is the same device",
      "aa:bb:cc:dd:ee:ff",
    ),
    firmware: optional(word, "version of its firmware", '"1.4"'),
    hardware: optional(word, "version of its hardware", '"B"'),
    facts: v.optional(
      described(
        v.pipe(v.array(fact), v.maxLength(20, "has more than 20 entries")),
        "the same as the device itself tells it",
      ),
      [],
    ),
    availability: optional(
      availability,
      "how it is known whether the device is there; default: it is as soon as it is heard",
    ),
    properties: described(
      v.pipe(
        v.array(property),
        v.minLength(1, "is empty: a device without properties says nothing"),
        v.maxLength(500, "has more than 500 entries"),
        unique("name"),
      ),
      "what it tells and takes",
    ),
  }),
  rule(
    ["id", "idPath"],
    ({ id, idPath }) => id !== undefined || idPath !== undefined,
    "is missing: give id, or idPath",
  ),
  rule(
    ["idPath", "id"],
    ({ id, idPath }) => id === undefined || idPath === undefined,
    "is given beside id: one of them names the device",
  ),
  rule(
    ["id", "base"],
    ({ id, base = "" }) => id === undefined || namesIn(base).length === 0 || namesIn(id).length > 0,
    "names no {level} of base: all devices of the pattern would be one",
  ),
  rule(["base"], ({ base = "" }) => new Set(namesIn(base)).size === namesIn(base).length, "has two levels of one name"),
  fills("id"),
  fills("name"),
  fills("maker"),
  fills("model"),
  fills("serial"),
  fills("mac"),
  fills("firmware"),
  fills("hardware"),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const { base = "", properties } = dataset.value;
    const known = ["id", ...namesIn(base)];
    const parents = new Set(properties.flatMap(({ name }) => parentsOf(name)));
    for (const [index, one] of properties.entries()) {
      if (parents.has(one.name)) {
        const message = "has other properties below its name: a node is either a value or a folder";
        addIssue({ message, path: pathTo(dataset.value, ["properties", index, "name"]) });
      }
      for (const key of ["set", "ask"] as const) {
        const topic = one[key]?.topic ?? "";
        if (namesIn(topic).every((name) => known.includes(name))) continue;
        const message = `names a {level} that base does not have; here are: ${known.map((name) => `{${name}}`).join(", ")}`;
        addIssue({ message, path: pathTo(dataset.value, ["properties", index, key, "topic"]) });
      }
    }
  }),
);

/** "a/b/c": "a" and "a/b". */
function parentsOf(name: string): string[] {
  const parts = name.split("/");
  return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("/"));
}

/** A rule for each text that may name levels. */
function fills<Key extends string, T extends { readonly [K in Key | "base"]?: string | undefined }>(
  key: Key & keyof T,
) {
  return rule<T>(
    [key, "base"],
    (given) => namesIn(given[key] ?? "").every((name) => namesIn(given.base ?? "").includes(name)),
    "names a {level} that base does not have",
  );
}

/** What one mapping file holds. */
export const mappingFile = v.object({
  devices: described(
    v.pipe(v.array(device), v.maxLength(limits.devices, `has more than ${limits.devices} entries`), unique("id")),
    "the devices, or patterns that make some",
  ),
});

/** The files of `adapters.mqtt.mapping`, read. */
export const mapping = v.pipe(
  v.array(mappingFile),
  v.maxLength(16, "has more than 16 files"),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const seen = new Map<string, number>();
    for (const [file, { devices }] of dataset.value.entries()) {
      for (const [index, { id = "" }] of devices.entries()) {
        const message = "stands in another mapping file too";
        if (id !== "" && (seen.get(id) ?? file) !== file)
          addIssue({ message, path: pathTo(dataset.value, [file, "devices", index, "id"]) });
        seen.set(id, file);
      }
    }
  }),
  v.metadata<v.InferOutput<typeof mappingFile>[], Kind>({
    form: "a path, or a list of paths: YAML files with the keys below",
    reads: "yaml",
  }),
);

export type MappedDevice = v.InferOutput<typeof device>;
