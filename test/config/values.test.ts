import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import type * as v from "valibot";
import { viewOf } from "../../config/keys.ts";
import { configSchema } from "../../config/schema.ts";
import { selfSigned } from "../fakes/certificate.ts";
import { configFolder, serverEntry } from "./config-folder.ts";

const long = (characters: number) => "x".repeat(characters);
const durations = (key: string): readonly Row[] => [
  [key, "24 hours", "is not a duration"],
  [key, "5", "is not a duration"],
  [key, "-5s", "is not a duration"],
  [key, "99999999d", "out of range"],
  [key, "[ 5s ]", "a list is not a duration"],
];
const flags = (key: string): readonly Row[] => [
  [key, "yes", '"yes" is not true or false: write true, without quotes'],
  [key, '"false"', '"false" is not true or false: write false, without quotes'],
  [key, "1", "write true"],
  [key, "perhaps", '"perhaps" is not true or false'],
  [key, "{}", "a group of keys is not true or false"],
];
const texts = (key: string): readonly Row[] => [
  [key, '""', "is empty"],
  [key, "~", "has no value"],
  [key, "[ a ]", "a list is not text"],
  [key, "{ a: b }", "a group of keys is not text"],
  [key, `"${long(256)}"`, "more than 255 characters"],
  [key, '"a\\nb"', "control characters"],
];
const later = (key: string): readonly Row[] => [[`${key}.enabled`, "true", "this version has no "]];

type Row = readonly [key: string, value: string, says: string];
const server = "servers.0";
const wrong: readonly Row[] = [
  ["gateway", "x", "is not a group of keys"],
  ...["id", "manufacturer", "model", "firmware", "hardware"].flatMap((key) => texts(`gateway.${key}`)),
  ["gateway.id", '"a b"', "holds a space"],
  ["state", '""', "is empty"],
  ["state", "{ a: b }", "a group of keys is not a path"],
  ["lan.interfaces", "eth0", "is not a list"],
  ["lan.interfaces", "[]", "is empty"],
  ["lan.interfaces.0", "a/b", '"a/b" is no name of a network interface'],
  ["lan.interfaces.0", long(16), "is no name of a network interface"],
  ["control.socket", `/${long(107)}`, "107 octets"],
  ...later("web"),
  ...["localhost", "0", "65536", "::1:80", "'[1.2.3.4]:80'", "1.2.3:80", "'1.2.3.4:'", "[ 80 ]"].map((value): Row => [
    "web.listen",
    value,
    value === "[ 80 ]" ? "a list is not" : "is not an address to listen on",
  ]),
  ["log.level", "trace", '"trace" is not one of debug, info, warn, error'],
  ["log.level", "wran", 'did you mean "warn"?'],
  ["log.format", "jsn", 'did you mean "json"?'],
  ...flags("discovery.ssdp.enabled"),
  ...flags("discovery.mdns.enabled"),
  ...flags("discovery.announce.enabled"),
  ...flags("discovery.neighbours.enabled"),
  ["discovery.neighbours.leases", '""', "is empty"],
  ["discovery.neighbours.leases.0", '""', "is empty"],
  ["discovery.neighbours.leases", "[ /a, '' ]", 'leases[1]: "" is empty'],
  ["discovery.neighbours.leases", "{ file: /a }", "a group of keys is not a list"],
  ["discovery.neighbours.leases", "[ 1, 2, 3, 4, 5, 6, 7, 8, 9 ]", "has more than 8 entries"],
  ...["adapters.coap", "adapters.lwm2m"].flatMap(later),
  ...["adapters.tr069", "adapters.omadm", "adapters.smartcard"].flatMap(later),
  ...flags("adapters.upnp.enabled"),
  ["adapters.upnp.access", "opne", '"opne" is not one of approve, open; did you mean "open"?'],
  ...flags("adapters.mqtt.enabled"),
  ["adapters.mqtt.url", "http://x", "does not begin with mqtt:// or mqtts://"],
  ["adapters.mqtt.url", "broker.lan", "is not a URL"],
  ["adapters.mqtt.url", "mqtt://", "names no host"],
  ["adapters.mqtt.url", '"mqtt://a b"', "is not a URL"],
  ["adapters.mqtt.url", "mqtt://x:99999", "is not a URL"],
  ["adapters.mqtt.url", "mqtt://x:0", "names port 0"],
  ["adapters.mqtt.url", "MQTT://x", "does not begin with"],
  ["adapters.mqtt.url", "mqtt://user:hunter2@x", "holds a user name or password"],
  ["adapters.mqtt.url", `"mqtt://x/#a"`, "holds a fragment"],
  ["adapters.mqtt.url", `mqtt://${long(1000)}`, "more than 1000 characters"],
  ...texts("adapters.mqtt.username"),
  ...texts("adapters.mqtt.clientId"),
  ["adapters.mqtt.password", "x", "is given without username"],
  ["adapters.mqtt.password", '""', "is empty"],
  ["adapters.mqtt.password", long(4097), "more than 4096 characters"],
  ["adapters.mqtt.password", "[ hunter2 ]", "a list is not a secret"],
  ["adapters.mqtt.tls", "true", "is not a group of keys"],
  ["adapters.mqtt.tls", "{}", "url does not begin with mqtts://"],
  ["adapters.mqtt.tls.ca", "/does/not/exist", "the file /does/not/exist does not exist"],
  ["adapters.mqtt.tls.ca", '""', "is no certificate"],
  ["adapters.mqtt.tls.cert", '"-----BEGIN CERTIFICATE-----"', "is no certificate"],
  ["adapters.mqtt.tls.key", '"-----BEGIN PRIVATE KEY-----"', "is no private key"],
  ["adapters.mqtt.topics.homie", '"#"', "is no topic"],
  ["adapters.mqtt.topics.zigbee2mqtt", "a//b", "empty level"],
  ...["homeassistant", "tasmota", "sparkplug"].map((name): Row => [
    `adapters.mqtt.topics.${name}`,
    "a/+",
    "is no topic",
  ]),
  ["adapters.mqtt.conventions.0", "homey", '"homey" is not one of'],
  ...flags("adapters.mqtt.embedded.enabled"),
  ["adapters.mqtt.embedded.listen", "localhost", "is not an address to listen on"],
  ["adapters.mqtt.embedded.users", "x", "is not a list"],
  ...texts("adapters.mqtt.embedded.users.0.name"),
  ["adapters.mqtt.embedded.users.0.password", '""', "is empty"],
  ["adapters.mqtt.embedded.tls.cert", '""', "is no certificate"],
  ["adapters.mqtt.embedded.tls.key", '"-----BEGIN PRIVATE KEY-----"', "is no private key"],
  ["servers", "{ id: a }", "is not a list"],
  [server, "a", "is not a group of keys"],
  [`${server}.id`, "a+b", "is no server id"],
  [`${server}.id`, "local", "is reserved"],
  ...texts(`${server}.id`),
  [`${server}.url`, "ftp://x", "does not begin with https:// or http://"],
  [`${server}.url`, "http://x/dm", "set insecure: true"],
  [`${server}.version`, "1.3", "this version of dmgw speaks DM 1.2 only"],
  [`${server}.version`, "2.0", "this version of dmgw speaks DM 1.2 only"],
  [`${server}.version`, "1.4", "is not one of 1.2, 1.3, 2.0"],
  [`${server}.encoding`, "wbxml", "this version has no wbxml yet"],
  [`${server}.encoding`, "json", "is not one of xml, wbxml"],
  [`${server}.auth`, "x", "is not a group of keys"],
  [`${server}.auth`, "{}", "does not say how the server proves itself"],
  ...["client", "server"].flatMap((side): readonly Row[] => {
    const key = `${server}.auth.${side}`;
    return [
      [key, "{}", "name is missing"],
      [key, "{ name: a }", "secret is missing"],
      [`${key}.type`, "hmac", "this version has no hmac yet"],
      [`${key}.type`, "md5", "is not one of basic, digest, hmac, transport"],
      ...texts(`${key}.name`),
      [`${key}.secret`, '""', "is empty"],
      [`${key}.secret`, "{ env: A, file: b }", "expected text, { file: path } or { env: NAME }"],
      [`${key}.secret`, "{}", "expected text, { file: path } or { env: NAME }"],
      [`${key}.secret`, "{ file: [] }", "expected text, { file: path } or { env: NAME }"],
      [`${key}.nonce`, "a", "is not base64"],
      [`${key}.nonce`, '"a=b="', "is not base64"],
      [`${key}.nonce`, `"${"YWJj".repeat(257)}"`, "more than 1024 characters"],
    ];
  }),
  [`${server}.auth.client.type`, "transport", "needs a certificate of ours"],
  [`${server}.auth.server.type`, "transport", "does not say how the server proves itself"],
  [`${server}.tls.ca`, "/does/not/exist", "does not exist"],
  [`${server}.tls.cert`, "/", "is not a file"],
  [`${server}.tls.key`, "{ env: NOT_SET }", "the environment variable NOT_SET is not set"],
  ...flags(`${server}.insecure`),
  [`${server}.devices`, "mange", 'did you mean "manage"?'],
  ...durations(`${server}.poll`),
  [`${server}.poll`, "999ms", "out of range: 1s to 365d, or 0: never"],
  ...durations(`${server}.report.interval`),
  [`${server}.report`, "{}", "subtrees is missing"],
  [`${server}.report.subtrees`, "./Devices", "is not a list"],
  [`${server}.report.subtrees`, "[]", "is empty"],
  [`${server}.report.subtrees.0`, "./A//B", "is no address in the tree"],
  [`${server}.report.subtrees.0`, `./${long(1100)}`, "is no address in the tree"],
  [`${server}.channel`, "tcp", "is not a group of keys"],
  [`${server}.channel.tcp`, '{ url: "tls://x" }', "this version has no TCP channel yet"],
  [`${server}.channel.sip`, "{}", "this version has no SIP channel yet"],
  ...["http", "udp", "wap", "multicast"].map((key): Row => [`notify.${key}`, "{}", "this version has no "]),
  ["updates", "{}", "this version has no "],
  ["consent.default", "decline", "this version asks nobody yet"],
  ["consent.default", "never", "is not one of ask, decline"],
  ...durations("consent.timeout"),
  ["consent.rules", "[]", "this version has no "],
];

const complete = serverEntry("report: { subtrees: [ ./Devices ] }").replace(
  "auth: {",
  "auth: { client: { name: c, secret: d },",
);

const { cert, key: certificateKey } = selfSigned(["localhost"]);
const broker = `adapters: { mqtt: { embedded: { listen: "10.0.0.1:1883", users: [ { name: a, password: b } ], tls: ${JSON.stringify({ cert, key: certificateKey })} } } }`;

test.each(wrong.map(([key, value, says]) => [`${key}: ${value.slice(0, 40)}`, says, key, value] as const))(
  "%s is refused: … %s",
  async (_, says, key, value) => {
    const { problems } = configFolder(`servers: [ ${complete} ]\n${broker}`);
    const found = await problems({ set: [`${key}=${value}`] });
    expect(found[0]?.message).toContain(says);
    // Nothing else is wrong than this key, what is below it, or the group that needs it.
    const bracketed = key.replaceAll(/\.(\d+)/g, "[$1]");
    expect(found.filter((problem) => !problem.key.startsWith(bracketed) && !bracketed.startsWith(problem.key))).toEqual(
      [],
    );
    expect(found.map((problem) => problem.message).join()).not.toContain("hunter2");
  },
);

test("every key that has checks has a wrong value in the table above", () => {
  const tried = new Set(wrong.map(([key]) => key.replaceAll(/\.\d+/g, "[]")));
  const below = (key: string, schema: v.GenericSchema): string[] => {
    const { shape, about } = viewOf(schema);
    // A file of its own has tests of its own.
    if (shape.kind === "anything" || about.reads === "yaml") return [];
    if (shape.kind === "list") return below(`${key}[]`, shape.item);
    if (shape.kind !== "group") return [key];
    return Object.entries(shape.keys).flatMap(([name, one]) => below(key === "" ? name : `${key}.${name}`, one));
  };
  expect(below("", configSchema).filter((key) => !tried.has(key))).toEqual([]);
});

test.each([
  ["poll", "0", 0],
  ["poll", "1s", 1000],
  ["poll", "1.5h", 5_400_000],
  ["poll", "7d", 604_800_000],
  ["poll", '"10 m"', 600_000],
])("servers.0.%s: %s is read as %d ms", async (key, value, ms) => {
  const { config } = await configFolder(`servers: [ ${serverEntry(`${key}: ${value}`)} ]`).load();
  expect(config.servers[0]?.poll).toBe(ms);
});

test.each([
  ["192.168.1.1:80", { host: "192.168.1.1", port: 80 }],
  ["[fe80::1]:80", { host: "fe80::1", port: 80 }],
  [":80", { port: 80 }],
  ["80", { port: 80 }],
  ["localhost:80", { host: "localhost", port: 80 }],
])("an address to listen on may be %s", async (value, listen) => {
  const { config } = await configFolder(`web: { listen: "${value}" }`).load();
  expect(config.web.listen).toEqual(listen);
});

test.each([
  ["/tmp/dhcp.leases", ["/tmp/dhcp.leases"]],
  ["[ /a, /b ]", ["/a", "/b"]],
  ["[]", []],
])("files of leases may be %s", async (leases, files) => {
  const { config } = await configFolder(`discovery: { neighbours: { leases: ${leases} } }`).load();
  expect(config.discovery.neighbours).toEqual({ enabled: true, leases: files });
});

test("files of leases that are not absolute begin in the folder of the config file", async () => {
  const { load, file } = configFolder("discovery: { neighbours: { leases: dhcp.leases } }");
  expect((await load()).config.discovery.neighbours.leases).toEqual([join(dirname(file), "dhcp.leases")]);
});

test("the keys of parts that do not exist yet are taken as they are while these are off", async () => {
  const { config } = await configFolder(`
web: { enabled: false, listen: "127.0.0.1:8420" }
adapters:
  coap: { enabled: false }
  lwm2m: { enabled: false, listen: "192.168.1.1:5683", dtls: { listen: x, psk: [ { identity: a, key: "00" } ] }, access: approve }
  tr069: { enabled: false, listen: x, path: /cwmp, username: a, password: b, tls: { cert: a, key: b }, access: approve }
  omadm: { enabled: false, listen: x, path: /dm, tls: { cert: a, key: b }, access: approve }
  smartcard: { enabled: false, reader: auto }
notify: {}
consent: { default: ask, timeout: 10m }
`).load();
  expect(config.adapters.lwm2m.enabled).toBe(false);
  expect(config.consent).toEqual({ default: "ask", timeout: 600_000 });
});

test("what YAML takes for a number or a truth is text where text is wanted, as it is written", async () => {
  const { config } = await configFolder(`
gateway: { firmware: 1.10, hardware: 0x1F, model: true }
servers: [ { id: 12, url: "https://a.example/dm", version: 1.2, auth: { server: { name: 007, secret: 0123 } } } ]
`).load();
  expect(config.gateway).toEqual({ firmware: "1.10", hardware: "0x1F", model: "true" });
  expect(config.servers[0]).toMatchObject({ id: "12", auth: { server: { name: "007", secret: "0123" } } });
});
