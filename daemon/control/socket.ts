import { chmod, chown, lstat, mkdtemp, readFile, rename, rm, unlink } from "node:fs/promises";
import { connect } from "node:net";
import type { Server } from "node:net";
import { dirname, join } from "node:path";
import { makeFolder } from "../folders.ts";
import { ConfigError, reasonOf } from "../../tree/errors.ts";
import type { Log } from "../../tree/ports.ts";

/** Octets of a Unix socket's address on Linux (sun_path), without the ending NUL. */
const longest = 107;

/**
 * Listens at `path` with mode 0660, for `group` where that group exists. The folder is made when missing; a socket that nobody answers is
 * replaced. The answer takes the socket away again. @throws ConfigError when somebody answers there, or nothing can listen there.
 */
export async function listenAt(server: Server, path: string, group: string, log: Log): Promise<() => Promise<void>> {
  try {
    makeFolder(dirname(path), 0o755);
    await clear(path);
    await listen(server, path, group, log);
    const { ino } = await lstat(path);
    return async () => {
      // Another daemon may have taken the place meanwhile.
      const there = await lstat(path).catch(() => undefined);
      if (there?.ino === ino) await unlink(path).catch(() => undefined);
    };
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw wrong(`cannot listen at ${path}: ${reasonOf(error)}`);
  }
}

/** What is left of a daemon that died goes away; a daemon that lives is left alone. */
async function clear(path: string): Promise<void> {
  const there = await lstat(path).catch(() => undefined);
  if (there === undefined) return;
  if (!there.isSocket()) throw wrong(`${path} is not a socket; it is left as it is`);
  if (await answers(path)) throw wrong(`another dmgw runs here: it answers at ${path}; stop it first`);
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

/** The socket is made in a folder that is ours alone and moved when its rights are set: at no moment may others connect. */
async function listen(server: Server, path: string, group: string, log: Log): Promise<void> {
  const folder = await mkdtemp(join(dirname(path), "."));
  try {
    const own = join(folder, "s");
    const length = Buffer.byteLength(own) > Buffer.byteLength(path) ? own : path;
    if (Buffer.byteLength(length) > longest)
      throw wrong(`${path} is too long for a socket: Linux takes ${longest} bytes`);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(own, () => {
        server.off("error", reject);
        resolve();
      });
    });
    await shareWith(own, group, log);
    await rename(own, path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function shareWith(path: string, group: string, log: Log): Promise<void> {
  await chmod(path, 0o660);
  const id = await groupId(group);
  if (id === undefined) return;
  try {
    await chown(path, -1, id);
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
