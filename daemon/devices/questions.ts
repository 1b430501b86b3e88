import type { Clock } from "../../tree/ports.ts";
import type { Device, LiveTrace, Member } from "./device.ts";
import { quietAfter } from "./doubts.ts";
import { isJunk, keyOf } from "../identity/clues.ts";
import type { Question } from "../identity/decide.ts";
import { keepsIds, macsOf } from "../identity/members.ts";
import { profileOf } from "../identity/profile.ts";
import type { Trace } from "../identity/traces.ts";
import type { Whereabouts } from "../identity/whereabouts.ts";
import type { Registry } from "./registry.ts";

const minute = 60_000;
/** So long after it was heard, a trace still says who is at its address. */
export const besideFor = 30 * minute;
/** So long after it was heard, a trace may still get its hardware address from a row that came later: who had the address before is quiet by now. */
export const lateRowFor = 2 * minute;

/** Collects what `decide` needs to know of a trace. */
export class Questions {
  readonly #registry: Registry;
  readonly #clock: Clock;
  readonly #where: Whereabouts;

  constructor(registry: Registry, clock: Clock, where: Whereabouts) {
    this.#registry = registry;
    this.#clock = clock;
    this.#where = where;
  }

  /** Everything that counts for where this trace belongs. `now`: its device until now, as which `member`. */
  about(trace: Trace, macs: readonly string[], now: Device | undefined, member: Member | undefined): Question<Device> {
    const { index } = this.#registry;
    const macKeys = macs.map((mac) => keyOf({ kind: "mac", value: mac }));
    return {
      trace,
      macs,
      given: index.given(trace.identity, trace.clues),
      now: now === undefined ? undefined : this.#asKnown(trace, now, member),
      keepsIds: member === undefined || keepsIds(trace, member),
      followed: trace.follows.flatMap((identity) => index.of(identity) ?? []),
      sharing: index.sharing([...trace.clues.map(keyOf), ...macKeys]),
      beside: this.#beside(trace),
      sameHost: this.#sameHost(trace),
      quiet: (device) => this.#isQuiet(device, trace.identity, quietAfter),
      absent: (device) => this.#isQuiet(device, trace.identity, Infinity),
    };
  }

  #asKnown(trace: Trace, device: Device, member: Member | undefined): NonNullable<Question<Device>["now"]> {
    const rest = profileOf(device.kept.members.filter((one) => one !== member));
    const places = member === undefined ? [] : macsOf(member);
    const macs = this.#where.macsOf(trace);
    const anchored =
      [...places, ...macs].some((mac) => rest.macs.has(mac)) || trace.clues.some((clue) => rest.ids.has(keyOf(clue)));
    return { device, firmly: this.#isFirm(member), rest, anchored };
  }

  /** Not what only stood beside others, or was taken for one behind whose hardware address it is. */
  #isFirm(member: Member | undefined): boolean {
    const macs = member === undefined ? [] : macsOf(member);
    return member?.by !== "beside" && !(macs.length > 0 && macs.every((mac) => this.#where.book.carriesOthers(mac)));
  }

  /** Devices of services that say the same host name on the same link now: there it is nobody else's (RFC 6762 9). */
  #sameHost({ identity, source, clues, interface: onInterface }: Trace): readonly Device[] {
    const hosts = clues.filter((clue) => clue.kind === "host-name" && !isJunk(clue)).map(keyOf);
    if (source !== "mdns" || hosts.length === 0) return [];
    const from = this.#clock.monotonic() - besideFor;
    const says = ({ trace, heardAt }: LiveTrace) =>
      trace.source === "mdns" &&
      trace.identity !== identity &&
      trace.interface === onInterface &&
      heardAt > from &&
      trace.clues.some((clue) => hosts.includes(keyOf(clue)));
    return [...this.#registry.index.sharing(hosts)].filter(({ live }) => [...live.values()].some(says));
  }

  #beside(trace: Trace): { device: Device; unplaced: boolean }[] {
    const now = this.#clock.monotonic();
    return this.#where.beside(trace).flatMap(({ trace: other, heardAt, macs }) => {
      const device = this.#registry.index.of(other.identity);
      const isOld = now - heardAt > besideFor && (device?.profile.macs.size ?? 0) > 0;
      if (device === undefined || isOld) return [];
      return [
        { device, unplaced: macs.length === 0 && (now - heardAt < lateRowFor || device.profile.macs.size === 0) },
      ];
    });
  }

  #isQuiet(device: Device, except: string, forMs: number): boolean {
    const from = this.#clock.monotonic() - forMs;
    for (const [identity, live] of device.live) {
      if (identity === except || !live.trace.presence || live.heardAt < from) continue;
      if (live.macs.some((mac) => device.profile.macs.has(mac))) return false;
    }
    return true;
  }
}
