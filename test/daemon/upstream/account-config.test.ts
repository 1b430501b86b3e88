import { expect, test } from "vitest";
import { accountOf } from "../../../daemon/upstream/account-config.ts";
import { configFolder } from "../../config/config-folder.ts";
import { selfSigned } from "../../fakes/certificate.ts";

test("an entry of the config becomes the account that it describes", async () => {
  const { load } = configFolder(`
servers:
  - id: com.example.dm
    url: https://dm.example.com/dm
    auth:
      client: { name: gw, secret: c, nonce: "AAEC" }
      server: { type: basic, name: srv, secret: s }
    devices: none
    poll: 0
    report: { subtrees: [ ./Devices, . ], interval: 500ms }
`);
  const [entry] = (await load()).config.servers;
  expect(entry && accountOf(entry)).toEqual({
    id: "com.example.dm",
    url: "https://dm.example.com/dm",
    version: "1.2",
    encoding: "xml",
    client: { type: "digest", name: "gw", secret: "c", nonce: Uint8Array.of(0, 1, 2) },
    server: { type: "basic", name: "srv", secret: "s", nonce: new Uint8Array() },
    tls: {},
    insecure: false,
    devices: "none",
    poll: 0,
    report: { subtrees: ["./Devices", "."], interval: 500 },
    owner: "file",
    refused: undefined,
  });
});

test("a server that only its pinned certificate proves has no credentials of its own", async () => {
  const { write, load } = configFolder(`servers: [ { id: a, url: "https://a.example/", tls: { ca: ca.pem } } ]`);
  const { cert } = selfSigned(["a.example"]);
  write("ca.pem", cert);
  const [entry] = (await load()).config.servers;
  expect(entry && accountOf(entry)).toMatchObject({
    client: undefined,
    server: undefined,
    tls: { ca: cert.trimEnd() },
    devices: "manage",
    poll: 86_400_000,
    report: undefined,
  });
});
