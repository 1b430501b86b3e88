import { chmod, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runCli } from "../../../daemon/cli/index.ts";
import { DmError } from "../../../tree/errors.ts";
import { lampReport } from "../small-inventory.ts";
import { dmgw, listening, smallCli } from "./cli.ts";

const json = (text: string): unknown => JSON.parse(text);

describe("status", () => {
  it("says what runs, since when, the last error, and what to do", async () => {
    await using home = await smallCli();
    const { code, out } = await home.dmgw("status");
    expect(code).toBe(0);
    expect(out).toMatch(/dmgw +0\.1\.0, ready, up 1 h 2 min/);
    expect(out).toMatch(/server com\.example\.dm +idle +- +no session yet; nothing waits to be sent/);
    expect(out).toMatch(/adapter mqtt +error +.* ago +connect ECONNREFUSED 127\.0\.0\.1:1883/);
    expect(out).toMatch(/discovery mdns +listening +.* ago +3 sightings/);
    expect(out).toMatch(/What to do:\n {2}- adapter mqtt: no broker answers/);
    expect(out).not.toMatch(/[\u001b\u2500-\u257f]/);
    expect(json((await home.dmgw("status", "--json")).out)).toEqual(json(JSON.stringify(home.gateway.status())));
  });

  it("says that all is well, and how to get a server where there is none", async () => {
    await using home = await smallCli();
    home.script.status = { warnings: [] };
    expect((await home.dmgw("status")).out).toContain("Nothing to do: all is well.");
    home.servers.clear();
    expect((await home.dmgw("status")).out).toContain("dmgw servers add ID URL");
  });

  it("fits a narrow terminal", async () => {
    await using home = await smallCli();
    for (const columns of [50, 80, 120]) {
      const { out } = await home.onTerminal(columns, "devices");
      expect(out).toMatch(/\n\u2500+\n/);
      for (const line of out.split("\n")) expect(line.length).toBeLessThanOrEqual(Math.max(columns, 67));
      // Nothing is cut off: what does not fit goes on below.
      expect(out).not.toContain("…");
    }
    const { out } = await home.onTerminal(60, "status");
    for (const line of out.split("\n\n")[1]?.split("\n") ?? []) expect(line.length).toBeLessThanOrEqual(60);
  });
});

describe("devices", () => {
  it("lists them as plain columns when piped, with hostile names made harmless", async () => {
    await using home = await smallCli();
    const { out } = await home.dmgw("devices");
    const lines = out.split("\n");
    expect(lines[0]).toMatch(/^ID {2}NAME +MADE BY +PROTOCOLS +STATE +REACH +LAST SEEN +ADDRESS$/);
    expect(lines[1]).toMatch(/^d1 {2}Lamp d1 +Acme L1 +MQTT +managed +yes +.* ago +192\.168\.1\.20$/);
    expect(lines[2]).toContain("Evil \\x1b]0;owned\\x07");
    expect(lines[3]).toMatch(/^d3 {2}TV .* - +seen +yes +never/);
    expect(out).not.toMatch(/[\u001b\u0007\u2500-\u257f]/);
    const terminal = await home.onTerminal(100, "devices");
    expect(terminal.out).toMatch(/[\u2500-\u257f]/);
    expect(terminal.out).not.toMatch(/[\u001b\u0007]/);
  });

  it("can be filtered, and are one JSON array for scripts", async () => {
    await using home = await smallCli();
    expect((await home.dmgw("devices", "SEEN")).out).toMatch(/^ID.*\nd3 .*\n$/);
    expect(json((await home.dmgw("devices", "homie:d2", "--json")).out)).toEqual([home.devices.get("d2")]);
    const none = await home.dmgw("devices", "unicorn");
    expect([none.code, none.out]).toEqual([0, ""]);
    expect(json((await home.dmgw("devices", "unicorn", "--json")).out)).toEqual([]);
  });

  it("--watch prints a line for each device that changes, and for one that goes", async () => {
    await using home = await smallCli();
    const { io, said } = listening();
    const stop = new AbortController();
    const watching = runCli([...home.place, "devices", "--watch", "--json"], { ...io, signal: stop.signal });
    const lines = () => said().out.trim().split("\n").map(json);
    await expect.poll(() => said().out.split("\n").length).toBe(4);
    home.devices.set("d1", lampReport("d1", { reachable: false }));
    home.devices.delete("d3");
    await expect.poll(() => lines().length, { timeout: 5000 }).toBe(5);
    expect(lines().slice(3)).toMatchObject([
      { id: "d1", reachable: false },
      { id: "d3", listed: false },
    ]);
    stop.abort();
    expect(await watching).toBe(130);
  });

  it("one is shown, named, approved and forgotten", async () => {
    await using home = await smallCli();
    expect((await home.dmgw("device", "d1")).out).toMatch(
      /device +d1 Lamp d1\nmade by +Acme L1\n.*state +managed, reachable/s,
    );
    expect(json((await home.dmgw("device", "d1", "--json")).out)).toEqual(home.devices.get("d1"));
    expect((await home.dmgw("device", "d1", "name", "Kitchen lamp")).out).toContain("d1 is called Kitchen lamp now");
    expect((await home.dmgw("device", "d1", "name", "")).code).toBe(0);
    expect(home.devices.get("d1")?.name).toBe("");
    home.devices.set("d4", lampReport("d4", { managed: false, state: "seen" }));
    expect((await home.dmgw("device", "d4")).err).toContain("dmgw device d4 --approve");
    expect((await home.dmgw("device", "d4", "--approve", "--json")).out).toContain('"managed": true');
    expect((await home.dmgw("device", "d4", "forget")).out).toBe("d4 is forgotten\n");
    const gone = await home.dmgw("device", "d4");
    expect([gone.code, gone.err]).toEqual([
      1,
      'dmgw device: 404 not found: there is no device "d4"\n  next: see which there are: dmgw devices\n',
    ]);
    expect((await home.dmgw("device", "d3", "--approve")).err).toContain(
      "405 not allowed here: no adapter speaks to d3",
    );
    expect((await home.dmgw("device", "../status")).code).toBe(1);
  });
});

describe("servers", () => {
  it("are listed, added with secrets from files, and removed", async () => {
    await using home = await smallCli();
    expect((await home.dmgw("servers")).out).toMatch(
      /^ID +URL.*\ncom\.example\.dm +https:\/\/dm\.example\.com\/dm +idle +- +file\n$/,
    );
    const secret = join(home.folder, "secret");
    await writeFile(secret, "s3cret\n");
    const options = [
      "--name",
      "gw",
      "--secret-file",
      secret,
      "--server-name",
      "dm",
      "--server-secret",
      "x",
      "--nonce",
      "AAAA",
    ];
    const added = await home.dmgw("servers", "add", "b", "http://b/dm", "--insecure", ...options);
    expect([added.code, added.out]).toEqual([0, "b added; start a session: dmgw connect b\n"]);
    expect(home.added.at(-1)).toEqual({
      id: "b",
      url: "http://b/dm",
      client: { type: "digest", name: "gw", secret: "s3cret", nonce: "AAAA" },
      server: { type: "digest", name: "dm", secret: "x" },
      insecure: true,
      devices: "none",
    });
    expect(added.err).toContain("--devices manage");
    expect((await home.dmgw("servers", "add", "b", "http://b/dm")).err).toContain("418 exists already");
    expect((await home.dmgw("servers", "add", "c", "http://c", "--ca", "/nonexistent")).err).toMatch(/--ca: ENOENT/);
    expect(json((await home.dmgw("servers", "--json")).out)).toMatchObject([{ id: "com.example.dm" }, { id: "b" }]);
    expect((await home.dmgw("servers", "rm", "b")).out).toBe("b removed\n");
    expect((await home.dmgw("servers", "rm", "b")).err).toMatch(/404 .*dmgw servers/s);
    expect((await home.dmgw("servers", "rm", "com.example.dm")).err).toContain("stands in the config file");
  });

  it("connect prints the course of the session; its end is the exit code", async () => {
    await using home = await smallCli();
    expect(await home.dmgw("connect", "com.example.dm")).toEqual({
      code: 0,
      out: "package 1 sent: alert 1201, DevInfo\npackage 2 received: 1 command\nthe session ended well\n",
      err: "",
    });
    expect(json((await home.dmgw("connect", "com.example.dm", "--json")).out)).toMatchObject({
      ok: true,
      steps: [{}, {}].map(() => expect.any(String) as string),
    });
    home.script.connect = async (progress) => {
      progress("package 1 sent");
      throw new DmError(401, "the server refuses our credentials");
    };
    const bad = await home.dmgw("connect", "com.example.dm");
    expect(bad).toEqual({
      code: 1,
      out: "package 1 sent\n",
      err: "dmgw connect: com.example.dm: the server refuses our credentials\n  next: dmgw status\n",
    });
    const badJson = await home.dmgw("connect", "com.example.dm", "--json");
    expect([badJson.code, json(badJson.out)]).toEqual([
      1,
      { ok: false, steps: ["package 1 sent"], error: "the server refuses our credentials" },
    ]);
    expect(await home.dmgw("connect", "com.example.dm", "--no-wait")).toMatchObject({ code: 0, out: "queued\n" });
    expect((await home.dmgw("connect", "nobody")).err).toMatch(/404 .*\n {2}next: see which there are: dmgw servers/);
  });
});

describe("watch", () => {
  it("prints each change on a line, and goes with the daemon", async () => {
    await using home = await smallCli();
    const [plain, lines] = [listening(), listening()];
    const watching = runCli([...home.place, "watch", "./Devices"], plain.io);
    const watchingJson = runCli([...home.place, "watch", "--json"], lines.io);
    await expect.poll(() => home.clock.timers).toBe(2);
    await home.dmgw("set", "./Devices/d1/MQTT/power", "on");
    await home.dmgw("add", "./DevInfo/Ext/a\u202eb");
    await expect.poll(() => lines.said().out.split("\n").length).toBe(3);
    expect(plain.said().out).toMatch(/^\d\d:\d\d:\d\d \.\/Devices\/d1\/MQTT\/power => on {2}\(Replace by local\)\n$/);
    expect(lines.said().out.trim().split("\n").map(json)).toMatchObject([
      { event: "change", uri: "./Devices/d1/MQTT/power", verb: "Replace", by: "local", value: "on" },
      { event: "change", verb: "Add" },
    ]);
    await home.control.close();
    expect([await watching, await watchingJson]).toEqual([69, 69]);
    expect(plain.said().err).toContain("the daemon went away");
  });
});

describe("reload", () => {
  it("prints what changed; a bad file is exit 78 with every problem", async () => {
    await using home = await smallCli();
    expect((await home.dmgw("reload")).out).toBe("adapters.mqtt.url: changed, reconnecting\n");
    home.script.reload = async () => [];
    expect((await home.dmgw("reload")).out).toBe("nothing has changed\n");
    const { ConfigError } = await import("../../../tree/errors.ts");
    home.script.reload = async () => {
      throw new ConfigError([{ key: "lan", message: "lan: wrong", where: "dmgw.yaml:3:1" }]);
    };
    const bad = await home.dmgw("reload");
    expect([bad.code, bad.err]).toEqual([
      78,
      "dmgw reload: the config is wrong, nothing was changed\n  dmgw.yaml:3:1: lan: wrong\n",
    ]);
  });
});

describe("a socket that is not ours", () => {
  it("is said to be so", async () => {
    await using home = await smallCli();
    const path = join(home.folder, "other.sock");
    const other = createServer((line) => line.end("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello")).listen(path);
    await new Promise((resolve) => other.once("listening", resolve));
    expect(await dmgw(["--set", `control.socket=${path}`, "status"])).toMatchObject({
      code: 1,
      err: expect.stringContaining("is not dmgw") as string,
    });
    other.close();
    const rude = createServer((line) => line.destroy()).listen(join(home.folder, "rude.sock"));
    await new Promise((resolve) => rude.once("listening", resolve));
    expect((await dmgw(["--set", `control.socket=${join(home.folder, "rude.sock")}`, "status"])).err).toContain(
      "closed the connection",
    );
    rude.close();
    await writeFile(join(home.folder, "file"), "");
    await chmod(join(home.folder, "file"), 0o600);
    expect((await dmgw(["--set", `control.socket=${join(home.folder, "file")}`, "status"])).code).toBe(69);
  });
});
