import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startPeer, until } from "./process.ts";
import type { Peer } from "./process.ts";

/** avahi-daemon in a namespace, with a bus of its own. */
export interface Avahi {
  /** avahi-publish: a service of that instance name, type ("_ipp._tcp") and port; stopping it takes the service back. */
  publish(name: string, type: string, port: number, ...text: string[]): Promise<Peer>;
  /** avahi-browse: everything that it resolves within a second or so, as it prints it with `-p`. */
  browse(): Promise<string>;
  /** Another of avahi's programs, to its end: what it printed. */
  run(command: string, ...args: string[]): Promise<string>;
  stop(): Promise<void>;
}

const busRules = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=SOCKET</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/><allow own="*"/><allow send_type="method_call"/><allow send_type="signal"/>
    <allow send_destination="*"/><allow receive_sender="*"/>
  </policy>
</busconfig>
`;

export interface AvahiOptions {
  /** Default: eth0. */
  readonly interfaces?: readonly string[];
  /** Repeats on each of its interfaces what it hears on the others. */
  readonly reflector?: boolean;
}

/** Starts it in the namespace; it calls itself `<host>.local`. Resolves when it answers to clients. */
export async function startAvahi(
  namespace: string,
  host: string,
  { interfaces = ["eth0"], reflector = false }: AvahiOptions = {},
): Promise<Avahi> {
  const folder = await mkdtemp(join(tmpdir(), "dmgw-avahi-"));
  const socket = join(folder, "bus");
  const env = { DBUS_SYSTEM_BUS_ADDRESS: `unix:path=${socket}` };
  await writeFile(join(folder, "bus.conf"), busRules.replace("SOCKET", socket));
  await writeFile(
    join(folder, "avahi.conf"),
    [
      "[server]",
      `host-name=${host}`,
      `allow-interfaces=${interfaces.join(",")}`,
      "enable-dbus=yes",
      "[publish]",
      "publish-workstation=no",
      "publish-hinfo=no",
      "[reflector]",
      `enable-reflector=${reflector ? "yes" : "no"}`,
      "",
    ].join("\n"),
  );
  const bus = await startPeer(
    "dbus-daemon",
    [`--config-file=${join(folder, "bus.conf")}`, "--nofork", "--nopidfile", "--print-address"],
    {
      namespace,
      ready: /unix:path=/,
    },
  );
  // The place of its pid file is built in: with a /run of its own there can be more than one.
  const own = `mount -t tmpfs none /run && exec avahi-daemon -f ${join(folder, "avahi.conf")} --no-drop-root --no-chroot --no-rlimits`;
  const daemon = await startPeer("unshare", ["--mount", "sh", "-c", own], {
    namespace,
    env,
    ready: /Server startup complete/,
  });
  const run = async (command: string, ...args: string[]) => {
    const peer = await startPeer(command, args, { namespace, env });
    await new Promise((resolve) => peer.process.once("close", resolve));
    return peer.output();
  };
  return {
    async publish(name, type, port, ...text) {
      const peer = await startPeer("avahi-publish", ["-s", name, type, String(port), ...text], { namespace, env });
      await until(`${name} to be published`, () => /Established under name/.test(peer.output()) || undefined);
      return peer;
    },
    browse: () => run("avahi-browse", "--all", "--resolve", "--parsable", "--terminate"),
    run,
    async stop() {
      await daemon.stop();
      await bus.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
