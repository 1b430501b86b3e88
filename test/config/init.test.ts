import fc from "fast-check";
import { expect, test } from "vitest";
import { initConfig } from "../../config/init.ts";
import type { InitAnswers } from "../../config/init.ts";
import { loadConfig } from "../../config/load.ts";
import { configFolder } from "./config-folder.ts";

test("without answers the file that init writes is commented, and means the defaults", async () => {
  const text = initConfig({});
  expect(text).toMatch(/^# /);
  const defaults = await loadConfig({ env: {}, standardFile: "/does/not/exist" });
  expect((await configFolder(text).load()).config).toEqual(defaults.config);
});

test("what was answered is in the file", async () => {
  const { load } = configFolder(
    initConfig({
      manufacturer: "Example: Corp",
      model: "HG #1",
      interfaces: ["br-lan", "eth0"],
      broker: { url: "mqtt://broker.lan", username: "u", password: "p" },
      server: {
        id: "com.example.dm",
        url: "http://dm.example.com/dm",
        type: "basic",
        client: { name: "gw", secret: "1" },
        server: { name: "srv", secret: "true" },
        insecure: true,
      },
    }),
  );
  const { config } = await load();
  expect(config.gateway).toEqual({ manufacturer: "Example: Corp", model: "HG #1" });
  expect(config.lan.interfaces).toEqual(["br-lan", "eth0"]);
  expect(config.adapters.mqtt).toMatchObject({ url: "mqtt://broker.lan", username: "u", password: "p" });
  expect(config.servers).toMatchObject([
    {
      id: "com.example.dm",
      url: "http://dm.example.com/dm",
      auth: {
        client: { type: "basic", name: "gw", secret: "1" },
        server: { type: "basic", name: "srv", secret: "true" },
      },
      insecure: true,
      report: { subtrees: ["./Devices"], interval: 5000 },
    },
  ]);
});

test("any text comes back from the file as it was answered", async () => {
  const shown = fc.string({ minLength: 1, maxLength: 60, unit: "grapheme" }).filter((text) => !/\p{Cc}/u.test(text));
  const secret = fc.string({ minLength: 1, maxLength: 60, unit: "binary" }).map((text) => text.toWellFormed());
  await fc.assert(
    fc.asyncProperty(shown, secret, secret, async (model, password, clientSecret) => {
      const answers: InitAnswers = {
        model,
        broker: { url: "mqtt://x", username: model, password },
        server: {
          id: "a",
          url: "https://a.example/",
          type: "digest",
          client: { name: model, secret: clientSecret },
          server: { name: model, secret: password },
        },
      };
      const { config } = await configFolder(initConfig(answers)).load();
      expect(config.gateway.model).toBe(model);
      expect(config.adapters.mqtt).toMatchObject({ username: model, password });
      expect(config.servers[0]?.auth.client?.secret).toBe(clientSecret);
    }),
    { numRuns: 60 },
  );
});
