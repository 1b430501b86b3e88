import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { expect, it } from "vitest";
import { loadConfig } from "../../../config/load.ts";
import { dmgw } from "./cli.ts";

async function inFolder(run: (file: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "dmgw-"));
  try {
    await run(join(folder, "etc/dmgw.yaml"));
  } finally {
    await rm(folder, { recursive: true });
  }
}

const init = (file: string, ...answers: readonly string[]) =>
  dmgw(["init", "--config", file], { stdin: Readable.from(answers.map((answer) => `${answer}\n`)) });

it("init writes a config that is good although nothing was answered, and that only its owner's group reads", async () => {
  await inFolder(async (file) => {
    const { code, out, err } = await init(file);
    expect([code, out]).toEqual([0, `${file} is written; start the daemon: dmgw run --config ${file}\n`]);
    expect(err).toContain("MQTT broker of the home");
    expect((await stat(file)).mode & 0o007).toBe(0);
    expect((await loadConfig({ file, env: {} })).config.servers).toEqual([]);
  });
});

it("init writes what was answered", async () => {
  await inFolder(async (file) => {
    const server = ["https://dm.example.com/dm", "com.example.dm", "", "gw 1", "s: 1", "dm", "s2"];
    const { code } = await init(file, "br-lan, eth1", "mqtt://10.0.0.2", "me", "pass # word", ...server);
    expect(code).toBe(0);
    const { config } = await loadConfig({ file, env: {} });
    expect(config.lan.interfaces).toEqual(["br-lan", "eth1"]);
    expect(config.servers).toMatchObject([{ id: "com.example.dm", url: "https://dm.example.com/dm" }]);
    expect(await readFile(file, "utf8")).toContain('"pass # word"');
  });
});

it("init says which answers make no good config, and where they stand", async () => {
  await inFolder(async (file) => {
    const { code, err } = await init(file, "", "http://not-a-broker");
    expect(code).toBe(78);
    expect(err).toMatch(/dmgw\.yaml:\d+:\d+: .*url/);
  });
});

it("init leaves a file that is there alone, and asks nothing then", async () => {
  await inFolder(async (file) => {
    await init(file);
    const before = await readFile(file, "utf8");
    const again = await init(file, "br-lan");
    expect([again.code, again.out]).toEqual([1, ""]);
    expect(again.err).toBe(
      `dmgw init: ${file} is there already\n  next: edit it, or name another file with --config\n`,
    );
    expect(await readFile(file, "utf8")).toBe(before);
    expect((await init(join(file, "below"))).err).toMatch(/cannot write the config: E/);
  });
});

it("init that is interrupted leaves no file behind", async () => {
  await inFolder(async (file) => {
    const stop = new AbortController();
    const stdin = new Readable({ read: () => undefined });
    const asking = dmgw(["init", "--config", file], { stdin, signal: stop.signal });
    await expect
      .poll(() =>
        stat(file).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    stop.abort();
    expect(await asking).toMatchObject({ code: 130, out: "" });
    await expect(stat(file)).rejects.toThrow("ENOENT");
  });
});
