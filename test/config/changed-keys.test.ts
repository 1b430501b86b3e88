import { expect, test } from "vitest";
import { changedKeys } from "../../config/changed-keys.ts";
import { configFolder, serverEntry } from "./config-folder.ts";

async function between(before: string, after: string): Promise<readonly string[]> {
  const [old, now] = await Promise.all([configFolder(before).load(), configFolder(after).load()]);
  return changedKeys(old.config, now.config);
}

test.each([
  ["log: { level: info }", "", []],
  ["", "log: { level: debug, format: json }", ["log.level", "log.format"]],
  [
    "adapters: { mqtt: { username: u, password: old } }",
    "adapters: { mqtt: { username: u, password: new } }",
    ["adapters.mqtt.password"],
  ],
  ["", "adapters: { mqtt: { username: u } }", ["adapters.mqtt.username"]],
  ["lan: { interfaces: [ a ] }", "lan: { interfaces: [ a, b ] }", ["lan.interfaces"]],
  ["state: /a", "", ["state"]],
  ['web: { listen: "80" }', 'web: { listen: "81" }', ["web.listen.port"]],
])("between %j and %j: %j", async (before, after, keys) => {
  expect([...(await between(before, after))].sort()).toEqual([...keys].sort());
});

test("servers are compared by id: one that moved has not changed, one that came or went is one key", async () => {
  const entries = (...all: string[]) => `servers: [ ${all.join(", ")} ]`;
  const [a, b, c] = ["a", "b.example", "c"].map((id) => serverEntry("", id)) as [string, string, string];
  expect(await between(entries(a, b), entries(b, a))).toEqual([]);
  expect(await between(entries(a, b), entries(b, c))).toEqual(["servers.a", "servers.c"]);
  const changed = serverEntry('poll: 1h, auth: { server: { name: s, secret: u, nonce: "YQ==" } }', "b.example").replace(
    "auth: { server: { name: s, secret: t } }, ",
    "",
  );
  expect(await between(entries(b), entries(changed))).toEqual([
    "servers.b.example.auth.server.secret",
    "servers.b.example.auth.server.nonce",
    "servers.b.example.poll",
  ]);
});
