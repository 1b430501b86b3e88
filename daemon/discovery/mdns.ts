import { onLan } from "../lan.ts";
import { earOpener } from "./mdns-ears.ts";
import type { Ears, From } from "./mdns-ears.ts";
import { openWire } from "./mdns-wire.ts";
import type { Wire } from "./mdns-wire.ts";
import { watchReflections } from "./reflections.ts";
import type { Link, Source, SourceIo } from "./source.ts";

/** mDNS service discovery (RFC 6762, RFC 6763) over IPv4 and IPv6, as a listener that asks now and then. */
export function start(io: SourceIo): Source {
  const openEars = earOpener(io, { anyPort: false });
  const reflections = watchReflections(io);
  /** By the name of the interface. */
  const wires = new Map<string, Wire>();
  const links = new Set<Ears>();

  const wireOf = (name: string): Wire => {
    const wire = wires.get(name) ?? openWire(io, name);
    wires.set(name, wire);
    return wire;
  };

  /** "" for an address of this very machine. */
  const senderOf = ({ address }: From): string => {
    const ours = [...wires.values()].some(({ lans }) =>
      [...lans].some((lan) => lan.address === address || lan.ipv6.some((own) => own.address === address)),
    );
    return ours ? "" : address;
  };

  return {
    ipv6Alone: true,
    async open(lan, failed) {
      const { name } = lan;
      const wire = wireOf(name);
      wire.lans.add(lan);
      const opened = new Set<Parameters<Wire["add"]>[0]>();
      const leave = () => {
        for (const ear of opened) wire.remove(ear);
        wire.lans.delete(lan);
        if (wire.lans.size > 0) return;
        wire.stop();
        wires.delete(name);
      };
      const ears = await openEars(lan, {
        octets(octets, from) {
          if (wires.size > 1) reflections.packet(name, senderOf(from), octets);
        },
        response(packet, from) {
          const elsewhere = wire.take(packet, from);
          if (elsewhere.length === 0) return;
          for (const [home, { lans }] of wires)
            if (home !== name && elsewhere.some((address) => isOn(address, lans)))
              return reflections.stranger(name, home);
        },
        opened(ear) {
          opened.add(ear);
          wire.add(ear);
        },
        failed,
      }).catch((reason: unknown) => {
        leave();
        throw reason;
      });
      links.add(ears);
      return {
        async close() {
          links.delete(ears);
          leave();
          await ears.close();
        },
      } satisfies Link;
    },
    forget(key) {
      for (const wire of wires.values()) wire.forget(key);
    },
    detail() {
      const lacking = [...links].flatMap((ears) => ears.lacking() ?? []);
      const told = [...new Set(lacking), reflections.detail()].filter((line) => line !== undefined);
      return told.length === 0 ? undefined : told.join("; ");
    },
    async stop() {},
  };
}

/** A link-local address is on every link, so it says nothing. */
function isOn(address: string, lans: Wire["lans"]): boolean {
  return !address.startsWith("fe80:") && onLan(address, [...lans]);
}
