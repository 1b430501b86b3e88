import { startPeer, until } from "./process.ts";
import type { Peer } from "./process.ts";

/** An announcing gateway (announcer-printer.ts), running in a namespace. */
export interface Announced {
  readonly peer: Peer;
  status(): Promise<{
    readonly state: string;
    readonly error?: string;
    readonly detail: string;
    /** Of the whole process, so far, in µs. */
    readonly cpu: { readonly user: number; readonly system: number };
  }>;
  /** @throws Error when it did not end by itself, and cleanly. */
  stop(): Promise<void>;
}

/** `file`: the bundle of announcer-printer.ts. */
export async function startAnnounced(
  file: string,
  namespace: string,
  {
    interfaces = [],
    id,
    speed = 1,
  }: {
    readonly interfaces?: readonly string[];
    readonly id?: string;
    /** How much faster than the world its clock runs. */
    readonly speed?: number;
  } = {},
): Promise<Announced> {
  const env = { DMGW_TEST_SPEED: String(speed), ...(id !== undefined && { DMGW_TEST_ID: id }) };
  const peer = await startPeer(process.execPath, [file, ...interfaces], { namespace, env, ready: /"event":"ready"/ });
  const statuses = () =>
    peer
      .output()
      .split("\n")
      .filter((line) => line.includes('"event":"status"') && line.endsWith("}"));
  return {
    peer,
    async status() {
      const before = statuses().length;
      peer.process.kill("SIGUSR2");
      const line = await until("its status", () => statuses()[before]);
      return JSON.parse(line) as Awaited<ReturnType<Announced["status"]>>;
    },
    async stop() {
      await peer.stop();
      if (peer.process.exitCode !== 0)
        throw new Error(`ended with ${peer.process.exitCode ?? peer.process.signalCode}:\n${peer.output()}`);
    },
  };
}
