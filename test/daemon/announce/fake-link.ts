import { AUTHORITATIVE_ANSWER, encode } from "dns-packet";
import type { Packet } from "dns-packet";
import type { Ear, From } from "../../../daemon/discovery/mdns-ears.ts";
import type { Clock } from "../../../tree/ports.ts";
import { decoded } from "../discovery/dns-records.ts";

/** A packet on the link, as it decodes. `to`: whom alone it went to. */
export interface Sent {
  readonly at: number;
  readonly from: string;
  readonly packet: Packet;
  readonly to?: From;
}

/** A link in memory: what one sends to the group everybody hears a moment later, the sender too, as octets that were decoded anew. */
export interface FakeLink {
  readonly sent: readonly Sent[];
  /** Takes part. Without `hears` it only speaks. */
  join(address: string, hears?: (packet: Packet, from: From) => void): Pick<Ear, "ask" | "respond">;
}

export function fakeLink(clock: Clock): FakeLink {
  const sent: Sent[] = [];
  const all = new Set<(packet: Packet, from: From) => void>();
  return {
    sent,
    join(address, hears) {
      if (hears !== undefined) all.add(hears);
      const send = (packet: Packet, to?: From) => {
        const octets = encode(packet);
        const read = decoded(octets);
        if (read === undefined) return;
        sent.push({ at: clock.monotonic(), from: address, packet: read, ...(to !== undefined && { to }) });
        if (to === undefined)
          clock.after(1, () => {
            for (const hear of all) hear(read, { address, port: 5353 });
          });
      };
      return {
        ask: (packet) => send({ ...packet, type: "query" }),
        async respond(packet, to) {
          send({ ...packet, type: "response", flags: AUTHORITATIVE_ANSWER }, to);
        },
      };
    },
  };
}
