import { describe, expect, it } from "vitest";
import { chr, int } from "../../../tree/value.ts";
import { smallCli } from "./cli.ts";

describe("get", () => {
  it("prints a leaf as path => value", async () => {
    await using home = await smallCli();
    expect(await home.dmgw("get", "./DevInfo/Man")).toEqual({ code: 0, out: "./DevInfo/Man => M\n", err: "" });
    expect((await home.dmgw("get", "DevInfo/Man")).out).toBe("./DevInfo/Man => M\n");
    expect((await home.dmgw("get", "./Devices/d1/MQTT/level")).out).toBe("./Devices/d1/MQTT/level => 5\n");
  });

  it("prints the addresses below an interior node", async () => {
    await using home = await smallCli();
    expect((await home.dmgw("get", "./Devices")).out).toBe("./Devices/d1\n./Devices/d2\n");
    expect((await home.dmgw("get", ".")).out).toContain("./DevInfo\n");
  });

  it("prints everything below as whole paths when piped, and as a tree on a terminal", async () => {
    await using home = await smallCli();
    home.lamps[1].silent = true;
    expect((await home.dmgw("get", "--deep", "./Devices")).out).toBe(
      [
        "./Devices/d1/MQTT/power => off",
        "./Devices/d1/MQTT/level => 5",
        "./Devices/d1/MQTT/lux => 100",
        "./Devices/d2/MQTT => (not read: no answer)\n",
      ].join("\n"),
    );
    expect((await home.onTerminal(80, "get", "./Devices/d1", "--deep")).out).toBe(
      "./Devices/d1/\n  MQTT/\n    power => off\n    level => 5\n    lux => 100\n",
    );
  });

  it("prints one JSON value with --json, wherever that stands", async () => {
    await using home = await smallCli();
    const first = await home.dmgw("--json", "get", "./DevInfo/Man");
    expect(JSON.parse(first.out)).toMatchObject({ uri: "./DevInfo/Man", format: "chr", value: "M" });
    expect((await home.dmgw("get", "--json", "./DevInfo/Man")).out).toBe(first.out);
    expect((await home.dmgw("get", "./DevInfo/Man", "--json")).out).toBe(first.out);
    const deep = JSON.parse((await home.dmgw("get", "./Devices", "--deep", "--json")).out) as unknown;
    expect(deep).toMatchObject({ children: [{ uri: "./Devices/d1", children: [{ uri: "./Devices/d1/MQTT" }] }, {}] });
  });

  it("prints a property", async () => {
    await using home = await smallCli();
    expect((await home.dmgw("get", "./Bench", "--prop", "Type")).out).toBe("./Bench?prop=Type => urn:test:bench:1.0\n");
    const wrong = await home.dmgw("get", "./Bench", "--prop", "Colour");
    expect([wrong.code, wrong.err]).toEqual([1, expect.stringContaining("expected ACL")]);
  });

  it("explains which ACL decided, and exits 1 when it said no", async () => {
    await using home = await smallCli();
    await home.dmgw("acl", "./Devices", "Get=alpha");
    const yes = await home.dmgw("get", "./Devices/d1/MQTT/power", "--as", "alpha");
    expect([yes.code, yes.out]).toEqual([
      0,
      './Devices/d1/MQTT/power => off\nalpha may Get: the ACL "Get=alpha" of ./Devices decides\n',
    ]);
    const no = await home.dmgw("get", "./Devices/d1/MQTT/power", "--as", "beta");
    expect([no.code, no.out]).toEqual([1, 'beta may not Get: the ACL "Get=alpha" of ./Devices decides\n']);
    expect(no.err).toMatch(/^dmgw get: 425 permission denied: .*\n {2}next: change who may: dmgw acl \.\/Devices '/);
    const json = await home.dmgw("get", "./Devices/d1/MQTT/power", "--as", "beta", "--json");
    expect(JSON.parse(json.out)).toMatchObject({ status: 425, decision: { allowed: false, from: "./Devices" } });
  });

  it("writes hostile values as escapes, in lines and in JSON", async () => {
    await using home = await smallCli();
    const { out } = await home.dmgw("get", "./Bench/Hostile");
    expect(out).toBe("./Bench/Hostile => \\x1b[31mred\\nline 2 \\u202ertl\n");
    const json = await home.dmgw("get", "./Bench/Hostile", "--json");
    expect(json.out).not.toMatch(/[\u001b\u202e]/);
    expect(JSON.parse(json.out)).toMatchObject({ value: "\u001b[31mred\nline 2 \u202ertl" });
  });

  it("reads and types names with slashes and blanks", async () => {
    await using home = await smallCli();
    expect((await home.dmgw("get", "./Bench/a%2Fb")).out).toBe("./Bench/a%2Fb => slash\n");
    expect((await home.dmgw("add", "./DevInfo/Ext/Küche 1", "warm")).out).toBe(
      "./DevInfo/Ext/K%C3%BCche%201 => warm\n",
    );
    expect((await home.dmgw("get", "./DevInfo/Ext/Küche 1")).out).toBe("./DevInfo/Ext/K%C3%BCche%201 => warm\n");
    expect((await home.dmgw("get", "./DevInfo/Ext/50%")).code).toBe(1);
  });

  it("says how old a value is on a terminal, where it is old", async () => {
    await using home = await smallCli();
    expect((await home.onTerminal(80, "get", "./DevInfo/Man")).out).toMatch(/^\.\/DevInfo\/Man => M {2}\(.* ago\)\n$/);
  });
});

describe("changing the tree", () => {
  it("sets a leaf in its own format, negative numbers too", async () => {
    await using home = await smallCli();
    expect(await home.dmgw("set", "./Devices/d1/MQTT/level", "7")).toMatchObject({
      code: 0,
      out: "./Devices/d1/MQTT/level => 7\n",
    });
    for (const argv of [
      ["set", "./Devices/d1/MQTT/level", "-5"],
      ["set", "./Devices/d1/MQTT/level", "--", "-5"],
    ]) {
      home.lamps[0].values.set("level", int(0));
      expect((await home.dmgw(...argv)).code).toBe(0);
      expect(home.lamps[0].values.get("level")).toEqual(int(-5));
    }
    await home.dmgw("set", "./Devices/d1/MQTT/power", "--", "--json");
    expect(home.lamps[0].values.get("power")).toEqual(chr("--json"));
    await home.dmgw("set", "./Devices/d1/MQTT/power", "007");
    expect(home.lamps[0].values.get("power")).toEqual(chr("007"));
    await home.dmgw("set", "./Devices/d1/MQTT/power", "-5.5e3 dBm");
    expect(home.lamps[0].values.get("power")).toEqual(chr("-5.5e3 dBm"));
    await home.dmgw("set", "./Devices/d1/MQTT/power", "");
    expect(home.lamps[0].values.get("power")).toEqual(chr(""));
  });

  it("refuses with status, reason and what to do next", async () => {
    await using home = await smallCli();
    const missing = await home.dmgw("set", "./Devices/d1/MQTT/colour", "red");
    expect([missing.code, missing.out]).toEqual([1, ""]);
    expect(missing.err).toMatch(
      /^dmgw set: 404 not found: .*colour\n {2}next: see what is there: dmgw ls \.\/Devices\/d1\/MQTT\n$/,
    );
    expect((await home.dmgw("set", "./DevInfo/Man", "x")).err).toMatch(/405 not allowed here: .*read-only/);
    expect((await home.dmgw("set", "./Devices/d1/MQTT/level", "warm")).err).toMatch(/415 .*--prop Format/s);
    expect((await home.dmgw("add", "./DevInfo/Ext/a/b", "1")).code).toBe(0);
    expect((await home.dmgw("add", "./DevInfo/Ext/a/b", "1")).err).toMatch(/418 exists already.*dmgw set/s);
  });

  it("adds leaves, formatted leaves and interior nodes; lists and removes them", async () => {
    await using home = await smallCli();
    expect((await home.dmgw("add", "./DevInfo/Ext/room")).out).toBe("./DevInfo/Ext/room added\n");
    await home.dmgw("add", "./DevInfo/Ext/room/floor", "-2", "--format", "int");
    await home.dmgw("add", "--format=xml", "--type", "text/xml", "./DevInfo/Ext/room/plan", "<a/>");
    await home.dmgw("add", "./DevInfo/Ext/room/name", "Kitchen");
    expect((await home.dmgw("ls", "./DevInfo/Ext/room")).out).toBe("floor\nplan\nname\n");
    expect(JSON.parse((await home.dmgw("get", "./DevInfo/Ext/room/floor", "--json")).out)).toMatchObject({ value: -2 });
    expect((await home.dmgw("rm", "./DevInfo/Ext/room")).out).toBe("./DevInfo/Ext/room deleted\n");
    expect((await home.dmgw("ls", "./DevInfo/Ext")).out).toBe("");
    expect((await home.dmgw("ls")).out).toContain("DevInfo\n");
    expect((await home.dmgw("ls", "./DevInfo/Man")).out).toBe("./DevInfo/Man\n");
  });

  it("executes, shows the result, and says queued for a device that sleeps", async () => {
    await using home = await smallCli();
    expect((await home.dmgw("exec", "./Bench/Press")).out).toBe("./Bench/Press executed\n");
    expect((await home.dmgw("exec", "./Bench/Press", "hard")).out).toBe("./Bench/Press => hard\n");
    home.script.press = async () => "accepted";
    expect(await home.dmgw("exec", "./Bench/Press")).toEqual({ code: 0, out: "queued\n", err: "" });
    const json = await home.dmgw("exec", "./Bench/Press", "--json");
    expect(JSON.parse(json.out)).toMatchObject({ state: "queued", correlator: expect.any(String) as string });
  });

  it("shows an ACL, the one that is inherited, sets it and takes it away", async () => {
    await using home = await smallCli();
    expect((await home.dmgw("acl", ".")).out).toBe(". => Add=*&Get=*\n");
    expect((await home.dmgw("acl", "./Devices/d1")).out).toBe("./Devices/d1 => Add=*&Get=*  (inherited from .)\n");
    expect((await home.dmgw("acl", "./Devices", "Replace=b+a&Get=*")).out).toBe("./Devices => Get=*&Replace=a+b\n");
    const json = JSON.parse((await home.dmgw("acl", "./Devices/d1", "--json")).out) as unknown;
    expect(json).toEqual({ uri: "./Devices/d1", acl: "", holds: { acl: "Get=*&Replace=a+b", from: "./Devices" } });
    expect((await home.dmgw("acl", "./Devices", "")).out).toBe("./Devices => Add=*&Get=*  (inherited from .)\n");
    expect((await home.dmgw("acl", "./Devices", "Fly=*")).code).toBe(1);
  });

  it("finds nodes by name and by value", async () => {
    await using home = await smallCli();
    expect((await home.dmgw("find", "POWER")).out).toBe(
      "./Devices/d1/MQTT/power => off\n./Devices/d2/MQTT/power => off\n",
    );
    expect((await home.dmgw("find", "slash")).out).toBe("./Bench/a%2Fb => slash\n");
    expect((await home.dmgw("find", "a/b")).out).toBe("./Bench/a%2Fb => slash\n");
    expect((await home.dmgw("find", "mqtt")).out).toBe(
      "./Devices/d1/MQTT/\n./Devices/d2/MQTT/\n" +
        [1, 2].map((n) => `./GwMO/DeviceInventory/Records/d${n}/Protocol => MQTT\n`).join(""),
    );
    expect(await home.dmgw("find", "unicorn")).toMatchObject({ code: 0, out: "", err: 'nothing holds "unicorn"\n' });
    expect(JSON.parse((await home.dmgw("find", "unicorn", "--json")).out)).toEqual([]);
  });
});
