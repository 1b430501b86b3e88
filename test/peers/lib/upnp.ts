import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPeer } from "./process.ts";
import type { Peer } from "./process.ts";

/** minidlnad, a MediaServer:1, on `eth0` of the namespace. Resolves when it was started; it announces itself then. */
export async function startMinidlna(
  namespace: string,
  given: { readonly name: string; readonly uuid: string; readonly serial: string },
): Promise<Peer> {
  const folder = await mkdtemp(join(tmpdir(), "dmgw-minidlna-"));
  await mkdir(join(folder, "media"));
  await writeFile(
    join(folder, "minidlna.conf"),
    [
      "port=8200",
      "network_interface=eth0",
      `media_dir=${join(folder, "media")}`,
      `db_dir=${folder}`,
      `log_dir=${folder}`,
      `friendly_name=${given.name}`,
      `serial=${given.serial}`,
      `uuid=${given.uuid}`,
      "model_number=1",
      "",
    ].join("\n"),
  );
  const args = ["-f", join(folder, "minidlna.conf"), "-P", join(folder, "pid"), "-S"];
  const peer = await startPeer("minidlnad", args, { namespace });
  return {
    ...peer,
    async stop(signal) {
      await peer.stop(signal);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/**
 * gmediarender, a MediaRenderer:1 (libupnp), on `eth0` of the namespace. Resolves when its web server is set up.
 * @throws Error when gstreamer has no player: Debian only recommends the package that has it.
 */
export async function startRenderer(
  namespace: string,
  given: { readonly name: string; readonly uuid: string },
): Promise<Peer> {
  const args = ["-I", "eth0", "-p", "49494", "-f", given.name, "-u", given.uuid, "--logfile=stdout"];
  return startPeer("gmediarender", args, { namespace, ready: /rendercontrolSCPD/ }).catch((cause: unknown) => {
    throw new Error("gmediarender does not run; is gstreamer1.0-plugins-base installed?", { cause });
  });
}

/** What gssdp-discover finds from that namespace in `seconds`: one line each. */
export async function discoverWithGssdp(namespace: string, seconds: number): Promise<string> {
  const peer = await startPeer("gssdp-discover", ["-i", "eth0", "-n", String(seconds)], { namespace });
  await new Promise((resolve) => peer.process.once("close", resolve));
  return peer.output();
}
