import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { verbs } from "../../../daemon/cli/index.ts";
import { readGlobals } from "../../../daemon/cli/globals.ts";
import { dmgw, listening, smallCli } from "./cli.ts";
import { runCli } from "../../../daemon/cli/index.ts";

const nobody = ["--set", "control.socket=/nonexistent/control.sock"];

describe("wrong usage", () => {
  it.each([
    [[], /usage: dmgw VERB/],
    [["gte", "./X"], /there is no verb "gte": did you mean get\?\n {2}usage: dmgw --help/],
    [["frobnicate"], /there is no verb "frobnicate"\n/],
    [["constructor"], /there is no verb/],
    [["\u001b[31m"], /there is no verb "\\x1b\[31m"/],
    [["-x"], /there is no option -x/],
    [["get"], /get needs more\n {2}usage: dmgw get URI \[--deep\]/],
    [["get", "./a", "./b"], /"\.\/b" is too much for get/],
    [["get", "./a", "--dep"], /does not know the option --dep: did you mean --deep\?\n/],
    [["get", "./a", "--__proto__=1"], /does not know the option/],
    [["get", "./a", "-x"], /does not know the option -x/],
    [["get", "./a", "--as"], /--as needs a value: SERVER/],
    [["get", "./a", "--as="], /--as needs a value/],
    [["set", "./a"], /set needs more\n {2}usage: dmgw set URI VALUE/],
    [["set", "./a", "--value"], /goes behind "--"/],
    [["status", "now"], /too much for status/],
    [["device"], /device needs more.*\n {2}usage: dmgw device ID \[--why \| --approve\]\n.*dmgw device ID name NAME/],
    [
      ["device", "d1", "rename", "x"],
      /takes nothing more, --why, --approve, or one of name NAME, merge ID2, .*, forget\n/,
    ],
    [["device", "d1", "name"], /takes nothing more/],
    [["device", "d1", "forget", "x"], /takes nothing more/],
    [["device", "d1", "forget", "--approve"], /takes nothing more/],
    [["device", "d1", "merge"], /takes nothing more/],
    [["device", "d1", "ignore", "on"], /takes nothing more/],
    [["device", "d1", "--why", "--approve"], /takes nothing more/],
    [["devices", "maker=a", "name=b|name=c"], /a filter with "\|" stands alone/],
    [["groups", "drop", "x"], /groups takes show, set or rm, and a group/],
    [["groups", "show"], /groups takes/],
    [["groups", "rm", "x", "--name", "y"], /groups takes/],
    [["groups", "--rule", "maker=a"], /groups takes/],
    [["groups", "set", "x"], /groups set needs --rule, --members or --name/],
    [["groups", "set", "x", "--rule", "maker=a", "--members", "d1"], /a rule or a list of members, not both/],
    [["servers", "ad", "x", "y"], /servers takes add ID URL, or rm ID/],
    [["servers", "add", "x"], /servers takes/],
    [["servers", "rm"], /servers takes/],
    [["servers", "rm", "x", "y"], /servers takes/],
    [["servers", "add", "a", "https://b", "--name", "n"], /--name and --secret-file go together/],
    [["connect"], /connect needs more/],
    [["completion", "tcsh"], /no completion for "tcsh"/],
    [["get", "./a", "--config"], /--config needs a value/],
    [["get", "./a", "--set", "log.level"], /--set log.level: expected KEY=VALUE/],
  ])("%j is exit 2 and a line that helps", async (argv, message) => {
    const { code, out, err } = await dmgw([...nobody, ...argv]);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(message);
    expect(err).not.toMatch(/\n\s+at /);
  });

  it("never throws and never answers without a word, whatever is typed after a verb", async () => {
    for (const { name } of verbs) {
      const { code, err } = await dmgw([...nobody, name, "a", "b", "c", "d", "--no-such-option"]);
      expect([name, code]).toEqual([name, 2]);
      expect(err).not.toBe("");
    }
  });
});

describe("help", () => {
  it("lists every verb on standard output with exit 0", async () => {
    for (const argv of [["--help"], ["-h"], ["help"]]) {
      const { code, out, err } = await dmgw(argv);
      expect([code, err]).toEqual([0, ""]);
      for (const { name, about } of verbs) if (about !== "") expect(out).toContain(`  ${name} `);
      expect(out).not.toContain("__complete");
    }
  });

  it("explains each verb, with every option that it takes", async () => {
    for (const row of verbs) {
      const { verb } = await row.load();
      for (const argv of [
        [row.name, "--help"],
        ["--help", row.name],
        ["help", row.name],
      ]) {
        const { code, out } = await dmgw(argv);
        expect(code).toBe(0);
        expect(out).toContain(`usage: dmgw ${row.name}`);
        for (const { name } of verb.options ?? []) expect(out).toContain(`--${name}`);
      }
      // What the examples show has to be accepted by the verb's own rules.
      for (const example of verb.examples ?? []) expect(example.split(" ")[0]).toBe(row.name);
    }
  });
});

describe("options of every verb", () => {
  it("are taken before and after the verb, up to --", () => {
    expect(readGlobals(["--json", "set", "--config", "f", "./X", "--set=a.b=c=d", "--", "--json", "--config"])).toEqual(
      {
        json: true,
        debug: false,
        help: false,
        version: false,
        config: "f",
        set: ["a.b=c=d"],
        rest: ["set", "./X", "--", "--json", "--config"],
        problem: undefined,
      },
    );
  });

  it("print the version", async () => {
    expect((await dmgw(["--version"])).out).toBe("0.1.0\n");
    expect((await dmgw(["version"])).out).toBe("0.1.0\n");
    expect(JSON.parse((await dmgw(["version", "--json"])).out)).toEqual({ version: "0.1.0" });
  });
});

describe("without a daemon", () => {
  it("every verb that needs one exits 69 and says how to start it", async () => {
    for (const argv of [
      ["status"],
      ["devices"],
      ["device", "d1"],
      ["get", "."],
      ["watch"],
      ["device", "d1", "--why"],
      ["device", "d1", "split"],
      ["groups"],
      ["servers"],
      ["connect", "a"],
      ["reload"],
    ]) {
      const { code, out, err } = await dmgw([...nobody, ...argv]);
      expect([argv, code, out]).toEqual([argv, 69, ""]);
      expect(err).toBe(
        `dmgw ${argv[0]}: no daemon answers at /nonexistent/control.sock\n  next: start it with \`dmgw run\` or systemctl start dmgw\n`,
      );
    }
  });

  it("a config that is wrong is exit 78, with every problem; check says so without a daemon", async () => {
    const folder = await mkdtemp(join(tmpdir(), "dmgw-"));
    try {
      const file = join(folder, "dmgw.yaml");
      await writeFile(file, "log: { level: loud }\nlan: { interfces: [a] }\n");
      const bad = await dmgw(["check", "--config", file]);
      expect(bad.code).toBe(78);
      expect(bad.err.split("\n").filter((line) => line.startsWith(file))).toHaveLength(2);
      const json = await dmgw(["check", "--config", file, "--json"]);
      expect([json.code, JSON.parse(json.out)]).toEqual([78, expect.objectContaining({ ok: false })]);
      await writeFile(file, "log: { level: debug }\n");
      expect(await dmgw(["check", "--config", file])).toMatchObject({ code: 0, out: `${file} is good\n` });
      expect((await dmgw(["status", "--config", join(folder, "missing.yaml")])).code).toBe(78);
      await writeFile(file, "log: { level: loud }\ncontrol: { socket: /nonexistent/s }\n");
      expect((await dmgw(["status", "--config", file])).err).toContain("no daemon answers at /nonexistent/s");
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("shows a stack only with --debug", async () => {
    const quiet = await dmgw([...nobody, "status"]);
    expect(quiet.err).not.toContain("    at ");
    expect((await dmgw([...nobody, "status", "--debug"])).err).toContain("    at ");
  });
});

describe("a reader that has enough", () => {
  it("ends the verb quietly with exit 0", async () => {
    await using home = await smallCli();
    const { io, said } = listening();
    let fail: (error: Error) => void = () => undefined;
    const stdout = {
      write: () => fail(Object.assign(new Error("write EPIPE"), { code: "EPIPE" })),
      on: (_event: "error", listener: (error: Error) => void) => (fail = listener),
    };
    const watching = runCli([...home.place, "watch"], { ...io, stdout });
    await expect.poll(() => home.log.lines.length >= 0 && home.clock.timers).toBeGreaterThan(0);
    home.mounted[0]?.changed(["power" as never]);
    expect([await watching, said().err]).toEqual([0, ""]);
    expect(await runCli([...home.place, "get", ".", "--deep"], { ...io, stdout })).toBe(0);
  });

  it("Ctrl-C ends a verb without a word", async () => {
    await using home = await smallCli();
    home.script.press = () => new Promise(() => undefined);
    const { io, said } = listening();
    const stop = new AbortController();
    const running = runCli([...home.place, "exec", "./Bench/Press"], { ...io, signal: stop.signal });
    await expect.poll(() => home.clock.timers).toBeGreaterThan(0);
    stop.abort();
    expect([await running, said()]).toEqual([130, { out: "", err: "" }]);
  });
});
