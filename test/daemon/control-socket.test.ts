import { mkdtemp, readFile, rm, stat, unlink, writeFile } from "node:fs/promises";
import { createServer, connect } from "node:net";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { umask } from "node:process";
import { describe, expect, it } from "vitest";
import { openControl } from "../../daemon/control.ts";
import { ConfigError } from "../../tree/errors.ts";
import { fakeClock } from "../fakes/clock.ts";
import { fakeLog } from "../fakes/log.ts";
import { ask, smallControl, smallGateway } from "./small-gateway.ts";

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "dmgw-"));
  try {
    await run(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const open = (socket: string, group?: string) =>
  openControl({
    gateway: smallGateway().gateway,
    socket,
    clock: fakeClock(),
    log: fakeLog(),
    ...(group === undefined ? {} : { group }),
  });

describe("the control socket", () => {
  it("is made with mode 0660 whatever the process's own mask, in a folder that is made when missing", async () => {
    await inFolder(async (folder) => {
      const before = umask(0);
      try {
        const control = await open(join(folder, "a/b/control.sock"));
        expect((await stat(join(folder, "a/b/control.sock"))).mode & 0o777).toBe(0o660);
        expect(umask(0)).toBe(0);
        await control.close();
      } finally {
        umask(before);
      }
    });
  });

  it("belongs to the group that may use it, where that group exists", async () => {
    const line = (await readFile("/etc/group", "utf8")).split("\n").find((one) => one.startsWith("daemon:"));
    const id = Number(line?.split(":")[2]);
    await inFolder(async (folder) => {
      const socket = join(folder, "control.sock");
      const control = await open(socket, "daemon");
      // Only root may give a file to any group.
      if (process.getuid?.() === 0) expect((await stat(socket)).gid).toBe(id);
      expect((await stat(socket)).mode & 0o777).toBe(0o660);
      await control.close();
      await (await open(socket, "no-such-group")).close();
    });
  });

  it("goes away with the daemon", async () => {
    await inFolder(async (folder) => {
      const socket = join(folder, "control.sock");
      await (await open(socket)).close();
      await expect(stat(socket)).rejects.toThrow("ENOENT");
    });
  });

  it("replaces what a killed daemon left", async () => {
    await inFolder(async (folder) => {
      const socket = join(folder, "control.sock");
      const script = `require("net").createServer().listen(${JSON.stringify(socket)}, () => process.kill(process.pid, "SIGKILL"))`;
      spawnSync(process.execPath, ["-e", script]);
      expect((await stat(socket)).isSocket()).toBe(true);
      const control = await open(socket);
      expect((await ask(socket, "GET", "/v1/status")).status).toBe(200);
      await control.close();
    });
  });

  it("is left to a daemon that answers on it", async () => {
    await using home = await smallControl();
    await expect(open(home.socket)).rejects.toThrow(/another dmgw runs here/);
    await expect(open(home.socket)).rejects.toThrow(ConfigError);
    expect((await home.ask("GET", "/v1/status")).status).toBe(200);
  });

  it("does not replace a file that is not a socket, nor take a path that is too long or not to be had", async () => {
    await inFolder(async (folder) => {
      const file = join(folder, "file");
      await writeFile(file, "precious");
      await expect(open(file)).rejects.toThrow(/not a socket/);
      expect(await readFile(file, "utf8")).toBe("precious");
      await expect(open(join(folder, "x".repeat(120)))).rejects.toThrow(/107 bytes/);
      await expect(open(join(file, "control.sock"))).rejects.toThrow(ConfigError);
    });
  });

  it("stops within its time although a caller never lets go", async () => {
    await using home = await smallControl();
    home.script.press = () => new Promise(() => undefined);
    const call = home.ask("POST", "/v1/exec/Bench/Press");
    const events = home.ask("GET", "/v1/events");
    const half = connect(home.socket);
    half.on("error", () => undefined).write("GET /v1/st");
    await expect.poll(() => home.clock.timers).toBeGreaterThan(1);
    const closed = home.control.close();
    await home.clock.advance(1000);
    await closed;
    expect((await call).json).toMatchObject({ status: 503, detail: "the daemon stops" });
    expect((await events).status).toBe(200);
    expect(home.clock.timers).toBe(0);
    half.destroy();
  });
});

describe("bad input", () => {
  it("answers unknown paths, methods and queries with what there is", async () => {
    await using home = await smallControl();
    expect((await home.ask("GET", "/v1/stauts")).json).toMatchObject({
      status: 404,
      detail: expect.stringContaining("/v1/status") as string,
    });
    expect((await home.ask("GET", "/")).status).toBe(404);
    expect((await home.ask("GET", "/v1/devices/d1/approve/x")).status).toBe(404);
    expect((await home.ask("GET", "/v1/devices/%E0%A4%A/approve")).status).toBe(400);
    const patch = await home.ask("PATCH", "/v1/tree/DevInfo");
    expect([patch.status, patch.headers.allow]).toEqual([405, "GET, PUT, POST, DELETE"]);
    expect((await home.ask("GET", "/v1/reload")).headers.allow).toBe("POST");
    expect((await home.ask("GET", "/v1/tree/DevInfo?depth=3")).json).toMatchObject({
      status: 400,
      detail: expect.stringContaining("?deep") as string,
    });
    expect((await home.ask("GET", "/v1/tree/DevInfo?deep=maybe")).status).toBe(400);
    expect((await home.ask("GET", "/v1/tree/__proto__")).status).toBe(404);
  });

  it("refuses bodies that are not a JSON object of known keys", async () => {
    await using home = await smallControl();
    const path = "/v1/tree/Devices/d1/MQTT/power";
    for (const body of [
      "{",
      "[]",
      "null",
      "7",
      '"x"',
      "[".repeat(200_000),
      "\u0000",
      '{"valeu":1}',
      '{"__proto__":1}',
    ]) {
      expect([body.slice(0, 20), (await home.ask("PUT", path, body)).status]).toEqual([body.slice(0, 20), 400]);
    }
    expect((await home.ask("PUT", path, "")).status).toBe(412);
    expect(home.lamps[0].calls).toEqual([]);
  });

  it("refuses a body over 1 MB, announced or not, and goes on with the connection's next request", async () => {
    await using home = await smallControl();
    const path = "/v1/tree/Devices/d1/MQTT/power";
    expect((await home.ask("PUT", path, { value: "x".repeat(1 << 20) })).json).toMatchObject({ status: 413 });
    const sent = await raw(home.socket, [
      `PUT ${path} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n`,
      ...Array.from({ length: 40 }, () => `10000\r\n${"x".repeat(0x10000)}\r\n`),
      "0\r\n\r\n",
      "GET /v1/status HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    ]);
    expect(sent).toMatch(/^HTTP\/1.1 413 /);
    expect(sent).toMatch(/HTTP\/1.1 200 OK/);
  });

  it("answers what is not HTTP, and heads that are too large, with an error", async () => {
    await using home = await smallControl();
    expect(await raw(home.socket, ["\u0016\u0003\u0001 hello\r\n\r\n"])).toMatch(/^HTTP\/1.1 400 /);
    expect(await raw(home.socket, [`GET /v1/status HTTP/1.1\r\nhost: x\r\nx: ${"y".repeat(20_000)}\r\n\r\n`])).toMatch(
      / 431 /,
    );
    expect((await home.ask("GET", "/v1/status")).status).toBe(200);
  });

  it("holds 64 connections at most", async () => {
    await using home = await smallControl();
    const lines = await Promise.all(Array.from({ length: 64 }, () => opened(home.socket)));
    await expect(home.ask("GET", "/v1/status")).rejects.toThrow();
    expect(home.log.lines.join()).toContain("a connection was refused");
    for (const line of lines) line.destroy();
    await expect.poll(() => home.ask("GET", "/v1/status").catch(() => ({ status: 0 }))).toMatchObject({ status: 200 });
  });

  it("gives up a call that takes too long, and one whose caller hangs up", async () => {
    await using home = await smallControl();
    const signals: AbortSignal[] = [];
    home.script.press = (call) => {
      signals.push(call.signal);
      return new Promise(() => undefined);
    };
    const slow = home.ask("POST", "/v1/exec/Bench/Press");
    await expect.poll(() => signals.length).toBe(1);
    await home.clock.advance(30_000);
    expect((await slow).json).toMatchObject({ status: 504, uri: "./Bench/Press" });
    expect(signals[0]?.aborted).toBe(true);

    const line = await opened(home.socket);
    line.write("POST /v1/exec/Bench/Press HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n");
    await expect.poll(() => signals.length).toBe(2);
    line.destroy();
    await expect.poll(() => signals[1]?.aborted).toBe(true);
  });

  it("answers a bug of ours with 500 and keeps its stack for the log", async () => {
    await using home = await smallControl();
    home.script.press = async () => {
      throw new TypeError("undefined is not a lamp");
    };
    const { json } = await home.ask("POST", "/v1/exec/Bench/Press");
    expect(json).toMatchObject({ status: 500, detail: "an internal error; the log has its trace" });
    expect(home.log.lines.join()).toMatch(/undefined is not a lamp/);
  });
});

it("a listening socket of somebody else is not taken either", async () => {
  await inFolder(async (folder) => {
    const socket = join(folder, "control.sock");
    const other = createServer((line) => line.destroy()).listen(socket);
    await expect(open(socket)).rejects.toThrow(/another dmgw/);
    await new Promise((resolve) => other.close(resolve));
    await unlink(socket).catch(() => undefined);
  });
});

async function opened(path: string) {
  const line = connect(path);
  line.on("error", () => undefined);
  await new Promise((resolve) => line.once("connect", resolve));
  return line;
}

/** Writes as it is, and hears everything until the other side closes. */
async function raw(path: string, parts: readonly string[]): Promise<string> {
  const line = await opened(path);
  let heard = "";
  line.setEncoding("utf8").on("data", (text: string) => (heard += text));
  for (const part of parts) line.write(part);
  await new Promise((resolve) => line.once("close", resolve));
  return heard;
}
