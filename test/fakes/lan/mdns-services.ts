import { decode, encode } from "dns-packet";
import type { Answer } from "dns-packet";
import { openMulticast } from "../../../daemon/discovery/multicast.ts";
import type { LanInterface } from "../../../daemon/lan.ts";

const group = "224.0.0.251";
const port = 5353;

/** A service, as DNS-SD names it (RFC 6763). */
export interface ServiceRecord {
  /** "_smb._tcp" */
  readonly type: string;
  /** For people. */
  readonly name: string;
  readonly port: number;
  readonly text?: Readonly<Record<string, string>>;
}

/** Announces the services of one host, and answers who asks for one of its names. `leave` takes them back. */
export async function announceServices(
  link: LanInterface,
  host: string,
  services: readonly ServiceRecord[],
): Promise<{ leave(): Promise<void> }> {
  const { socket } = await openMulticast(group, port, 255, link);
  const ours = recordsOf(link.address, host, services);
  const names = new Set(ours.map(({ name }) => name.toLowerCase()));
  const say = (answers: readonly Answer[]) =>
    new Promise<void>((resolve) => {
      // Authoritative (RFC 6762 18.4).
      const packet = encode({ type: "response", flags: 1 << 10, answers: [...answers] });
      socket.send(packet, port, group, () => resolve());
    });
  socket.on("message", (bytes) => {
    const asked = namesAskedFor(bytes);
    if (asked.some((name) => names.has(name.toLowerCase()))) void say(ours);
  });
  await say(ours);
  return {
    async leave() {
      await say(ours.map((record) => ({ ...record, ttl: 0 }) as Answer));
      await new Promise<void>((resolve) => socket.close(resolve));
    },
  };
}

function recordsOf(address: string, host: string, services: readonly ServiceRecord[]): Answer[] {
  const target = `${host}.local`;
  const own = { class: "IN", flush: true } as const;
  return [
    ...services.flatMap(({ type, name, port, text = {} }): Answer[] => {
      const full = `${name}.${type}.local`;
      const data = Object.entries(text).map(([key, value]) => Buffer.from(`${key}=${value}`));
      return [
        // Other hosts have services of this type too: it is not ours alone.
        { class: "IN", type: "PTR", name: `${type}.local`, ttl: 4500, data: full },
        { ...own, type: "SRV", name: full, ttl: 120, data: { target, port } },
        { ...own, type: "TXT", name: full, ttl: 4500, data: data.length === 0 ? [Buffer.from([0])] : data },
      ];
    }),
    { ...own, type: "A", name: target, ttl: 120, data: address },
  ];
}

/** None when it is no question. */
function namesAskedFor(bytes: Uint8Array): readonly string[] {
  try {
    const packet = decode(Buffer.from(bytes));
    return packet.type === "query" ? (packet.questions ?? []).map(({ name }) => name) : [];
  } catch {
    return [];
  }
}
