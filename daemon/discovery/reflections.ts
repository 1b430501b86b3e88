import { hash } from "node:crypto";
import type { Clock, Log } from "../../tree/ports.ts";

/** A reflector repeats at once; what comes later was said anew. */
const repeatMs = 1000;
const limits = { packets: 512, followers: 64, pairs: 16 } as const;

/**
 * Notices reflectors: programs and access points that repeat the mDNS of one link on another, so that what hangs on the one seems to hang on the other.
 * Two things give one away: a host is told of on a link where it has none of its addresses, but has one on another link of ours; or the very same octets
 * come again on another link from another sender. The latter two machines with two legs do as well, each its own packets; so whoever repeats counts
 * as a reflector when it has repeated two different senders.
 */
export interface Reflections {
  /** A packet that was heard; `sender` is "" for this very machine, whatever its addresses are. */
  packet(onInterface: string, sender: string, octets: Uint8Array): void;
  /** A packet on one interface told of a host that is on the other. */
  stranger(heardOn: string, home: string): void;
  /** For `dmgw status`. */
  detail(): string | undefined;
}

interface Packet {
  readonly onInterface: string;
  readonly sender: string;
  readonly at: number;
}

interface Follower {
  readonly followed: Set<string>;
  packets: number;
}

export function watchReflections({ clock, log }: { readonly clock: Clock; readonly log: Log }): Reflections {
  /** By the hash of their octets, the oldest first. */
  const packets = new Map<string, Packet>();
  const followers = new Map<string, Follower>();
  /** "br-iot and br-lan" -> packets */
  const pairs = new Map<string, number>();

  const count = (one: string, other: string, more: number) => {
    const pair = [one, other].sort().join(" and ");
    const before = pairs.get(pair);
    if (before === undefined && pairs.size >= limits.pairs) return;
    if (before === undefined) log.warn(`a reflector repeats mDNS between ${pair}`);
    pairs.set(pair, (before ?? 0) + more);
  };

  const dropOld = (now: number) => {
    for (const [key, { at }] of packets) {
      if (now - at <= repeatMs && packets.size < limits.packets) return;
      packets.delete(key);
    }
  };

  return {
    packet(onInterface, sender, octets) {
      const now = clock.monotonic();
      dropOld(now);
      const key = hash("sha256", octets, "base64");
      const first = packets.get(key);
      if (first === undefined) {
        // Questions are few and everybody asks the same: of these only our own tell anything by coming back.
        const isResponse = ((octets[2] ?? 0) & 0x80) !== 0;
        if (isResponse || sender === "") packets.set(key, { onInterface, sender, at: now });
        return;
      }
      if (first.onInterface === onInterface || first.sender === sender) return;
      const name = `${onInterface} ${sender} ${first.onInterface}`;
      let follower = followers.get(name);
      if (follower === undefined) {
        const [oldest] = followers.keys();
        if (followers.size >= limits.followers && oldest !== undefined) followers.delete(oldest);
        followers.set(name, (follower = { followed: new Set(), packets: 0 }));
      }
      if (follower.followed.size < 2) follower.followed.add(first.sender);
      follower.packets++;
      if (follower.followed.size < 2) return;
      count(onInterface, first.onInterface, follower.packets);
      follower.packets = 0;
    },
    stranger: (heardOn, home) => count(heardOn, home, 1),
    detail() {
      if (pairs.size === 0) return undefined;
      return [...pairs]
        .map(([pair, times]) => `a reflector repeats mDNS between ${pair} (${times} packet${times === 1 ? "" : "s"})`)
        .join("; ");
    },
  };
}
