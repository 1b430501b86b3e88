import { describe, expect, it } from "vitest";
import { chr, int } from "../../tree/value.ts";
import { smallControl } from "./small-gateway.ts";

const lamp = "/v1/tree/Devices/d1/MQTT";

describe("reading the tree", () => {
  it("answers a leaf with uri, format, type, value and timestamp", async () => {
    await using home = await smallControl();
    const { status, type, json } = await home.ask("GET", "/v1/tree/DevInfo/Man");
    expect([status, type]).toEqual([200, "application/json"]);
    const timestamp = "2026-01-01T00:00:00.000Z";
    expect(json).toEqual({ uri: "./DevInfo/Man", format: "chr", type: "text/plain", value: "M", timestamp });
  });

  it("answers values by their format: numbers, base64, text", async () => {
    await using home = await smallControl();
    const value = async (path: string) => (await home.ask("GET", path)).json;
    expect(await value(`${lamp}/level`)).toMatchObject({ format: "int", value: 5 });
    expect(await value("/v1/tree/Bench/Level")).toMatchObject({ format: "float", value: 0.5 });
    expect(await value("/v1/tree/Bench/Picture")).toMatchObject({ format: "bin", type: "image/png", value: "AQL/" });
  });

  it("answers an interior node with child names, and with whole nodes when deep", async () => {
    await using home = await smallControl();
    const flat = await home.ask("GET", "/v1/tree/Devices/d1");
    expect(flat.json).toEqual({ uri: "./Devices/d1", format: "node", type: "", children: ["MQTT"] });
    const deep = await home.ask("GET", "/v1/tree/Devices?deep");
    expect(deep.json).toMatchObject({
      uri: "./Devices",
      children: [
        {
          uri: "./Devices/d1",
          children: [
            {
              uri: "./Devices/d1/MQTT",
              type: "urn:test:lamp:1.0",
              children: [{ uri: "./Devices/d1/MQTT/power", value: "off" }, { value: 5 }, { value: 100 }],
            },
          ],
        },
        { uri: "./Devices/d2" },
      ],
    });
  });

  it("shows a silent device's nodes without value instead of failing the whole", async () => {
    await using home = await smallControl();
    home.lamps[0].silent = true;
    const { status, json } = await home.ask("GET", "/v1/tree/Devices?deep");
    expect(status).toBe(200);
    expect(json["children"]).toMatchObject([{ children: [{ uri: "./Devices/d1/MQTT", format: "node" }] }, {}]);
  });

  it("takes the root in every spelling", async () => {
    await using home = await smallControl();
    for (const path of ["/v1/tree", "/v1/tree/", "/v1/tree/.", "/v1/tree/./"]) {
      expect((await home.ask("GET", path)).json).toMatchObject({
        uri: ".",
        children: expect.arrayContaining(["DevInfo"]) as string[],
      });
    }
  });

  it("reads the percent escapes of a segment within that segment", async () => {
    await using home = await smallControl();
    expect((await home.ask("GET", "/v1/tree/Bench/a%2Fb")).json).toMatchObject({
      uri: "./Bench/a%2Fb",
      value: "slash",
    });
    expect((await home.ask("GET", "/v1/tree/Bench/a/b")).status).toBe(404);
    expect((await home.ask("GET", "/v1/tree/Bench/%zz")).json).toMatchObject({ status: 400, uri: "Bench/%zz" });
    expect((await home.ask("GET", "/v1/tree/Bench/%2e%2e/DevInfo")).status).toBe(404);
  });

  it("answers one property", async () => {
    await using home = await smallControl();
    const { json } = await home.ask("GET", "/v1/tree/Devices/d1/MQTT?prop=Type");
    expect(json).toEqual({ uri: "./Devices/d1/MQTT", prop: "Type", value: "urn:test:lamp:1.0" });
    expect((await home.ask("GET", "/v1/tree/DevInfo?prop=Colour")).json).toMatchObject({ status: 406 });
  });

  it("explains which ACL decided, for a yes and for a no", async () => {
    await using home = await smallControl();
    await home.ask("PUT", "/v1/tree/Devices", { prop: "ACL", value: "Get=alpha" });
    const yes = await home.ask("GET", `${lamp}/power?as=alpha`);
    const decision = { verb: "Get", allowed: true, acl: "Get=alpha", from: "./Devices", server: "alpha" };
    expect(yes.json).toMatchObject({ value: "off", decision });
    const no = await home.ask("GET", `${lamp}/power?as=beta`);
    expect(no.type).toBe("application/problem+json");
    expect(no.json).toMatchObject({
      status: 425,
      title: "permission denied",
      uri: "./Devices/d1/MQTT/power",
      decision: { ...decision, allowed: false, server: "beta" },
    });
    expect((await home.ask("GET", `${lamp}/power?as=a%2Bb`)).status).toBe(400);
  });

  it("asks the device itself with ?live", async () => {
    await using home = await smallControl();
    const lives: unknown[] = [];
    home.script.press = async (call) => {
      lives.push(call.live);
      return "done";
    };
    await home.ask("POST", "/v1/exec/Bench/Press?live");
    await home.ask("POST", "/v1/exec/Bench/Press?live=no");
    expect(lives).toEqual([true, undefined]);
  });
});

describe("writing the tree", () => {
  it("replaces a value and keeps the format of the node", async () => {
    await using home = await smallControl();
    expect(await home.ask("PUT", `${lamp}/level`, { value: "7" })).toMatchObject({
      status: 200,
      json: { state: "done" },
    });
    expect(home.lamps[0].values.get("level")).toEqual(int(7));
    await home.ask("PUT", `${lamp}/power`, { value: 1 });
    expect(home.lamps[0].values.get("power")).toEqual(chr("1"));
    expect((await home.ask("PUT", `${lamp}/level`, { value: "warm" })).json).toMatchObject({ status: 415 });
  });

  it("adds leaves of the format given, of the JSON value's own, and interior nodes", async () => {
    await using home = await smallControl();
    const ext = "/v1/tree/DevInfo/Ext";
    expect((await home.ask("POST", `${ext}/a`, { value: "x" })).status).toBe(201);
    await home.ask("POST", `${ext}/b`, { value: "17", format: "int" });
    await home.ask("POST", `${ext}/c`, { value: true });
    await home.ask("POST", `${ext}/d`, { type: "urn:x:1.0" });
    await home.ask("POST", `${ext}/e/f`, { value: "<a/>", format: "xml", type: "text/xml" });
    const { json } = await home.ask("GET", `${ext}?deep`);
    expect(json["children"]).toMatchObject([
      { format: "chr", value: "x" },
      { format: "int", value: 17 },
      { format: "bool", value: true },
      { format: "node", type: "urn:x:1.0", children: [] },
      { uri: "./DevInfo/Ext/e", children: [{ format: "xml", type: "text/xml" }] },
    ]);
    await home.ask("PUT", `${ext}/e/f`, { value: "<b/>" });
    expect((await home.ask("GET", `${ext}/e/f`)).json).toMatchObject({
      format: "xml",
      type: "text/xml",
      value: "<b/>",
    });
    expect((await home.ask("POST", `${ext}/a`, { value: "x" })).json).toMatchObject({ status: 418 });
    expect((await home.ask("DELETE", `${ext}/a`)).status).toBe(200);
    expect((await home.ask("GET", `${ext}/a`)).status).toBe(404);
  });

  it("writes properties, named in the query or in the body", async () => {
    await using home = await smallControl();
    await home.ask("PUT", "/v1/tree/Devices/d1", { prop: "Title", value: "Kitchen" });
    expect((await home.ask("GET", "/v1/tree/Devices/d1?prop=Title")).json).toMatchObject({ value: "Kitchen" });
    await home.ask("PUT", "/v1/tree/Devices/d1?prop=Title", { value: "" });
    expect((await home.ask("GET", "/v1/tree/Devices/d1?prop=title")).json).toMatchObject({ prop: "Title", value: "" });
    expect((await home.ask("PUT", "/v1/tree/Devices", { prop: "ACL", value: "Fly=*" })).json).toMatchObject({
      status: 400,
    });
  });

  it("executes with an argument, and says queued with a correlator when the device sleeps", async () => {
    await using home = await smallControl();
    const done = await home.ask("POST", "/v1/exec/Bench/Press", { value: "hard" });
    expect([done.status, done.json]).toEqual([200, { state: "done", uri: "./Bench/Press", result: "hard" }]);
    home.script.press = async () => "accepted";
    const queued = await home.ask("POST", "/v1/exec/Bench/Press");
    expect(queued.status).toBe(202);
    expect(queued.json).toEqual({ state: "queued", uri: "./Bench/Press", correlator: expect.any(String) as string });
  });

  it("refuses with the DM status, the reason and the address", async () => {
    await using home = await smallControl();
    const cases: readonly [string, string, unknown, number][] = [
      ["PUT", "/v1/tree/Nope", { value: "1" }, 404],
      ["PUT", "/v1/tree/DevInfo", { value: "1" }, 405],
      ["PUT", "/v1/tree/DevInfo/Man", { value: "1" }, 405],
      ["PUT", `${lamp}/power`, {}, 412],
      ["PUT", `${lamp}/power`, { value: {} }, 400],
      ["PUT", `${lamp}/power`, { value: null }, 400],
      ["POST", "/v1/tree/DevInfo/Ext/x", { format: "node", value: "1" }, 400],
      ["POST", "/v1/tree/DevInfo/Ext/x", { format: "integer", value: "1" }, 415],
      ["DELETE", "/v1/tree/DevInfo", undefined, 405],
      ["POST", "/v1/exec/DevInfo/Man", {}, 405],
      ["GET", `/v1/tree/${"a/".repeat(40)}b`, undefined, 414],
    ];
    for (const [method, path, body, status] of cases) {
      const answer = await home.ask(method, path, body);
      expect([method, path, answer.status]).toEqual([method, path, status]);
      expect(answer.type).toBe("application/problem+json");
      expect(answer.json).toMatchObject({
        status,
        title: expect.any(String) as string,
        detail: expect.any(String) as string,
        uri: expect.any(String) as string,
      });
    }
  });
});

describe("devices and servers", () => {
  it("lists, shows, names, approves and forgets devices", async () => {
    await using home = await smallControl();
    expect((await home.ask("GET", "/v1/devices")).json).toHaveLength(3);
    expect((await home.ask("GET", "/v1/devices/d1")).json).toMatchObject({ id: "d1", name: "Lamp d1" });
    expect((await home.ask("GET", "/v1/devices/d9")).json).toMatchObject({ status: 404 });
    expect((await home.ask("POST", "/v1/devices/d1/name", { name: "Kitchen" })).json).toMatchObject({
      name: "Kitchen",
    });
    expect((await home.ask("POST", "/v1/devices/d1/name", { name: "a\u0007" })).status).toBe(400);
    expect((await home.ask("POST", "/v1/devices/d1/name", { name: "x".repeat(65) })).status).toBe(413);
    expect((await home.ask("POST", "/v1/devices/d1/name", {})).status).toBe(412);
    expect((await home.ask("POST", "/v1/devices/d3/approve")).status).toBe(405);
    expect((await home.ask("POST", "/v1/devices/d2/forget")).json).toEqual({ state: "done" });
    expect(home.devices.has("d2")).toBe(false);
  });

  it("adds and removes servers", async () => {
    await using home = await smallControl();
    const client = { type: "digest", name: "gw", secret: "s", nonce: "AAAA" };
    const added = await home.ask("POST", "/v1/servers", { id: "b", url: "http://b/dm", client, insecure: true });
    expect(added.status).toBe(201);
    expect(home.added.at(-1)).toEqual({ id: "b", url: "http://b/dm", client, insecure: true, devices: "none" });
    expect((await home.ask("POST", "/v1/servers", { id: "b", url: "http://b/dm" })).status).toBe(418);
    expect((await home.ask("POST", "/v1/servers", { url: "http://b/dm" })).status).toBe(412);
    expect((await home.ask("POST", "/v1/servers", { id: "c", url: "u", devices: "all" })).status).toBe(400);
    expect((await home.ask("POST", "/v1/servers", { id: "c", url: "u", client: "x" })).status).toBe(400);
    expect((await home.ask("POST", "/v1/servers", { id: "c", url: "u", client: { type: "basic" } })).status).toBe(412);
    expect((await home.ask("DELETE", "/v1/servers/b")).status).toBe(200);
    expect((await home.ask("DELETE", "/v1/servers/com.example.dm")).status).toBe(405);
    expect((await home.ask("GET", "/v1/servers")).json).toMatchObject([{ id: "com.example.dm" }]);
  });

  it("streams the course of a session, and how it ended", async () => {
    await using home = await smallControl();
    const connect = "/v1/servers/com.example.dm/connect";
    const good = await home.ask("POST", connect);
    expect(good.type).toBe("application/x-ndjson");
    const lines = good.text
      .trim()
      .split("\n")
      .map((line): unknown => JSON.parse(line));
    expect(lines).toEqual([
      { step: expect.any(String) as string },
      { step: expect.any(String) as string },
      { ok: true },
    ]);
    const { DmError } = await import("../../tree/errors.ts");
    home.script.connect = async () => {
      throw new DmError(401, "the server refuses our credentials");
    };
    const bad = await home.ask("POST", connect);
    expect(JSON.parse(bad.text)).toEqual({ ok: false, status: 401, error: "the server refuses our credentials" });
    expect(await home.ask("POST", `${connect}?wait=no`)).toMatchObject({ status: 202, json: { state: "queued" } });
    expect((await home.ask("POST", "/v1/servers/nobody/connect")).json).toMatchObject({ status: 404 });
  });

  it("reloads, and shows every problem of a bad file", async () => {
    await using home = await smallControl();
    expect((await home.ask("POST", "/v1/reload")).json).toMatchObject({ changes: [expect.stringContaining("mqtt")] });
    const { ConfigError } = await import("../../tree/errors.ts");
    const problems = [{ key: "lan", message: "lan: wrong", where: "dmgw.yaml:3:1" }];
    home.script.reload = async () => {
      throw new ConfigError(problems);
    };
    expect((await home.ask("POST", "/v1/reload")).json).toMatchObject({ status: 400, problems });
  });

  it("answers the status report as it is", async () => {
    await using home = await smallControl();
    expect((await home.ask("GET", "/v1/status")).json).toEqual(JSON.parse(JSON.stringify(home.gateway.status())));
  });
});
