import { join } from "node:path";
import { expect, test } from "vitest";
import { loadConfig, loadPlaces, problemLine } from "../../config/load.ts";
import { configFolder, problemsIn, serverEntry } from "./config-folder.ts";

const none = "/does/not/exist/dmgw.yaml";

test("without a file the built-in defaults hold", async () => {
  const { config, source, warnings } = await loadConfig({ env: {}, standardFile: none });
  expect(source).toBe("built-in defaults");
  expect(warnings).toEqual([]);
  expect(config).toMatchObject({
    gateway: {},
    lan: {},
    control: {},
    log: { level: "info", format: "auto" },
    discovery: { ssdp: { enabled: true }, mdns: { enabled: true }, neighbours: { enabled: true } },
    adapters: { mqtt: { enabled: true, url: "mqtt://127.0.0.1:1883" }, upnp: { enabled: true, access: "approve" } },
    servers: [],
  });
  expect(config.state).toBeUndefined();
});

test.each(["", "# nothing but comments\n", "---\n", "\ufeff", "{}", "servers:\nlan:\ndiscovery:\n  mdns:\n"])(
  "a file that says nothing (%j) means the defaults",
  async (text) => {
    const { load, file } = configFolder(text);
    const { config, source } = await load();
    expect(source).toBe(file);
    expect(config).toEqual((await loadConfig({ env: {}, standardFile: none })).config);
  },
);

test("--config is taken before $DMGW_CONFIG, and that before the standard file", async () => {
  const asked = configFolder("log: { level: debug }");
  const fromEnv = configFolder("log: { level: warn }");
  const standard = configFolder("log: { level: error }");
  const env = { DMGW_CONFIG: fromEnv.file };
  const level = async (request: object) =>
    (await loadConfig({ env, standardFile: standard.file, ...request })).config.log.level;
  expect(await level({ file: asked.file })).toBe("debug");
  expect(await level({})).toBe("warn");
  expect(await level({ env: { DMGW_CONFIG: "" } })).toBe("error");
});

test("a file that was named and is missing is an error that says who named it", async () => {
  const byOption = await loadConfig({ file: none, env: {} }).then(() => [], problemsIn);
  expect(byOption.map(problemLine)).toEqual([`${none}: the config file ${none} does not exist`]);
  const byEnv = await loadConfig({ env: { DMGW_CONFIG: none } }).then(() => [], problemsIn);
  expect(byEnv.map(({ message }) => message)).toEqual([
    `the config file ${none}, which $DMGW_CONFIG names, does not exist`,
  ]);
});

test("every problem is told at once, in the order of the file, with line, column, value and what was probably meant", async () => {
  const { lines } = configFolder(`
gatway: { model: x }
log: { level: trase, fromat: json }
adapters:
  mqtt: { url: http://x }
  zigbee: {}
servers:
  - id: a
    url: http://a.example/dm
    poll: soon
  - url: https://b.example/dm
    tls: { ca: /does/not/exist.pem }
log: {}
`);
  expect(await lines()).toEqual([
    '2:1 gatway: there is no such key; did you mean "gateway"?',
    '3:15 log.level: "trase" is not one of debug, info, warn, error',
    '3:22 log.fromat: there is no such key; did you mean "format"?',
    '5:16 adapters.mqtt.url: "http://x" does not begin with mqtt:// or mqtts://',
    "6:3 adapters.zigbee: there is no such key; here are: coap, lwm2m, tr069, omadm, smartcard, mqtt, upnp",
    "8:5 servers[0].auth does not say how the server proves itself: give auth.server with name and secret, or pin its certificate with tls.ca and https",
    '9:10 servers[0].url: "http://a.example/dm" is plain http: anybody on the way can read and change it. Use https://, or set insecure: true for this server',
    '10:11 servers[0].poll: "soon" is not a duration: write a number and its unit, such as 500ms, 5s, 10m, 24h or 7d',
    "11:5 servers[1].id is missing: text without spaces and = & * +",
    "12:16 servers[1].tls.ca: the file /does/not/exist.pem does not exist",
    "13:1 log stands twice: leave one out",
  ]);
});

test("two servers with one id are refused, at the second", async () => {
  const { lines } = configFolder(`servers:\n- ${serverEntry()}\n- ${serverEntry("", "b")}\n- ${serverEntry()}\n`);
  expect(await lines()).toEqual(['4:9 servers[2].id: "a.example" is the id of two servers']);
});

test.each([
  ["- a\n- b\n", "1:1 the config is not a group of keys"],
  ["hello\n", "1:1 the config is not a group of keys"],
  ["<html><body>500 Internal Server Error</body></html>\n", "1:1 the config is not a group of keys"],
  ["a: b: c\n", "1:4 the indentation does not fit"],
  ["log:\n\tlevel: info\n", "2:1 a line is indented with a tab"],
  ["log: {level: info\n", "2:1 "],
  ["log:\n  level: info\n format: json\n", "3:1 the indentation does not fit"],
  ["log: *hunter2\n", "1:6 an alias (*) names no anchor"],
  ["log: !hunter2 x\n", "1:6 a tag (!) has no meaning here"],
  ['log: "\\hunter2"\n', "1:7 a backslash sequence that does not exist"],
  ["log: %hunter2\n", "1:6 a value that begins with this character needs quotes"],
  ["log: {}\n---\nlog: {}\n", "2:1 a second document begins here"],
  ["? [hunter2]\n: 1\n", "1:3 a key is a list or a group"],
  ["? {a: b}\n", "1:3 a key is a list or a group"],
])("what is not a config in YAML (%j) is refused where it goes wrong, without quoting it", async (text, says) => {
  const { lines } = configFolder(text);
  const [first] = await lines();
  expect(first).toContain(says);
  expect(first).not.toContain("hunter2");
});

test.each(["__proto__", "constructor", "toString", "hasOwnProperty", '""', "~", "true", "12"])(
  "the key %s is unknown like any other",
  async (key) => {
    const { lines } = configFolder(`${key}: { polluted: 1 }\nlog:\n  ${key}: 1\n`);
    const found = await lines();
    expect(found).toHaveLength(2);
    expect(found.join()).toMatch(/^1:1 .*no such key.*,3:3 log\..*no such key/);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  },
);

test("a folder, a device, binary data, and a file that is too large are refused by name", async () => {
  const { lines, folder, write } = configFolder("");
  expect(await lines({ file: folder })).toEqual(["… the config file … is not a file"]);
  expect(await lines({ file: "/dev/zero" })).toEqual(["/dev/zero the config file /dev/zero is not a file"]);
  const binary = write("binary.yaml", Uint8Array.of(0x6c, 0x6f, 0x67, 0x3a, 0x00, 0x01));
  expect(await lines({ file: binary })).toEqual([expect.stringContaining("is not text (UTF-8)")]);
  const latin1 = write("latin1.yaml", Uint8Array.of(0x61, 0x3a, 0x20, 0xe4, 0x0a));
  expect(await lines({ file: latin1 })).toEqual([expect.stringContaining("is not text (UTF-8)")]);
  const large = write("large.yaml", `#${"x".repeat(2 << 20)}\n`);
  expect(await lines({ file: large })).toEqual([expect.stringContaining("is larger than 256 kB")]);
});

test("aliases work; a bomb of them, a circle, and endless nesting are refused", async () => {
  const level = (text: string) =>
    configFolder(text)
      .load()
      .then(({ config }) => config.log.level);
  expect(await level("log: &l { level: debug }\n")).toBe("debug");
  const { config } = await configFolder(
    `servers:\n- ${serverEntry("poll: &p 1h")}\n- ${serverEntry("poll: *p", "b")}\n`,
  ).load();
  expect(config.servers.map(({ poll }) => poll)).toEqual([3_600_000, 3_600_000]);

  const names = [..."abcdefghijk"];
  const bomb = names.map(
    (name, n) =>
      `${name}: &${name} [ ${Array(9)
        .fill(n === 0 ? "x" : `*${names[n - 1]}`)
        .join()} ]`,
  );
  expect((await configFolder(bomb.join("\n")).lines()).at(0)).toContain("more than 200 aliases");
  const long = `a: &a [ ${"x, ".repeat(2000)} ]\nb: [ ${"*a, ".repeat(20)} ]\n`;
  expect((await configFolder(long).lines()).at(0)).toContain("more than 20000 values");
  expect((await configFolder("log: &a [ *a ]").lines()).at(0)).toContain("nested more than");
  expect((await configFolder(`log: ${"[".repeat(30_000)}`).lines()).at(0)).toContain("nested more than");
  expect((await configFolder(`log: ${"[".repeat(40)}${"]".repeat(40)}`).lines()).at(0)).toContain("nested more than");
});

test("of very many problems the first fifty are told, and how many more there are", async () => {
  const { problems } = configFolder(Array.from({ length: 1000 }, (_, n) => `nonsense${n}: 1`).join("\n"));
  const found = await problems();
  expect(found).toHaveLength(51);
  expect(found.at(-1)?.message).toBe("there are 950 more problems");
});

test("relative paths begin in the folder of the file, those of --set in the working folder", async () => {
  const { load, folder } = configFolder("state: state\ncontrol: { socket: ../x/control.sock }\n");
  const { config } = await load();
  expect(config.state).toBe(join(folder, "state"));
  expect(config.control.socket).toBe(join(folder, "../x/control.sock"));
  expect((await load({ set: ["state=state"] })).config.state).toBe(join(process.cwd(), "state"));
});

test("insecure: true is a warning where it stands", async () => {
  const entry = `- ${serverEntry("insecure: true").replace("https:", "http:")}`;
  const { load, file } = configFolder(`servers:\n${entry}\n`);
  const { warnings } = await load();
  expect(warnings.map(problemLine)).toEqual([
    `${file}:2:${entry.indexOf("true") + 1}: the server a.example is managed over plain http: anybody on the way can read and change it`,
  ]);
});

test("what a client needs to find the daemon is read without secrets, and whatever else is wrong", async () => {
  const { file } = configFolder(
    "state: /s\nlog: 5\nnonsense: 1\nservers: [ { auth: { client: { secret: { file: /no } } } } ]\n",
  );
  expect(await loadPlaces({ file, env: {} })).toEqual({ state: "/s", control: {} });
  expect(await loadPlaces({ file, env: {}, set: ["control.socket=/c"] })).toMatchObject({ control: { socket: "/c" } });
  expect(await loadPlaces({ env: {}, standardFile: configFolder("a: [").file })).toEqual({ control: {} });
  await expect(loadPlaces({ file: none, env: {} })).rejects.toThrow("does not exist");
  await expect(loadPlaces({ file: configFolder("state: []").file, env: {} })).rejects.toThrow("state: a list is not");
});
