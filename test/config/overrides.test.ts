import { expect, test } from "vitest";
import { configFolder, serverEntry } from "./config-folder.ts";

test("--set overrides the file, and makes the groups that are missing", async () => {
  const { load } = configFolder("log: { level: warn, format: json }\n");
  const { config } = await load({
    set: ["log.level=debug", "adapters.mqtt.topics.homie=home", "lan.interfaces=[ lo, eth0 ]"],
  });
  expect(config.log).toEqual({ level: "debug", format: "json" });
  expect(config.adapters.mqtt.topics.homie).toBe("home");
  expect(config.lan.interfaces).toEqual(["lo", "eth0"]);
});

test("--set works without a file, and the last of several wins", async () => {
  const { config } = await configFolder("").load({
    file: undefined,
    standardFile: "/no",
    set: ["log.level=debug", "log.level=error"],
  });
  expect(config.log.level).toBe("error");
});

test("--set reaches into lists by number, and adds behind the last", async () => {
  const { load } = configFolder(`servers:\n- ${serverEntry()}\n`);
  const { config } = await load({
    set: ["servers.0.poll=1h", `servers.1=${serverEntry("", "b")}`, "servers.1.poll=2h", "lan.interfaces.0=lo"],
  });
  expect(config.servers.map(({ id, poll }) => [id, poll])).toEqual([
    ["a.example", 3_600_000],
    ["b", 7_200_000],
  ]);
  expect(config.lan.interfaces).toEqual(["lo"]);
});

test("a whole server can be given key by key", async () => {
  const keys = ["id=a", "url=https://a.example/dm?x=1", "auth.server.name=s", "auth.server.secret=a=b#c"];
  const { config } = await configFolder("").load({ set: keys.map((key) => `servers.0.${key}`) });
  expect(config.servers[0]).toMatchObject({ url: "https://a.example/dm?x=1", auth: { server: { secret: "a=b#c" } } });
});

test.each([
  ["log.level", "--set takes key.path=value"],
  ["=debug", "--set takes key.path=value"],
  ["log..level=debug", "--set takes key.path=value"],
  [".=debug", "--set takes key.path=value"],
  [`${"a.".repeat(20)}b=1`, "--set takes key.path=value"],
  ["log.level=[", "log.level: "],
  ["log.level=loud", 'log.level: "loud" is not one of'],
  ["log.lvel=debug", 'log.lvel: there is no such key; did you mean "level"?'],
  ["servers.1.url=https://x/", "servers.1.url: 1 is no place in this list: it has 0 entries"],
  ["servers.x.url=https://x/", "servers.x.url: x is no place in this list"],
  ["servers.0.url=https://x/", "servers[0].id is missing"],
  ["__proto__.polluted=1", "__proto__: there is no such key"],
  ["log.__proto__.polluted=1", "log.__proto__: there is no such key"],
  ["log.level=", "log.level has no value"],
])("--set %s is refused, and named as the place", async (override, says) => {
  const { problems } = configFolder("servers: []\n");
  const found = await problems({ set: [override] });
  expect(found.map(({ message }) => message).join()).toContain(says);
  expect(found.every(({ where }) => where === "--set")).toBe(true);
  expect(({} as { polluted?: number }).polluted).toBeUndefined();
});

test("several wrong overrides are told together with what is wrong in the file", async () => {
  const { lines } = configFolder("log: { level: loud }\n");
  expect(await lines({ set: ["nonsense", "log.format=xml"] })).toEqual([
    "--set --set takes key.path=value, such as log.level=debug",
    '--set log.format: "xml" is not one of auto, text, json',
    '1:15 log.level: "loud" is not one of debug, info, warn, error',
  ]);
});
