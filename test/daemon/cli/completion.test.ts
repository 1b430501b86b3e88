import { execFile } from "node:child_process";
import { chmod, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { Socket } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { dmgw, smallCli } from "./cli.ts";

const run = promisify(execFile);

/** A `dmgw` that a shell can call: it hands its words to the CLI in this process. */
async function command(folder: string) {
  const socket = join(folder, "cli.sock");
  const answer = async (line: Socket, text: string) => {
    const { out, err, code } = await dmgw(JSON.parse(text) as string[]);
    line.end(JSON.stringify({ out, err, code }));
  };
  const server = createServer((line) => line.once("data", (text) => void answer(line, text.toString()))).listen(socket);
  await new Promise((resolve) => server.once("listening", resolve));
  await writeFile(
    join(folder, "dmgw"),
    `#!${process.execPath}
let text = "";
const line = require("net").connect(${JSON.stringify(socket)}, () => line.write(JSON.stringify(process.argv.slice(2))));
line.on("data", (more) => (text += more)).on("end", () => {
  const { out, err, code } = JSON.parse(text);
  process.stdout.write(out), process.stderr.write(err), (process.exitCode = code);
});
`,
  );
  await chmod(join(folder, "dmgw"), 0o755);
  return server;
}

/** What bash would put in the place of the word at the cursor; `words` as its readline splits the line. */
const asking = `
source "$1"
COMP_LINE=$2 COMP_POINT=\${#2}
shift 2
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
compopt() { echo "compopt $*"; }
_dmgw
[ \${#COMPREPLY[@]} = 0 ] || printf '%s\\n' "\${COMPREPLY[@]}"
`;

async function smallShell() {
  const home = await smallCli();
  const server = await command(home.folder);
  const script = join(home.folder, "completion.bash");
  await writeFile(script, (await dmgw(["completion", "bash"])).out);
  return {
    ...home,
    script,
    /** The line up to the cursor; the config option of this home is put behind "dmgw". */
    async complete(typed: string, split?: readonly string[]) {
      const line = `dmgw ${home.place.join(" ")} ${typed}`;
      const words = ["dmgw", ...home.place, ...(split ?? typed.split(" "))];
      const env = { ...process.env, PATH: `${home.folder}:${process.env["PATH"]}`, DMGW_CONFIG: "" };
      const { stdout } = await run("bash", ["--norc", "-c", asking, "bash", script, line, ...words], { env });
      return stdout.split("\n").filter((one) => one !== "");
    },
    async [Symbol.asyncDispose]() {
      await new Promise((resolve) => server.close(resolve));
      await home[Symbol.asyncDispose]();
    },
  };
}

describe("completion", () => {
  it("prints a script that bash accepts, and one for each other shell", async () => {
    await using home = await smallShell();
    await run("bash", ["-n", home.script]);
    for (const shell of ["zsh", "fish"])
      expect((await dmgw(["completion", shell])).out).toContain("dmgw __complete --");
  });

  it("completes verbs and options", async () => {
    await using home = await smallShell();
    expect(await home.complete("se")).toEqual(["set", "servers"]);
    expect(await home.complete("")).toEqual(expect.arrayContaining(["run", "get", "completion"]));
    expect(await home.complete("get --d")).toEqual(["--deep", "--debug"]);
    expect(await home.complete("get ./X --prop T")).toEqual(["Title", "TStamp", "Type"]);
    expect(await home.complete("completion f")).toEqual(["fish"]);
    expect(await home.complete("device d1 ")).toEqual(["name", "merge", "split", "ignore", "forget"]);
    expect(await home.complete("device d1 ignore ")).toEqual(["off"]);
    expect(await home.complete("device d1 name ")).toEqual([]);
    expect(await home.complete("check --config ")).toEqual(["compopt -o default"]);
    expect(await home.complete("status x")).toEqual([]);
    expect(await home.complete("frobnicate x")).toEqual([]);
  });

  it("completes devices, servers and nodes by asking the daemon", async () => {
    await using home = await smallShell();
    expect(await home.complete("device ")).toEqual(["d1", "d2", "d3"]);
    expect(await home.complete("device d1 merge ")).toEqual(["d1", "d2", "d3"]);
    await home.dmgw("groups", "set", "lamps", "--rule", "name=lamp*");
    expect(await home.complete("groups show ")).toEqual(["lamps"]);
    expect(await home.complete("connect com")).toEqual(["com.example.dm"]);
    expect(await home.complete("get . --as ")).toEqual(["com.example.dm"]);
    expect(await home.complete("get ./Devi")).toEqual(["compopt -o nospace", "./Devices/"]);
    expect(await home.complete("get ./Devices/")).toEqual(["./Devices/d1", "./Devices/d2"]);
    expect(await home.complete("set ./Devices/d1/MQTT/p")).toEqual(["./Devices/d1/MQTT/power"]);
    expect(await home.complete("get --deep ./Devices/d1/")).toEqual(["compopt -o nospace", "./Devices/d1/MQTT/"]);
  });

  it("puts in only what is missing where the shell breaks a name at a colon, and quotes what the shell would read", async () => {
    await using home = await smallShell();
    await home.dmgw("add", "./DevInfo/Ext/urn:a:one", "1");
    await home.dmgw("add", "./DevInfo/Ext/urn:a:$two", "1");
    const split = ["get", "./DevInfo/Ext/urn", ":", "a", ":"];
    expect(await home.complete("get ./DevInfo/Ext/urn:a:", split)).toEqual(["one", "\\$two"]);
    expect(await home.complete("get ./DevInfo/Ext/urn:a:o", [...split, "o"])).toEqual(["one"]);
  });

  it("is silent where no daemon answers", async () => {
    await using home = await smallShell();
    await home.control.close();
    expect(await home.complete("get ./")).toEqual([]);
    expect(await home.complete("device ")).toEqual([]);
  });
});
