import { chmod, chown, lstat, mkdir, readFile, unlink } from "node:fs/promises";
import { connect } from "node:net";
import type { Server } from "node:net";
import { dirname } from "node:path";
import { umask } from "node:process";
import { ConfigError, reasonOf } from "../../tree/errors.ts";
import type { Log } from "../../tree/ports.ts";

/** Octets of a Unix socket's address on Linux (sun_path), without the ending NUL. */
const longest = 107;

/**
 * Listens at `path` with mode 0660, for `group` where that group exists. The folder is made when missing; a socket that nobody answers is
 * replaced. @throws ConfigError when somebody answers there, or nothing can listen there.
 */
export async function listenAt(server: Server, path: string, group: string, log: Log): Promise<void> {
  if (Buffer.byteLength(path) > longest)
    throw wrong(`${path} is longer than ${longest} bytes, the most that Linux takes`);
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    await clear(path);
    await listen(server, path);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw wrong(`cannot listen at ${path}: ${reasonOf(error)}`);
  }
  await shareWith(path, group, log);
}

/** What is left of a daemon that died goes away; a daemon that lives is left alone. */
async function clear(path: string): Promise<void> {
  const there = await lstat(path).catch(() => undefined);
  if (there === undefined) return;
  if (!there.isSocket()) throw wrong(`${path} is not a socket; it is left as it is`);
  if (await answers(path)) throw wrong(`another dmgw runs here: it answers at ${path}`);
  await unlink(path);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    const end = (yes: boolean) => {
      probe.destroy();
      resolve(yes);
    };
    probe.once("connect", () => end(true));
    // Only a refusal means that nobody listens. "Try again" is a full queue, and "denied" somebody else's socket.
    probe.once("error", (error: NodeJS.ErrnoException) => end(!["ECONNREFUSED", "ENOENT"].includes(error.code ?? "")));
  });
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.once("listening", () => {
      server.off("error", reject);
      resolve();
    });
    // The socket is made within listen(), so no other work of the process runs under this mask, and at no moment may others connect.
    const before = umask(0o117);
    try {
      server.listen(path);
    } finally {
      umask(before);
    }
  });
}

async function shareWith(path: string, group: string, log: Log): Promise<void> {
  const id = await groupId(group);
  if (id === undefined) return;
  try {
    await chown(path, -1, id);
    await chmod(path, 0o660);
  } catch (error) {
    log.info(`the control socket stays with this user's own group: ${reasonOf(error)}`, { group });
  }
}

/** The number of a group; undefined where there is none. */
async function groupId(name: string): Promise<number | undefined> {
  const text = await readFile("/etc/group", "utf8").catch(() => "");
  const line = text.split("\n").find((one) => one.startsWith(`${name}:`));
  const id = Number(line?.split(":")[2]);
  return line !== undefined && Number.isInteger(id) ? id : undefined;
}

function wrong(message: string): ConfigError {
  return new ConfigError([{ key: "control.socket", message, where: "control.socket" }]);
}
