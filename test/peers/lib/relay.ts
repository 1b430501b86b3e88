import { rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPeer } from "./process.ts";

/**
 * Makes a TCP server of this process (`url`) reachable at `address`:`port` of a namespace, by socat and a Unix socket between the two.
 * The answer takes it away.
 */
export async function relay(
  namespace: string,
  address: string,
  port: number,
  url: string,
): Promise<() => Promise<void>> {
  const { hostname, port: behind } = new URL(url);
  const path = join(tmpdir(), `dmgw-relay-${process.pid}-${port}`);
  const passage = createServer({ allowHalfOpen: true }, (inside) => {
    const outside = connect({ host: hostname, port: Number(behind), allowHalfOpen: true });
    for (const end of [inside, outside])
      end.on("error", () => {
        inside.destroy();
        outside.destroy();
      });
    inside.pipe(outside).pipe(inside);
  });
  await new Promise<void>((resolve, reject) => passage.once("error", reject).listen(path, resolve));
  const listening = `TCP-LISTEN:${port},bind=${address},fork,reuseaddr`;
  const peer = await startPeer("socat", ["-dd", listening, `UNIX-CONNECT:${path}`], {
    namespace,
    ready: /listening on/,
  });
  return async () => {
    await peer.stop();
    await new Promise((resolve) => passage.close(resolve));
    rmSync(path, { force: true });
  };
}
