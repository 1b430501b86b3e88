import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadConfig } from "../../config/load.ts";
import { generateReference } from "../../config/reference.ts";
import { selfSigned } from "../fakes/certificate.ts";
import { root } from "../rules/sources.ts";
import { configFolder } from "./config-folder.ts";

const example = readFileSync(join(root, "config/dmgw.example.yaml"), "utf8");
/** With every "#" before a key taken away; a "# " before a word begins a comment. */
const uncommented = example.replaceAll(/^#(?! \S)/gm, "");

test("the example loads as it is shipped, and means the defaults", async () => {
  const { config, warnings } = await configFolder(example).load();
  const defaults = await loadConfig({ env: {}, standardFile: "/does/not/exist" });
  expect(config).toEqual(defaults.config);
  expect(warnings).toEqual([]);
});

test("the example still loads when all of its keys are made to count", async () => {
  const { write, load } = configFolder(uncommented);
  const { cert, key } = selfSigned(["gateway"]);
  for (const name of ["ca.pem", "gateway.pem", "broker.pem"]) write(name, cert);
  for (const name of ["gateway.key", "broker.key"]) write(name, key);
  for (const name of ["dm.secret", "mqtt.password", "plug.password"]) write(name, "secret\n");
  write("mqtt-devices.yaml", readFileSync(join(root, "config/mqtt-devices.example.yaml"), "utf8"));
  const { config, warnings } = await load({ env: { DM_SERVER_SECRET: "secret" } });
  expect(config.adapters.mqtt.password).toBe("secret");
  expect(config.servers[0]).toMatchObject({ id: "com.example.dm", poll: 86_400_000, tls: { key: key.trimEnd() } });
  expect(warnings).toEqual([]);
});

test("the example shows every key that does something in this version", () => {
  const reference = readFileSync(join(root, "config/reference.gen.md"), "utf8");
  const works = [...reference.matchAll(/^\| `([^`]+)` \| (?!group|not in this version)(?!.*only false)/gm)]
    .map(([, key = ""]) => key)
    // Those of a mapping file stand in an example of their own.
    .filter((key) => !/^((web|consent|notify)\.|adapters\.mqtt\.mapping\[\])/.test(key));
  expect(works.length).toBeGreaterThan(30);
  const missing = works.filter((key) => !new RegExp(`\\b${key.split(".").at(-1)}:`).test(uncommented));
  expect(missing).toEqual([]);
});

test("the example of a mapping file shows every key of one", () => {
  const shown = readFileSync(join(root, "config/mqtt-devices.example.yaml"), "utf8");
  const keys = [...generateReference().matchAll(/^\| `adapters\.mqtt\.mapping\[\]\.([^`]+)`/gm)].map(
    ([, key = ""]) => key,
  );
  expect(keys.length).toBeGreaterThan(30);
  const missing = keys.filter(
    (key) =>
      !new RegExp(
        `\\b${key
          .split(/\.|\[\]/)
          .filter(Boolean)
          .at(-1)}"?:`,
      ).test(shown),
  );
  expect(missing).toEqual([]);
});
