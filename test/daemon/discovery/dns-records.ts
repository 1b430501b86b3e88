import { decode } from "dns-packet";
import type { Answer, Packet } from "dns-packet";
import { onLan as isOnLan } from "../../../daemon/lan.ts";
import type { LanInterface } from "../../../daemon/lan.ts";

/** Records as dns-packet decodes them, for a home with one printer. */
export const lan: LanInterface = {
  name: "br-lan",
  address: "10.77.0.1",
  netmask: "255.255.255.0",
  ipv6: [{ address: "fd77::1", prefix: 64 }],
  mac: "02:00:00:00:77:01",
};
/** What the records of that home's link are made with. */
export const onLan = { on: lan.name, onLink: (address: string) => isOnLan(address, [lan]) };
export const printer = "10.77.0.2";
export const full = "Kitchen Printer._ipp._tcp.local";
export const key = full.toLowerCase();

export const answer = (record: Answer | (Omit<Answer, "class"> & Record<string, unknown>)) =>
  ({ class: "IN", ttl: 4500, ...record }) as Answer;
export const pointer = (name: string, data: string, ttl = 4500) => answer({ type: "PTR", name, data, ttl });
export const ipp = (name: string, ttl = 4500) => pointer("_ipp._tcp.local", name, ttl);
export const location = (name: string, target: string, port = 631) =>
  answer({ type: "SRV", name, data: { target, port }, ttl: 120 });
export const text = (name: string, ...data: (string | Buffer)[]) =>
  answer({ type: "TXT", name, data: data.map((d) => Buffer.from(d)) });
export const address = (name: string, data: string, more = {}) =>
  answer({ type: data.includes(":") ? "AAAA" : "A", name, data, ttl: 120, ...more });
export const whole = (name = full): Answer[] => [
  ipp(name),
  location(name, "kitchen.local"),
  text(name, "ty=LaserThing 9"),
  address("kitchen.local", printer),
];

/** undefined for what does not decode. */
export function decoded(bytes: Buffer): Packet | undefined {
  try {
    return decode(bytes);
  } catch {
    return undefined;
  }
}
