import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { DmError, Status, reasonOf } from "../../tree/errors.ts";
import type { Clock } from "../../tree/ports.ts";
import type { LanInterface } from "../lan.ts";
import { PartState } from "../parts.ts";
import { runIp } from "./ip-command.ts";
import { noInterface } from "./links.ts";
import { neighbourLimits, neighbourTable } from "./neighbour-table.ts";
import { parseArpTable, parseRow } from "./neighbour-rows.ts";
import type { NeighbourRow } from "./neighbour-rows.ts";
import { probeTimes } from "./probe-plan.ts";
import type { ProbeTimes } from "./probe-plan.ts";
import { openProber } from "./probe.ts";
import type { Prober } from "./probe.ts";
import type { LanSource, SourceIo } from "./source.ts";

/** Between two looks at the whole table: with and without word from the kernel in between. */
const quietLookMs = 60_000;
const blindLookMs = 15_000;
/** Whatever happens, it is not looked more often. */
const leastLookMs = 1000;
const mostOfRound = 20;
/** Questions that others want asked: of one address every 2 s, of all so many a minute. */
const sameAddressMs = 2000;
const mostAMinute = 300;

/** What it needs of the machine. */
export interface NeighbourIo {
  /** The path of `ip`; undefined: there is none. */
  readonly program: string | undefined;
  /** Does the kernel say when something changes? */
  readonly heard: () => boolean;
  readonly prober?: Prober;
  readonly times?: ProbeTimes | undefined;
}

/** The kernel's neighbour table as a source. */
export interface Neighbours extends LanSource {
  /** A line of `ip monitor`. */
  line(line: string): void;
  /** Lines may have been missed. */
  missed(): void;
  /** Asks the kernel to find out soon who has this address, IPv4 or IPv6; nothing happens for one that is on no link. Cheap, and limited. */
  probe(address: string, onInterface: string): void;
  /** When this sighting is asked next whether it is still there, on the wall clock, ms; undefined: it is not. */
  nextProbe(key: string): number | undefined;
}

/**
 * Who is on the LAN, as the kernel knows it from ARP (RFC 826) and neighbour discovery (RFC 4861). A row proves presence for half an hour after it was last
 * confirmed; who is quiet for long is asked (see probePlan). Without `ip` the IPv4 table of /proc is read.
 */
export function startNeighbours(
  io: SourceIo,
  { program, heard, prober = openProber(), times = probeTimes }: NeighbourIo,
): Neighbours {
  const { clock, log } = io;
  const state = new PartState(clock, "starting");
  const table = neighbourTable(
    clock,
    {
      seen: (sighting) => io.seen(sighting, sighting.key),
      left: (key, onInterface) => io.left(key, onInterface, "unanswered"),
    },
    times,
  );
  const readRows = rowReader(program, clock);
  const asked = new Map<string, number>();
  let minute = { at: -Infinity, count: 0 };
  let names: readonly string[] = [];
  let stopped = false;
  let looking: Promise<void> | undefined;
  let lookedAt = -Infinity;
  let wantedAt = Infinity;
  let cancel = () => {};

  const tellState = (error?: string) => {
    if (names.length === 0) return state.set("waiting");
    state.set(error === undefined ? "listening" : "error", { error });
  };

  const detail = (): string => {
    if (names.length === 0) return noInterface;
    const refused = table.refused();
    const trouble = prober.trouble();
    return [
      `on ${names.join(", ")}`,
      ...(program === undefined ? ["IPv4 only: there is no program ip here"] : []),
      ...(heard() ? [] : [`looked at every ${blindLookMs / 1000} s`]),
      ...(refused > 0 ? [`${refused} not kept: more than ${neighbourLimits.neighbours}`] : []),
      ...(trouble === undefined ? [] : [`they cannot be asked: ${trouble}`]),
    ].join("; ");
  };

  const askNow = () => {
    for (const { address, interface: onInterface } of table.due(mostOfRound)) prober.send(address, onInterface);
  };

  const lookNow = async () => {
    lookedAt = clock.monotonic();
    try {
      const rows = await readRows();
      if (stopped) return;
      table.takeAll(rows);
      table.settle((address, onInterface) => prober.refused(address, onInterface));
      askNow();
      tellState();
    } catch (reason) {
      if (state.report.state !== "error") log.warn(`the neighbour table cannot be read: ${reasonOf(reason)}`);
      tellState(reasonOf(reason));
    }
  };

  const look = (): Promise<void> => {
    cancel();
    wantedAt = Infinity;
    looking ??= lookNow().finally(() => {
      looking = undefined;
      rest();
    });
    return looking;
  };

  const want = (at: number) => {
    if (stopped || names.length === 0) return;
    const when = Math.max(at, lookedAt + leastLookMs);
    if (when >= wantedAt) return;
    cancel();
    wantedAt = when;
    cancel = clock.after(Math.max(0, when - clock.monotonic()), () => void look());
  };

  /** The look after this one, when nothing else happens. Our own questions wait for each other, so that one look judges many. */
  const rest = () => {
    want(lookedAt + (heard() ? quietLookMs : blindLookMs));
    want(Math.max(table.nextAt(), lookedAt + times.answer));
  };

  return {
    async update(interfaces: readonly LanInterface[]) {
      table.links(interfaces);
      names = [...new Set(interfaces.map(({ name }) => name))];
      tellState();
      if (names.length > 0) await (looking ?? look());
      else cancel();
    },
    line(line) {
      const row = stopped ? undefined : parseRow(line.replace(/^Deleted /, ""), false);
      // What the kernel forgets may be there all the same.
      if (row === undefined || line.startsWith("Deleted ")) return;
      table.take(row);
      if (row.state === "FAILED") rest();
    },
    missed: () => want(0),
    probe(given, onInterface) {
      const address = given.split("%", 1)[0] ?? "";
      if (stopped || isIP(address) === 0 || !table.askable(address, onInterface)) return;
      const now = clock.monotonic();
      if (now - minute.at >= 60_000) {
        minute = { at: now, count: 0 };
        asked.clear();
      }
      const place = `${address}%${onInterface}`;
      if (minute.count >= mostAMinute || now - (asked.get(place) ?? -Infinity) < sameAddressMs) return;
      minute.count++;
      asked.set(place, now);
      prober.send(address, onInterface);
      want(now + leastLookMs);
    },
    nextProbe(key) {
      const at = table.nextProbe(key);
      return at === undefined ? undefined : clock.now() + Math.max(0, at - clock.monotonic());
    },
    report: () => ({ ...state.report, detail: detail() }),
    forget: (key) => table.forget(key),
    async stop() {
      stopped = true;
      cancel();
      await looking;
      await prober.close();
    },
  };
}

/** Reads the table in the best way that this machine has: `ip` with times, `ip` of busybox, or the file of the kernel. */
function rowReader(program: string | undefined, clock: Clock): () => Promise<readonly NeighbourRow[]> {
  let timed = true;
  const rows = async (ip: string, withTimes: boolean) => {
    const lines = await runIp(ip, [...(withTimes ? ["-s"] : []), "neigh", "show"], clock);
    return lines.flatMap((line) => parseRow(line, withTimes) ?? []);
  };
  return async () => {
    if (program === undefined) return parseArpTable(await arpTable());
    if (!timed) return rows(program, false);
    try {
      return await rows(program, true);
    } catch (reason) {
      if (!(reason instanceof DmError) || reason.status !== Status.unavailable) throw reason;
      const plain = await rows(program, false);
      timed = false;
      return plain;
    }
  };
}

/** Through the process's own entry: a sandbox may hide the rest of /proc. @throws DmError 503 */
async function arpTable(): Promise<string> {
  try {
    return await readFile("/proc/self/net/arp", "latin1");
  } catch (cause) {
    throw new DmError(Status.unavailable, `there is neither an ip program nor the kernel's table: ${reasonOf(cause)}`, {
      cause,
    });
  }
}
