import { randomUUID } from "node:crypto";
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { selfSigned } from "../fakes/certificate.ts";
import type { Certificate } from "../fakes/certificate.ts";
import { configFolder, serverEntry } from "./config-folder.ts";

let ours: Certificate;
let other: Certificate;
beforeAll(() => {
  ours = selfSigned(["a.example"]);
  other = selfSigned(["b.example"]);
});

const mqtt = (password: string) => `adapters: { mqtt: { username: u, password: ${password} } }\n`;

test("a secret comes from the file itself, from another file, or from the environment", async () => {
  const inline = configFolder(mqtt("hunter2"));
  expect((await inline.load()).config.adapters.mqtt.password).toBe("hunter2");
  const byFile = configFolder(mqtt("{ file: secret }"));
  byFile.write("secret", "hunter2\n");
  expect((await byFile.load()).config.adapters.mqtt.password).toBe("hunter2");
  const byEnv = configFolder(mqtt("{ env: MQTT_PASSWORD }"));
  expect((await byEnv.load({ env: { MQTT_PASSWORD: "hunter2" } })).config.adapters.mqtt.password).toBe("hunter2");
});

test.each([
  ["hunter2\n", "hunter2"],
  ["hunter2\r\n", "hunter2"],
  ["hunter2", "hunter2"],
  ["hunter2\n\n", "hunter2\n"],
  [" hunter2 ", " hunter2 "],
])("of a secret's file %j one line break at the end is dropped", async (content, secret) => {
  const { write, load } = configFolder(mqtt("{ file: secret }"));
  write("secret", content);
  expect((await load()).config.adapters.mqtt.password).toBe(secret);
});

test("a secret that cannot be had says which file or variable is wrong, and how", async () => {
  const { lines, write, folder } = configFolder(mqtt("{ file: secret }"));
  const said = async () => (await lines()).join();
  expect(await said()).toBe("1:52 adapters.mqtt.password: the file …/secret does not exist");
  write("secret", "\n");
  expect(await said()).toContain("…/secret is empty");
  write("secret", Uint8Array.of(0xff, 0xfe, 0x00));
  expect(await said()).toContain("…/secret is not text (UTF-8)");
  write("secret", "x".repeat(300_000));
  expect(await said()).toContain("…/secret is larger than 256 kB");
  mkdirSync(join(folder, "sub"));
  expect((await configFolder(mqtt(`{ file: ${folder}/sub }`)).lines()).join()).toContain("is not a file");
  const byEnv = configFolder(mqtt("{ env: MQTT_PASSWORD }"));
  expect((await byEnv.lines({ env: { MQTT_PASSWORD: "" } })).join()).toContain(
    "the environment variable MQTT_PASSWORD is empty",
  );
  expect((await byEnv.lines()).join()).toContain("the environment variable MQTT_PASSWORD is not set");
});

test("files that every user can read or change are warned of", async () => {
  const { load, write, file } = configFolder(mqtt("{ file: secret }"));
  const secret = write("secret", "hunter2", 0o644);
  expect((await load()).warnings.map(({ message }) => message)).toEqual([
    `adapters.mqtt.password: every user can read ${secret}: chmod o-r ${secret}`,
  ]);
  chmodSync(secret, 0o640);
  chmodSync(file, 0o646);
  expect((await load()).warnings.map(({ message }) => message)).toEqual([
    `every user can change ${file}: chmod o-w ${file}`,
  ]);
  const inline = configFolder(mqtt("hunter2"), 0o644);
  const { warnings } = await inline.load();
  expect(warnings).toEqual([
    {
      key: "",
      where: `${inline.file}:1:44`,
      message: `every user can read the secrets in ${inline.file}: chmod o-r ${inline.file}, or give them as { file: path }`,
    },
  ]);
  expect((await inline.load({ set: ["adapters.mqtt.password={ env: P }"], env: { P: "p" } })).warnings).toEqual([]);
});

test("certificates and keys are PEM texts, given as paths, in the file itself, or by reference", async () => {
  const { write, load } = configFolder(
    `servers:\n- ${serverEntry("tls: { ca: ca.pem, cert: sub/../our.pem, key: { env: KEY } }")}\n`,
  );
  write("ca.pem", `# our CA\n${other.cert}`);
  write("our.pem", ours.cert);
  mkdirSync(join(write("x", ""), "..", "sub"));
  const { config, warnings } = await load({ env: { KEY: ours.key } });
  expect(config.servers[0]?.tls).toEqual({
    ca: `# our CA\n${other.cert.trimEnd()}`,
    cert: ours.cert.trimEnd(),
    key: ours.key,
  });
  expect(warnings).toEqual([]);

  const block = `adapters:\n  mqtt:\n    url: mqtts://x\n    tls:\n      ca: |\n${other.cert.replaceAll(/^(?=.)/gm, "        ")}`;
  expect((await configFolder(block).load()).config.adapters.mqtt.tls?.ca).toBe(other.cert);
});

test("a certificate that is none, and a key that belongs to another, are refused", async () => {
  const { write, lines } = configFolder(
    `servers:\n- ${serverEntry("tls: { ca: ca.pem, cert: our.pem, key: our.key }")}\n`,
  );
  write("ca.pem", "<html>404</html>");
  write("our.pem", ours.cert);
  write("our.key", other.key);
  expect(await lines()).toEqual([
    expect.stringMatching(/^2:\d+ servers\[0\]\.tls\.ca: .* is no certificate in PEM form/),
    expect.stringMatching(/^2:\d+ servers\[0\]\.tls\.key is not the key of the certificate in cert$/),
  ]);
  write("our.key", ours.cert);
  expect((await lines()).join()).toContain("tls.key is no private key in PEM form");
});

test.each(["cert", "key"])("tls.%s needs its counterpart", async (given) => {
  const { write, lines } = configFolder(`servers:\n- ${serverEntry(`tls: { ${given}: pem }`)}\n`);
  write("pem", given === "cert" ? ours.cert : ours.key);
  expect((await lines()).join()).toContain(`tls.${given}${given === "cert" ? ': "pem"' : ""} is given without`);
});

test("a pinned certificate is enough for the server to prove itself, but not over plain http", async () => {
  const entry = (url: string, more: string) =>
    `servers:\n- { id: a, url: "${url}", auth: { server: { type: transport } }, tls: { ca: ca.pem }${more} }\n`;
  const pinned = configFolder(entry("https://a.example/", ""));
  pinned.write("ca.pem", ours.cert);
  expect((await pinned.load()).config.servers).toHaveLength(1);
  const plain = configFolder(entry("http://a.example/", ", insecure: true"));
  plain.write("ca.pem", ours.cert);
  expect((await plain.lines()).map((line) => line.replace(/ (is|does).*/s, ""))).toEqual([
    "2:38 servers[0].auth",
    "2:77 servers[0].tls",
  ]);
});

test("no message ever holds a secret, whatever else is wrong with the file", async () => {
  const secret = `s-${randomUUID()}`;
  const pemless = Buffer.from(secret.repeat(8)).toString("base64");
  const texts = [
    mqtt(`[ ${secret} ]`),
    mqtt(`{ ${secret} }`),
    mqtt(`{ file: a, env: ${secret} }`),
    mqtt(`"${secret}\n`),
    mqtt(`"${secret}" x`),
    mqtt(`*${secret}`),
    mqtt(`!${secret} x`),
    mqtt(`&${secret} &${secret} x`),
    `adapters: { mqtt: { pasword: ${secret} } }`,
    `adapters: { mqtt: { password: ${secret} } }`,
    `adapters: { mqtt: { url: "mqtt://u:${secret}@x" } }`,
    `adapters: { mqtt: { url: "mqtt://u:a/${secret}@x" } }`,
    `adapters: { mqtt: { url: "http://x/?key=${secret}" } }`,
    `adapters: { mqtt: ${secret} }`,
    `servers: [ { id: a, url: "https://x/", auth: ${secret} } ]`,
    `servers: [ { id: a, url: "https://x/", auth: { client: ${secret} } } ]`,
    `servers: [ { id: a, url: "https://x/", auth: { client: { type: basic, secret: ${secret} } } } ]`,
    `servers: [ { id: a, url: "https://x/", auth: { client: { nonce: "${secret}" } } } ]`,
    `servers: [ { id: a, url: "https://x/", tls: { key: "${pemless}" } } ]`,
    `servers: [ { id: a, url: "https://x/", tls: { key: "-----BEGIN PRIVATE KEY-----\\n${secret}" } } ]`,
    `servers: ${secret}`,
  ];
  for (const text of texts) {
    const { problems, load } = configFolder(text);
    const found = await problems();
    expect(found, text).not.toEqual([]);
    for (const { key, message, where } of found) expect(`${key} ${message} ${where}`).not.toMatch(secret);
    for (const { message } of found) expect(message).not.toContain(pemless.slice(0, 40));
    await expect(load()).rejects.not.toThrow(secret);
  }
  const { problems } = configFolder("");
  const bySet = await problems({ set: [`adapters.mqtt.password=[ ${secret} ]`, `adapters.mqtt.password="${secret}`] });
  expect(JSON.stringify(bySet)).not.toContain(secret);
});
